"""EnMAP L2A in its layout on disk: one image of all bands, quality layers and METADATA.XML beside it."""

import numpy as np
import pytest

from hsrdiff.cubes import open_cube, write_cube
from hsrdiff.errors import CubeFormatError
from hsrdiff.jobs.info import info

PREFIX = "ENMAP01-____L2A-DT0000001867_20220724T104526Z_008_V010302_20230628T165614Z-"
# two bands of each detector, overlapping, and a SWIR band that the product leaves empty
CENTRES = (902.2, 939.6, 901.96, 911.57, 1390.1)
RAW = np.arange(5 * 3 * 4, dtype=np.int16).reshape(5, 3, 4) * 10 + 100


def description(level="L2A"):
    bands = "".join(
        f'<bandID number="{n}"><wavelengthCenterOfBand>{centre}</wavelengthCenterOfBand>'
        f"<FWHMOfBand>{8 + n}</FWHMOfBand><GainOfBand>0.0001</GainOfBand>"
        f"<OffsetOfBand>{0.01 if n == 2 else 0}</OffsetOfBand></bandID>"
        for n, centre in enumerate(CENTRES, 1)
    )
    statistics = (
        '<bandID number="4"><mean>123.4</mean><stdDeviation>5</stdDeviation></bandID>'
        '<bandID number="5"><mean>-1000000</mean><stdDeviation>0</stdDeviation></bandID>'
    )
    return f"""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<level_X xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <metadata><schema><versionSchema>1.0</versionSchema></schema></metadata>
  <base><level>{level}</level></base>
  <specific>
    <backgroundValue>-32768</backgroundValue>
    <vnirProductQuality><expectedChannelsList>1,2</expectedChannelsList></vnirProductQuality>
    <swirProductQuality><expectedChannelsList>3,4,5</expectedChannelsList></swirProductQuality>
    <bandCharacterisation>{bands}</bandCharacterisation>
  </specific>
  <product><bandStatistics>{statistics}</bandStatistics></product>
</level_X>"""


@pytest.fixture
def product(tmp_path, write_tiff):
    folder = tmp_path / "scene"
    raw = RAW.copy()
    raw[:, 0, 0] = -32768
    raw[4] = -32768
    write_tiff(folder / f"{PREFIX}SPECTRAL_IMAGE.TIF", raw, nodata=-32768)
    (folder / f"{PREFIX}METADATA.XML").write_text(description())
    return folder


@pytest.mark.parametrize("name", ["", f"{PREFIX}METADATA.XML", f"{PREFIX}SPECTRAL_IMAGE.TIF"])
def test_the_folder_and_each_of_its_files_give_one_cube(product, name):
    cube = open_cube(product / name)
    assert cube.attrs["source_format"] == "enmap"
    assert cube.attrs["hsrdiff_quantity"] == "reflectance"
    # by wavelength: 901.96 (band 3), 902.2 (1), 911.57 (4), 939.6 (2), 1390.1 (5)
    assert cube.wavelength.values.tolist() == [901.96, 902.2, 911.57, 939.6, 1390.1]
    assert cube.fwhm.values.tolist() == [11.0, 9.0, 12.0, 10.0, 13.0]
    assert cube.band_name.values.tolist() == ["SWIR 3", "VNIR 1", "SWIR 4", "VNIR 2", "SWIR 5"]
    assert cube.good_band.values.tolist() == [True, True, True, True, False]
    assert cube.rio.crs.to_epsg() == 32633
    assert cube.rio.transform()[2] == 365055.0
    # band 2, row 1, column 2: raw 10 * (12 + 6) + 100 = 280, and an offset of its own
    assert cube.values[3, 1, 2] == pytest.approx(280 * 1e-4 + 0.01)
    assert cube.values[0, 2, 3] == pytest.approx((10 * (24 + 11) + 100) * 1e-4)
    assert np.isnan(cube.values[:, 0, 0]).all()
    assert np.isnan(cube.values[4]).all()
    assert np.isfinite(cube.values[:4]).sum() == 4 * 11


def test_quality_layers_beside_the_image_mask_pixels(product, write_tiff):
    layers = {"CLOUD": (0, 1, 1), "HAZE": (0, 2, 1), "CIRRUS": (1, 0, 3), "SNOW": (1, 1, 1), "CLOUDSHADOW": (1, 2, 1)}
    for name, (row, column, value) in layers.items():
        layer = np.zeros((3, 4), np.uint8)
        layer[row, column] = value
        write_tiff(product / f"{PREFIX}QL_QUALITY_{name}.TIF", layer)
    defects = np.zeros((5, 3, 4), np.uint8)
    defects[2, 2, 1] = 1  # band 3 only, the first by wavelength
    write_tiff(product / f"{PREFIX}QL_PIXELMASK.TIF", defects)
    cube = open_cube(product)
    bad = np.zeros((3, 4), bool)
    bad[0, 0] = True
    for row, column, _ in layers.values():
        bad[row, column] = True
    np.testing.assert_array_equal(np.isnan(cube.values[1]), bad)
    bad[2, 1] = True
    np.testing.assert_array_equal(np.isnan(cube.values[0]), bad)
    assert cube.attrs["masked_by"] == "cloud, cloudshadow, haze, cirrus, snow, defective pixel"
    plain = open_cube(product, variable="unmasked")
    assert np.isfinite(plain.values[:4]).sum() == 4 * 11
    assert plain.attrs["masked_by"] == "nothing but nodata"


def test_chunks_give_the_same_values_and_masks(product, write_tiff):
    layer = np.zeros((3, 4), np.uint8)
    layer[2, 3] = 1
    write_tiff(product / f"{PREFIX}QL_QUALITY_CLOUD.TIF", layer)
    lazy = open_cube(product, chunks={"band": 2, "y": 2, "x": 3})
    assert lazy.chunks == ((2, 2, 1), (2, 1), (3, 1))
    np.testing.assert_array_equal(lazy.values, open_cube(product).values)


def test_a_written_copy_keeps_everything(product, tmp_path):
    cube = open_cube(product)
    back = open_cube(write_cube(cube, tmp_path / "copy.tif"))
    np.testing.assert_array_equal(back.values, cube.values)
    assert back.encoding["dtype"] == np.int16
    assert back.band_name.values.tolist() == cube.band_name.values.tolist()
    assert back.attrs["hsrdiff_quantity"] == "reflectance"


def test_missing_and_damaged_files_are_named(product, write_tiff, refusal):
    metadata, image = product / f"{PREFIX}METADATA.XML", product / f"{PREFIX}SPECTRAL_IMAGE.TIF"
    text = metadata.read_text()
    metadata.write_text(text[: len(text) // 2])
    assert "cut short" in refusal(product)
    metadata.write_text(text.replace("<FWHMOfBand>9</FWHMOfBand>", "<FWHMOfBand>nine</FWHMOfBand>"))
    assert "FWHMOfBand" in refusal(product)
    metadata.write_text(description("L1C"))
    assert "level L1C" in refusal(product)
    metadata.write_text(text)
    write_tiff(image, RAW[:4], nodata=-32768)
    assert "has 4 bands; expected 5" in refusal(product)
    write_tiff(image, RAW, crs=None)
    assert "no place on the map" in refusal(product)
    write_tiff(image, RAW)
    write_tiff(product / f"{PREFIX}QL_QUALITY_CLOUD.TIF", np.zeros((3, 3), np.uint8))
    assert "is 3 x 3; expected 3 x 4" in refusal(product)
    (product / f"{PREFIX}QL_QUALITY_CLOUD.TIF").unlink()
    assert "no variable 'umasked'; use 'unmasked'" in refusal(product, variable="umasked")
    image.unlink()
    assert "lacks the image of" in refusal(product)
    write_tiff(image, RAW)
    metadata.unlink()
    assert "METADATA.XML beside it" in refusal(image)
    assert "lacks the description of EnMAP" in refusal(product)
    assert open_cube(image.rename(product / "plain.tif")).attrs["source_format"] == "geotiff"


def test_a_second_product_in_the_folder_is_refused(product, refusal):
    (product / f"{PREFIX.replace('008', '009')}METADATA.XML").write_text(description())
    assert "2 files that could be" in refusal(product)
    # its own name says which is meant
    assert open_cube(product / f"{PREFIX}METADATA.XML").shape == (5, 3, 4)


def test_info_tells_what_a_product_holds(product):
    found = info(product)
    assert (found.bands, found.height, found.width) == (5, 3, 4)
    assert found.wavelengths_nm == (901.96, 1390.1)
    assert found.bad_bands == found.empty_bands == (5,)
    assert found.notes["hsrdiff_quantity"] == "reflectance"
    assert found.crs == "EPSG:32633"


def test_a_product_is_only_read(product, tmp_path):
    with pytest.raises(CubeFormatError, match="EnMAP L2A is only read"):
        write_cube(open_cube(product), tmp_path / f"{PREFIX}METADATA.XML")
