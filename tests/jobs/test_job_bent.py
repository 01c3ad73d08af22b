"""Pairs of which one image is rotated or of another scale: found, resampled once, and left alone where nothing is."""

import math
import re

import numpy as np
import pytest
import torch
from affine import Affine

from hsrdiff import check, fuse, quality
from hsrdiff.cubes import as_cube, open_cube
from hsrdiff.jobs.pair import make_pair
from hsrdiff.jobs.registered import registered
from hsrdiff.jobs.scaling import raw_scene
from hsrdiff.observation import SpatialResponse, SpectralResponse, register
from hsrdiff.sensors import load_sensor

SENSOR, FACTOR, SIDE = "sentinel2:B2,B3,B4,B8", 4, 192
NM = np.linspace(450.0, 950.0, 12)
D = SpatialResponse.gaussian(FACTOR)
R = SpectralResponse.from_sensor(load_sensor(SENSOR), NM, np.full(12, 40.0))
MIDDLE = (SIDE - 1) / 2


def ground(rows, columns):
    """Three materials on a plane, with detail of 8 to 40 fine pixels, at any place."""
    rng = np.random.default_rng(4)
    spectra = np.stack([0.2 + 0.5 * (NM - 450) / 500, 0.7 - 0.4 * (NM - 450) / 500, 0.4 + 0.2 * np.sin(NM / 60)])
    total = 0.0
    for spectrum in spectra:
        waves = rng.uniform(8, 40, 40)
        angles, phases = rng.uniform(0, 6.28, (2, 40))
        places = np.einsum("k,yx->kyx", np.cos(angles) / waves, rows) + np.einsum(
            "k,yx->kyx", np.sin(angles) / waves, columns
        )
        wave = np.cos(6.2832 * places + phases[:, None, None]).mean(axis=0)
        total = total + spectrum[:, None, None] * (0.33 + wave)
    return total


def pair(degrees=0.0, scale=0.0, shift=(0.0, 0.0)):
    """Y of the ground, X of the ground turned about the middle, scaled and shifted (fine pixels), and the truth."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(float)
    t, off = math.radians(degrees), (rows - MIDDLE, columns - MIDDLE)
    moved = (
        scale * off[0] + t * off[1] + shift[0],
        -t * off[0] + scale * off[1] + shift[1],
    )
    Z, turned = (torch.from_numpy(ground(*at))[None] for at in ((rows, columns), (rows + moved[0], columns + moved[1])))
    place = {"crs": "EPSG:32633"}
    fine = Affine(10.0, 0.0, 4e5, 0.0, -10.0, 5.8e6)
    hsi = as_cube(
        D.apply(Z)[0].numpy().astype(np.float32),
        wavelengths_nm=NM,
        fwhm_nm=np.full(12, 40.0),
        transform=fine @ Affine.scale(FACTOR),
        **place,
    )
    msi = as_cube(R.apply(turned)[0].numpy().astype(np.float32), transform=fine, **place)
    return hsi, msi, Z[0].numpy()


@pytest.mark.parametrize(("degrees", "scale"), [(0.3, 0.0), (-0.5, 0.0), (0.0, 0.005), (0.2, -0.004)])
def test_a_rotation_or_a_scale_comes_back_within_a_twentieth_of_a_coarse_pixel(degrees, scale):
    hsi, msi, _ = pair(degrees, scale)
    mended, notes = registered(make_pair(hsi, msi), D, R)
    t = math.radians(degrees)
    for corner in ((0, 0), (0, 47), (47, 0), (47, 47)):
        off = np.array(corner) - 23.5
        true = np.array([scale * off[0] + t * off[1], -t * off[0] + scale * off[1]])
        found = mended.bend.at(np.array(corner, dtype=float)) - np.array(mended.mended) / FACTOR
        assert np.abs(found - true).max() < 0.05
    assert "mended before fusing, the multispectral image resampled (cubic)" in notes["registration"]


def test_the_result_is_nearly_that_of_a_pair_that_fits():
    options = {"method": "regression-projected", "sensor": SENSOR}
    errors, edge = {}, slice(8, -8)
    for name, (hsi, msi, Z), mends in (
        ("fits", pair(), True),
        ("unmended", pair(0.5, 0.003, (1.5, -2.25)), False),
        ("mended", pair(0.5, 0.003, (1.5, -2.25)), True),
    ):
        fused = fuse(hsi, msi, **options, register=mends)
        column, row = (
            round(part) for part in ~msi.rio.transform() @ (fused.rio.transform().c, fused.rio.transform().f)
        )
        # the fused cube lies on the grid of X, moved by the shift in the middle, in whole fine pixels and the rest
        down, right = (0, 0) if name != "mended" else (2, -2)
        part = Z[:, row + down : row + down + fused.sizes["y"], column + right : column + right + fused.sizes["x"]]
        away = (fused.values[:, : part.shape[1], : part.shape[2]] - part)[:, edge, edge]
        errors[name] = np.sqrt(np.nanmean(np.square(away)))
    assert errors["unmended"] > 4 * errors["fits"]
    assert errors["mended"] < 0.5 * errors["unmended"]


def test_a_pair_that_fits_is_left_to_the_bit():
    hsi, msi, _ = pair()
    mended, _ = registered(make_pair(hsi, msi), D, R)
    assert mended.bend is None
    np.testing.assert_array_equal(mended.msi.values, msi.values)
    np.testing.assert_array_equal(mended.hsi.values, hsi.values)


def test_blocks_that_tell_nothing_leave_one_shift():
    """Detail in one corner only: too few blocks for a field."""
    hsi, msi, _ = pair(0.5, shift=(2.0, 0.0))
    for cube, side in ((hsi, 14), (msi, 14 * FACTOR)):
        blank = cube.values.mean(axis=(1, 2), keepdims=True)
        cube.values[:, side:, :] = blank
        cube.values[:, :, side:] = blank
    mended, _ = registered(make_pair(hsi, msi), D, R)
    assert mended.bend is None


def test_a_small_image_is_mended_though_moving_it_leaves_too_few_blocks():
    hsi, msi, _ = pair(0.6, shift=(1.3, -0.6))
    part, fine = slice(12, 36), slice(12 * FACTOR, 36 * FACTOR)  # 24 LR pixels, 3 x 3 blocks; 23 are 2 x 2
    hsi, msi = hsi.isel(y=part, x=part), msi.isel(y=fine, x=fine)
    before = register(raw_scene(make_pair(hsi, msi)), D, R)
    assert before.field is not None
    mended, notes = registered(make_pair(hsi, msi), D, R)
    assert mended.hsi.shape[1:] == (23, 23)
    assert "mended before fusing" in notes["registration"]
    after = register(raw_scene(mended), D.moved(*mended.offset), R)
    worst = [max(np.hypot(*block.shift) for block in found.blocks if block.telling) for found in (before, after)]
    assert worst[0] > 0.4
    assert worst[1] < 0.05


def test_invalid_pixels_stay_invalid_and_hidden():
    hsi, msi, _ = pair(0.5)
    msi.values[:, 60:70, 80:95] = np.nan
    mended, _ = registered(make_pair(hsi, msi), D, R)
    lost = ~np.isfinite(mended.msi.values).all(axis=0)
    assert 150 <= lost[50:80, 70:105].sum() <= 11 * 16 + 30
    other = msi.copy(deep=True)
    other.values[0, 60:70, 80:95] = 7.0  # a pixel that is invalid in one band is invalid in all
    again, _ = registered(make_pair(hsi, other), D, R)
    np.testing.assert_array_equal(again.msi.values, mended.msi.values)


def test_check_and_quality_tell_of_it(tmp_path):
    hsi, msi, _ = pair(0.5, shift=(1.0, 0.0))
    found = check(hsi, msi, sensor=SENSOR).finding("registration")
    assert re.search(r"it is rotated by \+0\.(48|49|50)° and scaled by", found.words)
    assert "fuse mends it, the multispectral image resampled (cubic)" in found.words
    assert found.numbers["mended"]
    assert found.numbers["field"]["slope"][0][1] == pytest.approx(math.radians(0.5), rel=0.05)
    assert not found.concern
    fuse(hsi, msi, sensor=SENSOR, method="regression-projected", out=tmp_path / "fused.tif")
    assert " about " in open_cube(tmp_path / "fused.tif").attrs["hsrdiff_bend"]
    # held against the resampled MSI, a consistent result has no fault; against the given one it would
    judged = quality(tmp_path / "fused.tif", hsi, msi)
    assert judged.full.spectral.mean_relative_rmse < 1e-3
