"""What every format promises: round trips, laziness, and the fields that it says it keeps."""

import errno
import os
import warnings

import numpy as np
import pytest
import xarray as xr
from rasterio.errors import NotGeoreferencedWarning
from targets import target

from hsrdiff.cubes import FORMATS, as_cube, cf, geotiff, open_cube, packed_cube, write_cube
from hsrdiff.cubes.georeference import georeference_of
from hsrdiff.errors import CubeFormatError, HsrdiffError, WriteError

WRITABLE = [name for name, known in FORMATS.items() if known.can_write]
COORDINATES = ("wavelength", "fwhm", "good_band", "band_name")
LAZY = {"geotiff", "envi", "netcdf", "zarr"}


def invalid_allowed(cube, name):
    """A format that cannot mark invalid pixels gets none."""
    return cube if "nodata" in FORMATS[name].can_keep else cube.fillna(0.0)


@pytest.mark.parametrize("name", WRITABLE)
def test_round_trip_keeps_the_values(tmp_path, full, name):
    cube = invalid_allowed(full, name)
    back = open_cube(write_cube(cube, target(tmp_path, name), format=name))
    assert back.dims == ("band", "y", "x")
    assert back.dtype == np.float32
    np.testing.assert_allclose(back.values, cube.values, atol=1e-7, rtol=0)
    assert back.attrs["source_format"] == name


@pytest.mark.parametrize("name", WRITABLE)
@pytest.mark.parametrize("field", COORDINATES)
def test_each_band_coordinate_survives_exactly_where_promised(tmp_path, full, name, field):
    back = open_cube(write_cube(invalid_allowed(full, name), target(tmp_path, name), format=name))
    if field in FORMATS[name].can_keep:
        np.testing.assert_array_equal(back[field].values, full[field].values)
        assert back[field].dims == ("band",)
    else:
        assert field not in back.coords


@pytest.mark.parametrize("name", WRITABLE)
def test_georeference_survives_exactly_where_promised(tmp_path, full, name):
    back = open_cube(write_cube(invalid_allowed(full, name), target(tmp_path, name), format=name))
    crs, transform = georeference_of(back)
    if "crs" in FORMATS[name].can_keep:
        assert crs.to_epsg() == 32633
        assert back.rio.crs == full.rio.crs
    else:
        assert crs is None
    if "transform" in FORMATS[name].can_keep:
        assert tuple(transform) == tuple(full.rio.transform())
        np.testing.assert_array_equal(back.x, full.x)
    else:
        assert transform is None


@pytest.mark.parametrize("name", WRITABLE)
def test_packing_survives_exactly_where_promised(tmp_path, full, name):
    cube = invalid_allowed(full, name).copy()
    cube.encoding = {"dtype": "int16", "scale_factor": 1e-4, "add_offset": 0.25, "_FillValue": -9999}
    back = open_cube(write_cube(cube, target(tmp_path, name), format=name))
    if "packing" not in FORMATS[name].can_keep:
        np.testing.assert_allclose(back.values, cube.values, atol=1e-7)  # at the format's own precision
        return
    assert {key: back.encoding[key] for key in cube.encoding} == {**cube.encoding, "dtype": np.dtype("int16")}
    np.testing.assert_allclose(back.values, cube.values, atol=0.5e-4 + 1e-7)
    assert np.isnan(back.values).sum() == np.isnan(cube.values).sum()
    again = open_cube(write_cube(back, target(tmp_path, name), format=name))
    np.testing.assert_array_equal(again.values, back.values)  # packed once, packed for ever


@pytest.mark.parametrize("name", WRITABLE)
def test_band_packing_survives_or_gives_way_to_float32(tmp_path, full, name):
    cube = invalid_allowed(full, name).copy()
    scales = np.linspace(1e-4, 2e-4, 31)
    cube.encoding = {"dtype": "int16", "scale_factor": scales, "add_offset": np.zeros(31), "_FillValue": -1}
    back = open_cube(write_cube(cube, target(tmp_path, name), format=name))
    if "band_packing" in FORMATS[name].can_keep:
        np.testing.assert_array_equal(back.encoding["scale_factor"], scales)
        np.testing.assert_allclose(back.values, cube.values, atol=1.01e-4)
    else:
        np.testing.assert_allclose(back.values, cube.values, atol=1e-7)


@pytest.mark.parametrize("name", WRITABLE)
def test_attributes_of_this_program_survive_exactly_where_promised(tmp_path, full, name):
    cube = invalid_allowed(full, name).copy()
    record = {
        "hsrdiff_method": "regression",
        "hsrdiff_seed": "0",  # text, and must not come back as a number
        "hsrdiff_factor": 4,
        "hsrdiff_peak": 0.1 + 0.2,
        "hsrdiff_psf": "width 3.5°, {a; b} = \"c\", <d> & 'e'",
        "hsrdiff_lines": " first\n; second\n",
    }
    cube.attrs = {**record, "units": "W", "hsrdiff_parts": [1, 2], "hsrdiff_none": None, "hsrdiff_Odd name": "x"}
    back = open_cube(write_cube(cube, target(tmp_path, name), format=name))
    kept = {key: value for key, value in back.attrs.items() if key.startswith("hsrdiff_")}
    assert kept == (record if "attributes" in FORMATS[name].can_keep else {})
    assert {key: type(value) for key, value in kept.items()} == {key: type(record[key]) for key in kept}
    assert "units" not in back.attrs


@pytest.mark.parametrize("name", [*WRITABLE, "cog"])
@pytest.mark.parametrize("chunks", [None, {"y": 4}])
def test_a_cube_without_a_place_on_the_map_is_written_and_read_without_a_warning(tmp_path, bare, name, chunks):
    cog, name = (True, "geotiff") if name == "cog" else (None, name)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        path = write_cube(bare if chunks is None else bare.chunk(chunks), target(tmp_path, name), format=name, cog=cog)
        open_cube(path, chunks=chunks).compute()
    assert [str(each.message) for each in caught if issubclass(each.category, NotGeoreferencedWarning)] == []


@pytest.mark.parametrize("name", [name for name in WRITABLE if "packing" in FORMATS[name].can_keep])
def test_by_default_a_written_cube_is_float32_with_nan(tmp_path, full, name):
    back = open_cube(write_cube(full, target(tmp_path, name), format=name))
    assert back.encoding["dtype"] == np.float32
    assert np.isnan(back.encoding["_FillValue"])


@pytest.mark.parametrize("name", WRITABLE)
def test_chunks_give_a_dask_cube_of_the_same_values(tmp_path, full, name):
    path = write_cube(invalid_allowed(full, name), target(tmp_path, name), format=name)
    lazy = open_cube(path, chunks={"y": 4, "x": 5})
    assert lazy.chunks == ((31,), (4, 3), (5, 5, 1))
    xr.testing.assert_identical(lazy.compute(), open_cube(path))
    assert open_cube(path, chunks="auto").chunks is not None
    assert open_cube(path, chunks=3).chunks[0][0] == 3


@pytest.mark.parametrize("name", WRITABLE)
def test_a_dask_cube_is_written_like_the_same_cube_in_memory(tmp_path, full, name):
    cube = invalid_allowed(full, name)
    cube.encoding = {"dtype": "int16", "scale_factor": 1e-4, "_FillValue": -1}
    lazy = cube.chunk({"y": 3, "x": 4})
    lazy.encoding = dict(cube.encoding)
    whole = open_cube(write_cube(cube, target(tmp_path, name), format=name))
    parts = open_cube(write_cube(lazy, target(tmp_path, name), format=name))
    xr.testing.assert_identical(whole, parts)


@pytest.mark.parametrize("name", sorted(LAZY))
def test_opening_in_chunks_reads_no_values(tmp_path, full, name):
    path = write_cube(full, target(tmp_path, name), format=name)
    lazy = open_cube(path, chunks={"y": 4})
    for file in [path.with_suffix(".img")] if name == "envi" else [path]:
        if file.is_dir():
            (file / "cube" / "c").rename(file / "cube" / "moved")
        else:
            os.truncate(file, 10)
    assert lazy.shape == full.shape
    if name == "zarr":  # absent chunks are fill values to Zarr
        assert np.isnan(lazy.values).all()
    elif name in {"geotiff", "envi"}:
        with pytest.raises((CubeFormatError, ValueError)):
            lazy.compute()


@pytest.mark.parametrize("name", WRITABLE)
def test_a_bare_cube_stays_bare(tmp_path, bare, name):
    back = open_cube(write_cube(bare, target(tmp_path, name), format=name))
    fixed = {"wavelength"} if name == "cave" else set()  # CAVE's layout itself means 400 to 700 nm
    assert set(COORDINATES) & set(back.coords) == fixed
    assert georeference_of(back) == (None, None)


@pytest.mark.parametrize("name", WRITABLE)
def test_writing_leaves_the_cube_unchanged(tmp_path, full, name):
    cube = invalid_allowed(full, name)
    cube.encoding = {"dtype": "int16", "scale_factor": 1e-4, "_FillValue": -1}
    before = cube.copy(deep=True)
    write_cube(cube, target(tmp_path, name), format=name)
    xr.testing.assert_identical(cube, before)
    assert cube.encoding == {"dtype": "int16", "scale_factor": 1e-4, "_FillValue": -1}


@pytest.mark.parametrize("name", WRITABLE)
def test_writing_twice_replaces_and_leaves_nothing_else(tmp_path, full, name):
    cube = invalid_allowed(full, name)
    path = write_cube(cube, target(tmp_path, name), format=name)
    before = sorted(child.name for child in tmp_path.iterdir())
    write_cube(cube * 0.5, path, format=name)
    assert sorted(child.name for child in tmp_path.iterdir()) == before
    np.testing.assert_allclose(open_cube(path).values, cube.values * 0.5, atol=1.6e-5)


@pytest.mark.parametrize("name", [name for name in WRITABLE if name != "cave"])  # which has 31 bands
def test_one_pixel_of_one_band(tmp_path, name):
    cube = as_cube(np.array([[[0.5]]], np.float32), wavelengths_nm=[550.0])
    back = open_cube(write_cube(cube, target(tmp_path, name), format=name), variable=None)
    assert back.shape == (1, 1, 1)
    assert back.item() == 0.5


@pytest.mark.parametrize("name", WRITABLE)
@pytest.mark.parametrize(("number", "words"), [(errno.ENOSPC, "no space left"), (errno.EACCES, "could not be written")])
def test_a_refusal_of_the_system_is_one_sentence_and_leaves_the_old_file(
    tmp_path, monkeypatch, full, name, number, words
):
    cube = invalid_allowed(full, name)
    path = write_cube(cube, target(tmp_path, name), format=name)
    kept = open_cube(path)
    files = sorted(child.name for child in tmp_path.iterdir())

    def refuse(cube, path, options):
        (path.with_name("half")).write_bytes(b"half")
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(FORMATS[name], "write", refuse)
    with pytest.raises(WriteError, match=words):
        write_cube(cube * 0, path, format=name)
    assert sorted(child.name for child in tmp_path.iterdir()) == files
    xr.testing.assert_identical(open_cube(path), kept)


@pytest.mark.parametrize("name", WRITABLE)
def test_a_disk_that_really_fills_up(tmp_path, name):
    resource = pytest.importorskip("resource", reason="needs POSIX resource limits")
    noise = np.random.default_rng(1).random((31, 96, 96)).astype(np.float32)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(WriteError, match="no space left"):
            write_cube(as_cube(noise), target(tmp_path, name), format=name)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_invalid_pixels_without_a_value_for_them_are_refused(tmp_path, full):
    cube = full.copy()
    cube.encoding = {"dtype": "uint16"}
    for path in ("a.tif", "a.nc"):
        with pytest.raises(HsrdiffError, match="_FillValue"):
            write_cube(cube, tmp_path / path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", WRITABLE)
@pytest.mark.parametrize("dtype", ["float32", "int16"])
def test_a_large_cube_is_written_part_by_part_like_a_small_one(tmp_path, full, name, dtype, monkeypatch):
    folders = tmp_path / "small", tmp_path / "large"
    for folder in folders:
        folder.mkdir()
    cube = invalid_allowed(full, name)
    cube.encoding = {} if dtype == "float32" else {"dtype": dtype, "scale_factor": 1e-4, "_FillValue": -1}
    whole = open_cube(write_cube(cube, target(folders[0], name), format=name))
    monkeypatch.setattr(packed_cube, "STRIP_BYTES", 1)
    monkeypatch.setattr(cf, "_WHOLE_BYTES", 1)
    monkeypatch.setattr(cf, "_PART", 4)
    monkeypatch.setattr(geotiff, "_TILE", 16)
    parts = open_cube(write_cube(cube, target(folders[1], name), format=name))
    xr.testing.assert_identical(whole, parts)
