"""ENVI data of one stem share a header: none is written for which another's header would be taken."""

from pathlib import Path

import numpy as np
import pytest

from hsrdiff.cubes import as_cube, open_cube, write_cube
from hsrdiff.cubes.envi_files import SUFFIXES, family_of
from hsrdiff.errors import WriteError

DATA = SUFFIXES[1:]


def cube(level):
    return as_cube(np.full((3, 4, 5), level, np.float32))


@pytest.mark.parametrize("first", [*DATA, "", ".IMG", ".bin"])
@pytest.mark.parametrize("second", [".hdr", ".bip", ".img"])
def test_data_of_another_ending_keep_their_header(tmp_path, first, second):
    kept = tmp_path / f"scene{first}"
    write_cube(cube(1), tmp_path / "scene.img").rename(kept)
    if second == first or (first, second) == (".img", ".hdr"):
        write_cube(cube(2), tmp_path / f"scene{second}")
        assert open_cube(kept).values.max() == 2
        return
    before = {each: each.read_bytes() for each in tmp_path.iterdir()}
    with pytest.raises(WriteError, match=r"would be taken for its header too"):
        write_cube(cube(2), tmp_path / f"scene{second}")
    assert {each: each.read_bytes() for each in tmp_path.iterdir()} == before


@pytest.mark.parametrize("ending", SUFFIXES)
def test_an_image_replaces_itself_and_leaves_a_folder_alone(tmp_path, ending):
    (tmp_path / "scene").mkdir()
    for level in (1, 2):
        path = write_cube(cube(level), tmp_path / f"scene{ending}")
        assert open_cube(path).values.min() == open_cube(path.with_suffix(".hdr")).values.min() == level


def test_upper_case_headers_and_names_with_points_are_read_as_they_are_written(tmp_path):
    assert open_cube(write_cube(cube(1), tmp_path / "A.HDR")).values.max() == 1
    write_cube(cube(1), tmp_path / "scene.img")
    assert open_cube(write_cube(cube(2), tmp_path / "scene.v1", format="envi")).values.max() == 2
    assert open_cube(tmp_path / "scene.img").values.max() == 1
    assert open_cube(write_cube(cube(3), tmp_path / "b.img.hdr")).values.max() == 3


def test_a_file_is_of_the_family_of_all_that_share_its_header():
    for ending in ("", *DATA):
        family = family_of(Path(f"/a/scene{ending}"))
        assert {Path(f"/a/scene{each}") for each in ("", ".hdr", f"{ending}.hdr", *DATA)} <= family
    assert Path("/a/scene.rfl.hdr") in family_of(Path("/a/scene.rfl"))
    assert not any("other" in each.name for each in family_of(Path("/a/scene.hdr")))
