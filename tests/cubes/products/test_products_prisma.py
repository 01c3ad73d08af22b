"""PRISMA L2D in the groups and attributes of its HDF-EOS5 file."""

import os

import h5py
import numpy as np
import pytest
from rasterio.warp import transform

from hsrdiff.cubes import open_cube

HCO, PCO = "HDFEOS/SWATHS/PRS_L2D_HCO", "HDFEOS/SWATHS/PRS_L2D_PCO"
LEFT, TOP = 352740.0, 5987250.0  # the outer corner of the first pixel, UTM 33 N
ROWS, COLUMNS = 6, 4
# from long to short waves; the last VNIR band has no wavelength, the first SWIR band is flagged as not delivered
VNIR = ((970.0, 12.0, 1), (550.0, 10.5, 1), (410.0, 14.0, 1), (0.0, 0.0, 0))
SWIR = ((2497.0, 8.0, 0), (1600.0, 11.0, 1), (951.0, 9.0, 1))


def degrees(rows, columns, pixel_m):
    east, north = np.meshgrid(LEFT + pixel_m * (np.arange(columns) + 0.5), TOP - pixel_m * (np.arange(rows) + 0.5))
    longitude, latitude = transform("EPSG:32633", "EPSG:4326", east.ravel(), north.ravel())[:2]
    return np.reshape(latitude, (rows, columns)), np.reshape(longitude, (rows, columns))


def write(path, *, corners="centres", transposed=False, geolocation=True, **changes):
    """Raw numbers are 1000 band + 100 row + column, in the cube of each detector."""
    half = 15.0 if corners == "centres" else 0.0
    attributes = {
        "Epsg_Code": np.array([32633]),  # an array of one, as some writers leave it
        "Processing_Level": np.bytes_("2D"),
        "Product_ULcorner_easting": LEFT + half, "Product_ULcorner_northing": TOP - half,
        "Product_LRcorner_easting": LEFT + 30 * COLUMNS - half, "Product_LRcorner_northing": TOP - 30 * ROWS + half,
        "L2ScaleVnirMin": 0.0, "L2ScaleVnirMax": 1.2, "L2ScaleSwirMin": 0.1, "L2ScaleSwirMax": 0.9,
        "L2ScalePanMin": 0.0, "L2ScalePanMax": 0.65535,
    }  # fmt: skip
    with h5py.File(path, "w") as file:
        for detector, bands in (("Vnir", VNIR), ("Swir", SWIR)):
            for name, column in (("Cw_{}", 0), ("Fwhm_{}", 1), ("Cw_{}_Flags", 2)):
                attributes["List_" + name.format(detector)] = np.array([band[column] for band in bands], np.float32)
            band, row, column = np.ogrid[: len(bands), :ROWS, :COLUMNS]
            raw = (1000 * band + 100 * row + column + 1).astype(np.uint16).transpose(1, 0, 2)
            errors = np.zeros(raw.shape, np.uint8)
            if detector == "Swir":
                errors[2, 1, 3] = 3  # the band at 1600 nm is saturated there
            axes = (2, 1, 0) if transposed else (0, 1, 2)
            file[f"{HCO}/Data Fields/{detector.upper()}_Cube"] = raw.transpose(axes)
            file[f"{HCO}/Data Fields/{detector.upper()}_PIXEL_L2_ERR_MATRIX"] = errors.transpose(axes)
        pan = np.arange(1, 1 + 36 * ROWS * COLUMNS, dtype=np.uint16).reshape(6 * ROWS, 6 * COLUMNS)
        pan[0, 0] = 0
        file[f"{PCO}/Data Fields/Cube"] = pan
        file[f"{PCO}/Data Fields/PIXEL_L2_ERR_MATRIX"] = (pan == 7).astype(np.uint8)
        if geolocation:
            for name, values in zip(("Latitude", "Longitude"), degrees(ROWS, COLUMNS, 30.0), strict=True):
                file[f"{HCO}/Geolocation Fields/{name}"] = values.T if transposed else values
        for name, value in {**attributes, **changes}.items():
            if value is not None:
                file.attrs[name] = value
    return path


@pytest.fixture
def product(tmp_path):
    return write(tmp_path / "PRS_L2D_STD_20200813103056_20200813103100_0001.he5")


def test_both_detectors_become_one_cube_by_wavelength(product):
    cube = open_cube(product)
    assert cube.attrs["source_format"] == "prisma"
    assert cube.attrs["hsrdiff_quantity"] == "reflectance"
    assert cube.shape == (5, ROWS, COLUMNS)
    assert cube.wavelength.values.tolist() == [410.0, 550.0, 951.0, 970.0, 1600.0]
    assert cube.fwhm.values.tolist() == [14.0, 10.5, 9.0, 12.0, 11.0]
    assert cube.band_name.values.tolist() == ["VNIR 3", "VNIR 2", "SWIR 3", "VNIR 1", "SWIR 2"]
    # VNIR 2 is the second band of its cube: raw 1000 + 100 row + column + 1
    assert cube.values[1, 4, 2] == pytest.approx(1403 * 1.2 / 65535)
    assert cube.values[2, 0, 3] == pytest.approx(0.1 + 2004 * 0.8 / 65535)
    assert np.isnan(cube.values).sum() == 1
    assert np.isnan(cube.values[4, 2, 3])
    assert np.isfinite(open_cube(product, variable="unmasked").values).all()


@pytest.mark.parametrize("corners", ["centres", "corners"])
@pytest.mark.parametrize("geolocation", [True, False])
def test_corners_of_either_meaning_give_one_grid(tmp_path, corners, geolocation):
    cube = open_cube(write(tmp_path / "a.he5", corners=corners, geolocation=geolocation))
    assert cube.rio.crs.to_epsg() == 32633
    assert tuple(cube.rio.transform())[:6] == (30.0, 0.0, LEFT, 0.0, -30.0, TOP)
    assert "grid_note" not in cube.attrs


def test_latitudes_tell_a_file_with_its_axes_the_other_way_round(tmp_path, product):
    turned = open_cube(write(tmp_path / "turned.he5", transposed=True))
    np.testing.assert_array_equal(turned.values, open_cube(product).values)
    assert turned.rio.transform() == open_cube(product).rio.transform()


def test_a_grid_that_its_latitudes_contradict_is_remarked(tmp_path):
    path = write(tmp_path / "a.he5", Product_ULcorner_easting=LEFT + 315.0,
                 Product_LRcorner_easting=LEFT + 300.0 + 30 * COLUMNS - 15.0)  # fmt: skip
    assert "300.0 m away" in open_cube(path).attrs["grid_note"]


@pytest.mark.parametrize("corners", ["centres", "corners"])
def test_the_panchromatic_band_has_its_own_grid(tmp_path, corners):
    cube = open_cube(write(tmp_path / "a.he5", corners=corners), variable="pan")
    assert cube.shape == (1, 6 * ROWS, 6 * COLUMNS)
    assert cube.attrs["hsrdiff_band_shape"] == "box"
    assert tuple(cube.rio.transform())[:6] == (5.0, 0.0, LEFT, 0.0, -5.0, TOP)
    assert cube.values[0, 0, 1] == pytest.approx(2e-5)
    assert np.argwhere(np.isnan(cube.values[0])).tolist() == [[0, 0], [0, 6]]
    lazy = open_cube(tmp_path / "a.he5", variable="pan", chunks={"y": 5})
    np.testing.assert_array_equal(lazy.values, cube.values)


def test_chunks_give_the_same_values(product):
    lazy = open_cube(product, chunks={"band": 2, "y": 4, "x": 3})
    assert lazy.chunks == ((2, 2, 1), (4, 2), (3, 1))
    np.testing.assert_array_equal(lazy.values, open_cube(product).values)


def test_what_is_missing_or_wrong_is_named(tmp_path, refusal):
    path = tmp_path / "a.he5"
    assert "L2ScaleVnirMin" in refusal(write(path, L2ScaleVnirMin=None))
    assert "Product_ULcorner_easting" in refusal(write(path, Product_ULcorner_easting=None))
    assert "EPSG code" in refusal(write(path, Epsg_Code=1))
    assert "expected 4 x 6 pixels of 30 m" in refusal(write(path, Product_LRcorner_easting=LEFT + 1000.0))
    assert "has 2 entries" in refusal(write(path, List_Cw_Vnir=np.array([900.0, 800.0])))
    assert "no variable 'swir'" in refusal(write(path), variable="swir")
    with h5py.File(path, "a") as file:
        del file[f"{HCO}/Data Fields/SWIR_Cube"]
    assert "SWIR_Cube" in refusal(path)
    with h5py.File(path, "w") as file:
        file.create_group("HDFEOS/SWATHS/PRS_L2C_HCO/Data Fields")
    assert "PRISMA level L2C" in refusal(path)


def test_the_folder_around_a_file_says_which_to_open(product, refusal):
    assert f"open {product.name} in it" in refusal(product.parent)


@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_file_cut_short(product, refusal, kept):
    os.truncate(product, int(product.stat().st_size * kept))
    assert "damaged or cut short" in refusal(product)
