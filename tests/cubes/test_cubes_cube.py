"""as_cube, packing, wavelengths and georeference: the parts that all formats share."""

import subprocess
import sys

import dask.array as da
import numpy as np
import pytest
import torch
import xarray as xr
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st

from hsrdiff.cubes import as_cube, check_cube, open_cube, write_cube
from hsrdiff.cubes.georeference import georeference_of
from hsrdiff.cubes.packing import Packing
from hsrdiff.cubes.spectral_axis import SpectralAxis, axis_from_vectors, to_nanometres
from hsrdiff.errors import CubeFormatError, InputError, ShapeError, WavelengthError


def test_importing_cubes_loads_no_heavy_library():
    heavy = ["torch", "h5py", "zarr", "rasterio", "rioxarray", "scipy.io", "dask.array"]
    code = f"import sys, hsrdiff.cubes; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


# as_cube


def test_as_cube_keeps_values_and_makes_float32():
    raw = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    for array in (raw, da.from_array(raw), torch.from_numpy(raw), xr.DataArray(raw, dims=("band", "y", "x"))):
        cube = as_cube(array)
        assert cube.dims == ("band", "y", "x")
        assert cube.dtype == np.float32
        np.testing.assert_array_equal(cube.values, raw)


def test_as_cube_reorders_the_dims_of_a_dataarray_and_keeps_its_coordinates(full):
    turned = full.transpose("y", "x", "band")
    xr.testing.assert_identical(as_cube(turned), full)
    assert turned.dims == ("y", "x", "band")


def test_as_cube_takes_an_image_as_one_band():
    assert as_cube(np.zeros((3, 4))).shape == (1, 3, 4)


def test_as_cube_keeps_dask_lazy():
    assert as_cube(da.zeros((2, 8, 8), chunks=4)).chunks is not None


@pytest.mark.parametrize("shape", [(3,), (1, 2, 3, 4), (0, 2, 3), (2, 0, 3)])
def test_as_cube_refuses_other_shapes(shape):
    with pytest.raises(ShapeError):
        as_cube(np.zeros(shape))


@pytest.mark.parametrize("values", [np.zeros((1, 2, 2), complex), np.full((1, 2, 2), "a")])
def test_as_cube_refuses_other_values(values):
    with pytest.raises(InputError, match="type"):
        as_cube(values)


@pytest.mark.parametrize(
    ("wavelengths_nm", "error"),
    [
        ([0.4, 0.5], WavelengthError),
        ([-1, 500], WavelengthError),
        ([np.nan, 500], WavelengthError),
        ([500], ShapeError),
    ],
)
def test_as_cube_refuses_wavelengths_that_are_not_nm_for_each_band(wavelengths_nm, error):
    with pytest.raises(error):
        as_cube(np.zeros((2, 2, 2)), wavelengths_nm=wavelengths_nm)


def test_as_cube_refuses_widths_below_zero_and_an_unknown_crs():
    with pytest.raises(WavelengthError, match="fwhm"):
        as_cube(np.zeros((2, 2, 2)), fwhm_nm=[1, -1])
    with pytest.raises(InputError, match="CRS"):
        as_cube(np.zeros((2, 2, 2)), crs="EPSG:999999")


def test_check_cube_names_what_is_wrong(full):
    check_cube(full)
    with pytest.raises(InputError, match="ndarray"):
        check_cube(full.values)
    with pytest.raises(ShapeError, match="dims"):
        check_cube(full.transpose("y", "x", "band"))
    with pytest.raises(ShapeError, match="good_band"):
        check_cube(full.drop_vars("good_band").assign_coords(good_band=("y", np.ones(7, bool))))


# Packing


@given(
    dtype=st.sampled_from(["u1", "i1", "u2", "i2"]),
    scale=st.floats(1e-5, 10),
    offset=st.floats(-5, 5),
    seed=st.integers(0, 99),
)
def test_packed_numbers_survive_decoding_and_encoding(dtype, scale, offset, seed):
    limits = np.iinfo(dtype)
    raw = np.random.default_rng(seed).integers(limits.min, limits.max, (2, 3, 4), dtype, endpoint=True)
    packing = Packing.of(dtype, scale, offset, fill_value=limits.max)
    # float32 resolves the offset to 24 bits; beyond that neighbouring raw numbers share a value
    if abs(offset) / scale < 2**20:
        np.testing.assert_array_equal(packing.encode(packing.decode(raw)), raw)


@pytest.mark.parametrize("dtype", ["i4", "u4", "i8", "u8", "f4", "f8"])
def test_wide_types_survive_within_float32(dtype):
    raw = np.array([[[0, 1, 2**23, 99]]], dtype)
    packing = Packing.of(dtype, fill_value=99)
    assert np.isnan(packing.decode(raw)[0, 0, 3])
    np.testing.assert_array_equal(packing.encode(packing.decode(raw)), raw)


def test_decoding_by_hand():
    packing = Packing.of("i2", [0.5, 2.0], [1.0, -1.0], fill_value=-9)
    raw = np.array([[[4, -9]], [[4, 0]]], np.int16)
    expected = np.array([[[3.0, np.nan]], [[7.0, -1.0]]], np.float32)
    np.testing.assert_array_equal(packing.decode(raw), expected)
    np.testing.assert_array_equal(packing.decode(da.from_array(raw)).compute(), expected)


def test_encoding_by_hand_rounds_and_clips_and_spares_the_fill_value():
    packing = Packing.of("u1", 0.5, 10.0, fill_value=255)
    values = np.array([[[10.24, 10.26, 0.0, 1000.0, np.nan, np.inf, -np.inf]]], np.float32)
    np.testing.assert_array_equal(packing.encode(values), [[[0, 1, 0, 254, 255, 254, 0]]])


@pytest.mark.parametrize("dtype", ["i8", "u8"])
def test_encoding_clips_at_the_ends_of_64_bits(dtype):
    limits = np.iinfo(dtype)
    packed = Packing.of(dtype).encode(np.array([[[1e30, -1e30]]], np.float32))
    assert packed.tolist() == [[[limits.max, limits.min]]]


def test_encoding_entries_survive_a_round_trip():
    for packing in (Packing.of("i2", 1e-4, 0.0, -1), Packing.of("f4"), Packing.of("u2", [1, 2], [0, 0], 0)):
        again = Packing.from_encoding(packing.encoding(), 2)
        assert again.encoding().keys() == packing.encoding().keys()
        values = np.array([[[0.5, 3.0]], [[2.0, 4.0]]], np.float32)
        np.testing.assert_array_equal(again.encode(values), packing.encode(values))


def test_scales_of_bands_that_were_dropped_are_not_used():
    entries = {"dtype": "int16", "scale_factor": np.array([1.0, 2.0, 3.0]), "_FillValue": 0}
    assert Packing.from_encoding(entries, 2).dtype == np.float32


@pytest.mark.parametrize("scale", [0.0, np.nan, np.inf])
def test_a_scale_that_loses_the_values_is_refused(scale):
    with pytest.raises(CubeFormatError, match="scale"):
        Packing.of("i2", scale)


# Wavelengths


@pytest.mark.parametrize("units", ["nm", "nanometers", "Nanometers", " NM "])
def test_nanometres_stay(units):
    assert to_nanometres([652.3333333333334], units)[0].tolist() == [652.3333333333334]


@pytest.mark.parametrize("units", ["um", "µm", "μm", "micrometers", "Micrometers", "microns", "micrometres"])
def test_micrometres(units):
    centres, widths, note = to_nanometres([0.6523, 2.5], units, [0.0065, 0.01])
    assert centres.tolist() == [652.3, 2500.0]
    assert widths.tolist() == [6.5, 10.0]
    assert note == ""


def test_angstrom_and_wavenumbers():
    assert to_nanometres([6523.0], "Angstroms")[0] == pytest.approx([652.3])
    centres, widths, _ = to_nanometres([10000.0], "cm-1", [100.0])
    assert centres.tolist() == [1000.0]
    assert widths == pytest.approx([1e7 / 9950 - 1e7 / 10050])


@pytest.mark.parametrize(
    ("values", "expected", "unit"), [([0.4, 2.5], [400, 2500], "um"), ([400, 2500], [400, 2500], "nm")]
)
@pytest.mark.parametrize("units", [None, "", "Unknown"])
def test_without_units_the_values_decide_and_the_cube_says_so(values, expected, unit, units):
    axis = SpectralAxis.of_units(values, units)
    assert axis.wavelengths_nm.tolist() == expected
    assert f"{unit} was assumed" in axis.notes["wavelength_note"]


def test_band_numbers_are_no_wavelengths_and_unknown_units_are_refused():
    assert SpectralAxis.of_units([1, 2], "Index").wavelengths_nm is None
    with pytest.raises(CubeFormatError, match="parsec"):
        to_nanometres([1.0], "parsec")


@pytest.mark.parametrize(
    "name", ["wavelength", "Wavelengths", "wl", "lambda", "centers", "wave_length", "meta/wavelength_nm", "BandCenters"]
)
def test_vectors_are_known_by_name_and_length(name):
    vector = np.array([[500.0, 600.0, 700.0]])
    assert axis_from_vectors({name: vector}, 3).wavelengths_nm.tolist() == [500, 600, 700]
    assert axis_from_vectors({name: vector}, 4).wavelengths_nm is None
    assert axis_from_vectors({"labels": vector}, 3).wavelengths_nm is None


def test_vectors_that_cannot_be_wavelengths_are_left_out():
    axis = axis_from_vectors({"centers": np.array([0.0, 1.0, -1.0])}, 3)
    assert axis.wavelengths_nm is None
    assert "centers" in axis.notes["wavelength_note"]


# Georeference


def test_cropping_moves_the_transform(full):
    crs, transform = georeference_of(full[:, 2:5, 3:])
    assert crs.to_epsg() == 32633
    assert tuple(transform)[:6] == (30.0, 0.0, 365055.0 + 90, 0.0, -30.0, 5807085.0 - 60)
    assert georeference_of(full[:, 2:3, 3:4])[1] == transform  # one pixel


def test_thinning_widens_the_step_and_keeps_the_pixel_centres(full):
    thin = full[:, ::2, ::2]
    _, transform = georeference_of(thin)
    assert (transform.a, transform.e) == (60.0, -60.0)
    assert (transform.c + transform.a / 2, transform.f + transform.e / 2) == (thin.x[0], thin.y[0])


def test_a_rotated_transform_survives_as_it_stands(tmp_path, bare):
    turned = Affine.translation(1000.5, 2000.25) @ Affine.rotation(30) @ Affine.scale(30, -30)
    cube = as_cube(bare, crs="EPSG:32633", transform=turned)
    assert "x" not in cube.coords
    for name in ("a.tif", "a.hdr", "a.nc", "a.zarr", "a.mat"):
        _, back = georeference_of(open_cube(write_cube(cube, tmp_path / name)))
        assert back.almost_equals(turned, 1e-6), name


def test_x_and_y_alone_give_a_transform(bare):
    cube = bare.assign_coords(x=np.arange(11) * 2.0 + 1.0, y=np.arange(7) * -2.0 - 1.0)
    assert georeference_of(cube)[1] == Affine(2.0, 0.0, 0.0, 0.0, -2.0, 0.0)


def test_values_are_shared_also_with_a_place_and_the_given_cube_stays_as_it_was():
    values = np.zeros((2, 4, 5), np.float32)
    place = Affine(10.0, 0.0, 0.0, 0.0, -10.0, 0.0)
    first = as_cube(values, crs="EPSG:32633", transform=place)
    assert np.shares_memory(first.values, values)
    again = as_cube(first, crs="EPSG:4326", transform=place @ Affine.translation(1, 1))
    assert np.shares_memory(again.values, values)
    assert first.rio.crs.to_epsg() == 32633
    assert first.rio.transform() == place
    bare = as_cube(values)
    as_cube(bare, crs="EPSG:32633", transform=place)
    assert not bare.coords
    assert not bare.encoding


@pytest.mark.parametrize("chunks", [{"z": 4}, {"y": 0}, {"x": "big"}, -5, "all"])
def test_chunks_that_make_no_sense_are_refused(tmp_path, bare, chunks):
    with pytest.raises(InputError, match="chunks"):
        open_cube(write_cube(bare, tmp_path / "a.tif"), chunks=chunks)
