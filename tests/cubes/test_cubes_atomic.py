"""Outputs appear whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from hsrdiff.cubes.atomic import atomic_output
from hsrdiff.cubes.steady_file import steady_file
from hsrdiff.errors import CubeFormatError, WriteError


def listing(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_file_appears_at_the_end(tmp_path):
    with atomic_output(tmp_path / "a.txt") as place:
        place.write_text("new")
        assert place.name == "a.txt"
        assert place.parent.name.endswith(".part")
        assert place.parent.parent == tmp_path
        assert not (tmp_path / "a.txt").exists()
    assert listing(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "new"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1), ValueError("x"), CubeFormatError("x")])
def test_any_exception_removes_what_was_written_and_passes(tmp_path, error):
    (tmp_path / "a.txt").write_text("old")

    def write():
        with atomic_output(tmp_path / "a.txt") as place:
            place.write_text("half")
            (place.parent / "more").mkdir()
            raise error

    with pytest.raises(type(error)) as caught:
        write()
    assert caught.value is error
    assert listing(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "x"), "no space left"),
        (OSError(errno.EDQUOT, "x"), "no space left"),
        (RuntimeError("Can't write data (errno = 28, error message = 'No space left on device')"), "no space left"),
        (OSError(errno.EROFS, "Read-only file system"), "Read-only file system"),
        (RuntimeError("odd"), "odd"),
    ],
)
def test_the_sentence_says_why(tmp_path, error, words):
    def write():
        with atomic_output(tmp_path / "a.txt"):
            raise error

    with pytest.raises(WriteError, match=words):
        write()
    assert listing(tmp_path) == []


def test_a_folder_and_several_files_replace_the_old_ones(tmp_path):
    for text in ("old", "new"):
        with atomic_output(tmp_path / "a.zarr") as place:
            place.mkdir()
            (place / text).write_text(text)
        with atomic_output(tmp_path / "b.hdr") as place:
            place.write_text(text)
            place.with_suffix(".img").write_text(text)
    assert listing(tmp_path) == ["a.zarr", "a.zarr/new", "b.hdr", "b.img"]
    assert (tmp_path / "b.hdr").read_text() == (tmp_path / "b.img").read_text() == "new"


@pytest.mark.parametrize("failing", [1, 2, 3, 4])
@pytest.mark.parametrize("existing", [True, False])
def test_a_move_that_fails_undoes_those_before_it(tmp_path, monkeypatch, failing, existing):
    if existing:
        (tmp_path / "b.hdr").write_text("old")
        (tmp_path / "b.img").write_text("old")
    before = listing(tmp_path)
    real, calls = os.replace, []

    def replace(source, target):
        calls.append(target)
        if len(calls) == failing:
            raise OSError(errno.EIO, "Input/output error")
        real(source, target)

    monkeypatch.setattr("hsrdiff.cubes.atomic.os.replace", replace)

    def write():
        with atomic_output(tmp_path / "b.hdr") as place:
            place.write_text("new")
            place.with_suffix(".img").write_text("new")

    if not existing and failing > 2:
        write()
        assert listing(tmp_path) == ["b.hdr", "b.img"]
        return
    with pytest.raises(WriteError, match="Input/output"):
        write()
    assert listing(tmp_path) == before
    assert all(path.read_text() == "old" for path in tmp_path.iterdir())


def test_a_folder_that_is_not_there_and_a_writer_that_writes_nothing(tmp_path):
    with pytest.raises(WriteError, match="does not exist"), atomic_output(tmp_path / "no" / "a.txt"):
        pass
    with pytest.raises(WriteError, match="left no file"), atomic_output(tmp_path / "a.txt"):
        pass
    assert listing(tmp_path) == []


def test_a_steady_file_raises_its_error_only_at_the_end(tmp_path, monkeypatch):
    def write():
        with steady_file(tmp_path / "a") as file:
            assert file.write(b"abc") == 3
            monkeypatch.setattr(file, "_file", Full(file._file))
            assert file.write(b"def") == 3  # a lie that HDF5 needs
            assert file.tell() == 6
            steps.append("closed")

    class Full:
        def __init__(self, real):
            self.seek, self.tell, self.close = real.seek, real.tell, real.close

        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    steps = []
    with pytest.raises(OSError, match="No space"):
        write()
    assert steps == ["closed"]


def test_a_steady_file_is_a_file(tmp_path):
    with steady_file(tmp_path / "a") as file:
        file.write(b"0123456789")
        file.seek(4)
        file.write(b"x")
        file.seek(0)
        buffer = bytearray(12)
        assert file.readinto(buffer) == 12
        assert bytes(buffer) == b"0123x56789\0\0"
        file.truncate(5)
    assert (tmp_path / "a").read_bytes() == b"0123x"


def test_a_file_never_replaces_a_folder_and_what_is_in_it(tmp_path):
    (tmp_path / "out.tif").mkdir()
    (tmp_path / "out.tif" / "notes.txt").write_text("mine")
    with pytest.raises(WriteError, match="directory"), atomic_output(tmp_path / "out.tif") as path:
        path.write_bytes(b"new")
    assert listing(tmp_path) == ["out.tif", "out.tif/notes.txt"]
    assert (tmp_path / "out.tif" / "notes.txt").read_text() == "mine"


def test_a_link_stays_and_what_it_points_to_is_replaced(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "real.dat").write_text("old")
    (tmp_path / "a.txt").symlink_to("there/real.dat")
    (tmp_path / "new.txt").symlink_to("there/new.dat")
    for name in ("a.txt", "new.txt"):
        with atomic_output(tmp_path / name) as place:
            assert place.name == name  # its ending names the format
            place.write_text("new")
        assert (tmp_path / name).is_symlink()
    assert (tmp_path / "there" / "real.dat").read_text() == (tmp_path / "there" / "new.dat").read_text() == "new"
    (tmp_path / "gone.txt").symlink_to("no/such/folder/a.txt")
    with pytest.raises(WriteError, match="no/such/folder does not exist"), atomic_output(tmp_path / "gone.txt"):
        pass
    assert listing(tmp_path) == ["a.txt", "gone.txt", "new.txt", "there", "there/new.dat", "there/real.dat"]


def test_of_several_files_each_follows_its_own_link(tmp_path):
    (tmp_path / "there").mkdir()
    for name in ("h", "i"):
        (tmp_path / "there" / name).write_text(f"old {name}")
        (tmp_path / f"f.{name}").symlink_to(f"there/{name}")

    with atomic_output(tmp_path / "f.h") as place:
        for name in ("f.h", "f.i"):
            (place.parent / name).write_text(f"new {name}")
    assert (tmp_path / "there" / "i").read_text() == "new f.i"
    assert (tmp_path / "there" / "h").read_text() == "new f.h"
    assert all((tmp_path / f"f.{name}").is_symlink() for name in "hi")


def test_a_link_is_rolled_back_as_a_file_is(tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    for name in ("h", "i"):
        (tmp_path / "there" / name).write_text("old")
    (tmp_path / "f.i").symlink_to("there/i")
    (tmp_path / "f.h").symlink_to("there/h")
    moves = os.replace

    def fails(source, target):
        if os.fspath(source).endswith(".part/f.h"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        moves(source, target)

    monkeypatch.setattr(os, "replace", fails)

    def write():
        with atomic_output(tmp_path / "f.h") as place:
            (place.parent / "f.i").write_text("new")
            place.write_text("new")

    with pytest.raises(WriteError):
        write()
    assert [(tmp_path / "there" / name).read_text() for name in "hi"] == ["old", "old"]
    assert listing(tmp_path) == ["f.h", "f.i", "there", "there/h", "there/i"]


def test_a_pipe_or_a_device_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "null.json").symlink_to("/dev/null")
    for name in ("pipe.json", "null.json"):
        with pytest.raises(WriteError, match="neither a file nor a folder"), atomic_output(tmp_path / name) as place:
            place.write_text("new")
    assert listing(tmp_path) == ["null.json", "pipe.json"]


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs a system with /proc")
def test_a_file_that_a_process_has_open_is_not_replaced(tmp_path):
    # what `> log.txt` gives for /dev/stdout: a regular file, whose name would be taken from the one written to
    with open(tmp_path / "log.txt", "w") as file:
        (tmp_path / "link.json").symlink_to(f"/dev/fd/{file.fileno()}")
        for name in (f"/proc/self/fd/{file.fileno()}", f"/dev/fd/{file.fileno()}", tmp_path / "link.json"):
            with pytest.raises(WriteError, match="neither a file nor a folder"), atomic_output(Path(name)) as place:
                place.write_text("new")
        file.write("said")
    assert (tmp_path / "log.txt").read_text() == "said"
    assert listing(tmp_path) == ["link.json", "log.txt"]
