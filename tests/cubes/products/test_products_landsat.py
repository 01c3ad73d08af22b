"""Landsat 8/9 Collection 2 level 2 in its layout on disk, its MTL in each of the three kinds."""

import json

import numpy as np
import pytest

from hsrdiff.cubes import open_cube

SCENE = "LC09_L2SP_193024_20220822_20230402_02_T1"
GROUPS = {
    "PRODUCT_CONTENTS": {"LANDSAT_PRODUCT_ID": SCENE, "PROCESSING_LEVEL": "L2SP"},
    "IMAGE_ATTRIBUTES": {"SPACECRAFT_ID": "LANDSAT_9", "SENSOR_ID": "OLI_TIRS"},
    "LEVEL2_SURFACE_REFLECTANCE_PARAMETERS": {
        f"REFLECTANCE_{word}_BAND_{n}": value
        for word, value in (("MULT", "2.75e-05"), ("ADD", "-0.2"))
        for n in range(1, 8)
    },
    # level 1 has the same keys with other values
    "LEVEL1_RADIOMETRIC_RESCALING": {"REFLECTANCE_MULT_BAND_1": "2.0000E-05", "REFLECTANCE_ADD_BAND_1": "-0.1"},
}  # fmt: skip


def mtl(kind, groups=GROUPS):
    if kind == "json":
        return json.dumps({"LANDSAT_METADATA_FILE": groups})
    if kind == "xml":
        inner = "".join(
            f"<{name}>{''.join(f'<{key}>{value}</{key}>' for key, value in group.items())}</{name}>"
            for name, group in groups.items()
        )
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<LANDSAT_METADATA_FILE>{inner}</LANDSAT_METADATA_FILE>'
    lines = ["GROUP = LANDSAT_METADATA_FILE"]
    for name, group in groups.items():
        lines += [
            f"  GROUP = {name}",
            *(f'    {key} = "{value}"' for key, value in group.items()),
            f"  END_GROUP = {name}",
        ]
    return "\n".join([*lines, "END_GROUP = LANDSAT_METADATA_FILE", "END", ""])


@pytest.fixture
def product(tmp_path, write_tiff):
    folder = tmp_path / SCENE
    for n in range(1, 8):
        raw = (7000 + 1000 * n + np.arange(12).reshape(3, 4)).astype(np.uint16)
        raw[0, 0] = 0
        write_tiff(folder / f"{SCENE}_SR_B{n}.TIF", raw, nodata=0)
    write_tiff(folder / f"{SCENE}_ST_B10.TIF", np.ones((3, 4), np.uint16))
    # clear 21824; bits: 1 dilated, 2 cirrus, 3 cloud, 4 shadow, 5 snow, 7 water
    quality = np.full((3, 4), 21824, np.uint16)
    quality[0, 0] = 1
    quality[1] = [21824 | 1 << 1, 21824 | 1 << 2, 1 << 3, 1 << 4]
    quality[2, :2] = [1 << 5, 1 << 7]
    write_tiff(folder / f"{SCENE}_QA_PIXEL.TIF", quality, nodata=1)
    (folder / f"{SCENE}_MTL.txt").write_text(mtl("txt"))
    return folder


@pytest.mark.parametrize("kind", ["txt", "xml", "json"])
@pytest.mark.parametrize("by_folder", [True, False])
def test_seven_bands_by_each_kind_of_description(product, kind, by_folder):
    (product / f"{SCENE}_MTL.txt").unlink()
    (product / f"{SCENE}_MTL.{kind}").write_text(mtl(kind))
    cube = open_cube(product if by_folder else product / f"{SCENE}_MTL.{kind}", variable="unmasked")
    assert cube.attrs["source_format"] == "landsat"
    assert cube.attrs["hsrdiff_quantity"] == "reflectance"
    assert cube.attrs["hsrdiff_band_shape"] == "box"
    assert cube.band_name.values.tolist() == ["B1", "B2", "B3", "B4", "B5", "B6", "B7"]
    assert cube.wavelength.values.tolist() == [443.0, 482.0, 561.5, 654.5, 865.0, 1608.5, 2200.5]
    assert cube.fwhm.values.tolist() == [16.0, 60.0, 57.0, 37.0, 28.0, 85.0, 187.0]
    # B1, row 2, column 3: raw 8011
    assert cube.values[0, 2, 3] == pytest.approx(8011 * 2.75e-05 - 0.2)
    assert np.isnan(cube.values).sum() == 7
    assert cube.rio.crs.to_epsg() == 32633
    assert cube.encoding["_FillValue"] == 0


def test_the_bits_of_qa_pixel_mask_clouds_but_not_snow_and_water(product):
    bad = np.zeros((3, 4), bool)
    bad[0, 0] = bad[1] = True
    cube = open_cube(product)
    np.testing.assert_array_equal(np.isnan(cube.values[4]), bad)
    np.testing.assert_array_equal(open_cube(product, chunks={"band": 2, "y": 2}).values, cube.values)


def test_a_band_by_itself_is_a_plain_geotiff(product):
    assert open_cube(product / f"{SCENE}_SR_B4.TIF").attrs["source_format"] == "geotiff"


def test_what_is_missing_or_wrong_is_named(product, write_tiff, refusal):
    description = product / f"{SCENE}_MTL.txt"
    other = {**GROUPS, "IMAGE_ATTRIBUTES": {"SPACECRAFT_ID": "LANDSAT_7"}}
    description.write_text(mtl("txt", other))
    assert "satellite LANDSAT_7" in refusal(product)
    description.write_text(mtl("txt", {name: group for name, group in GROUPS.items() if "LEVEL2" not in name}))
    assert "expected a level 2 product" in refusal(product)
    description.write_text(mtl("txt").replace("REFLECTANCE_ADD_BAND_5", "OTHER"))
    assert "no REFLECTANCE_ADD_BAND_5" in refusal(product)
    description.write_text(mtl("txt").replace('"2.75e-05"', '"small"', 1))
    assert "REFLECTANCE_MULT_BAND_1" in refusal(product)
    description.write_text(mtl("txt")[:300])
    assert "ends within the group" in refusal(product)
    for kind in ("json", "xml"):
        cut = product / f"{SCENE}_MTL.{kind}"
        cut.write_text(mtl(kind)[:300])
        assert "cut short" in refusal(cut)
        cut.unlink()
    description.write_text(mtl("txt"))
    (product / f"{SCENE[:-1]}2_MTL.txt").write_text(mtl("txt"))
    assert "holds 2 scenes" in refusal(product)
    assert open_cube(description).shape == (7, 3, 4)
    (product / f"{SCENE[:-1]}2_MTL.txt").unlink()
    write_tiff(product / f"{SCENE}_SR_B3.TIF", np.ones((2, 4), np.uint16))
    assert "is 2 x 4; expected 3 x 4" in refusal(product)
    (product / f"{SCENE}_SR_B3.TIF").unlink()
    assert "lacks the image of band 3" in refusal(product)
    description.unlink()
    assert "lacks its description" in refusal(product)
