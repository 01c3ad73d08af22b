"""EMIT L2A in the groups of its NetCDF file: a swath, and the lookup table that puts it on the map."""

import os

import h5py
import numpy as np
import pytest
from rasterio.crs import CRS

from hsrdiff.cubes import open_cube

DOWNTRACK, CROSSTRACK, BANDS = 4, 3, 5
# (row, column) of the swath from 1 for each pixel of the map; 0 is none
GLT_Y = np.array([[0, 1, 1, 0], [2, 2, 1, 1], [3, 2, 2, 2], [4, 3, 3, 0], [0, 4, 4, 0]], np.int32)
GLT_X = np.array([[0, 1, 2, 0], [1, 1, 2, 3], [1, 2, 2, 3], [1, 2, 3, 0], [0, 2, 3, 0]], np.int32)
GEOTRANSFORM = [10.5, 0.000542232520256367, 0.0, 47.25, 0.0, -0.000542232520256367]
CENTRES = [381.0, 550.0, 1000.0, 1380.0, 2490.0]


def swath():
    row, column, band = np.ogrid[:DOWNTRACK, :CROSSTRACK, :BANDS]
    values = (0.1 * row + 0.01 * column + 0.001 * band + 0.05).astype(np.float32)
    values[:, :, 3] = -0.01  # the band that is not good
    values[1, 1] = -9999.0
    return values


def write(path, *, without=(), **changes):
    attributes = {"geotransform": np.array(GEOTRANSFORM), "spatial_ref": CRS.from_epsg(4326).to_wkt()} | changes
    datasets = {
        "reflectance": swath(),
        "location/glt_x": GLT_X,
        "location/glt_y": GLT_Y,
        "sensor_band_parameters/wavelengths": np.array(CENTRES, np.float32),
        "sensor_band_parameters/fwhm": np.array([8.4, 8.5, 8.6, 8.7, 8.8], np.float32),
        "sensor_band_parameters/good_wavelengths": np.array([1, 1, 1, 0, 1], np.float32),
    }
    with h5py.File(path, "w") as file:
        for name, values in datasets.items():
            if name not in without:
                file[name] = values
        for name, value in attributes.items():
            if value is not None:
                file.attrs[name] = value
    return path


@pytest.fixture
def product(tmp_path):
    return write(tmp_path / "EMIT_L2A_RFL_001_20220903T163129_2224611_012.nc")


def test_the_lookup_table_puts_the_swath_on_the_map(product):
    cube = open_cube(product)
    assert cube.attrs["source_format"] == "emit"
    assert cube.attrs["hsrdiff_quantity"] == "reflectance"
    assert cube.shape == (BANDS, 5, 4)
    assert cube.wavelength.values.tolist() == CENTRES
    assert cube.fwhm.values == pytest.approx([8.4, 8.5, 8.6, 8.7, 8.8])
    assert cube.good_band.values.tolist() == [True, True, True, False, True]
    assert cube.rio.crs.to_epsg() == 4326
    assert list(cube.rio.transform().to_gdal()) == GEOTRANSFORM
    # the map pixel in row 3, column 2 is the swath's third row and column
    assert cube.values[1, 3, 2] == pytest.approx(0.2 + 0.02 + 0.001 + 0.05)
    expected, values = np.full((BANDS, 5, 4), np.nan, np.float32), swath()
    values[:, :, 3] = np.nan
    values[values == -9999.0] = np.nan
    for row in range(5):
        for column in range(4):
            if GLT_X[row, column]:
                expected[:, row, column] = values[GLT_Y[row, column] - 1, GLT_X[row, column] - 1]
    np.testing.assert_array_equal(cube.values, expected)


def test_chunks_gather_only_their_own_window(product):
    lazy = open_cube(product, chunks={"band": 2, "y": 2, "x": 3})
    assert lazy.chunks == ((2, 2, 1), (2, 2, 1), (3, 1))
    np.testing.assert_array_equal(lazy.values, open_cube(product).values)


def test_flags_of_the_mask_file_beside_it(product):
    names = ["Cloud flag", "Cirrus flag", "Water flag", "Spacecraft Flag", "Dilated Cloud Flag", "AOD550",
             "H2O (g cm-2)", "Aggregate Flag"]  # fmt: skip
    flags = np.zeros((DOWNTRACK, CROSSTRACK, 8), np.float32)
    flags[2, 0, 0] = flags[3, 1, 4] = 1.0  # cloud, dilated cloud
    flags[0, 0, 2] = flags[0, 0, 5] = 1.0  # water and thick aerosol are ground all the same
    with h5py.File(product.with_name(product.name.replace("RFL", "MASK")), "w") as file:
        file["mask"] = flags
        file["sensor_band_parameters/mask_bands"] = names
    masked, plain = open_cube(product), open_cube(product, variable="unmasked")
    gone = np.isnan(masked.values[0]) & np.isfinite(plain.values[0])
    np.testing.assert_array_equal(gone, ((GLT_Y == 3) & (GLT_X == 1)) | ((GLT_Y == 4) & (GLT_X == 2)))
    assert "EMIT_L2A_MASK_001" in masked.attrs["masked_by"]


def test_a_mask_file_of_another_scene_is_refused(product, refusal):
    with h5py.File(product.with_name(product.name.replace("RFL", "MASK")), "w") as file:
        file["mask"] = np.zeros((9, 9, 1))
        file["sensor_band_parameters/mask_bands"] = ["Cloud flag"]
    assert "(9, 9); expected (4, 3)" in refusal(product)


def test_what_is_missing_or_wrong_is_named(tmp_path, refusal):
    path = tmp_path / "a.nc"
    assert "no 'location/glt_x'" in refusal(write(path, without=["location/glt_x"]))
    assert "no place on the map" in refusal(write(path, geotransform=None))
    assert "no place on the map" in refusal(write(path, spatial_ref=None))
    assert "not known" in refusal(write(path, spatial_ref="the earth"))
    assert "no variable 'rfl'" in refusal(write(path), variable="rfl")
    with h5py.File(path, "a") as file:
        file["location/glt_y"][0, 1] = 99
    assert "beyond its swath of 4 x 3" in refusal(path)


def test_a_file_cut_short(product, refusal):
    os.truncate(product, product.stat().st_size // 2)
    assert "damaged or cut short" in refusal(product)
