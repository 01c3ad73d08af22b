"""CAVE folders in the database's own layout, with the strays that it ships."""

import numpy as np
import pytest
import rasterio

from hsrdiff.cubes import as_cube, open_cube, write_cube
from hsrdiff.errors import CubeFormatError

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def scene(folder, name="toys", count=31, dtype=np.uint16, channels=1, numbers=None):
    """Write images whose value is 1000 times their number (or the number itself in 8 bits)."""
    inner = folder / f"{name}_ms" / f"{name}_ms"
    inner.mkdir(parents=True)
    for number in numbers or range(1, count + 1):
        values = np.full((channels, 4, 5), number * (1000 if dtype == np.uint16 else 1), dtype)
        values[:, 0, 1] += 1
        if channels == 4:
            values[3] = 255
        profile = {"driver": "PNG", "count": channels, "height": 4, "width": 5, "dtype": values.dtype}
        with rasterio.open(inner / f"{name}_ms_{number:02d}.png", "w", **profile) as image:
            image.write(values)
    return inner


def test_the_doubled_folder_with_its_strays(tmp_path):
    inner = scene(tmp_path)
    (inner / "toys_RGB.bmp").write_bytes(b"BM not a band")
    (inner / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    (inner / "._toys_ms_01.png").write_bytes(b"Mac")
    for folder in (inner, inner.parent):
        cube = open_cube(folder)
        assert cube.shape == (31, 4, 5)
        np.testing.assert_allclose(cube.values[:, 0, 0], np.arange(1, 32) * 1000 / 65535, rtol=1e-6)
        np.testing.assert_allclose(cube.values[:, 0, 1], (np.arange(1, 32) * 1000 + 1) / 65535, rtol=1e-6)
        assert cube.wavelength.values.tolist() == list(range(400, 701, 10))
        assert cube.encoding["dtype"] == np.uint16


def test_watercolors_has_8_bits_and_four_channels(tmp_path):
    cube = open_cube(scene(tmp_path, "watercolors", dtype=np.uint8, channels=4))
    assert cube.shape == (31, 4, 5)
    np.testing.assert_allclose(cube.values[:, 0, 0], np.arange(1, 32) / 255, rtol=1e-6)


def test_a_colour_picture_is_no_band(tmp_path):
    inner = scene(tmp_path, dtype=np.uint8, channels=3)
    profile = {"driver": "PNG", "count": 3, "height": 4, "width": 5, "dtype": "uint8"}
    with rasterio.open(inner / "toys_ms_07.png", "w", **profile) as image:
        image.write(np.arange(60, dtype=np.uint8).reshape(3, 4, 5))
    with pytest.raises(CubeFormatError, match=r"_07\.png is a colour picture"):
        open_cube(inner)


@pytest.mark.parametrize("numbers", [[*range(1, 17), *range(18, 32)], range(1, 33)])
def test_missing_and_extra_images(tmp_path, numbers):
    with pytest.raises(CubeFormatError, match=r"_17|_32"):
        open_cube(scene(tmp_path, numbers=numbers))


def test_two_scenes_and_images_of_two_sizes(tmp_path):
    inner = scene(tmp_path)
    profile = {"driver": "PNG", "count": 1, "height": 3, "width": 5, "dtype": "uint16"}
    with rasterio.open(inner / "toys_ms_09.png", "w", **profile) as image:
        image.write(np.zeros((1, 3, 5), np.uint16))
    with pytest.raises(CubeFormatError, match=r"_09\.png is 3 x 5"):
        open_cube(inner)
    (inner / "other_ms_01.png").write_bytes((inner / "toys_ms_01.png").read_bytes())
    with pytest.raises(CubeFormatError, match="2 scenes"):
        open_cube(inner)


def test_a_written_scene_has_the_layout_of_the_database(tmp_path, bare):
    path = write_cube(bare, tmp_path / "toys_ms")
    names = sorted(file.name for file in (path / "toys_ms").iterdir())
    assert names == [f"toys_ms_{number:02d}.png" for number in range(1, 32)]
    np.testing.assert_array_equal(open_cube(path).values, bare.values)


def test_values_outside_0_to_1_are_clipped(tmp_path, bare):
    cube = open_cube(write_cube(bare * 4 - 1, tmp_path / "toys_ms"))
    np.testing.assert_allclose(cube.values, np.clip(bare.values * 4 - 1, 0, 1), atol=1e-5)


def test_bands_that_are_not_cave_s_are_refused(tmp_path, bare, full):
    for cube in (bare[:30], as_cube(bare, wavelengths_nm=np.arange(410.0, 720.0, 10.0)), full):
        with pytest.raises(CubeFormatError):
            write_cube(cube, tmp_path / "toys_ms")
    assert list(tmp_path.iterdir()) == []
