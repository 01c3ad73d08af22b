"""What is wrong with a pair is what the condition says, and nothing else."""

import math

import numpy as np
import pytest
import torch

from hsrdiff.experiments.conditions import (
    Truth,
    alive,
    clean,
    dead_bands,
    displaced,
    missing,
    noise,
    psf_width,
    response,
    saturated,
    warp_response,
)
from hsrdiff.observation import Observation, SpatialResponse, SpectralResponse


@pytest.fixture
def truth():
    g = torch.Generator().manual_seed(0)
    Z = torch.rand((1, 40, 32, 48), generator=g, dtype=torch.float64)
    axis = np.arange(40.0)
    rows = np.exp(-0.5 * ((axis - np.array([[12.0], [27.0]])) / 4.0) ** 2)
    observation = Observation(SpectralResponse(rows / rows.sum(axis=1, keepdims=True)), SpatialResponse.gaussian(4))
    return Truth(Z, observation, 10.0, 3, "made up")


def test_noise_has_the_level_told_and_touches_one_image(truth):
    scene = noise(math.inf, 20.0, told=True)(truth)
    rest = clean(truth)
    assert torch.equal(scene.X, rest.X)
    sigma = float((scene.Y - rest.Y).std())
    assert scene.sigma_y == pytest.approx(sigma, rel=0.05)
    assert 10 * math.log10(float(rest.Y.square().mean()) / sigma**2) == pytest.approx(20.0, abs=0.3)
    assert scene.sigma_x == 0.0
    silent = noise(math.inf, 20.0, told=False)(truth)
    assert torch.equal(silent.Y, scene.Y)
    assert silent.sigma_y == 0.0


def test_a_psf_of_the_told_width_is_the_told_one_but_for_its_cut(truth):
    rest = clean(truth)
    assert float((psf_width(1.0)(truth).Y - rest.Y).abs().max()) < 0.02
    wide, narrow = (psf_width(ratio)(truth).Y.var() for ratio in (1.3, 0.7))
    assert float(wide) < float(rest.Y.var()) < float(narrow)
    assert torch.equal(psf_width(1.3)(truth).X, rest.X)


def test_warping_shifts_the_centre_and_scales_the_width(truth):
    R = truth.observation.spectral
    axis = torch.arange(40.0, dtype=torch.float64)

    def moments(matrix):
        weights = matrix / matrix.sum(dim=1, keepdim=True)
        centre = weights @ axis
        return centre, ((axis - centre[:, None]).square() * weights).sum(dim=1).sqrt()

    centre, width = moments(R.matrix)
    torch.testing.assert_close(warp_response(R, 0.0, 1.0).matrix, R.matrix, rtol=0, atol=1e-12)
    moved, _ = moments(warp_response(R, 0.5, 1.0).matrix)
    torch.testing.assert_close(moved, centre + 0.5, rtol=0, atol=0.01)
    stayed, wider = moments(warp_response(R, 0.0, 1.2).matrix)
    torch.testing.assert_close(stayed, centre, rtol=0, atol=0.1)
    torch.testing.assert_close(wider, 1.2 * width, rtol=0.03, atol=0)
    torch.testing.assert_close(warp_response(R, 0.7, 0.8).matrix.sum(dim=1), R.matrix.sum(dim=1))
    # 10 nm a band: 20 nm are two bands
    shifted = response(shift_nm=20.0)(truth).X
    expected = SpectralResponse(warp_response(R, 2.0, 1.0).matrix).apply(truth.Z)
    torch.testing.assert_close(shifted, expected)


def test_a_displacement_of_one_lr_pixel_moves_the_columns_of_y(truth):
    moved, rest = displaced(1.0)(truth), clean(truth)
    torch.testing.assert_close(moved.Y[..., 2:-1], rest.Y[..., 1:-2])
    assert torch.equal(moved.X, rest.X)


def test_dead_saturated_and_missing_are_counted_by_hand(truth):
    rest = clean(truth)
    dead = dead_bands(truth)
    assert (~alive(40)).sum() == 2
    assert not dead.Y[:, ~alive(40)].any()
    assert torch.equal(dead.Y[:, alive(40)], rest.Y[:, alive(40)])
    cut = saturated(truth)
    share = (cut.X < rest.X).double().mean()
    assert 0.005 < float(share) <= 0.011
    assert float((cut.X - rest.X).max()) == 0.0
    holes = missing("X")(truth)
    assert torch.equal(torch.isnan(holes.X[:, :1]), ~holes.valid)
    assert float((~holes.valid).double().mean()) == pytest.approx(0.05, abs=0.02)
    assert holes.valid_lr is None
    assert missing("Y")(truth).valid is None
