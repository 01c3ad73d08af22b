"""Hyperion L1T in its layout on disk: a file for each of 242 bands."""

import numpy as np
import pytest

from hsrdiff.cubes import open_cube
from hsrdiff.cubes.products.hyperion_bands import CENTRES_NM, NUMBERS, WIDTHS_NM

SCENE = "EO1H0490012002110110PZ"
MTL = """GROUP = L1_METADATA_FILE
  GROUP = PRODUCT_METADATA
    ACQUISITION_DATE = 2002-04-20
  END_GROUP = PRODUCT_METADATA
  GROUP = RADIANCE_SCALING
    SCALING_FACTOR_VNIR = 40.000000
    SCALING_FACTOR_SWIR = 80.000000
  END_GROUP = RADIANCE_SCALING
END_GROUP = L1_METADATA_FILE
END
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Raw numbers 10 band + pixel; a pixel without data."""
    import rasterio
    from affine import Affine

    folder = tmp_path_factory.mktemp("hyperion") / SCENE
    folder.mkdir()
    for band in range(1, 243):
        raw = (10 * band + np.arange(6).reshape(1, 2, 3)).astype(np.int16)
        raw[0, 0, 0] = 0
        with rasterio.open(
            folder / f"{SCENE}_B{band:03d}_L1T.TIF", "w", driver="GTiff", count=1, height=2, width=3, dtype="int16",
            crs="EPSG:32633", transform=Affine(30.0, 0.0, 365055.0, 0.0, -30.0, 5807085.0),
        ) as raster:  # fmt: skip
            raster.write(raw)
    (folder / f"{SCENE}_MTL_L1T.TXT").write_text(MTL)
    return folder


@pytest.fixture
def product(tmp_path, whole):
    folder = tmp_path / SCENE
    folder.mkdir()
    for file in whole.iterdir():
        (folder / file.name).hardlink_to(file)
    return folder


def test_the_table_of_bands_follows_the_nominal_lines():
    numbers, centres = np.array(NUMBERS), np.array(CENTRES_NM)
    nominal = np.where(numbers <= 70, 355.59 + 10.1753 * (numbers - 1), 851.92 + 10.0888 * (numbers - 71))
    assert numbers.size == centres.size == len(WIDTHS_NM) == 198
    np.testing.assert_allclose(centres, nominal, atol=0.12)
    assert 10.2 < min(WIDTHS_NM) < max(WIDTHS_NM) < 11.6


@pytest.mark.parametrize("name", ["", f"{SCENE}_MTL_L1T.TXT"])
def test_the_calibrated_bands_become_radiance_by_wavelength(whole, name):
    cube = open_cube(whole / name)
    assert cube.attrs["source_format"] == "hyperion"
    assert cube.attrs["hsrdiff_quantity"] == "radiance"
    assert cube.attrs["hsrdiff_radiance_unit"] == "W m-2 sr-1 um-1"
    assert cube.shape == (198, 2, 3)
    assert (np.diff(cube.wavelength.values) > 0).all()
    # 905.05 and 915.23, 925.41 (B056, B057) of one detector, 912.45 and 922.54 (B077, B078) of the other
    assert cube.band_name.values[47:53].tolist() == [
        "VNIR B055", "SWIR B077", "VNIR B056", "SWIR B078", "VNIR B057", "SWIR B079"]  # fmt: skip
    assert cube.fwhm.values[47:50].tolist() == [11.2765, 11.0457, 11.2756]
    assert cube.values[0, 1, 2] == pytest.approx((80 + 5) / 40)
    assert cube.values[-1, 1, 2] == pytest.approx((2240 + 5) / 80)
    assert np.isnan(cube.values[:, 0, 0]).all()
    assert np.isnan(cube.values).sum() == 198
    assert cube.rio.crs.to_epsg() == 32633


def test_chunks_read_only_their_own_bands(whole):
    part = open_cube(whole, chunks={"band": 4})[:3, 1].values
    np.testing.assert_allclose(part, (10 * np.arange(8, 11)[:, None] + [3, 4, 5]) / 40)


def test_what_is_missing_or_wrong_is_named(product, refusal):
    (product / f"{SCENE}_B001_L1T.TIF").unlink()  # not calibrated, not needed
    description = product / f"{SCENE}_MTL_L1T.TXT"
    description.unlink()
    assert "lacks its description" in refusal(product)
    description.write_text(MTL.replace("SCALING_FACTOR_SWIR", "SCALING"))
    assert "no SCALING_FACTOR_SWIR" in refusal(product)
    description.write_text(MTL.replace("80.0", "0.0"))
    assert "not positive" in refusal(product)
    description.write_text(MTL[:120])
    assert "ends within the group" in refusal(product)
    description.write_text(MTL)
    (product / f"{SCENE}_B100_L1T.TIF").unlink()
    (product / f"{SCENE}_B101_L1T.TIF").unlink()
    assert "2 calibrated bands (100, 101)" in refusal(product)
