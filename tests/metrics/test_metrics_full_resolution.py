"""Numbers without truth: laws, values by hand, masks."""

import importlib
import math

import numpy as np
import pytest

from hsrdiff.errors import InvalidValueError, ShapeError
from hsrdiff.metrics import agreement, full_resolution, ndvi_agreement, spatial_distortion
from hsrdiff.metrics.spatial_distortion import explained_shares


def test_an_image_agrees_with_itself():
    image = np.random.default_rng(0).random((3, 8, 8))
    found = agreement(image, image)
    assert found.mean_relative_rmse == 0
    np.testing.assert_allclose(found.correlation, 1.0)


def test_agreement_by_hand():
    # band 1: twice the image, so 100 % apart and fully correlated; band 2 is constant and 10 % apart; band 3 is empty
    image = np.stack([np.arange(4.0).reshape(2, 2), np.full((2, 2), 2.0), np.zeros((2, 2))])
    model = np.stack([2 * image[0], np.full((2, 2), 2.2), np.ones((2, 2))])
    found = agreement(model, image)
    np.testing.assert_allclose(found.relative_rmse, [1.0, 0.1, math.nan])
    np.testing.assert_allclose(found.correlation, [1.0, math.nan, math.nan])
    assert found.mean_relative_rmse == pytest.approx(math.sqrt((1 + 0.01) / 2))
    assert found.mean_correlation == pytest.approx(1.0)


def cube(bands=6, size=24, seed=0):
    return np.random.default_rng(seed).random((bands, size, size))


def test_no_distortion_where_the_guide_is_made_of_the_bands():
    Z = cube()
    R = np.random.default_rng(1).random((3, 6))
    X = np.einsum("ij,jyx->iyx", R, Z)
    assert spatial_distortion(Z, X) == pytest.approx(0.0, abs=1e-12)
    # a gain and an offset of either image change nothing
    assert spatial_distortion(300 * Z.astype(np.float32) + 20, 5 * X.astype(np.float32) - 1) == pytest.approx(
        0, abs=1e-10
    )


def test_the_distortion_of_an_unrelated_cube_is_nearly_one():
    # of 576 random pixels, 6 random bands explain 6 / 576 by chance
    assert spatial_distortion(cube(), cube(3, seed=1)) == pytest.approx(1 - 6 / 576, abs=0.01)


def test_distortion_by_hand():
    # X = Z + E with E orthogonal to Z and to 1: R^2 = var Z / (var Z + var E) = 1 / (1 + 4)
    Z = np.tile([1.0, 1.0, -1.0, -1.0], (4, 1))[None]
    E = np.tile([2.0, -2.0, 2.0, -2.0], (4, 1))[None]
    assert spatial_distortion(Z + 7, Z + E) == pytest.approx(0.8)
    np.testing.assert_allclose(explained_shares(Z, np.concatenate([Z + E, Z, 0 * Z + 3])), [0.2, 1.0, math.nan])


def test_bands_that_repeat_each_other_and_many_pieces(monkeypatch):
    Z = cube(4)
    X = cube(2, seed=1)
    expected = spatial_distortion(Z, X)
    repeated = np.concatenate([Z, Z[:2], Z.sum(axis=0, keepdims=True), np.ones((1, 24, 24))])
    assert spatial_distortion(repeated, X) == pytest.approx(expected, abs=1e-9)
    monkeypatch.setattr(importlib.import_module("hsrdiff.metrics.spatial_distortion"), "BLOCK_BYTES", 1000)
    assert spatial_distortion(Z, X) == pytest.approx(expected, rel=1e-9)
    # the oracle: NumPy's least squares on the whole
    A = np.concatenate([Z, np.ones((1, 24, 24))]).reshape(5, -1).T
    left = [np.linalg.lstsq(A, x.ravel(), rcond=None)[1][0] / (24**2 * x.var()) for x in X]
    assert expected == pytest.approx(np.mean(left), rel=1e-9)


def test_distortion_is_masked_and_undefined_on_few_pixels():
    Z, X = cube(), cube(2, seed=1)
    mask = np.ones((24, 24), bool)
    mask[:5] = False
    expected = spatial_distortion(Z[:, 5:], X[:, 5:])
    Z[:, 0], X[:, 1] = np.nan, np.nan
    assert spatial_distortion(Z, X, mask=mask) == pytest.approx(expected)
    with pytest.raises(InvalidValueError, match="NaN"):
        spatial_distortion(Z, X)
    with pytest.raises(ShapeError, match="same size"):
        spatial_distortion(Z, X[:, 1:])
    few = np.zeros((24, 24), bool)
    few[10, :7] = True
    assert math.isnan(spatial_distortion(Z, X, mask=few))


def test_ndvi_by_hand():
    nm = [550.0, 660.0, 850.0]
    Z = np.array([[[0.0, 0.0]], [[1.0, 1.0]], [[3.0, 1.0]]])  # NDVI 0.5 and 0
    X = np.array([[[3.0, 1.0]], [[2.0, 1.0]]])  # NIR first: NDVI 0.2 and 0
    found = ndvi_agreement(Z, X, wavelengths_nm=nm, guide_wavelengths_nm=[833.0, 665.0])
    assert found.bias == pytest.approx(0.15)
    assert found.rmse == pytest.approx(0.3 / math.sqrt(2))
    assert found.correlation == pytest.approx(1.0)
    assert (found.fused_nm, found.guide_nm, found.pixels) == ((660.0, 850.0), (665.0, 833.0), 2)


def test_ndvi_beside_a_negative_value_is_at_most_one():
    nm = [660.0, 840.0]
    Z = np.array([[[-0.0999, 0.2]], [[0.1, 0.3]]])  # 1999 and 0.2
    X = np.array([[[0.1, 0.2]], [[0.3, 0.3]]])  # 0.5 and 0.2
    found = ndvi_agreement(Z, X, wavelengths_nm=nm, guide_wavelengths_nm=nm)
    assert found.bias == pytest.approx(0.25)
    assert found.rmse == pytest.approx(0.5 / np.sqrt(2))


def test_ndvi_leaves_out_what_has_none():
    Z = np.ones((2, 2, 2))
    Z[1] = [[2.0, 3.0], [-1.0, 5.0]]
    nm = [660.0, 840.0]
    mask = np.array([[True, True], [True, False]])
    found = ndvi_agreement(Z, Z, wavelengths_nm=nm, guide_wavelengths_nm=nm, mask=mask)
    assert (found.pixels, found.bias, found.rmse) == (2, 0.0, 0.0)  # one is masked, and one sums to 0
    assert found.correlation == pytest.approx(1.0)
    assert ndvi_agreement(Z, Z, wavelengths_nm=[660.0, 900.0], guide_wavelengths_nm=nm) is None
    assert ndvi_agreement(Z, Z, wavelengths_nm=nm, guide_wavelengths_nm=[660.0, math.nan]) is None
    assert ndvi_agreement(Z, Z, wavelengths_nm=nm, guide_wavelengths_nm=nm, mask=np.zeros((2, 2), bool)) is None
    with pytest.raises(ShapeError, match="2 bands"):
        ndvi_agreement(Z, Z, wavelengths_nm=nm[:1], guide_wavelengths_nm=nm)


def test_hqnr_is_the_product_of_what_is_left():
    Z, X, Y = cube(), cube(2, seed=1), cube(size=6, seed=2)
    ones, ones_lr = np.ones((24, 24), bool), np.ones((6, 6), bool)
    ones[0, 0] = False
    found = full_resolution(Z, X, Y, X, Y + 0.1 * cube(size=6, seed=3), mask=ones, mask_lr=ones_lr)
    assert 0 < found.d_lambda < 1
    assert found.d_s > 0.9
    assert found.hqnr == pytest.approx((1 - found.d_lambda) * (1 - found.d_s))
    assert found.spectral.mean_relative_rmse == 0
    assert "99.8 % of fine and 100 % of coarse pixels" in found.convention
    assert [remark.split()[0] for remark in found.remarks] == ["NDVI"]


def test_undefined_numbers_are_nan_and_said():
    Z, Y = np.ones((2, 8, 8)), np.zeros((2, 2, 2))
    mask_lr = np.array([[True, False], [False, False]])
    found = full_resolution(Z, Z[:1], Y, Z[:1], Y, mask=np.ones((8, 8), bool), mask_lr=mask_lr)
    assert math.isnan(found.d_lambda)
    assert math.isnan(found.d_s)
    assert math.isnan(found.hqnr)
    assert len(found.remarks) == 4
