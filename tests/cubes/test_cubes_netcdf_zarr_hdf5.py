"""NetCDF, Zarr and plain HDF5: what xarray sees, other people's dims, and other people's attributes."""

import json

import h5py
import numpy as np
import pytest
import xarray as xr

from hsrdiff.cubes import open_cube, write_cube
from hsrdiff.errors import CubeFormatError

VALUES = np.arange(60, dtype=np.float32).reshape(5, 3, 4)
CENTRES = np.linspace(400.0, 800.0, 5)
BOTH = pytest.mark.parametrize("ending", ["nc", "zarr"])


def save(folder, dataset, ending):
    path = folder / f"other.{ending}"
    if ending == "nc":
        dataset.to_netcdf(path, engine="h5netcdf")
    else:
        dataset.to_zarr(path, zarr_format=3, consolidated=False)
    return path


@BOTH
def test_xarray_alone_sees_the_physical_values(tmp_path, full, ending):
    cube = full.copy()
    cube.encoding = {"dtype": "int16", "scale_factor": 1e-4, "add_offset": 0.5, "_FillValue": -9999}
    path = write_cube(cube, tmp_path / f"a.{ending}")
    engine = {"engine": "h5netcdf"} if ending == "nc" else {"engine": "zarr", "consolidated": False}
    with xr.open_dataset(path, decode_coords="all", **engine) as dataset:
        assert dataset["cube"].encoding["dtype"] == np.int16
        np.testing.assert_allclose(dataset["cube"].values, full.values, atol=0.51e-4)
        assert dataset["wavelength"].attrs["units"] == "nm"
        assert dataset["cube"].rio.crs.to_epsg() == 32633
        assert dataset["cube"].rio.transform() == full.rio.transform()
        assert dataset["x"].attrs["standard_name"] == "projection_x_coordinate"
        assert dataset["band_name"].values[3] == "filter 3"
        assert dataset.attrs["Conventions"].startswith("CF-")


def test_the_store_is_zarr_3_in_the_chunks_of_the_cube(tmp_path, full):
    path = write_cube(full.chunk({"y": 3, "x": 4}), tmp_path / "a.zarr")
    described = json.loads((path / "cube" / "zarr.json").read_text())
    assert described["zarr_format"] == 3
    assert described["chunk_grid"]["configuration"]["chunk_shape"] == [31, 3, 4]


@BOTH
@pytest.mark.parametrize(
    "dims", [("wavelength", "lat", "lon"), ("y", "x", "band"), ("row", "bands", "col"), ("a", "b", "c")]
)
def test_dims_of_other_people(tmp_path, ending, dims):
    roles = {"wavelength": 0, "band": 0, "bands": 0, "lat": 1, "y": 1, "row": 1, "lon": 2, "x": 2, "col": 2}
    order = [roles.get(dim, place) for place, dim in enumerate(dims)]
    band = dims[order.index(0)]
    dataset = xr.Dataset(
        {"reflectance": (dims, VALUES.transpose(order)), "mask": (("m", "n"), np.zeros((3, 4)))},
        coords={"wavelength": (band, CENTRES / 1000, {"units": "um"})},
    )
    cube = open_cube(save(tmp_path, dataset, ending))
    np.testing.assert_array_equal(cube.values, VALUES)
    np.testing.assert_allclose(cube.wavelength, CENTRES)
    assert cube.attrs["variable"] == "reflectance"


@BOTH
def test_several_variables_are_chosen_by_name(tmp_path, ending):
    dataset = xr.Dataset({"a": (("band", "y", "x"), VALUES), "b": (("band", "y", "x"), VALUES + 1)})
    path = save(tmp_path, dataset, ending)
    with pytest.raises(CubeFormatError, match=r"2 cubes.*variable="):
        open_cube(path)
    np.testing.assert_array_equal(open_cube(path, variable="b").values, VALUES + 1)


@BOTH
def test_dims_that_contradict_are_refused(tmp_path, ending):
    path = save(tmp_path, xr.Dataset({"a": (("y", "lat", "x"), VALUES)}), ending)
    with pytest.raises(CubeFormatError, match="dims"):
        open_cube(path)


def test_netcdf_without_its_ending_is_known_by_its_mark(tmp_path, full):
    write_cube(full, tmp_path / "a.nc").rename(tmp_path / "a.bin")
    assert open_cube(tmp_path / "a.bin").attrs["source_format"] == "netcdf"


def test_netcdf_without_compression(tmp_path, full):
    large = write_cube(full * 0, tmp_path / "a.nc", compress="none").stat().st_size
    assert write_cube(full * 0, tmp_path / "b.nc").stat().st_size < large


def test_a_zarr_array_without_a_group(tmp_path):
    import zarr

    zarr.save_array(str(tmp_path / "a.zarr"), VALUES)
    with pytest.raises(CubeFormatError, match="Zarr group"):
        open_cube(tmp_path / "a.zarr")


# Plain HDF5


def hdf5(path, attributes=None, dataset_attributes=None, **datasets):
    with h5py.File(path, "w") as file:
        for name, value in datasets.items():
            file[name.replace("__", "/")] = value
        file.attrs.update(attributes or {})
        first = next(iter(datasets)).replace("__", "/")
        file[first].attrs.update(dataset_attributes or {})
    return path


def test_a_record_in_plain_hdf5_is_read(tmp_path):
    values = np.zeros((3, 4, 5), np.float32)
    own, other = {"hsrdiff_method": "bicubic", "hsrdiff_factor": 4}, {"hsrdiff_list": [1, 2], "author": "x"}
    cube = open_cube(hdf5(tmp_path / "a.h5", {"hsrdiff_seed": b"0", **other}, own, cube=values))
    assert {name: cube.attrs[name] for name in cube.attrs if name.startswith("hsrdiff")} == {**own, "hsrdiff_seed": "0"}
    assert "author" not in cube.attrs


def test_divide_by_and_wavelengths_as_in_the_enmap_blocks(tmp_path):
    path = hdf5(
        tmp_path / "a.h5", {"divide_by": 10000.0, "layout": "band,row,col"},
        cube=VALUES.astype(np.int16), wavelength_nm=CENTRES.astype("f4"), fwhm_nm=np.full(5, 6.5, "f4"),
    )  # fmt: skip
    for cube in (open_cube(path), open_cube(path, chunks={"y": 2})):
        np.testing.assert_allclose(cube.values, VALUES / 10000, rtol=1e-6)
        assert cube.wavelength.values.tolist() == CENTRES.tolist()
        assert cube.fwhm.values.tolist() == [6.5] * 5
    assert cube.encoding["scale_factor"] == 1e-4


@pytest.mark.parametrize(
    ("axis", "layout"), [(1, "row,band,col"), (2, "row,col,band"), (2, None), (1, None), (0, None)]
)
def test_the_layout_or_the_wavelengths_decide_the_axis(tmp_path, axis, layout):
    stored = np.moveaxis(VALUES, 0, axis)
    names = {"layout": layout} if layout else {}
    datasets = {} if layout else {"meta__wavelengths": CENTRES}
    path = hdf5(tmp_path / "a.h5", names, group__data=stored, **datasets)
    np.testing.assert_array_equal(open_cube(path).values, VALUES)
    np.testing.assert_array_equal(open_cube(path, chunks={"x": 3}).values, VALUES)
    np.testing.assert_array_equal(open_cube(path, variable="/group/data").values, VALUES)


def test_scale_offset_and_fill_value_of_the_dataset(tmp_path):
    attributes = {"scale_factor": 0.5, "add_offset": 1.0, "_FillValue": np.int16(3)}
    cube = open_cube(hdf5(tmp_path / "a.h5", None, attributes, cube=VALUES.astype(np.int16)))
    assert cube.values[0, 0, :3].tolist() == [1.0, 1.5, 2.0]
    assert np.isnan(cube.values[0, 0, 3])


def test_hdf5_without_a_cube_lists_what_it_holds(tmp_path):
    with pytest.raises(CubeFormatError, match=r"g/table \(3, 4\)"):
        open_cube(hdf5(tmp_path / "a.h5", g__table=np.zeros((3, 4))))


@BOTH
@pytest.mark.parametrize("chunks", [None, {"y": 1}])
@pytest.mark.parametrize(
    ("dtype", "unsigned", "fill", "expected"),
    [
        ("int16", "true", np.int16(-1), [4.0, 0.0001, np.nan]),
        ("int16", "true", None, [4.0, 0.0001, 6.5535]),
        ("int16", "false", np.int16(-1), [-2.5536, 0.0001, np.nan]),
        ("uint16", "false", np.uint16(65535), [-2.5536, 0.0001, np.nan]),
        ("uint16", None, np.uint16(65535), [4.0, 0.0001, np.nan]),
    ],
)
def test_unsigned_numbers_in_a_signed_type(tmp_path, ending, dtype, unsigned, fill, expected, chunks):
    raw = np.array([40000, 1, 65535], "u2").view(dtype).reshape(1, 3, 1)
    attrs = {"scale_factor": 1e-4, "_FillValue": fill, "_Unsigned": unsigned}
    array = xr.DataArray(raw, dims=("band", "y", "x"), attrs={k: v for k, v in attrs.items() if v is not None})
    path = save(tmp_path, array.to_dataset(name="a"), ending)
    cube = open_cube(path, chunks=chunks)
    np.testing.assert_allclose(cube.values.reshape(-1), np.array(expected, np.float32), rtol=1e-6)
    engine = {"engine": "h5netcdf"} if ending == "nc" else {"engine": "zarr", "consolidated": False}
    if unsigned == "true" and fill is not None:
        with xr.open_dataset(path, **engine) as dataset:
            np.testing.assert_allclose(cube.values, dataset["a"].values, rtol=1e-6)
    again = open_cube(write_cube(cube, tmp_path / f"again.{ending}"))
    np.testing.assert_array_equal(again.values, cube.values)


@BOTH
@pytest.mark.parametrize("chunks", [None, {"y": 1}])
@pytest.mark.parametrize("dtype", ["int16", "float32"])
@pytest.mark.parametrize("missing", [-1, [-1, -2]])
def test_both_kinds_of_fill_are_invalid(tmp_path, ending, dtype, missing, chunks):
    raw = np.array([-9999, -1, -2, 7], dtype).reshape(2, 2, 1)
    number = np.dtype(dtype).type
    attrs = {"_FillValue": number(-9999), "missing_value": np.array(missing, dtype)}
    array = xr.DataArray(raw, dims=("band", "y", "x"), attrs=attrs)
    values = open_cube(save(tmp_path, array.to_dataset(name="a"), ending), chunks=chunks).values.reshape(-1)
    expected = [np.nan, np.nan, -2 if missing == -1 else np.nan, 7]
    np.testing.assert_array_equal(values, expected)


def test_a_fill_that_the_type_cannot_hold_marks_nothing(tmp_path):
    array = xr.DataArray(np.array([[[55537, 7]]], "u2"), dims=("band", "y", "x"), attrs={"missing_value": -9999.0})
    cube = open_cube(save(tmp_path, array.to_dataset(name="a"), "nc"))
    assert cube.values.tolist() == [[[55537, 7]]]
    assert "_FillValue" not in cube.encoding
