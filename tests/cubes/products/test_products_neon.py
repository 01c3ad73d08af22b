"""NEON AOP reflectance in the groups, datasets and attributes of its tiles."""

import os

import h5py
import numpy as np
import pytest
from rasterio.crs import CRS

from hsrdiff.cubes import hdf5, open_cube
from hsrdiff.errors import CubeFormatError

ROWS, COLUMNS, BANDS = 5, 4, 7
# the ends of both windows belong to them
CENTRES = [381.858398, 641.0, 1339.9, 1340.0, 1445.0, 1955.0, 2511.323486]
GOOD = [True, True, True, False, False, False, True]
CORNER = "1.000,  1.000,  368000.000,  4307000.000,  1.000000e+00,  1.000000e+00"
MAP_INFO = f"UTM,  {CORNER},  18,  North,  WGS-84,  units=Meters, 0"
NAMELESS = f"Arbitrary,  {CORNER}"
UTM_18N = CRS.from_epsg(32618).to_wkt(version="WKT1_ESRI")


def write(path, *, site="SERC", without=(), epsg="32618", map_info=MAP_INFO, wkt=UTM_18N, **changes):
    """Raw numbers are 1000 row + 100 column + band; bands of the windows hold -100, one pixel -9999."""
    row, column, band = np.ogrid[:ROWS, :COLUMNS, :BANDS]
    raw = (1000 * row + 100 * column + band).astype("<i2")
    raw[:, :, 3:6] = -100
    raw[1, 2] = -9999
    raw[4, 0, 0], raw[4, 0, 4] = -100, 15000  # a dark pixel of a good band, and a spike in a window
    text = h5py.string_dtype()
    attributes = {
        "Reflectance_Data:Scale_Factor": 10000.0,
        "Reflectance_Data:Data_Ignore_Value": np.int64(-9999),
        ":Band_Window_1_Nanometers": np.array([1340, 1445]),
        ":Band_Window_2_Nanometers": np.array([1790, 1955]),
        "Metadata/Spectral_Data/Wavelength:Units": "nanometers",
    }
    datasets = {
        "Reflectance_Data": raw,
        "Metadata/Spectral_Data/Wavelength": np.array(CENTRES),
        "Metadata/Spectral_Data/FWHM": np.linspace(5.5, 6.1, BANDS),
        "Metadata/Coordinate_System/Map_Info": np.array(map_info, text),
        "Metadata/Coordinate_System/EPSG Code": np.array(epsg, text),
        "Metadata/Coordinate_System/Coordinate_System_String": np.array(wkt, text),
        "Metadata/Coordinate_System/Proj4": np.array("+proj=UTM +zone=18 +ellps=WGS84", text),
        # as large as the cube is wide and high, and of another meaning
        "Metadata/Ancillary_Imagery/Weather_Quality_Indicator": np.zeros((ROWS, COLUMNS, 3), np.uint8),
        "Metadata/Logs/L003-1_20250612/Solar_Zenith_Angle": np.float32(30.0),
    }
    with h5py.File(path, "w") as file:
        group = file.create_group(f"{site}/Reflectance")
        for name, values in datasets.items():
            if name not in without:
                group.create_dataset(name, data=values, chunks=(2, 3, 7) if name == "Reflectance_Data" else None)
        for name, value in {**attributes, **changes}.items():
            place, _, attribute = name.rpartition(":")
            if value is not None and (not place or place in group):
                group[place or "."].attrs[attribute] = value
    return path


@pytest.fixture
def product(tmp_path):
    return write(tmp_path / "NEON_D02_SERC_DP3_368000_4306000_bidirectional_reflectance.h5")


def test_a_tile_has_its_scale_bands_and_place(product):
    cube = open_cube(product)
    assert cube.attrs["source_format"] == "neon"
    assert cube.attrs["hsrdiff_quantity"] == "reflectance"
    assert cube.attrs["masked_by"] == "nothing but nodata"
    assert cube.shape == (BANDS, ROWS, COLUMNS)
    assert cube.wavelength.values.tolist() == CENTRES
    assert cube.fwhm.values == pytest.approx([5.5, 5.6, 5.7, 5.8, 5.9, 6.0, 6.1])
    assert cube.good_band.values.tolist() == GOOD
    assert cube.rio.crs.to_epsg() == 32618
    # the outer corner of the first pixel
    assert tuple(cube.rio.transform())[:6] == (1.0, 0.0, 368000.0, 0.0, -1.0, 4307000.0)
    assert (float(cube.x[1]), float(cube.y[2])) == (368001.5, 4306997.5)
    # row 2, column 3 of the second band: 2000 + 300 + 1
    assert cube.values[1, 2, 3] == pytest.approx(0.2301)
    assert cube.encoding["dtype"] == np.int16
    assert cube.encoding["scale_factor"] == pytest.approx(1e-4)
    assert cube.encoding["_FillValue"] == -9999


def test_the_ignored_value_and_bands_without_data_are_invalid(product):
    values = open_cube(product).values
    expected = np.zeros((BANDS, ROWS, COLUMNS), bool)
    expected[3:6] = True
    expected[4, 4, 0] = False  # a number inside a window stays, its band is bad
    expected[:, 1, 2] = True
    np.testing.assert_array_equal(np.isnan(values), expected)
    assert values[4, 4, 0] == pytest.approx(1.5)
    # outside the windows -100 is a reflectance
    assert values[0, 4, 0] == pytest.approx(-0.01)
    np.testing.assert_array_equal(open_cube(product, variable="unmasked").values, values)


def test_chunks_and_strips_give_the_same_values(product, monkeypatch):
    whole = open_cube(product).values
    lazy = open_cube(product, chunks={"band": 2, "y": 2, "x": 3})
    assert lazy.chunks == ((2, 2, 2, 1), (2, 2, 1), (3, 1))
    np.testing.assert_array_equal(lazy.values, whole)
    rows, read = [], hdf5.Hdf5Bands.__getitem__
    monkeypatch.setattr(hdf5.Hdf5Bands, "__getitem__", lambda self, key: rows.append(key[1]) or read(self, key))
    monkeypatch.setattr("hsrdiff.cubes.cube.STRIP_BYTES", 1)
    np.testing.assert_array_equal(open_cube(product).values, whole)
    assert rows == [slice(0, 2), slice(2, 4), slice(4, 5)]  # as the file's chunks lie


def test_opening_in_chunks_reads_no_values(product):
    lazy = open_cube(product, chunks={"y": 2})
    with h5py.File(product, "a") as file:
        file["SERC/Reflectance/Reflectance_Data"][0, 0, 0] = 7777
    assert lazy.values[0, 0, 0] == pytest.approx(0.7777)


@pytest.mark.parametrize(("epsg", "code"), [("32605", 32605), (np.array([b"32605"]), 32605), (32605, 32605)])
def test_the_epsg_code_is_a_text_or_a_number(tmp_path, epsg, code):
    path = write(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        del file["SERC/Reflectance/Metadata/Coordinate_System/EPSG Code"]
        file["SERC/Reflectance/Metadata/Coordinate_System/EPSG Code"] = epsg
    assert open_cube(path).rio.crs.to_epsg() == code


def test_without_an_epsg_code_the_names_or_the_text_beside_it_count(tmp_path, refusal):
    path, code = tmp_path / "a.h5", "Metadata/Coordinate_System/EPSG Code"
    text = "Metadata/Coordinate_System/Coordinate_System_String"
    cube = open_cube(write(path, without=[code, text]))
    assert cube.rio.crs.to_epsg() == 32618
    assert tuple(cube.rio.transform())[:6] == (1.0, 0.0, 368000.0, 0.0, -1.0, 4307000.0)
    assert open_cube(write(path, without=[code], map_info=NAMELESS)).rio.crs.to_epsg() == 32618
    assert "no place on the map; expected" in refusal(write(path, without=[code, text], map_info=NAMELESS))
    assert "coordinate system string" in refusal(write(path, without=[code], map_info=NAMELESS, wkt="the earth"))


def test_a_reference_pixel_other_than_the_first_and_pixels_of_another_size(tmp_path):
    path = write(tmp_path / "a.h5", map_info="UTM, 3, 2, 368004, 4306998, 2, 2, 18, North, WGS-84, units=Meters")
    assert tuple(open_cube(path).rio.transform())[:6] == (2.0, 0.0, 368000.0, 0.0, -2.0, 4307000.0)


def test_attributes_may_be_texts_or_arrays_of_one(tmp_path, product):
    path = write(tmp_path / "a.h5", **{"Reflectance_Data:Data_Ignore_Value": "-9999",
                                       "Reflectance_Data:Scale_Factor": np.array([10000.0])})  # fmt: skip
    np.testing.assert_array_equal(open_cube(path).values, open_cube(product).values)


def test_without_windows_no_band_is_called_bad(tmp_path):
    windows = {":Band_Window_1_Nanometers": None, ":Band_Window_2_Nanometers": None}
    cube = open_cube(write(tmp_path / "a.h5", **windows))
    assert "good_band" not in cube.coords
    assert cube.values[3, 0, 0] == pytest.approx(-0.01)
    only = open_cube(write(tmp_path / "b.h5", **{":Band_Window_2_Nanometers": None}))
    assert only.good_band.values.tolist() == [True, True, True, False, False, True, True]


def test_a_window_may_be_stored_from_its_upper_end_and_a_code_as_a_real_number(tmp_path, product):
    again = open_cube(write(tmp_path / "a.h5", **{":Band_Window_1_Nanometers": np.array([1445, 1340])}, epsg="32618.0"))
    cube = open_cube(product)
    assert again.good_band.values.tolist() == cube.good_band.values.tolist()
    assert again.rio.crs == cube.rio.crs


def test_wavelengths_in_micrometres_become_nanometres(tmp_path):
    path = write(tmp_path / "a.h5", **{"Metadata/Spectral_Data/Wavelength:Units": "micrometers"})
    with h5py.File(path, "a") as file:
        for name in ("Wavelength", "FWHM"):
            file[f"SERC/Reflectance/Metadata/Spectral_Data/{name}"][...] /= 1000
    cube = open_cube(path)
    assert cube.wavelength.values == pytest.approx(CENTRES)
    assert cube.fwhm.values[0] == pytest.approx(5.5)
    assert cube.good_band.values.tolist() == GOOD


def test_other_hdf5_is_no_tile(tmp_path):
    cube = np.zeros((3, 4, 5), np.int16)
    places = ("Reflectance/Reflectance_Data", "SERC/Reflectance/Reflectance_Data", "SERC/Reflectance/Metadata/Slope",
              "SERC/Radiance/Reflectance_Data")  # fmt: skip
    for place in places:
        path = tmp_path / "NEON_D02_SERC_DP3_368000_4306000_reflectance.h5"
        with h5py.File(path, "w") as file:
            file[place] = cube
            file["Metadata/Spectral_Data/Wavelength"] = np.array([400.0, 500.0, 600.0])
        assert open_cube(path).attrs["source_format"] == "hdf5", place


def test_the_name_of_the_file_and_of_the_site_do_not_matter(tmp_path):
    path = write(tmp_path / "tile.hdf5", site="PUUM")
    with h5py.File(path, "a") as file:
        file["A"] = 1.0  # before the site
        file["B"] = h5py.SoftLink("/nowhere")
    assert open_cube(path).attrs["source_format"] == "neon"


def test_what_is_missing_or_wrong_is_named(tmp_path, refusal):
    path = tmp_path / "a.h5"
    for part in ("Metadata/Spectral_Data/Wavelength", "Metadata/Spectral_Data/FWHM",
                 "Metadata/Coordinate_System/Map_Info"):  # fmt: skip
        sentence = refusal(write(path, without=[part]))
        assert "lacks a part of NEON AOP reflectance" in sentence
        assert part.rpartition("/")[2] in sentence
    for name in ("Scale_Factor", "Data_Ignore_Value"):
        assert name in refusal(write(path, **{f"Reflectance_Data:{name}": None}))
        assert f"{name} in {path} is 'none'" in refusal(write(path, **{f"Reflectance_Data:{name}": "none"}))
    assert "Scale_Factor in" in refusal(write(path, **{"Reflectance_Data:Scale_Factor": 0.0}))
    assert "EPSG code of" in refusal(write(path, epsg="1"))
    assert "EPSG code of" in refusal(write(path, epsg="UTM"))
    assert "numbers in places 2 to 7" in refusal(write(path, map_info=MAP_INFO.replace("368000.000", "east")))
    assert "no place on the map" in refusal(write(path, map_info="UTM"))
    assert "expected two wavelengths" in refusal(write(path, **{":Band_Window_2_Nanometers": np.array([1790])}))
    assert "expected two wavelengths" in refusal(write(path, **{":Band_Window_1_Nanometers": [1340, np.nan]}))
    assert "expected two wavelengths" in refusal(write(path, **{":Band_Window_1_Nanometers": "1340 to 1445"}))
    assert "no variable 'pan'" in refusal(write(path), variable="pan")
    with h5py.File(path, "a") as file:
        group = file["SERC/Reflectance"]
        del group["Metadata/Spectral_Data/FWHM"]
        group["Metadata/Spectral_Data/FWHM"] = np.ones(3)
        assert group["Reflectance_Data"].shape[2] == 7
    assert "7 entries and FWHM 3; expected 7" in refusal(path)
    with h5py.File(path, "a") as file:
        del file["SERC/Reflectance/Reflectance_Data"]
        file["SERC/Reflectance/Reflectance_Data"] = np.zeros((4, 5), np.int16)
    assert "is (4, 5); expected rows x columns x bands" in refusal(path)


def test_the_folder_around_a_file_says_which_to_open(product, refusal):
    assert f"open {product.name} in it" in refusal(product.parent)


@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_file_cut_short(product, refusal, kept):
    os.truncate(product, int(product.stat().st_size * kept))
    assert "damaged or cut short" in refusal(product)


def test_a_file_damaged_after_it_was_opened(product):
    lazy = open_cube(product, chunks={"y": 2})
    os.truncate(product, product.stat().st_size // 2)
    with pytest.raises(CubeFormatError, match="damaged or cut short"):
        lazy.compute()
