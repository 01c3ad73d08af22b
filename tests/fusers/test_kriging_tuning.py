"""Constants chosen on the scene: a smaller leave-one-out error, samples in whole windows, landmarks that suffice."""

import dataclasses

import pytest
import torch
from fuser_scenes import curved_scene

from hsrdiff.fusers.kriging import SpectralKernel
from hsrdiff.fusers.kriging.kernel import image_sites
from hsrdiff.fusers.kriging.samples import Samples
from hsrdiff.fusers.kriging.tuning import TuningProblem, tune


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_tuning_lowers_the_leave_one_out_error_and_leaves_good_constants_alone():
    scene = curved_scene(48, 48)
    samples = Samples.of(scene, scene.observation.spatial)
    problem = TuningProblem.draw(samples, generator())
    poor = SpectralKernel(colour=3.0, brightness=10.0, reach_lr=0.3)
    better = tune(poor, problem)
    assert float(problem.loss(better)) < float(problem.loss(poor)) - 0.1
    assert tune(better, problem, steps=0) == dataclasses.replace(better)


def test_tuning_draws_whole_windows_and_keeps_mean_guides():
    scene = curved_scene(128, 160)
    samples = Samples.of(scene, scene.observation.spatial)
    problem = TuningProblem.draw(samples, generator())
    assert 320 <= len(problem.Y) <= 400
    points = len(problem.sites) // len(problem.Y)
    means = problem.sites.guide.reshape(len(problem.Y), points, 3).mean(1)
    everything = image_sites(samples.guide_lr, 1, samples.scale).guide
    distance = torch.cdist(means, everything).min(1).values
    assert float(distance.max()) < 1e-6


def test_tuning_with_landmarks_comes_to_that_without():
    scene = curved_scene()
    samples = Samples.of(scene, scene.observation.spatial)
    problem = TuningProblem.draw(samples, generator(), points=3)
    assert problem.landmarks is None
    every = dataclasses.replace(problem, landmarks=torch.arange(len(problem.sites)))
    few = dataclasses.replace(problem, landmarks=torch.randperm(len(problem.sites), generator=generator())[:96])
    kernel = SpectralKernel()
    exact = float(problem.loss(kernel))
    assert float(every.loss(kernel)) == pytest.approx(exact, abs=1e-3)
    assert float(few.loss(kernel)) == pytest.approx(exact, abs=0.2)
