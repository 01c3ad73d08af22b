"""Outputs that cannot be written, or must not be: one sentence, exit code 2, nothing half-written."""

import errno
import os
import subprocess
import sys

import pytest
from refusals import BANDS, SENSOR, fuse, listing, refuses
from typer.testing import CliRunner

from hsrdiff.cli.app import app
from hsrdiff.cubes import open_cube, write_cube


def test_output_that_is_an_input(here):
    (here / "linked.tif").symlink_to("hsi.tif")
    for out in ("hsi.tif", "msi.tif", "./msi.tif", here / "hsi.tif", "linked.tif"):
        before = (here / "hsi.tif").read_bytes(), (here / "msi.tif").read_bytes()
        assert "would replace the input" in fuse(here, out=out)
        assert ((here / "hsi.tif").read_bytes(), (here / "msi.tif").read_bytes()) == before
    write_cube(open_cube("hsi.tif"), "hsi.hdr")
    assert "would replace the input" in fuse(here, hsi="hsi.hdr", out="hsi.img")
    for outputs in (("truth.tif", "m.tif"), ("h.tif", "truth.tif")):
        options = ("--sensor", SENSOR, "--factor", "4", "--out-hsi", outputs[0], "--out-msi", outputs[1])
        assert "would replace the input" in refuses(here, "simulate", "truth.tif", *options)


def test_deviation_number_type_and_two_outputs(here):
    kriging = ("-m", "kriging", "--sensor", SENSOR)
    assert "'regression' gives no standard deviation" in fuse(here, "-m", "regression", "--std", "std.tif")
    assert "expected two files" in fuse(here, *kriging, "--std", "fused.tif")
    assert "expected two files" in fuse(here, *kriging, "--std", "fused.img", out="fused.hdr")
    assert "would replace the input 'msi.tif'" in fuse(here, *kriging, "--std", "msi.tif")
    assert "names no format" in fuse(here, *kriging, "--std", "std.docx")
    assert "use 'uint16' if that was meant" in fuse(here, "--dtype", "uint61")
    assert "keeps no scale for int16" in fuse(here, "--dtype", "int16", out="fused.npy")


def test_disk_full_for_one_of_two_outputs_leaves_neither(here, monkeypatch):
    from hsrdiff.cubes import FORMATS

    def full(cube, path, options):
        path.write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(FORMATS["npy"], "write", full)
    kriging = ("-m", "kriging", "--sensor", SENSOR)
    assert "fused.npy" in fuse(here, *kriging, "--std", "std.tif", out="fused.npy")
    assert "std.npy" in fuse(here, *kriging, "--std", "std.npy", out="fused.tif")


def test_output_folder_missing_or_without_a_known_ending(here):
    assert "does not exist" in fuse(here, out="no/such/folder/fused.tif")
    assert ".tif" in fuse(here, out="fused.docx")
    (here / "file").touch()
    assert "is a file" in refuses(here, "demo", "-o", "file/folder")
    assert "is a file" in refuses(here, "train", "overfit-crop", "-o", "file/folder/below")
    assert "does not exist" in refuses(
        here,
        "simulate",
        "truth.tif",
        "--sensor",
        SENSOR,
        "--factor",
        "4",
        "--out-hsi",
        "h.tif",
        "--out-msi",
        "no/m.tif",
    )


@pytest.mark.parametrize("out", ["mine.tif", "mine.zarr", "mine_ms"])
def test_output_that_is_a_folder_with_other_things(here, out):
    (here / out).mkdir()
    (here / out / "notes.txt").write_text("mine")
    assert "is a folder" in fuse(here, out=out)
    assert (here / out / "notes.txt").read_text() == "mine"


def test_a_store_that_is_a_cube_is_replaced(here):
    for _ in range(2):
        done = CliRunner().invoke(app, ["fuse", "hsi.tif", "msi.tif", "-o", "fused.zarr", "-m", "regression"])
        assert done.exit_code == 0, done.output
    assert open_cube("fused.zarr").sizes["band"] == BANDS


def test_output_folder_that_may_not_be_written(here, monkeypatch):
    (here / "locked").mkdir()
    # The suite may run as root, whom no permission stops: ask the question that the program asks.
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).endswith("locked") and allowed(path, mode))
    assert "not writable" in fuse(here, out="locked/fused.tif")


@pytest.mark.parametrize("out", ["fused.tif", "fused.hdr", "fused.npy"])
def test_disk_full_while_writing(here, monkeypatch, out):
    from hsrdiff.cubes import FORMATS

    def full(cube, path, options):
        path.write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    name = {"tif": "geotiff", "hdr": "envi", "npy": "npy"}[out[-3:]]
    monkeypatch.setattr(FORMATS[name], "write", full)
    said = fuse(here, out=out)
    assert "no space left" in said.lower()
    assert out in said


def test_disk_full_keeps_the_older_result(here, monkeypatch):
    from hsrdiff.cubes import FORMATS

    (here / "fused.tif").write_bytes(b"an older result")

    def full(cube, path, options):
        path.write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(FORMATS["geotiff"], "write", full)
    fuse(here)
    assert (here / "fused.tif").read_bytes() == b"an older result"


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX resource limits")
def test_file_that_the_system_refuses_to_grow(here):
    """A process of its own, as a real limit stops the C libraries too."""
    code = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "from hsrdiff.cli import main\n"
        "main(['fuse', 'hsi.tif', 'msi.tif', '-o', 'fused.tif'])\n"
    )
    before = listing(here)
    done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2, done.stderr
    *others, sentence = done.stderr.strip().splitlines()
    assert sentence.startswith("hsrdiff: ")
    assert "fused.tif" in sentence
    assert "Traceback" not in done.stderr
    assert all(line.startswith("_tiff") for line in others), done.stderr  # libtiff's own words, written from C
    assert listing(here) == before


def test_ctrl_c_while_writing_leaves_nothing(here, monkeypatch):
    from hsrdiff.cubes import FORMATS

    def stopped(cube, path, options):
        path.write_bytes(b"half of it")
        raise KeyboardInterrupt

    monkeypatch.setattr(FORMATS["geotiff"], "write", stopped)
    before = listing(here)
    done = CliRunner().invoke(app, ["fuse", "hsi.tif", "msi.tif", "-o", "fused.tif"])
    assert done.exit_code == 130
    assert done.stderr.strip() == "hsrdiff: stopped; nothing half-written."
    assert listing(here) == before
