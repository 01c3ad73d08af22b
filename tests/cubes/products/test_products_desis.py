"""DESIS L2A in its layout on disk."""

import numpy as np
import pytest

from hsrdiff.cubes import open_cube

PREFIX = "DESIS-HSI-L2A-DT0707652640_011-20220404T193259-V0220-"
RAW = np.arange(4 * 3 * 4, dtype=np.int16).reshape(4, 3, 4) * 100


def description(level="L2A"):
    bands = "".join(
        f"<band><bandNumber>{n}</bandNumber><wavelengthCenterOfBand>{400 + 2.5 * n}</wavelengthCenterOfBand>"
        f"<wavelengthWidthOfBand>{3 + n / 10}</wavelengthWidthOfBand><response>0.1,1,0.1</response>"
        f"<wavelengths>400,402,404</wavelengths><gainOfBand>0.0001</gainOfBand><offsetOfBand>0.0</offsetOfBand></band>"
        for n in range(1, 5)
    )
    geometry = "".join(f"<band><bandNumber>{n}</bandNumber><x>0</x></band>" for n in range(1, 5))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<hsi_doc><metadata/><base><level>{level}</level></base><specific>
<bandCharacterisation>{bands}</bandCharacterisation><interiorOrientation>{geometry}</interiorOrientation>
</specific></hsi_doc>"""


@pytest.fixture
def product(tmp_path, write_tiff):
    raw = RAW.copy()
    raw[:, 2, 3] = -32768
    write_tiff(tmp_path / "d" / f"{PREFIX}SPECTRAL_IMAGE.tif", raw, nodata=-32768, interleave="pixel")
    (tmp_path / "d" / f"{PREFIX}METADATA.xml").write_text(description())
    return tmp_path / "d"


@pytest.mark.parametrize("name", ["", f"{PREFIX}METADATA.xml", f"{PREFIX}SPECTRAL_IMAGE.tif"])
def test_the_folder_and_each_of_its_files_give_one_cube(product, name):
    cube = open_cube(product / name)
    assert cube.attrs["source_format"] == "desis"
    assert cube.attrs["hsrdiff_quantity"] == "reflectance"
    assert cube.wavelength.values.tolist() == [402.5, 405.0, 407.5, 410.0]
    assert cube.fwhm.values == pytest.approx([3.1, 3.2, 3.3, 3.4])
    assert cube.values[2, 1, 3] == pytest.approx(100 * (24 + 7) * 1e-4)
    assert np.isnan(cube.values).sum() == 4
    assert cube.rio.crs.to_epsg() == 32633


def test_the_quality_layers_mask_pixels(product, write_tiff):
    quality = np.zeros((10, 3, 4), np.uint8)
    for place, number in enumerate((1, 3, 5, 6)):  # shadow, snow, haze over water, cloud over land
        quality[number - 1, 0, place] = 1
    quality[[1, 7], 1, :] = 1  # land and water
    quality[8:] = 40  # aerosol and water vapour
    write_tiff(product / f"{PREFIX}QL_QUALITY-2.tif", quality)
    expected = np.zeros((3, 4), bool)
    expected[0] = expected[2, 3] = True
    np.testing.assert_array_equal(np.isnan(open_cube(product).values[1]), expected)
    assert np.isnan(open_cube(product, variable="unmasked").values[1]).sum() == 1
    np.testing.assert_array_equal(open_cube(product, chunks={"y": 2, "band": 3}).values, open_cube(product).values)


def test_what_is_missing_or_wrong_is_named(product, write_tiff, refusal):
    metadata = product / f"{PREFIX}METADATA.xml"
    metadata.write_text(description("L1C"))
    assert "level L1C" in refusal(product)
    metadata.write_text(description().replace("<gainOfBand>0.0001</gainOfBand>", "", 1))
    assert "no gainOfBand" in refusal(product)
    metadata.write_text(description())
    write_tiff(product / f"{PREFIX}QL_QUALITY-2.tif", np.zeros((2, 3, 4), np.uint8))
    assert "has 2 bands; expected at least" in refusal(product)
    metadata.unlink()
    assert "METADATA.XML beside it" in refusal(product / f"{PREFIX}SPECTRAL_IMAGE.tif")
