"""Bands that a product repeats from a coarser grid are sharpened before an image is used."""

import numpy as np
import pytest
import torch
from affine import Affine

from hsrdiff import fuse
from hsrdiff.cubes import as_cube
from hsrdiff.errors import InputError
from hsrdiff.jobs.pair import make_pair
from hsrdiff.jobs.sharpened import sharpened
from hsrdiff.observation import SpatialResponse

NAMES, COARSE = ["B2", "B4", "B5", "B8", "B11"], [2, 4]
PLACE = Affine(10.0, 0.0, 4e5, 0.0, -10.0, 5.8e6)
SIZE = 48


def scene(mixed=True):
    """Bands of which the coarse ones are linear in the fine ones, or something else, and the same as delivered."""
    rng = np.random.default_rng(3)
    truth = 0.2 + 0.5 * rng.random((5, SIZE, SIZE))
    if mixed:
        truth[2] = 0.1 + 0.5 * truth[0] + 0.3 * truth[1]
        truth[4] = 0.9 - 0.4 * truth[3]
    coarse = SpatialResponse.gaussian(2).apply(torch.from_numpy(truth[COARSE])[None])[0].numpy()
    values = truth.copy()
    values[COARSE] = coarse.repeat(2, axis=1).repeat(2, axis=2)
    return truth, image(values), coarse


def image(values, place=PLACE):
    cube = as_cube(np.asarray(values, np.float32), crs="EPSG:32633", transform=place)
    cube = cube.assign_coords(band_name=("band", NAMES))
    cube.attrs["repeated_bands"] = "B5, B11"
    return cube


def hsi(rows=SIZE // 4, columns=SIZE // 4, place=PLACE):
    values = np.random.default_rng(4).random((8, rows, columns), dtype=np.float32)
    return as_cube(values, crs="EPSG:32633", transform=place @ Affine.scale(4))


def test_bands_that_are_linear_in_the_fine_ones_are_found_exactly():
    truth, msi, _ = scene()
    found, said = sharpened(hsi(), msi)
    np.testing.assert_allclose(found.values, truth, atol=2e-5)
    assert "B5, B11 were sharpened by 2, by regression on B2, B4, B8, which leaves" in said[0]
    assert "repeated_bands" not in found.attrs
    assert "repeated_bands" in msi.attrs, "the image that was given stays as it was"


def test_bands_that_the_fine_ones_do_not_explain_keep_what_was_measured():
    _, msi, coarse = scene(mixed=False)
    found, _ = sharpened(hsi(), msi)
    np.testing.assert_array_equal(found.values[[0, 1, 3]], msi.values[[0, 1, 3]])
    again = SpatialResponse.gaussian(2).apply(torch.from_numpy(found.values[COARSE])[None].double())[0].numpy()
    assert np.abs(again - coarse).mean() < 0.5 * np.abs(coarse - coarse.mean()).mean()


def test_invalid_pixels_stay_invalid_and_do_not_reach_others():
    truth, msi, _ = scene()
    msi.values[:, 10:14, 20:24] = np.nan
    msi.values[COARSE, 30:32, 6:8] = np.nan
    found, _ = sharpened(hsi(), msi)
    np.testing.assert_array_equal(np.isnan(found.values), np.isnan(msi.values))
    good = np.isfinite(found.values)
    np.testing.assert_allclose(found.values[good], truth[good], atol=2e-5)


def test_nothing_is_done_without_the_word_of_the_reader_or_off_the_blocks():
    _, msi, _ = scene()
    plain = msi.drop_attrs()
    found, said = sharpened(hsi(), plain)
    assert found is plain
    assert said == ()
    shifted = image(msi.values[:, 1:, 1:], PLACE @ Affine.translation(1, 1))
    found, said = sharpened(hsi(), shifted)
    assert found is shifted
    assert "not repeated in whole blocks" in said[0]


def test_only_what_lies_near_the_hyperspectral_image_is_sharpened():
    rng = np.random.default_rng(0)
    values = rng.random((5, 240, 20))
    values[COARSE] = values[COARSE][:, ::2, ::2].repeat(2, axis=1).repeat(2, axis=2)
    msi = image(values)
    found, _ = sharpened(hsi(5, 5), msi)
    changed = (found.values != msi.values).any(axis=(0, 2))
    assert changed[: 20 + 60].all()
    assert not changed[20 + 64 + 2 :].any()
    away, said = sharpened(hsi(5, 5, PLACE @ Affine.translation(4000, 0)), msi)
    assert away is msi
    assert said == ()


def test_the_pair_says_it():
    _, msi, _ = scene()
    assert "were sharpened by 2" in make_pair(hsi(), msi).notes["grid"]


def test_a_variable_of_an_array_is_refused():
    _, msi, _ = scene()
    with pytest.raises(InputError, match="asked for, which is an array"):
        fuse(hsi(), msi, method="regression", msi_variable="10m")
