"""Training of learned kernels: the small problem is the product's own, steps are functions of the seed, runs resume."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from hsrdiff.cubes import as_cube
from hsrdiff.errors import RecipeError, WeightsError
from hsrdiff.fusers.kriging import AreaKriging, LearnedKernel
from hsrdiff.observation import JointProjection, Observation, SpatialResponse, SpectralResponse
from hsrdiff.training.kriging import is_kernel_recipe, load_kernel_recipe, run_kernel_recipe, shipped_kernel_recipes
from hsrdiff.training.kriging import run as run_module
from hsrdiff.training.kriging.loss import kernel_loss, predict_exactly
from hsrdiff.training.kriging.problem import SmallProblem, draw_problem, random_guide
from hsrdiff.training.kriging.recipe import KernelTraining

TEXT = """
name = "mine"
[kernel]
terms = 2
hidden = 8
[training]
steps = 6
pixels = 6
landmarks = 24
side_lr = 8
save_every = 2
[[data]]
dataset = "made-up"
factors = [4]
"""


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def truth(bands=8, side=32, seed=0):
    g = generator(seed)
    rows, columns = torch.meshgrid(torch.arange(side).double(), torch.arange(side).double(), indexing="ij")
    t = 0.5 + 0.45 * torch.sin(rows / 5 + 6 * torch.rand(1, generator=g)) * torch.cos(columns / 6)
    shade = 0.6 + 0.3 * torch.sin(rows / 3.3 + columns / 4.1 + 6 * torch.rand(1, generator=g))
    wave = torch.linspace(0, 1, bands, dtype=torch.float64)[:, None, None]
    return (shade * (0.2 + torch.exp(-((wave - t) ** 2) / 0.05) + 0.5 * wave * t**2)).float()


class MadeUp:
    """Two scenes, no files."""

    def scenes(self, split):
        return ("a", "b")

    def load(self, name):
        Z = truth(seed=len(name) + ord(name)).numpy()
        Z[:, 3, 5] = np.nan
        return as_cube(Z)


@pytest.fixture
def recipe(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(run_module, "make_dataset", lambda name, data=None: MadeUp())
    path = tmp_path / "mine.toml"
    path.write_text(TEXT)
    return path


def whole_problem(Z, R, factor=4) -> SmallProblem:
    """A problem in which every pixel of every block is drawn."""
    side = Z.shape[-1] // factor
    options = KernelTraining(steps=1, side_lr=side, pixels=factor * factor, landmarks=64)
    return draw_problem(Z, R, factor, options, generator(4))


def test_the_small_problem_is_what_kriging_and_projection_solve():
    """With all pixels drawn, the prediction is that of AreaKriging and JointProjection on the same pixels."""
    kernel, R = LearnedKernel().double(), random_guide(8, generator(2))
    problem = whole_problem(truth(), R)
    problem = replace(problem, sites=problem.sites.to(torch.float64))
    assert torch.allclose(problem.weights.sum(dim=1), torch.ones(64))
    with torch.no_grad():
        got = predict_exactly(kernel, problem)
        Y = problem.means(problem.Z.double())
        guide = problem.sites.guide.double()
        spread = (problem.means(guide.square()) - problem.means(guide).square()).sum(dim=1)
        fitted = AreaKriging.fit(
            kernel, problem.sites, problem.landmarks, lambda image: problem.means(image.T).T, Y, spread.clamp_min(0)
        )
        Z_hat = fitted.predict()[0].double()
    R64 = R.double()
    Z_hat = Z_hat + (guide * problem.scale - Z_hat @ R64.T) @ torch.linalg.pinv(R64).T
    torch.testing.assert_close(got @ R64.T, guide * problem.scale, rtol=0, atol=1e-7)
    torch.testing.assert_close(problem.means(got), Y, rtol=0, atol=1e-9)
    missing = Y - problem.means(Z_hat)
    w = problem.weights.double()
    Z_hat = Z_hat + (missing[:, None] * (w / w.square().sum(1, keepdim=True))[..., None]).flatten(0, 1)
    torch.testing.assert_close(got, Z_hat, rtol=0, atol=1e-5)


def test_its_projection_is_the_joint_projection():
    """On a block of equal weights, rows in the order of the image."""
    R = random_guide(8, generator(2))
    observation = Observation(SpectralResponse(R), SpatialResponse.block_mean(4))
    Z = truth(side=8)[None].double()
    X, Y = observation.observe(Z)
    start = torch.rand(Z.shape, generator=generator(1), dtype=torch.float64)
    projected = JointProjection(observation, (8, 8)).project(start, X, Y)
    block = start[0].reshape(8, 2, 4, 2, 4).permute(1, 3, 2, 4, 0).reshape(4, 16, 8)
    guide = X[0].reshape(-1, 2, 4, 2, 4).permute(1, 3, 2, 4, 0).reshape(4, 16, -1)
    R64 = R.double()
    moved = block + (guide - block @ R64.T) @ torch.linalg.pinv(R64).T
    moved = moved + (Y[0].flatten(1).T[:, None] - moved.mean(dim=1, keepdim=True))
    back = moved.reshape(2, 2, 4, 4, 8).permute(4, 0, 2, 1, 3).reshape(8, 8, 8)
    torch.testing.assert_close(back, projected[0], rtol=0, atol=1e-9)


def test_loss_falls_and_every_parameter_learns():
    kernel, R = LearnedKernel(), random_guide(8, generator(2))
    problem = whole_problem(truth(), R)
    optimizer = torch.optim.Adam(kernel.parameters(), lr=0.02)
    first = kernel_loss(kernel, problem).total
    first.backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in kernel.parameters())
    for _ in range(15):
        optimizer.zero_grad()
        loss = kernel_loss(kernel, problem).total
        loss.backward()
        optimizer.step()
    assert loss.item() < first.item() - 0.02


def test_random_guides_are_responses():
    for seed in range(20):
        R = random_guide(31, generator(seed))
        assert 1 <= len(R) <= 7
        assert float(R.min()) >= 0
        torch.testing.assert_close(R.sum(dim=1), torch.ones(len(R)))


def test_stopped_and_resumed_is_the_same_bit_for_bit(recipe, tmp_path):
    whole = run_kernel_recipe(recipe, tmp_path / "whole", progress=False)
    part = run_kernel_recipe(recipe, tmp_path / "part", progress=False, stop_at=3)
    assert (whole.finished, part.finished, part.steps_done) == (True, False, 3)
    rest = run_kernel_recipe(recipe, tmp_path / "part", progress=False)
    one, two = load_file(whole.weights), load_file(rest.weights)
    assert all(torch.equal(one[name], two[name]) for name in one)
    lines = (tmp_path / "part" / "log.jsonl").read_text().splitlines()
    assert len(lines) == 6


def test_a_finished_run_started_again_leaves_its_file_alone(recipe, tmp_path):
    """Written again it would have another hash, and a network trained over it would not know its base."""
    first = run_kernel_recipe(recipe, tmp_path / "run", progress=False)
    content, written = first.weights.read_bytes(), first.weights.stat().st_mtime_ns
    again = run_kernel_recipe(recipe, tmp_path / "run", progress=False)
    assert (again.finished, again.steps_done, again.message) == (True, first.steps_done, first.message)
    assert first.weights.stat().st_mtime_ns == written
    first.weights.write_bytes(content[:100])  # a damaged file is written anew from the checkpoint
    healed = load_file(run_kernel_recipe(recipe, tmp_path / "run", progress=False).weights)
    first.weights.write_bytes(content)
    assert all(torch.equal(value, healed[name]) for name, value in load_file(first.weights).items())


def test_another_recipe_does_not_go_on(recipe, tmp_path):
    run_kernel_recipe(recipe, tmp_path / "run", progress=False, stop_at=1)
    with pytest.raises(WeightsError, match="another recipe"):
        run_kernel_recipe(recipe, tmp_path / "run", progress=False, overrides={"training.seed": "1"})


def test_scenes_too_small_for_a_factor_are_refused(recipe, tmp_path):
    with pytest.raises(RecipeError, match="factor 8"):
        run_kernel_recipe(recipe, tmp_path / "run", progress=False, overrides={"data": "[{dataset='x', factors=[8]}]"})
    assert not (tmp_path / "run").exists()


def test_recipes_are_told_apart_and_checked(recipe, tmp_path):
    assert is_kernel_recipe(recipe)
    assert all(is_kernel_recipe(name) for name in shipped_kernel_recipes())
    assert not is_kernel_recipe("cave-x32-small")
    with pytest.raises(RecipeError, match=r"unknown key 'training\.step'; use 'steps'"):
        load_kernel_recipe(recipe, {"training.step": "3"})
    with pytest.raises(RecipeError, match="could not be read"):
        load_kernel_recipe(tmp_path / "none.toml")


@pytest.mark.parametrize("name", sorted(shipped_kernel_recipes()))
def test_shipped_recipes_are_valid(name):
    assert load_kernel_recipe(name).name == name
