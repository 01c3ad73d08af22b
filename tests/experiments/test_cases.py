"""Every case is a scene that fits; noise levels are told, estimated from the pair, or taken as none."""

import numpy as np
import pytest
import torch

from hsrdiff.experiments.cases import Estimated, cases, partly_counted
from hsrdiff.experiments.conditions import Truth, clean, dead_bands, living_bands, noise, response
from hsrdiff.observation import Observation, SpatialResponse, SpectralResponse


@pytest.fixture(scope="module")
def truth():
    # three spectra, mixed smoothly: detail that bands share, so that noise can be told from it
    axis = np.arange(40.0)
    rows, columns = np.meshgrid(np.arange(64.0), np.arange(96.0), indexing="ij")
    maps = np.stack([1 + np.sin(rows / 9), 1 + np.cos(columns / 7), 1 + np.sin((rows + columns) / 11)]) / 6
    spectra = np.stack([0.5 + 0.5 * np.sin(axis / 6), axis / 40, np.exp(-0.5 * ((axis - 20) / 8) ** 2)])
    Z = torch.from_numpy(np.einsum("khw,kb->bhw", maps, spectra))[None]
    responses = np.exp(-0.5 * ((axis - np.array([[8.0], [20.0], [32.0]])) / 4.0) ** 2)
    R = SpectralResponse(responses / responses.sum(axis=1, keepdims=True))
    return Truth(Z, Observation(R, SpatialResponse.gaussian(4)), 10.0, 3, "made up")


@pytest.mark.parametrize("name", cases())
def test_every_case_gives_a_scene_that_fits_and_leaves_the_truth_alone(name, truth):
    before = truth.Z.clone()
    scene = cases()[name](truth)
    assert scene.check().Z is truth.Z
    assert scene.observation is truth.observation
    assert torch.equal(truth.Z, before)
    rms_x, rms_y = truth.observation.residuals(truth.Z, scene.X, scene.Y)
    assert (rms_x == rms_y == 0) == (name.startswith("clean") or "missing" in name)
    if not name.endswith(("told", "estimated")) or "missing" in name or name.startswith("clean"):
        assert scene.sigma_x == scene.sigma_y == 0


def test_estimated_levels_come_from_the_same_pair_and_are_near_the_true_ones(truth):
    told = noise(30.0, 30.0, told=True)(truth)
    found = Estimated(noise(30.0, 30.0, told=False))(truth)
    assert torch.equal(found.X, told.X)
    assert torch.equal(found.Y, told.Y)
    assert found.sigma_y == pytest.approx(told.sigma_y, rel=0.25)
    assert found.sigma_x == pytest.approx(told.sigma_x, rel=0.25)
    assert found.sigma_x != told.sigma_x


def test_what_is_no_noise_counts_as_noise_of_x(truth):
    assert Estimated(clean)(truth).sigma_x == 0
    near, far = (Estimated(response(shift))(truth).sigma_x for shift in (5.0, 15.0))
    assert 0 < near < far


def test_only_dead_bands_and_their_comparison_count_a_part():
    assert partly_counted(dead_bands)
    assert partly_counted(Estimated(living_bands))
    assert not partly_counted(Estimated(clean))
    assert sum(map(partly_counted, cases().values())) == 4
