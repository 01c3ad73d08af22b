"""What the commands write, opened with readers of others: GDAL, `spectral`, netCDF by xarray, and plain JSON."""

import json

import numpy as np
import pytest
import rasterio
import spectral.io.envi
import xarray as xr

from hsrdiff import check, fuse, quality

SENSOR = "sentinel2:B2,B3,B4,B8"
KRIGING = {"method": "kriging", "sensor": SENSOR}


@pytest.mark.parametrize("dtype", ["float32", "int16"])
def test_gdal_reads_place_bands_and_values_of_a_fused_geotiff_and_its_deviation(pair, tmp_path, dtype):
    fused = fuse(pair.hsi, pair.msi, out=tmp_path / "f.tif", std_out=tmp_path / "s.tif", dtype=dtype, **KRIGING)
    for name in ("f.tif", "s.tif"):
        with rasterio.open(tmp_path / name) as raster:
            assert raster.crs.to_epsg() == 32633
            assert raster.transform == pair.msi.rio.transform()
            assert raster.count == 12
            centres = [float(raster.tags(band, ns="IMAGERY")["CENTRAL_WAVELENGTH_UM"]) for band in raster.indexes]
            np.testing.assert_allclose(centres, pair.hsi["wavelength"].values / 1000, rtol=1e-6)
            assert raster.tags()["hsrdiff_method"] == "kriging"
    with rasterio.open(tmp_path / "f.tif") as raster:
        assert raster.dtypes[0] == dtype
        values = raster.read().astype(np.float64) * raster.scales[0] + raster.offsets[0]
    np.testing.assert_allclose(values, fused.values, rtol=1e-5, atol=1e-6)


def test_spectral_and_gdal_read_a_fused_envi_file(pair, tmp_path):
    fused = fuse(pair.hsi, pair.msi, out=tmp_path / "f.hdr", **KRIGING)
    image = spectral.io.envi.open(str(tmp_path / "f.hdr"))
    np.testing.assert_allclose(image.bands.centers, pair.hsi["wavelength"].values)
    np.testing.assert_allclose(image.bands.bandwidths, pair.hsi["fwhm"].values)
    assert image.bands.band_unit.lower() == "nanometers"
    np.testing.assert_allclose(np.asarray(image.load()).transpose(2, 0, 1), fused.values, rtol=1e-6)
    assert image.metadata["map info"][:2] == ["UTM", "1"]
    with rasterio.open(tmp_path / "f.img") as raster:
        assert raster.crs.to_epsg() == 32633
        assert raster.transform == pair.msi.rio.transform()


def test_xarray_reads_a_fused_netcdf_file(pair, tmp_path):
    fused = fuse(pair.hsi, pair.msi, out=tmp_path / "f.nc", **KRIGING)
    with xr.open_dataset(tmp_path / "f.nc", engine="h5netcdf", decode_coords="all") as file:
        cube = file["cube"]
        assert cube["wavelength"].attrs["units"] == "nm"
        np.testing.assert_allclose(cube["wavelength"].values, pair.hsi["wavelength"].values)
        np.testing.assert_allclose(cube.values, fused.values, rtol=1e-6)
        assert cube.rio.crs.to_epsg() == 32633
        assert cube.attrs["hsrdiff_sensor"] == "sentinel2: B2, B3, B4, B8"


def test_the_map_and_the_reports_are_read(pair, tmp_path):
    fused = fuse(pair.hsi, pair.msi, out=tmp_path / "f.tif", **KRIGING)
    check(pair.hsi, pair.msi, sensor=SENSOR, map_out=tmp_path / "m.tif", json_out=tmp_path / "c.json")
    quality(fused, pair.hsi, pair.msi, json_out=tmp_path / "q.json")
    with rasterio.open(tmp_path / "m.tif") as raster:
        assert raster.transform == pair.hsi.rio.transform()
        assert raster.shape == (6, 6)
    numbers = json.loads((tmp_path / "q.json").read_text())["full_resolution"]
    assert "Alparone 2018" in numbers["convention"]
    assert {"d_lambda", "d_s", "hqnr", "spectral_consistency", "spatial_consistency", "ndvi"} <= set(numbers)
    assert [band["name"] for band in json.loads((tmp_path / "c.json").read_text())["bands"]] == ["B2", "B3", "B4", "B8"]
