"""Real files, where HSRDIFF_DATA names the folder that has them."""

import os
from pathlib import Path

import numpy as np
import pytest

from hsrdiff.cubes import open_cube, write_cube
from hsrdiff.errors import CubeFormatError

ROOT = Path(os.environ.get("HSRDIFF_DATA", "/nonexistent"))
pytestmark = pytest.mark.data


def there(*parts):
    path = ROOT.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path.name} is not there")
    return path


def test_enmap_block_to_geotiff_and_back(tmp_path):
    cube = open_cube(there("enmap_potsdam", "enmap_potsdam_B_64x96.h5"))
    assert cube.shape == (218, 64, 96)
    assert cube.wavelength.values[[0, -1]] == pytest.approx([418.24, 2445.53], abs=0.01)
    assert 0.0 < float(cube.mean()) < 0.5
    back = open_cube(write_cube(cube, tmp_path / "a.tif"))
    assert back.encoding["dtype"] == np.int16
    np.testing.assert_array_equal(back.values, cube.values)
    np.testing.assert_array_equal(back.fwhm, cube.fwhm)


def test_an_envi_file_of_another_program():
    header = there("small", "corn-kernel-hyperspectral.hdr")
    cube = open_cube(header)
    assert cube.shape == (580, 31, 43)
    assert cube.wavelength.values[[0, -1]].tolist() == [366.551, 1048.421]
    # Neighbouring bands of a real image look alike; a wrong interleave would not.
    bands = cube.values[200:202].reshape(2, -1)
    assert np.corrcoef(bands)[0, 1] > 0.99


@pytest.mark.parametrize(
    ("parts", "shape"),
    [(("aviris_la", "abu-airport-1.mat"), (205, 100, 100)), (("small", "rosis_pavia_bridge.mat"), (102, 100, 100))],
)
def test_matlab_files_of_both_kinds(parts, shape):
    cube = open_cube(there(*parts))
    assert cube.shape == shape
    assert np.corrcoef(cube.values[50:52].reshape(2, -1))[0, 1] > 0.95


def test_an_unfolded_scene_is_explained():
    with pytest.raises(CubeFormatError, match=r"Y \(156, 9025\)"):
        open_cube(there("small", "Samson.mat"))


def test_cave_original_and_packed_are_one_scene():
    original = open_cube(there("cave_original", "thread_spools_ms"))
    packed = open_cube(there("cave", "test", "thread_spools.jp2"))
    assert packed.attrs["compression"] == "JPEG 2000, lossless"
    # the packed files keep the top 12 of 16 bits, rounded
    assert float(abs(packed * 16 / 65535 - original).max()) <= 8.01 / 65535


def test_a_cave_scene_in_chunks_reads_a_part():
    lazy = open_cube(there("cave_original", "thread_spools_ms"), chunks={"band": 1, "y": 256})
    part = lazy.isel(band=slice(3, 5), y=slice(10, 20)).compute()
    assert part.shape == (2, 10, 512)
    assert float(part.max()) <= 1.0
