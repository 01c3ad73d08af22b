"""Gain and offset of MSI bands: consistent pairs are left alone, made-up calibrations are found and undone."""

import numpy as np
import pytest
import torch

from hsrdiff.observation import (
    BandMatch,
    Observation,
    Scene,
    SpatialResponse,
    SpectralResponse,
    likely_order,
    match_bands,
)

GAIN, OFFSET = np.array([1.3, 0.6, 1.0]), np.array([0.05, 0.0, -0.1])


def scene(size=48, seed=0, factor=4):
    """Six smooth bands of detail and the three-band guide made of them."""
    rng = np.random.default_rng(seed)
    parts = torch.from_numpy(rng.random((1, 3, size, size)))
    spectra = torch.from_numpy(0.2 + rng.random((6, 3)))
    Z = torch.einsum("bk,nkyx->nbyx", spectra, parts) + 0.3 * torch.linspace(0, 2, size, dtype=torch.float64)
    R = torch.tensor([[0.5, 0.5, 0, 0, 0, 0], [0, 0, 0.3, 0.7, 0, 0], [0, 0, 0, 0.2, 0.4, 0.4]], dtype=torch.float64)
    observation = Observation(SpectralResponse(R), SpatialResponse.gaussian(factor))
    X, Y = observation.observe(Z)
    return Scene(X=X, Y=Y), observation


def matched(given, observation):
    return match_bands(given, observation.spectral, observation.spatial)


def scaled(given, gain=GAIN, offset=OFFSET):
    gain, offset = (torch.from_numpy(part)[None, :, None, None] for part in (gain, offset))
    return Scene(X=given.X * gain + offset, Y=given.Y, valid=given.valid, valid_lr=given.valid_lr)


def test_an_exact_pair_needs_none():
    assert matched(*scene()) is None


def test_made_up_gains_and_offsets_are_found_and_undone():
    given, observation = scene()
    found = matched(scaled(given), observation)
    np.testing.assert_allclose(found.gain, GAIN, rtol=1e-6)
    np.testing.assert_allclose(found.offset, OFFSET, atol=1e-6)
    np.testing.assert_allclose(found.apply(scaled(given).X), given.X, rtol=1e-6)
    assert found.matched.all()


def test_a_band_that_fits_is_left_to_the_bit():
    given, observation = scene()
    other = scaled(given, np.array([1.0, 1.0, 1.5]), np.zeros(3))
    found = matched(other, observation)
    np.testing.assert_array_equal(found.matched, [False, False, True])
    assert torch.equal(found.apply(other.X)[:, :2], given.X[:, :2])


def test_gains_follow_the_unit():
    given, observation = scene()
    one = matched(scaled(given), observation)
    large = Scene(X=1e4 * scaled(given).X, Y=1e4 * given.Y)
    other = matched(large, observation)
    np.testing.assert_allclose(other.gain, one.gain, rtol=1e-9)
    np.testing.assert_allclose(other.offset, 1e4 * one.offset, atol=1e-4)


def test_less_than_two_per_cent_and_noise_are_no_calibration():
    given, observation = scene()
    assert matched(scaled(given, np.full(3, 1.015), np.zeros(3)), observation) is None
    rng = torch.Generator().manual_seed(0)
    for noise in (0.05, 0.2):
        noisy = Scene(X=given.X + noise * torch.randn(given.X.shape, generator=rng, dtype=torch.float64), Y=given.Y)
        assert matched(noisy, observation) is None


@pytest.mark.parametrize("width", [1.6, 5.0])
def test_another_psf_is_no_calibration(width):
    given, observation = scene()
    D = SpatialResponse.gaussian(4, sigma=width, size=16)
    assert match_bands(given, observation.spectral, D) is None


def test_a_cloud_in_one_image_does_not_bend_the_line():
    given, observation = scene(size=96)
    X = scaled(given).X.clone()
    X[..., :16, :16] += 3.0
    found = matched(Scene(X=X, Y=given.Y), observation)
    np.testing.assert_allclose(found.gain, GAIN, rtol=0.02)


def test_masked_pixels_count_for_nothing():
    given, observation = scene()
    valid = torch.ones((1, 1, 48, 48), dtype=torch.bool)
    valid[..., :10, 20:] = False
    other = scaled(given)
    X = torch.where(valid, other.X, torch.nan)
    found = matched(Scene(X=X, Y=given.Y, valid=valid), observation)
    np.testing.assert_allclose(found.gain, GAIN, rtol=1e-6)
    assert torch.isnan(found.apply(X)).any(dim=1, keepdim=True).equal(~valid)


def test_strangers_and_constants_have_no_line():
    given, observation = scene()
    rng = torch.Generator().manual_seed(1)
    strange = torch.rand(given.X.shape, generator=rng, dtype=torch.float64)
    assert matched(Scene(X=strange, Y=given.Y), observation) is None
    assert matched(Scene(X=torch.full_like(given.X, 2.0), Y=given.Y), observation) is None
    assert matched(Scene(X=torch.zeros_like(given.X), Y=given.Y), observation) is None
    assert matched(Scene(X=-given.X, Y=given.Y), observation) is None


def test_few_pixels_fix_no_line():
    given, observation = scene(size=12)
    assert matched(scaled(given), observation) is None


@pytest.mark.parametrize("order", [(2, 1, 0), (1, 2, 0)])
def test_rows_in_another_order_are_found_whatever_the_calibration(order):
    given, observation = scene()
    D, R = observation.spatial, observation.spectral
    turned = SpectralResponse(R.matrix[list(order)])
    for each in (given, scaled(given)):
        assert likely_order(each, R, D) is None
        found = likely_order(each, turned, D)
        assert [order[row] for row in found] == [0, 1, 2]


def test_strangers_have_no_other_order():
    given, observation = scene()
    rng = torch.Generator().manual_seed(1)
    strange = Scene(X=torch.rand(given.X.shape, generator=rng, dtype=torch.float64), Y=given.Y)
    assert likely_order(strange, observation.spectral, observation.spatial) is None


def test_unit_of_noise_by_hand():
    # noise of 1 becomes 1/2 and 1: its mean square 5/8
    match = BandMatch(np.array([2.0, 1.0]), np.zeros(2))
    assert match.unit == pytest.approx(np.sqrt(8 / 5))
