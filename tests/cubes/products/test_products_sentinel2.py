"""Sentinel-2 L2A in its SAFE folder, with images of GDAL's JPEG 2000 driver."""

import numpy as np
import pytest
from affine import Affine

from hsrdiff.cubes import open_cube

TILE = "L2A_T33UUU_A037000_20220724T101559"
AT_10M, AT_20M = ("B02", "B03", "B04", "B08"), ("B02", "B03", "B04", "B05", "B06", "B07", "B8A", "B11", "B12", "SCL")
IDENTITIES = {"B1": 0, "B2": 1, "B3": 2, "B4": 3, "B5": 4, "B6": 5, "B7": 6, "B8": 7, "B8A": 8, "B11": 11, "B12": 12}
SIZE = 16  # pixels of 10 m


def image(band, pixel_m):
    return f"GRANULE/{TILE}/IMG_DATA/R{pixel_m}m/T33UUU_20220724T101559_{band}_{pixel_m}m"


IMAGES = (
    [image(band, 10) for band in AT_10M] + [image(band, 20) for band in AT_20M] + [image("B09", 60), image("B01", 60)]
)


def description(
    *, baseline="04.00", offsets=True, quantification="BOA_QUANTIFICATION_VALUE", images=IMAGES, centres=True
):
    files = "".join(f"<IMAGE_FILE>{each}</IMAGE_FILE>" for each in images)
    offset = "".join(f'<BOA_ADD_OFFSET band_id="{n}">-1000</BOA_ADD_OFFSET>' for n in range(13))
    spectral = "".join(
        f'<Spectral_Information bandId="{n}" physicalBand="{name}"><RESOLUTION>10</RESOLUTION><Wavelength>'
        f'<MIN unit="nm">400</MIN><MAX unit="nm">2300</MAX><CENTRAL unit="nm">{500 + 10 * n}.1</CENTRAL></Wavelength>'
        "</Spectral_Information>"
        for name, n in IDENTITIES.items()
    )
    return f"""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<n1:Level-2A_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-2A.xsd">
  <n1:General_Info>
    <Product_Info>
      <PROCESSING_LEVEL>Level-2A</PROCESSING_LEVEL><PROCESSING_BASELINE>{baseline}</PROCESSING_BASELINE>
      <Product_Organisation><Granule_List><Granule granuleIdentifier="S2B_OPER" imageFormat="JPEG2000">{files}
      </Granule></Granule_List></Product_Organisation>
    </Product_Info>
    <Product_Image_Characteristics>
      <QUANTIFICATION_VALUES_LIST><{quantification} unit="none">10000</{quantification}></QUANTIFICATION_VALUES_LIST>
      {f"<BOA_ADD_OFFSET_VALUES_LIST>{offset}</BOA_ADD_OFFSET_VALUES_LIST>" if offsets else ""}
      {f"<Spectral_Information_List>{spectral}</Spectral_Information_List>" if centres else ""}
    </Product_Image_Characteristics>
  </n1:General_Info>
</n1:Level-2A_User_Product>"""


def raw(band, pixel_m):
    """Numbers that tell bands and pixels apart; the scene classification has one pixel of each of four classes."""
    size = -(-SIZE * 10 // pixel_m)
    if band == "SCL":
        classes = np.full((size, size), 4, np.uint8)
        classes[0, :4] = (9, 3, 1, 11)
        return classes
    seed = 1000 + 100 * int(band[1:].rstrip("A"))
    return (seed + np.arange(size * size).reshape(size, size)).astype(np.uint16)


@pytest.fixture
def product(tmp_path, write_tiff):
    folder = tmp_path / "S2B_MSIL2A_20220724T101559_N0400_R065_T33UUU_20220724T120000.SAFE"
    for place in IMAGES:
        band, pixel = place.rsplit("_", 2)[1:]
        pixel_m = int(pixel[:-1])
        values = raw(band, pixel_m)
        if band != "SCL":
            values[-1, -1] = 0
        write_tiff(
            folder / f"{place}.jp2", values, driver="JP2OpenJPEG", QUALITY="100", REVERSIBLE="YES",
            transform=Affine(pixel_m, 0, 300000, 0, -pixel_m, 5900040),
        )  # fmt: skip
    (folder / "MTD_MSIL2A.xml").write_text(description())
    return folder


@pytest.mark.parametrize("name", ["", "MTD_MSIL2A.xml"])
def test_the_four_bands_of_10_m_are_the_default(product, name):
    cube = open_cube(product / name, variable="unmasked")
    assert cube.attrs["source_format"] == "sentinel2"
    assert cube.attrs["hsrdiff_quantity"] == "reflectance"
    assert cube.attrs["hsrdiff_band_shape"] == "box"
    assert cube.shape == (4, SIZE, SIZE)
    assert cube.band_name.values.tolist() == ["B2", "B3", "B4", "B8"]
    assert cube.wavelength.values.tolist() == [510.1, 520.1, 530.1, 570.1]
    assert cube.fwhm.values.tolist() == [66.0, 36.0, 31.0, 106.0]
    assert cube.rio.crs.to_epsg() == 32633
    assert tuple(cube.rio.transform())[:6] == (10.0, 0.0, 300000.0, 0.0, -10.0, 5900040.0)
    # B3, row 2, column 5: raw 1300 + 2 * 16 + 5
    assert cube.values[1, 2, 5] == pytest.approx((1337 - 1000) / 10000)
    assert np.isnan(cube.values[:, -1, -1]).all()
    assert np.isnan(cube.values).sum() == 4


def test_the_scene_classification_masks_blocks_of_two_pixels(product):
    bad = np.isnan(open_cube(product).values)
    assert (bad == bad[0]).all()
    expected = np.zeros((SIZE, SIZE), bool)
    expected[:2, :6] = True  # cloud, shadow, defective; snow is ground
    expected[-1, -1] = True
    np.testing.assert_array_equal(bad[0], expected)


def test_20_m_bands_on_their_own_grid(product):
    cube = open_cube(product, variable="20m")
    assert cube.band_name.values.tolist() == ["B2", "B3", "B4", "B5", "B6", "B7", "B8A", "B11", "B12"]
    assert cube.shape == (9, 8, 8)
    assert cube.rio.transform().a == 20.0
    assert cube.values[7, 1, 0] == pytest.approx((1000 + 1100 + 8 - 1000) / 10000)
    assert np.isnan(cube.values[0, 0, :4]).tolist() == [True, True, True, False]


def test_10_and_20_m_bands_on_one_grid(product):
    cube = open_cube(product, variable="10m+20m unmasked")
    assert cube.band_name.values.tolist() == ["B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12"]
    assert cube.attrs["repeated_bands"] == "B5, B6, B7, B8A, B11, B12"
    coarse, fine = open_cube(product, variable="20m unmasked"), open_cube(product, variable="unmasked")
    np.testing.assert_array_equal(cube.values[[0, 1, 2, 6]], fine.values)
    np.testing.assert_array_equal(cube.values[8], coarse.values[7].repeat(2, axis=0).repeat(2, axis=1))
    # windows that begin and end within a coarse pixel
    lazy = open_cube(product, variable="10m+20m", chunks={"band": 3, "y": 5, "x": 7})
    np.testing.assert_array_equal(lazy.values, open_cube(product, variable="10m+20m").values)


def test_bands_that_are_named_leave_the_others_out(product, refusal):
    whole = open_cube(product, variable="10m+20m")
    cube = open_cube(product, variable="10m+20m B5 b8a, B3")
    assert cube.band_name.values.tolist() == ["B3", "B5", "B8A"]
    assert cube.attrs["repeated_bands"] == "B5, B8A"
    np.testing.assert_array_equal(cube.values, whole.values[[1, 3, 7]])
    assert open_cube(product, variable="B4").band_name.values.tolist() == ["B4"]
    assert open_cube(product, variable="20m B5 unmasked").rio.transform().a == 20.0
    assert "names 2 bands, of which 1 are on that grid" in refusal(product, variable="B4 B5")
    assert "names no band of 10 m" in refusal(product, variable="10m+20m B5 B6")
    assert "use 'b5' if that was meant" in refusal(product, variable="B5a")


def test_60_m_bands(product):
    cube = open_cube(product, variable="60m")
    assert cube.band_name.values.tolist() == ["B1", "B9"]
    assert cube.values[1, 0, 1] == pytest.approx(901 / 10000)
    assert cube.attrs["masked_by"] == "nothing but nodata"  # no scene classification at 60 m


@pytest.mark.parametrize(
    ("baseline", "offsets", "expected"), [("05.11", True, 337), ("04.00", False, 337), ("03.01", False, 1337)]
)
def test_the_offset_is_stated_or_follows_from_the_baseline(product, baseline, offsets, expected):
    (product / "MTD_MSIL2A.xml").write_text(description(baseline=baseline, offsets=offsets))
    assert open_cube(product).values[1, 2, 5 + 8] == pytest.approx((expected + 8) / 10000)


def test_an_early_description(product):
    text = description(
        baseline="02.06", offsets=False, quantification="L2A_BOA_QUANTIFICATION_VALUE", centres=False,
        images=[each for each in IMAGES if "SCL" not in each],
    )  # fmt: skip
    (product / "MTD_MSIL2A.xml").write_text(text)
    cube = open_cube(product)
    assert cube.wavelength.values.tolist() == [492.4, 559.8, 664.6, 832.8]
    assert cube.attrs["masked_by"] == "scene classification"


def test_images_converted_to_geotiff_are_read(product, write_tiff):
    expected = open_cube(product).values
    (product / f"{image('B03', 10)}.jp2").unlink()
    values = raw("B03", 10)
    values[-1, -1] = 0
    write_tiff(product / f"{image('B03', 10)}.tif", values, transform=Affine(10, 0, 300000, 0, -10, 5900040))
    np.testing.assert_array_equal(open_cube(product).values, expected)


def test_what_is_missing_or_wrong_is_named(product, refusal):
    metadata = product / "MTD_MSIL2A.xml"
    assert "no variable '15m'" in refusal(product, variable="15m")
    assert "use '10m+20m'" in refusal(product, variable="10m 20m")
    metadata.write_text(description().replace("<BOA_QUANTIFICATION_VALUE", "<QUANTIFICATION_VALUE").replace(
        "</BOA_QUANTIFICATION_VALUE", "</QUANTIFICATION_VALUE"))  # fmt: skip
    assert "no BOA_QUANTIFICATION_VALUE" in refusal(product)
    metadata.write_text(description(baseline="later", offsets=False))
    assert "PROCESSING_BASELINE" in refusal(product)
    metadata.write_text(description().replace("-1000", "much", 1))
    assert "BOA_ADD_OFFSET" in refusal(product)
    metadata.write_text(description(images=[]))
    assert "IMAGE_FILE" in refusal(product)
    metadata.write_text(description()[:900])
    assert "cut short" in refusal(product)
    metadata.write_text(description())
    band = product / f"{image('B08', 10)}.jp2"
    band.write_bytes(band.read_bytes()[:80])
    assert "B08_10m.jp2 is damaged" in refusal(product)
    band.unlink()
    assert "lacks the image of B08 at 10 m" in refusal(product)
    metadata.rename(product / "MTD_MSIL1C.xml")
    assert "level 1C" in refusal(product)
    (product / "MTD_MSIL1C.xml").unlink()
    assert "lacks its description" in refusal(product)
