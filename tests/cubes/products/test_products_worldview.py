"""WorldView-2 and -3 images with their IMD file."""

import numpy as np
import pytest
import rasterio
from rasterio.rpc import RPC

from hsrdiff.cubes import open_cube

STEM = "17JUL05211635-M2AS-016445286010_01_P001"
EIGHT = ("C", "B", "G", "Y", "R", "RE", "N", "N2")


def imd(bands=EIGHT, satellite="WV03"):
    groups = "".join(
        f"BEGIN_GROUP = BAND_{name}\n\tULLon = 10.5;\n\tabsCalFactor = {n}.000000e-03;\n"
        f"\teffectiveBandwidth = {n + 3}.0e-02;\nEND_GROUP = BAND_{name}\n"
        for n, name in enumerate(bands, 1)
    )
    return (
        f'version = "28.3";\nbandId = "Multi";\n{groups}BEGIN_GROUP = IMAGE_1\n\tsatId = "{satellite}";\n'
        "\tTDIList = (\n\t\t14,\n\t\t8);\nEND_GROUP = IMAGE_1\nEND;\n"
    )


@pytest.fixture
def product(tmp_path, write_tiff):
    raw = (100 * np.arange(1, 9)[:, None, None] + np.arange(6).reshape(2, 3)).astype(np.uint16)
    raw[:, 1, 2] = 0
    write_tiff(tmp_path / f"{STEM}.TIF", raw)
    (tmp_path / f"{STEM}.IMD").write_text(imd())
    return tmp_path


@pytest.mark.parametrize("ending", ["TIF", "IMD"])
def test_bands_are_named_and_calibrated_by_the_imd(product, ending):
    cube = open_cube(product / f"{STEM}.{ending}")
    assert cube.attrs["source_format"] == "worldview"
    assert cube.attrs["hsrdiff_quantity"] == "radiance"
    assert cube.attrs["hsrdiff_band_shape"] == "box"
    assert cube.band_name.values.tolist() == ["coastal", "blue", "green", "yellow", "red", "rededge", "nir1", "nir2"]
    assert cube.wavelength.values.tolist() == [426.0, 481.0, 545.0, 604.0, 660.0, 723.0, 831.0, 905.5]
    assert cube.fwhm.values.tolist() == [46.0, 58.0, 68.0, 38.0, 58.0, 38.0, 120.0, 85.0]
    # green: raw 301 * 3e-3 / 6e-2
    assert cube.values[2, 0, 1] == pytest.approx(301 * 3e-3 / 6e-2)
    assert np.isnan(cube.values).sum() == 8
    assert cube.rio.crs.to_epsg() == 32633
    lazy = open_cube(product / f"{STEM}.{ending}", chunks={"band": 3})
    np.testing.assert_array_equal(lazy.values, cube.values)


def test_four_bands_of_worldview_2_and_its_panchromatic_band(product, write_tiff):
    write_tiff(product / "four.tif", np.ones((4, 2, 2), np.uint16))
    (product / "four.imd").write_text(imd(("B", "G", "R", "N"), "WV02"))
    cube = open_cube(product / "four.tif")
    assert cube.band_name.values.tolist() == ["blue", "green", "red", "nir1"]
    assert cube.wavelength.values.tolist() == [480.0, 545.0, 660.0, 832.5]
    write_tiff(product / "pan.tif", np.ones((1, 2, 2), np.uint16))
    (product / "pan.imd").write_text(imd(("P",), "WV02"))
    assert open_cube(product / "pan.tif").band_name.values.tolist() == ["pan"]


def test_an_image_placed_by_polynomials_alone_says_that_they_are_not_used(product):
    one = [1.0] + [0.0] * 19
    rpcs = RPC(0.0, 1.0, 50.0, 1.0, one, one, 4.0, 4.0, 8.0, 1.0, one, one, 4.0, 4.0)
    size = {"count": 4, "height": 2, "width": 2, "dtype": "uint16"}
    with rasterio.open(product / "basic.tif", "w", driver="GTiff", rpcs=rpcs, **size) as dataset:
        dataset.write(np.ones((4, 2, 2), np.uint16))
    (product / "basic.imd").write_text(imd(("B", "G", "R", "N"), "WV02"))
    assert open_cube(product / "basic.tif").attrs["place_note"].startswith("rational polynomials (RPC) are not used")
    assert "place_note" not in open_cube(product / f"{STEM}.TIF").attrs


def test_tiles_share_one_imd(product, write_tiff, refusal):
    (product / f"{STEM}.TIF").unlink()
    tiles = [product / f"{STEM.replace('M2AS', f'M2AS_R1C{n}')}.TIF" for n in (1, 2)]
    write_tiff(tiles[0], np.ones((8, 2, 2), np.uint16))
    assert open_cube(product / f"{STEM}.IMD").shape == (8, 2, 2)
    write_tiff(tiles[1], np.ones((8, 2, 3), np.uint16))
    assert open_cube(tiles[1]).attrs["source_format"] == "worldview"
    assert "2 tiles beside it" in refusal(product / f"{STEM}.IMD")


def test_an_image_without_imd_or_of_another_satellite_is_a_plain_geotiff(product):
    (product / f"{STEM}.IMD").write_text(imd(satellite="GE01"))
    cube = open_cube(product / f"{STEM}.TIF")
    assert cube.attrs["source_format"] == "geotiff"
    assert float(cube[0, 0, 0]) == 100.0
    (product / f"{STEM}.IMD").unlink()
    assert open_cube(product / f"{STEM}.TIF").attrs["source_format"] == "geotiff"


def test_what_is_missing_or_wrong_is_named(product, refusal):
    description = product / f"{STEM}.IMD"
    description.write_text(imd(satellite="GE01"))
    assert "satellite 'GE01'" in refusal(description)
    description.write_text(imd(EIGHT[:7]))
    assert "8 bands and" in refusal(product / f"{STEM}.TIF")
    description.write_text(imd().replace("effectiveBandwidth", "bandwidth", 1))
    assert "no effectiveBandwidth in BAND_C" in refusal(product / f"{STEM}.TIF")
    description.write_text(imd().replace("4.0e-02", "0.0", 1))
    assert "not positive" in refusal(product / f"{STEM}.TIF")
    description.write_text(imd())
    assert "no variable 'red'" in refusal(description, variable="red")
    (product / f"{STEM}.TIF").unlink()
    assert "no image beside it" in refusal(description)
