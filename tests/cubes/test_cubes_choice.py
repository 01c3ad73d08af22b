"""Which format a path or a name stands for, and what is refused."""

import pytest
from targets import target

from hsrdiff.cubes import FORMATS, open_cube, write_cube
from hsrdiff.cubes.formats import FIELDS
from hsrdiff.errors import CubeFormatError, InputError, WriteError

READ_ONLY = [name for name, known in FORMATS.items() if not known.can_write]


@pytest.mark.parametrize("name", READ_ONLY)
def test_read_only_formats_say_so(tmp_path, bare, name):
    with pytest.raises(CubeFormatError, match="only read"):
        write_cube(bare, target(tmp_path, name), format=name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", FORMATS)
def test_the_table_is_sound(name):
    known = FORMATS[name]
    assert known.can_keep <= FIELDS
    assert known.title
    assert known.suffixes
    assert known.can_write or not known.options


@pytest.mark.parametrize("name", FORMATS)
def test_an_option_of_another_format_is_refused(tmp_path, bare, name):
    missing = {"cog": True, "compress": "deflate", "interleave": "bsq", "byte_order": "big"}
    for option, value in missing.items():
        if option not in FORMATS[name].options:
            with pytest.raises(InputError, match=option):
                write_cube(bare, target(tmp_path, name), format=name, **{option: value})
        else:
            with pytest.raises(InputError, match="not known"):
                write_cube(bare, target(tmp_path, name), format=name, **{option: "nonsense"})


def test_endings_choose_the_format(tmp_path, bare):
    chosen = {"a.tif": "geotiff", "a.hdr": "envi", "b.BIL": "envi", "a.mat": "matlab5", "a.nc": "netcdf",
              "a.zarr": "zarr", "a.npy": "npy", "a_ms": "cave"}  # fmt: skip
    for file, name in chosen.items():
        assert open_cube(write_cube(bare, tmp_path / file)).attrs["source_format"] == name


def test_content_comes_before_the_ending(tmp_path, bare):
    write_cube(bare, tmp_path / "a.tif").rename(tmp_path / "a.mat")
    assert open_cube(tmp_path / "a.mat").attrs["source_format"] == "geotiff"


@pytest.mark.parametrize("path", ["scene.xyz", "scene"])
def test_an_unknown_ending_lists_those_known(tmp_path, bare, path):
    with pytest.raises(CubeFormatError, match=r"\.tif.*\.zarr"):
        write_cube(bare, tmp_path / path)


def test_an_unknown_format_name_is_answered_with_the_nearest(tmp_path, bare):
    with pytest.raises(CubeFormatError, match="'netcdf'"):
        write_cube(bare, tmp_path / "a.nc", format="netcdff")


def test_a_folder_of_other_things_is_never_replaced(tmp_path, bare):
    (tmp_path / "mine.zarr").mkdir()
    (tmp_path / "mine.zarr" / "thesis.txt").write_text("years of work")
    for name in ("zarr", "geotiff"):
        with pytest.raises(WriteError, match="other things"):
            write_cube(bare, tmp_path / "mine.zarr", format=name)
    assert (tmp_path / "mine.zarr" / "thesis.txt").read_text() == "years of work"
