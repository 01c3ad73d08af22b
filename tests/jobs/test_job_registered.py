"""Registered pairs: a shift is measured, mended without resampling, said or refused; what fits is left alone."""

import re

import numpy as np
import pytest
import torch
from affine import Affine
from job_scenes import PLACE, material_cube

from hsrdiff import fuse, simulate
from hsrdiff.cubes import as_cube
from hsrdiff.cubes.georeference import georeference_of
from hsrdiff.errors import InputError
from hsrdiff.jobs.pair import make_pair
from hsrdiff.jobs.registered import registered
from hsrdiff.jobs.scaling import raw_scene
from hsrdiff.observation import Observation, SpatialResponse, SpectralResponse, pair_noise
from hsrdiff.sensors import load_sensor

SENSOR = "sentinel2:B2,B3,B4,B8"
ROOM = 16  # fine pixels of the ground beyond the image
SIDE = 64


@pytest.fixture(scope="module")
def ground():
    """Three materials with detail at the scale of a coarse pixel, and ground beyond the image."""
    size = SIDE + 2 * ROOM
    coarse = material_cube(size)
    blurred = SpatialResponse.gaussian(2, sigma=1.5, size=10).dense(torch.from_numpy(coarse.values)[None].double())
    return as_cube(
        blurred[0].numpy().astype(np.float32), wavelengths_nm=coarse["wavelength"], fwhm_nm=np.full(12, 40.0)
    )


def pair(ground, rows=0, columns=0, **place):
    """Two images of SIDE x SIDE fine pixels; Y shows the ground this many of them further down and to the right."""

    def cut(down, right):
        values = ground.values[:, ROOM - down : ROOM - down + SIDE, ROOM - right : ROOM - right + SIDE]
        place_known = {"crs": "EPSG:32633", "transform": PLACE} | place
        return as_cube(values, wavelengths_nm=ground["wavelength"], fwhm_nm=ground["fwhm"], **place_known)

    msi = simulate(cut(0, 0), sensor=SENSOR, factor=4).msi
    return simulate(cut(rows, columns), sensor=SENSOR, factor=4).hsi, msi, cut(0, 0)


def error(fused, truth):
    """Root mean square over what the fused cube covers of the truth, away from the edges."""
    transform, whole = georeference_of(fused)[1], georeference_of(truth)[1]
    column, row = (round(part) for part in ~whole @ (transform.c, transform.f))
    part = truth.values[:, row : row + fused.sizes["y"], column : column + fused.sizes["x"]]
    return float(np.sqrt(np.square(fused.values - part)[:, 8:-8, 8:-8].mean()))


def test_a_pair_that_fits_is_left_to_the_bit_and_says_so(ground):
    hsi, msi, _ = pair(ground)
    one = fuse(hsi, msi, method="regression-projected", sensor=SENSOR)
    other = fuse(hsi, msi, method="regression-projected", sensor=SENSOR, register=False)
    np.testing.assert_array_equal(one.values, other.values)
    assert one.attrs["hsrdiff_note_registration"].endswith("too small to be mended")
    assert "hsrdiff_note_registration" not in other.attrs


@pytest.mark.parametrize("sensor", [SENSOR, None])
@pytest.mark.parametrize("shift", [(2, 0), (1, -1), (-3, 6)])
def test_a_shift_is_mended(ground, shift, sensor):
    hsi, msi, truth = pair(ground, *shift)
    options = {"method": "regression-projected" if sensor else "regression", "sensor": sensor}
    mended, as_it_lies = fuse(hsi, msi, **options), fuse(hsi, msi, register=False, **options)
    best = error(fuse(*pair(ground)[:2], **options), truth)
    assert error(mended, truth) < 1.3 * best + 1e-4
    assert error(as_it_lies, truth) > 5 * error(mended, truth)
    note = mended.attrs["hsrdiff_note_registration"]
    said = re.match(r"the hyperspectral image lies (\S+) rows and (\S+) columns from the multispectral one", note)
    # the simulated Y mirrors the ground at its edges, which a real one does not
    assert [float(part) for part in said.groups()] == pytest.approx([part / 4 for part in shift], abs=0.015)
    assert "; reliable: " in note
    assert note.endswith("mended before fusing")


def test_the_result_stays_on_the_grid_of_the_guide(ground):
    hsi, msi, _ = pair(ground, -3, 6)  # coarse pixels begin 3 fine rows further down and 6 columns to the left
    fused = fuse(hsi, msi, method="regression")
    column, row = ~PLACE @ (georeference_of(fused)[1].c, georeference_of(fused)[1].f)
    assert (row, column) == (3, 2)
    assert fused.shape == (12, 60, 56)
    assert "cost it 1 rows and 2 columns" in fused.attrs["hsrdiff_note_grid"]


def test_ground_beyond_the_common_area_is_used_when_a_pair_is_mended(ground):
    hsi, _, _ = pair(ground, -3, 2)
    wide = as_cube(
        ground.values, wavelengths_nm=ground["wavelength"], fwhm_nm=ground["fwhm"], crs="EPSG:32633",
        transform=PLACE @ Affine.translation(-ROOM, -ROOM),
    )  # fmt: skip
    fused = fuse(hsi, simulate(wide, sensor=SENSOR, factor=4).msi, method="regression-projected", sensor=SENSOR)
    assert fused.shape == (12, SIDE, SIDE)
    assert "cost it" not in fused.attrs["hsrdiff_note_grid"]
    assert georeference_of(fused)[1] == PLACE @ Affine.translation(-2, 3)


def test_noise_is_estimated_on_the_mended_pair(ground):
    hsi, msi, _ = pair(ground, 0, 2)
    options = {"method": "regression-projected", "sensor": SENSOR}
    assert "looks like a shift" in fuse(hsi, msi, register=False, **options).attrs["hsrdiff_noise"]
    mended = fuse(hsi, msi, **options).attrs["hsrdiff_noise"]
    assert "looks like a shift" not in mended
    # the whole record of the noise is that of the mended pair
    spatial = SpatialResponse.gaussian(4)
    images, _ = registered(make_pair(hsi, msi), spatial, None)
    R = SpectralResponse.from_sensor(load_sensor(SENSOR), hsi["wavelength"].values, hsi["fwhm"].values)
    scene = raw_scene(images)
    scene = type(scene)(X=scene.X, Y=scene.Y, observation=Observation(R, spatial.moved(*images.offset)))
    assert pair_noise(scene).disagreement < 1e-3


def test_a_long_shift_is_refused_and_mended_when_forced(ground):
    hsi, msi, truth = pair(ground, 9, 1)
    with pytest.raises(InputError, match=r"\+2\.25 rows and \+0\.25 columns.*at most 2.*--force"):
        fuse(hsi, msi, method="regression", sensor=SENSOR)
    forced = fuse(hsi, msi, method="regression", sensor=SENSOR, force=True)
    assert forced.attrs["hsrdiff_note_registration"].endswith("mended before fusing")
    as_it_lies = fuse(hsi, msi, method="regression", sensor=SENSOR, register=False)
    assert error(as_it_lies, truth) > 5 * error(forced, truth)


def test_images_that_show_nothing_in_common_are_left_and_said(ground):
    hsi, msi, _ = pair(ground)
    rng = np.random.default_rng(0)
    other = msi.copy(data=rng.random(msi.shape).astype(np.float32))
    fused = fuse(hsi, other, method="regression")
    assert fused.shape == (12, SIDE, SIDE)
    assert fused.attrs["hsrdiff_note_registration"].startswith("no shift can be told, ")
    assert "not reliable" in fused.attrs["hsrdiff_note_registration"]
    assert fused.attrs["hsrdiff_note_registration"].endswith("left as it is")


def test_a_shift_of_a_part_is_left_and_said(ground):
    hsi, msi, _ = pair(ground)
    moved = pair(ground, 0, 4)[0]
    mixed = hsi.copy(data=np.concatenate([hsi.values[:, :, :8], moved.values[:, :, 8:]], axis=2))
    fused = fuse(mixed, msi, method="regression", sensor=SENSOR)
    assert fused.shape == (12, SIDE, SIDE)
    assert "mended" not in fused.attrs["hsrdiff_note_registration"].replace("to be mended", "")


def test_a_part_of_a_fine_pixel_on_the_map_is_given_to_the_psf(ground):
    hsi, msi, _ = pair(ground)
    lies = as_cube(
        hsi.values, wavelengths_nm=hsi["wavelength"], fwhm_nm=hsi["fwhm"], crs="EPSG:32633",
        transform=georeference_of(hsi)[1] @ Affine.translation(0.1, -0.075),
    )  # fmt: skip
    told = fuse(lies, msi, method="regression-projected", sensor=SENSOR, register=False)
    assert told.attrs["hsrdiff_psf_offset"] == "-0.3 rows, 0.4 columns of fine pixels"
    # the images lie on each other after all, which the registration finds
    mended = fuse(lies, msi, method="regression-projected", sensor=SENSOR)
    assert "hsrdiff_psf_offset" not in mended.attrs
    rows, columns = (float(word) for word in mended.attrs["hsrdiff_moved"].split() if word[-1].isdigit())
    assert (rows, columns) == (pytest.approx(0.3, abs=0.02), pytest.approx(-0.4, abs=0.02))
