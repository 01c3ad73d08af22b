"""Masked arrays, and DataArrays whose attributes declare nodata, scale and offset: rioxarray is the oracle."""

import dask.array as da
import numpy as np
import pytest
import rasterio
import rioxarray
import xarray as xr
from affine import Affine

from hsrdiff import fuse
from hsrdiff.cubes import as_cube, open_cube, write_cube
from hsrdiff.errors import InputError

RAW = np.arange(2 * 3 * 4).reshape(2, 3, 4)


def tiff(path, dtype="int16", nodata=-9999, scales=(1.0, 1.0), offsets=(0.0, 0.0)):
    raw = RAW.astype(dtype)
    if nodata is not None:
        raw[:, 0, 0] = nodata
    with rasterio.open(
        path, "w", driver="GTiff", count=2, height=3, width=4, dtype=dtype, nodata=nodata, crs="EPSG:32633",
        transform=Affine(10, 0, 400000, 0, -10, 5000000),
    ) as dataset:  # fmt: skip
        dataset.write(raw)
        dataset.scales, dataset.offsets = scales, offsets
    return path


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "bool"])
def test_what_a_mask_hides_is_invalid(dtype):
    raw = RAW.astype(dtype)
    mask = np.zeros(raw.shape, bool)
    mask[0, 1, 2] = mask[1, 0, 0] = True
    masked = np.ma.MaskedArray(raw, mask)
    values = as_cube(masked).values
    np.testing.assert_array_equal(np.isnan(values), mask)
    np.testing.assert_array_equal(values[~mask], raw.astype(np.float32)[~mask])
    np.testing.assert_array_equal(as_cube(np.ma.MaskedArray(raw)).values, raw)
    np.testing.assert_array_equal(masked.data, raw)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("chunks", [None, 2])
@pytest.mark.parametrize(("dtype", "nodata"), [("int16", -9999), ("uint16", 65535), ("uint16", 0), ("float32", -1.0)])
def test_nodata_of_rioxarray_is_invalid(tmp_path, dtype, nodata, masked, chunks):
    path = tiff(tmp_path / "a.tif", dtype, nodata)
    given = rioxarray.open_rasterio(path, masked=masked, chunks=chunks)
    before = dict(given.attrs)
    cube = as_cube(given)
    np.testing.assert_array_equal(cube.values, open_cube(path).values)
    assert np.isnan(cube.values).sum() == 2
    assert given.attrs == before
    assert "_FillValue" not in cube.attrs
    again = as_cube(cube)
    np.testing.assert_array_equal(again.values, cube.values)
    np.testing.assert_array_equal(open_cube(write_cube(cube, tmp_path / "b.tif")).values, cube.values)
    np.testing.assert_array_equal(open_cube(write_cube(given, tmp_path / "c.nc")).values, cube.values)


def test_nodata_that_was_set_by_hand_counts_and_that_of_another_type_does_not():
    array = xr.DataArray(RAW.astype("uint16"), dims=("band", "y", "x"))
    assert np.isnan(as_cube(array.rio.write_nodata(7)).values).sum() == 1
    assert np.isfinite(as_cube(array.assign_attrs(_FillValue=-9999)).values).all()
    assert np.isfinite(as_cube(array.assign_attrs(nodata="none")).values).all()


@pytest.mark.parametrize(
    ("scales", "offsets"), [((1e-4, 1e-4), (0.0, 0.0)), ((1e-4, 1e-4), (-0.1, -0.1)), ((0.5, 2.0), (0.0, 1.0))]
)
@pytest.mark.filterwarnings("ignore:Scales differ", "ignore:Offsets differ")
def test_a_scale_of_whole_numbers_is_applied_once_and_restored(tmp_path, scales, offsets):
    path = tiff(tmp_path / "a.tif", scales=scales, offsets=offsets)
    expected = open_cube(path)
    for options in ({}, {"mask_and_scale": True}):
        given = rioxarray.open_rasterio(path, **options)
        if options and len(set(scales)) > 1:
            continue  # rioxarray leaves scales that differ to its caller
        cube = as_cube(given)
        np.testing.assert_allclose(cube.values, expected.values, rtol=1e-6)
        np.testing.assert_array_equal(as_cube(cube).values, cube.values)
    cube = as_cube(rioxarray.open_rasterio(path))
    again = open_cube(write_cube(cube, tmp_path / "b.tif"))
    assert again.encoding["dtype"] == np.int16
    np.testing.assert_array_equal(again.values, expected.values)


def test_a_scale_that_may_have_been_applied_is_refused(tmp_path):
    path = tiff(tmp_path / "a.tif", scales=(1e-4, 1e-4))
    raw = rioxarray.open_rasterio(path, masked=True)
    for given in (raw, (raw * 1e-4).assign_attrs(raw.attrs)):
        with pytest.raises(InputError, match=r"may have been applied already; .* mask_and_scale=True"):
            as_cube(given)
    with pytest.raises(InputError, match="may have been applied already"):
        write_cube(raw, tmp_path / "b.tif")
    assert np.nanmax(as_cube(raw.drop_attrs()).values) == RAW.max()


def test_scales_of_another_number_of_bands_are_refused():
    array = xr.DataArray(RAW, dims=("band", "y", "x"), attrs={"scales": (1.0, 2.0, 3.0)})
    with pytest.raises(InputError, match="'scales' has 3 entries"):
        as_cube(array)


def test_an_array_that_declares_nothing_is_shared_and_stays_lazy():
    values = np.zeros((2, 3, 4), np.float32)
    assert np.shares_memory(as_cube(xr.DataArray(values, dims=("band", "y", "x"))).values, values)
    lazy = xr.DataArray(da.from_array(RAW.astype("i2")), dims=("band", "y", "x"), attrs={"_FillValue": 5})
    cube = as_cube(lazy)
    assert cube.chunks is not None
    assert np.isnan(cube.values).sum() == 1


def test_a_pair_of_masked_arrays_is_fused_as_the_pair_with_nan():
    random = np.random.default_rng(0)
    hsi, msi = random.random((8, 12, 12), np.float32), random.random((3, 48, 48), np.float32)
    hsi[:, :3], msi[:, :12] = -9999, -9999
    masked = [np.ma.masked_equal(image, -9999) for image in (hsi, msi)]
    fused = fuse(*masked, method="regression")
    nan = [np.where(image == -9999, np.nan, image) for image in (hsi, msi)]
    np.testing.assert_array_equal(fused.values, fuse(*nan, method="regression").values)
    assert np.isnan(fused.values[:, :12]).all()
