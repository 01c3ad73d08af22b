"""Scales of bands stay with their bands: what was picked or put in another order is written without them."""

import numpy as np
import pytest

from hsrdiff.cubes import as_cube, as_stored, open_cube, write_cube
from hsrdiff.cubes.packed_cube import packing_of
from hsrdiff.cubes.packing import Packing
from hsrdiff.errors import CubeFormatError

SCALES = np.array([1e-4, 1e-2, 1.0])
INTEGERS = {"dtype": "int16", "scale_factor": SCALES, "add_offset": np.zeros(3), "_FillValue": -32768}


def opened(folder, *, wavelengths_nm=None, names=None, ending=".tif", chunks=None):
    """Bands of very different size, each with the scale that suits it, as a file gives them."""
    raw = np.random.default_rng(0).integers(1, 32768, (3, 4, 5))
    cube = as_cube(raw * SCALES[:, None, None], wavelengths_nm=wavelengths_nm)
    if names:
        cube = cube.assign_coords(band_name=("band", names))
    cube.encoding = INTEGERS
    return open_cube(write_cube(cube, folder / f"a{ending}"), chunks=chunks)


ORDERS = {
    "turned": lambda cube: cube.isel(band=slice(None, None, -1)),
    "sorted": lambda cube: cube.sortby("wavelength", ascending=False),
    "one swap": lambda cube: cube.isel(band=[0, 2, 1]),
    "repeated": lambda cube: cube.isel(band=[2, 2, 2]),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("ending", [".tif", ".hdr"])
@pytest.mark.parametrize("chunks", [None, 2])
def test_bands_in_another_order_lose_nothing(tmp_path, order, ending, chunks):
    cube = ORDERS[order](opened(tmp_path, wavelengths_nm=[500, 600, 700], ending=ending, chunks=chunks))
    again = open_cube(write_cube(cube, tmp_path / f"b{ending}"))
    np.testing.assert_array_equal(again.values, cube.values)
    np.testing.assert_array_equal(as_stored(cube).values, cube.values)
    assert again.encoding["dtype"] == np.float32


@pytest.mark.parametrize("told", [{}, {"wavelengths_nm": [500, 600, 700]}, {"names": ["a", "b", "c"]}])
@pytest.mark.parametrize("ending", [".tif", ".hdr"])
def test_bands_in_their_own_order_keep_their_scales(tmp_path, told, ending):
    cube = opened(tmp_path, ending=ending, **told)
    for same in (
        cube,
        cube.isel(y=slice(1, 3)),
        cube.isel(band=slice(None, None, -1)).isel(band=slice(None, None, -1)),
    ):
        again = open_cube(write_cube(same, tmp_path / f"b{ending}"))
        assert again.encoding["dtype"] == np.int16
        np.testing.assert_array_equal(again.encoding["scale_factor"], SCALES)
        np.testing.assert_array_equal(again.values, same.values)


def test_without_wavelengths_and_names_the_values_tell(tmp_path):
    turned = opened(tmp_path).isel(band=slice(None, None, -1))
    again = open_cube(write_cube(turned, tmp_path / "b.tif"))
    np.testing.assert_array_equal(again.values, turned.values)
    named = opened(tmp_path, names=["a", "b", "c"]).isel(band=[1, 0, 2])
    np.testing.assert_array_equal(open_cube(write_cube(named, tmp_path / "c.tif")).values, named.values)


def test_scales_that_were_set_by_hand_are_taken_at_their_word():
    cube = as_cube(np.full((3, 2, 2), 1e6, np.float32))
    cube.encoding = INTEGERS
    assert packing_of(cube).dtype == np.int16


def test_reach_by_hand():
    packing = packing_of(as_cube(np.zeros((1, 1, 1))).drop_encoding())
    assert packing.reach() == (-np.inf, np.inf)
    cube = as_cube(np.zeros((1, 1, 1)))
    cube.encoding = {"dtype": "uint8", "scale_factor": -2.0, "add_offset": 1.0, "_FillValue": 255}
    assert packing_of(cube).reach() == (1 - 2 * 254.5, 2.0)


@pytest.mark.parametrize("ending", [".tif", ".hdr", ".nc", ".zarr", ".mat", ".npy"])
@pytest.mark.parametrize("fill", [-9999, 0.5, np.nan, np.inf, 70000])
def test_a_fill_that_the_integers_cannot_hold_is_left_out(tmp_path, ending, fill):
    assert Packing.of("uint16", fill_value=fill).fill_value is None
    raw = np.arange(24, dtype="<u2").reshape(2, 3, 4)
    raw.tofile(tmp_path / "o.img")
    (tmp_path / "o.hdr").write_text(
        "ENVI\nsamples = 4\nlines = 3\nbands = 2\ndata type = 12\ninterleave = bsq\nbyte order = 0\n"
        f"data ignore value = {fill}\n"
    )
    cube = open_cube(tmp_path / "o.hdr")
    assert "_FillValue" not in cube.encoding
    again = open_cube(write_cube(cube, tmp_path / f"a{ending}"))
    np.testing.assert_array_equal(again.values, raw)


def test_invalid_pixels_and_a_fill_that_the_integers_cannot_hold_are_one_sentence(tmp_path):
    cube = as_cube(np.full((1, 2, 2), np.nan, np.float32))
    cube.encoding = {"dtype": "uint8", "_FillValue": -1}
    with pytest.raises(CubeFormatError, match="that the type holds"):
        write_cube(cube, tmp_path / "a.tif")


@pytest.mark.parametrize("dtype", ["int16", "int64", "uint8"])
def test_a_valid_value_that_rounds_to_the_fill_takes_the_nearest_other_number(dtype):
    packing = Packing.of(dtype, 1e-4, 0.0, 5)
    values = np.array([[[3e-5, 4.7e-4, 5e-4, 5.3e-4, 4.4e-4, np.nan]]], np.float32)
    assert packing.encode(values).tolist() == [[[0, 4, 6, 6, 4, 5]]]


@pytest.mark.parametrize("ending", [".tif", ".hdr", ".nc", ".zarr", ".mat"])
def test_small_values_beside_a_fill_of_zero_stay_valid(tmp_path, ending):
    cube = as_cube(np.array([[[3e-5, -3e-5, 0.0, 0.5, np.nan]]], np.float32))
    cube.encoding = {"dtype": "int16", "scale_factor": 1e-4, "_FillValue": 0}
    values = open_cube(write_cube(cube, tmp_path / f"a{ending}")).values
    np.testing.assert_allclose(values, [[[1e-4, -1e-4, 1e-4, 0.5, np.nan]]], rtol=1e-6)
    np.testing.assert_array_equal(as_stored(cube).values, values)
