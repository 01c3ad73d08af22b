"""Files that are cut short, empty, missing, unreadable or of another kind: one clear sentence each."""

import os
import pickle

import numpy as np
import pytest

from hsrdiff.cubes import FORMATS, as_cube, open_cube, write_cube
from hsrdiff.errors import CubeFormatError

WRITABLE = [name for name, known in FORMATS.items() if known.can_write and name not in {"zarr", "cave"}]


def refusal(path, **arguments):
    with pytest.raises(CubeFormatError) as caught:
        open_cube(path, **arguments)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert path.stem in sentence
    return sentence


@pytest.fixture
def large():
    return as_cube(np.random.default_rng(0).random((31, 40, 50)).astype(np.float32))


@pytest.mark.parametrize("name", WRITABLE)
@pytest.mark.parametrize("kept", [0.05, 0.5, 0.95])
def test_a_file_cut_short(tmp_path, large, name, kept):
    path = write_cube(large, tmp_path / ("a" + FORMATS[name].suffixes[0]), format=name)
    cut = path.with_suffix(".img") if name == "envi" else path
    os.truncate(cut, int(cut.stat().st_size * kept))
    refusal(path)


def test_a_truncated_envi_file_says_how_many_bytes(tmp_path, large):
    path = write_cube(large, tmp_path / "a.hdr")
    os.truncate(tmp_path / "a.img", 1000)
    with pytest.raises(CubeFormatError, match=f"a.img has 1000 bytes; expected {large.nbytes} by its header"):
        open_cube(path)


def test_a_truncated_tiff_read_in_chunks_fails_as_clearly_when_computed(tmp_path, large):
    path = write_cube(large, tmp_path / "a.tif", compress="none")
    os.truncate(path, path.stat().st_size // 2)
    lazy = open_cube(path, chunks={"y": 10})
    with pytest.raises(CubeFormatError, match="cut short"):
        lazy.compute()


def test_a_damaged_zarr_store(tmp_path, large):
    path = write_cube(large, tmp_path / "a.zarr")
    chunk = next(file for file in (path / "cube" / "c").rglob("*") if file.is_file())
    chunk.write_bytes(chunk.read_bytes()[:20])
    refusal(path)
    (path / "zarr.json").write_text("{")
    refusal(path)


def test_a_damaged_png_of_a_cave_scene(tmp_path, large):
    path = write_cube(large, tmp_path / "toys_ms")
    os.truncate(path / "toys_ms" / "toys_ms_05.png", 60)
    with pytest.raises(CubeFormatError, match=r"_05\.png is damaged"):
        open_cube(path)


@pytest.mark.parametrize("ending", [".tif", ".hdr", ".img", ".mat", ".nc", ".h5", ".npy", ".png", ".jp2", ".xyz"])
def test_an_empty_file(tmp_path, ending):
    (tmp_path / f"a{ending}").write_bytes(b"")
    assert "is empty" in refusal(tmp_path / f"a{ending}")


@pytest.mark.parametrize("ending", [".tif", ".mat", ".nc", ".h5", ".npy", ".png", ".jp2"])
def test_content_that_belies_the_ending(tmp_path, ending):
    (tmp_path / f"a{ending}").write_bytes(b"<html>404 not found</html>" * 10)
    assert f"named {ending} but" in refusal(tmp_path / f"a{ending}")


@pytest.mark.parametrize("ending", [".tif", ".mat", ".nc", ".h5", ".npy", ".png", ".jp2"])
def test_the_right_first_bytes_and_then_nonsense(tmp_path, ending):
    marks = {".tif": b"II*\x00", ".mat": b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM", ".npy": b"\x93NUMPY",
             ".png": b"\x89PNG\r\n\x1a\n", ".jp2": b"\x00\x00\x00\x0cjP  \r\n\x87\n"}  # fmt: skip
    nonsense = np.random.default_rng(0).bytes(500)
    (tmp_path / f"a{ending}").write_bytes(marks.get(ending, b"\x89HDF\r\n\x1a\n") + nonsense)
    refusal(tmp_path / f"a{ending}")


def test_an_unknown_kind_lists_those_known(tmp_path):
    (tmp_path / "a.xyz").write_bytes(b"x y z\n1 2 3\n")
    sentence = refusal(tmp_path / "a.xyz")
    assert all(known.title in sentence for known in FORMATS.values())
    (tmp_path / "a.img").write_bytes(b"EHFA_HEADER_TAG" + bytes(100))  # ERDAS, not ENVI
    assert "not ENVI" in refusal(tmp_path / "a.img")


def test_a_missing_file_names_its_neighbour(tmp_path, large):
    assert "check the path" in refusal(tmp_path / "scene.tif")
    write_cube(large, tmp_path / "scene.hdr")
    assert "scene.hdr" in refusal(tmp_path / "scene.tif")
    assert "does not exist" in refusal(tmp_path / "nowhere" / "scene.tif")


def test_a_folder_without_images(tmp_path):
    (tmp_path / "toys_ms").mkdir()
    assert "toys_ms is empty" in refusal(tmp_path / "toys_ms")
    (tmp_path / "toys_ms" / "readme.txt").touch()
    assert "0 PNG files" in refusal(tmp_path / "toys_ms")
    (tmp_path / "toys_ms" / "a.png").write_bytes(b"")
    assert "1 PNG files" in refusal(tmp_path / "toys_ms")


class Boom:
    def __reduce__(self):
        return (os.mkdir, (os.environ["HSRDIFF_TEST_BOOM"],))


def test_pickled_objects_are_never_loaded(tmp_path, monkeypatch):
    monkeypatch.setenv("HSRDIFF_TEST_BOOM", str(tmp_path / "boom"))
    trap = np.empty((1, 1, 1), object)
    trap[0, 0, 0] = Boom()
    np.save(tmp_path / "a.npy", trap, allow_pickle=True)
    assert "pickled" in refusal(tmp_path / "a.npy")
    (tmp_path / "b.npy").write_bytes(pickle.dumps(Boom()))
    refusal(tmp_path / "b.npy")
    assert not (tmp_path / "boom").exists()


@pytest.mark.parametrize("array", [np.zeros(3), np.zeros((1, 1, 1, 1)), np.zeros((2, 2, 2), complex)])
def test_an_npy_that_is_no_cube(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    refusal(tmp_path / "a.npy")


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [">i2", "<f8", "?"])
def test_any_npy_of_numbers_is_read(tmp_path, dtype, order):
    array = np.asarray(np.arange(24).reshape(2, 3, 4) % 5, dtype, order)
    np.save(tmp_path / "a.npy", array)
    for chunks in (None, {"y": 2}):
        np.testing.assert_array_equal(open_cube(tmp_path / "a.npy", chunks=chunks).values, array.astype(np.float32))
    np.save(tmp_path / "b.npy", array[0])
    assert open_cube(tmp_path / "b.npy").shape == (1, 3, 4)


def test_an_unsound_cube_in_a_sound_file(tmp_path, large):
    text = write_cube(large, tmp_path / "a.hdr").read_text()
    centres = ", ".join(["-5"] * 31)
    (tmp_path / "a.hdr").write_text(text + f"wavelength units = nm\nwavelength = {{{centres}}}\n")
    assert "not positive" in refusal(tmp_path / "a.hdr")


@pytest.mark.parametrize("reason", ["Unable to allocate 29.1 TiB for an array", ""])
def test_an_image_larger_than_the_memory(tmp_path, large, monkeypatch, reason):
    def read(path, **arguments):
        raise MemoryError(reason)

    path = write_cube(large, tmp_path / "a.tif")
    monkeypatch.setattr(FORMATS["geotiff"], "read", read)
    sentence = refusal(path)
    assert "takes more memory than there is" in sentence
    assert reason in sentence
    assert "cut a smaller part" in sentence
    assert "()" not in sentence
