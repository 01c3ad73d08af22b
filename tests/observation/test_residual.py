"""Residuals of a cube against both images: `Observation.residuals` as oracle, masks, one value by hand."""

import math

import pytest
import torch

from hsrdiff.observation import Observation, SpatialResponse, SpectralResponse, residuals

SIZE, BANDS = (12, 8), 3


def scene(spatial=None):
    g = torch.Generator().manual_seed(0)
    R = torch.rand((2, BANDS), generator=g, dtype=torch.float64)
    observed = Observation(SpectralResponse(R), spatial or SpatialResponse.gaussian(4))
    Z = torch.rand((1, BANDS, *SIZE), generator=g, dtype=torch.float64)
    return observed, Z, *observed.observe(Z)


def test_zero_where_the_cube_is_what_was_seen():
    for each in residuals(*scene()):
        assert each.rms < 1e-15
        assert each.pixels == each.of


def test_same_as_the_observations_own_and_relative_to_the_image():
    observed, Z, X, Y = scene()
    other = Z + 0.1 * torch.randn(Z.shape, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    of_x, of_y = residuals(observed, other, X, Y)
    assert (of_x.rms, of_y.rms) == pytest.approx(observed.residuals(other, X, Y))
    assert of_x.relative == pytest.approx(of_x.rms / float(X.square().mean().sqrt()))
    assert of_y.relative == pytest.approx(of_y.rms / float(Y.square().mean().sqrt()))


def test_relative_does_not_depend_on_the_unit_and_rms_follows_it():
    observed, Z, X, Y = scene()
    for one, other in zip(
        residuals(observed, Z, 1.1 * X, 0.9 * Y), residuals(observed, 5 * Z, 5.5 * X, 4.5 * Y), strict=True
    ):
        assert other.relative == pytest.approx(one.relative)
        assert other.rms == pytest.approx(5 * one.rms)
        assert other.describe() == one.describe(5.0)


def test_by_hand():
    observed = Observation(SpectralResponse(torch.eye(1, dtype=torch.float64)), SpatialResponse.block_mean(2))
    Z = torch.tensor([[1.0, 3.0], [1.0, 3.0]])[None, None]
    X, Y = torch.full((1, 1, 2, 2), 2.0), torch.full((1, 1, 1, 1), 4.0)
    of_x, of_y = residuals(observed, Z, X, Y)
    assert (of_x.rms, of_x.relative) == (1.0, 0.5)
    assert (of_y.rms, of_y.relative) == pytest.approx((2.0, 0.5))
    assert of_y.describe() == "RMS 2, 50 % of the image's"


def test_lr_pixels_that_touch_an_invalid_pixel_do_not_count():
    observed, Z, X, Y = scene(SpatialResponse.gaussian(4, size=4))
    Z[0, 1, 0, 0] = torch.nan  # in one band of one pixel: its block is the only one that sees it
    Y[0, :, 0, 0] = 1e6
    X[0, :, 0, 0] = -1e6
    of_x, of_y = residuals(observed, Z, X, Y)
    assert (of_y.pixels, of_y.of) == (5, 6)
    assert (of_x.pixels, of_x.of) == (95, 96)
    assert max(of_x.rms, of_y.rms) < 1e-15
    assert of_y.describe().endswith(", over 5 of 6 pixels")
    wide, Z, X, Y = scene()
    Z[0, :, 0, 3] = torch.nan  # the wider kernel reaches it from the block beside as well
    assert residuals(wide, Z, X, Y)[1].pixels == 4


def test_masked_values_do_not_count():
    observed, Z, X, Y = scene()
    valid, valid_lr = torch.ones((1, 1, *SIZE), dtype=torch.bool), torch.ones((1, 1, 3, 2), dtype=torch.bool)
    valid[..., 5, 5] = False
    valid_lr[..., 2, 1] = False
    X[..., 5, 5] = torch.nan
    Y[..., 2, 1] = math.inf
    of_x, of_y = residuals(observed, Z, X, Y, valid, valid_lr)
    assert max(of_x.rms, of_y.rms) < 1e-15
    assert (of_x.pixels, of_y.pixels) == (95, 5)


def test_nothing_left_and_images_of_zeros_are_said():
    observed, Z, X, Y = scene()
    none = residuals(observed, torch.full_like(Z, torch.nan), X, Y)
    assert all(each.pixels == 0 and math.isnan(each.rms) for each in none)
    assert none[0].describe().startswith("not known")
    assert residuals(observed, Z, 0 * X, Y)[0].relative == math.inf
    assert residuals(observed, 0 * Z, 0 * X, 0 * Y)[0].relative == 0


@pytest.mark.parametrize("border", ["symmetric", "replicate", "circular"])
def test_in_strips_it_is_the_same(border, monkeypatch):
    g = torch.Generator().manual_seed(4)
    spectral = SpectralResponse(torch.rand((2, BANDS), generator=g, dtype=torch.float64))
    observed = Observation(spectral, SpatialResponse.gaussian(4, size=12, border=border))
    Z = torch.rand((1, BANDS, 24, 20), generator=g, dtype=torch.float64)
    X, Y = observed.observe(Z)
    Z = 5.0 * (Z + 0.1 * torch.randn(Z.shape, generator=g, dtype=torch.float64))
    Z[0, 2, 1, 5] = torch.nan
    valid_lr = torch.ones_like(Y[:, :1], dtype=torch.bool)
    valid_lr[..., 2, 0] = False
    whole = residuals(observed, Z, X, Y, None, valid_lr, unit=5.0)
    monkeypatch.setattr("hsrdiff.observation.residual._STRIP_PIXELS", 1)
    for one, other in zip(residuals(observed, Z, X, Y, None, valid_lr, unit=5.0), whole, strict=True):
        assert (one.rms, one.relative) == pytest.approx((other.rms, other.relative))
        assert (one.pixels, one.of) == (other.pixels, other.of)
