"""Eq. (1) as a pair of operators, and noise of a given SNR."""

import math

import pytest
import torch

from hsrdiff.errors import InputError, InvalidValueError, ShapeError
from hsrdiff.observation import Observation, SpatialResponse, SpectralResponse, add_noise
from hsrdiff.rng import generator


def make(bands=5, msi_bands=2, factor=4):
    matrix = torch.rand(msi_bands, bands, generator=generator(0, "R"), dtype=torch.float64)
    return Observation(SpectralResponse(matrix), SpatialResponse.gaussian(factor))


def draw(*shape, seed=0):
    return torch.rand(shape, generator=generator(seed, "image"), dtype=torch.float64)


def test_eq1_observe():
    observation, Z = make(), draw(2, 5, 8, 12)
    X, Y = observation.observe(Z)
    assert (X.shape, Y.shape) == ((2, 2, 8, 12), (2, 5, 2, 3))
    assert torch.equal(X, observation.spectral.apply(Z))
    assert torch.equal(Y, observation.spatial.apply(Z))


def test_eq1_two_ways_to_the_lr_msi_agree():
    observation, Z = make(), draw(1, 5, 8, 8)
    X, Y = observation.observe(Z)
    torch.testing.assert_close(observation.spectral.apply(Y), observation.spatial.apply(X))


def test_residuals_are_zero_for_the_truth_and_the_offset_for_an_offset():
    observation, Z = make(), draw(1, 5, 8, 8)
    X, Y = observation.observe(Z)
    assert observation.residuals(Z, X, Y) == (0.0, 0.0)
    rms_x, rms_y = observation.residuals(Z, X + 0.1, Y - 0.2)
    assert (rms_x, rms_y) == (pytest.approx(0.1), pytest.approx(0.2))


def test_residuals_leave_nan_out():
    observation, Z = make(), draw(1, 5, 8, 8)
    X, Y = observation.observe(Z)
    X = X + 0.1
    X[..., 0, :] = torch.nan
    assert observation.residuals(Z, X, Y) == (pytest.approx(0.1), 0.0)
    with pytest.raises(InvalidValueError, match="no finite pixel"):
        observation.residuals(Z, X, Y * torch.nan)
    with pytest.raises(ShapeError, match=r"Y has shape \(1, 5, 1, 2\)"):
        observation.residuals(Z, X, Y[..., :1, :])


@pytest.mark.parametrize("snr_db", [20.0, 35.0])
def test_noise_has_the_snr_asked_for(snr_db):
    image = draw(1, 4, 128, 128)
    noisy, sigma = add_noise(image, snr_db, generator(1))
    assert 10 * math.log10(float(image.square().mean()) / sigma**2) == pytest.approx(snr_db)
    # The sample standard deviation of 65536 draws lies within 1.5 % at more than five sigma.
    assert float((noisy - image).std()) == pytest.approx(sigma, rel=0.015)
    assert abs(float((noisy - image).mean())) < 5 * sigma / 256


def test_noise_is_the_generator_s_and_leaves_the_image_alone():
    image = draw(1, 2, 8, 8)
    before = image.clone()
    first, _ = add_noise(image, 30.0, generator(7))
    assert torch.equal(first, add_noise(image, 30.0, generator(7))[0])
    assert not torch.equal(first, add_noise(image, 30.0, generator(8))[0])
    assert torch.equal(image, before)


def test_noise_limits():
    image = draw(1, 2, 8, 8).float()
    image[..., 0, 0] = torch.nan
    same, sigma = add_noise(image, math.inf, generator(0))
    assert sigma == 0.0
    torch.testing.assert_close(same, image, equal_nan=True, rtol=0, atol=0)
    noisy, sigma = add_noise(image, 20.0, generator(0))
    assert noisy.dtype == torch.float32
    assert math.isfinite(sigma)
    assert torch.equal(noisy.isnan(), image.isnan())
    with pytest.raises(InputError, match="nan dB"):
        add_noise(image, math.nan, generator(0))
    with pytest.raises(InvalidValueError, match="no finite pixel"):
        add_noise(image * torch.nan, 20.0, generator(0))
