"""Integers with a scale: small loss, 0 kept, and what is stored is what a reader sees in every format."""

import numpy as np
import pytest

from hsrdiff.cubes import FORMATS, as_cube, as_stored, check_number_type, open_cube, packed_as, write_cube
from hsrdiff.errors import CubeFormatError, InputError

PACKED = [name for name, each in FORMATS.items() if each.can_write and "packing" in each.can_keep]


def cube(low=0.0, high=1.0, holes=True):
    values = np.random.default_rng(0).uniform(low, high, (3, 7, 5)).astype(np.float32)
    values[0, 0, 0], values[1, 1, 1], values[2, 2, 2] = low, high, 0.0
    if holes:
        values[:, 3, 3] = np.nan
    return as_cube(values)


@pytest.mark.parametrize("dtype", ["uint16", "int16"])
@pytest.mark.parametrize("ends", [(0.0, 1.0), (0.0, 8765.4), (-0.02, 0.7), (-3e-5, -1e-6), (2.0, 2.0), (0.0, 0.0)])
def test_loss_is_half_a_step_of_the_range_and_zero_stays_zero(dtype, ends):
    whole = cube(*ends)
    stored = as_stored(packed_as(whole, dtype)).values
    # signed numbers without offset spend half of theirs on the other sign; three digits of the scale cost 1 %
    steps = 65533 if dtype == "uint16" else 32767
    reach = max(ends[1], 0) - min(ends[0], 0) if dtype == "uint16" else max(map(abs, ends))
    np.testing.assert_array_equal(np.isnan(stored), np.isnan(whole.values))
    assert np.nanmax(np.abs(stored - whole.values)) <= 0.51 * 1.01 * reach / steps + 1e-30
    assert stored[2, 2, 2] == 0
    assert np.nanmin(stored) >= 0 or ends[0] < 0


def test_by_hand():
    packing = packed_as(cube(0.0, 1.0), "uint16").encoding
    assert packing["scale_factor"] == 1.53e-05  # 1 / 65534 = 1.52592e-05, up
    assert packing["add_offset"] == 0
    assert packing["_FillValue"] == 65535
    signed = packed_as(cube(-2.0, 1.0), "int16").encoding
    assert (signed["scale_factor"], signed["add_offset"], signed["_FillValue"]) == (6.11e-05, 0, -32768)


@pytest.mark.parametrize("name", [name for name in PACKED if name not in {"matlab73"}])
@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32"])
def test_stored_values_are_those_that_a_reader_gets(tmp_path, name, dtype):
    path = tmp_path / f"c{FORMATS[name].suffixes[0]}"
    stored = as_stored(packed_as(cube(-0.1, 0.9), dtype), path)
    write_cube(stored, path)
    again = open_cube(path)
    np.testing.assert_allclose(again.values, stored.values, rtol=1e-6, atol=1e-8)
    assert again.encoding["dtype"] == np.dtype(dtype)


def test_formats_of_their_own_numbers(tmp_path):
    whole = as_cube(np.random.default_rng(1).uniform(-0.1, 1.1, (31, 4, 4)).astype(np.float32))
    write_cube(whole, tmp_path / "x_ms")
    np.testing.assert_array_equal(as_stored(whole, tmp_path / "x_ms").values, open_cube(tmp_path / "x_ms").values)
    assert as_stored(packed_as(whole, "int16"), tmp_path / "x.npy").values is not None
    np.testing.assert_array_equal(as_stored(packed_as(whole, "int16"), tmp_path / "x.npy").values, whole.values)
    per_band = whole.copy()
    per_band.encoding = {"dtype": "int16", "scale_factor": np.linspace(1, 2, 31), "_FillValue": -1}
    np.testing.assert_array_equal(as_stored(per_band, tmp_path / "x.nc").values, whole.values)
    assert np.abs(as_stored(per_band, tmp_path / "x.tif").values - whole.values).max() > 0.1


def test_plain_cubes_are_returned_as_they_are_and_inputs_stay():
    whole = cube()
    assert as_stored(whole) is whole
    before = dict(whole.encoding)
    packed_as(whole, "int16")
    assert whole.encoding == before
    again = packed_as(packed_as(whole, "int16"), "float32")
    assert "scale_factor" not in again.encoding
    assert "dtype" not in again.encoding


def test_what_cannot_be_kept_is_refused():
    with pytest.raises(InputError, match="use 'uint16' if that was meant"):
        packed_as(cube(), "uint61")
    for path in ("a.npy", "a_ms"):
        check_number_type("float32", path)
        with pytest.raises(
            CubeFormatError, match=r"keeps no scale for int16 .* one of \.hdr, \.mat, \.nc, \.tif, \.zarr"
        ):
            check_number_type("int16", path)
    with pytest.raises(CubeFormatError, match="names no format"):
        check_number_type("int16", "a.docx")


def test_stored_values_take_the_place_of_the_cubes_where_that_is_allowed():
    given = packed_as(cube(), "int16")
    values = given.values
    before, stored = values.copy(), as_stored(given)
    np.testing.assert_array_equal(values, before)
    same = as_stored(given, in_place=True)
    assert np.shares_memory(same.values, values)
    np.testing.assert_array_equal(values, stored.values)
