"""Ctrl-C, warnings, bugs and usage errors on the command line."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from commands import run

import hsrdiff
import hsrdiff.jobs.demo
import hsrdiff.jobs.fuse
import hsrdiff.jobs.info
import hsrdiff.jobs.simulate
import hsrdiff.jobs.train
from hsrdiff.cli import main
from hsrdiff.observation import CoverageWarning
from hsrdiff.training.checkpoints import CHECKPOINT


def test_ctrl_c_says_so_and_ends_with_130(monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(hsrdiff.jobs.fuse, "fuse", stopped)
    done = run("fuse", "h", "m", "-o", "f.tif")
    assert done.exit_code == 130
    assert done.stderr.strip() == "hsrdiff: stopped; nothing half-written."


def test_ctrl_c_in_training_says_where_the_same_command_goes_on(monkeypatch, tmp_path):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(hsrdiff.jobs.train, "train", stopped)
    done = run("train", "indian-pines-x4", "-o", tmp_path)
    assert done.exit_code == 130
    assert done.stderr.strip() == "hsrdiff: stopped; there was no checkpoint yet, and the same command begins anew."
    (tmp_path / CHECKPOINT).touch()
    done = run("train", "indian-pines-x4", "-o", tmp_path)
    assert done.stderr.strip() == "hsrdiff: stopped; the same command goes on from the last checkpoint."


@pytest.mark.parametrize("module", ["typer", "hsrdiff.cli.fuse"])
def test_ctrl_c_while_the_command_loads_shows_no_traceback(module):
    code = (
        "import sys\n"
        "class Stop:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {module!r}: raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Stop())\n"
        "from hsrdiff.cli import main\n"
        "main(['--help'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "hsrdiff: stopped; nothing half-written.\n"


def test_what_a_scheduler_ends_leaves_nothing_half_written(tmp_path):
    """As Ctrl-C does: the block that writes is left, and clears its folder."""
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "import hsrdiff.cli.app\n"
        "from hsrdiff.cli import main\n"
        "from hsrdiff.cubes.atomic import atomic_output\n"
        "def write(arguments):\n"
        "    with atomic_output(Path(sys.argv[1]) / 'f.tif') as part:\n"
        "        part.write_text('half')\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "hsrdiff.cli.app.run = write\n"
        "main([])\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (143, "")
    assert done.stderr == "hsrdiff: ended by the system; nothing half-written.\n"
    assert not list(tmp_path.iterdir())


def test_own_warnings_are_one_line_and_foreign_ones_silent(monkeypatch, truth):
    def warned(*_, **__):
        warnings.warn("only 50 % of\n band B8 lies inside", CoverageWarning, stacklevel=1)
        warnings.warn("for programmers", DeprecationWarning, stacklevel=1)
        raise KeyboardInterrupt

    monkeypatch.setattr(hsrdiff.jobs.fuse, "fuse", warned)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        done = run("fuse", "h", "m", "-o", "f.tif")
    assert done.stderr.splitlines()[0] == "hsrdiff: warning: only 50 % of band B8 lies inside"
    assert "programmers" not in done.stderr


def test_a_bug_shows_its_traceback_and_asks_for_a_report(monkeypatch, capsys):
    def broken(*_, **__):
        raise ZeroDivisionError("bug")

    monkeypatch.setattr(hsrdiff.jobs.fuse, "fuse", broken)
    with pytest.raises(SystemExit) as end:
        main(["fuse", "h", "m", "-o", "f.tif"])
    assert end.value.code == 1
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert said.strip().splitlines()[-1].startswith("hsrdiff: this is a bug")


@pytest.mark.parametrize("library", [torch, np])
def test_too_little_memory_is_one_sentence(monkeypatch, library):
    monkeypatch.setattr(hsrdiff.jobs.fuse, "fuse", lambda *_, **__: library.empty(10**16))
    done = run("fuse", "h", "m", "-o", "f.tif")
    assert done.exit_code == 2
    assert done.stderr.strip() == (
        "hsrdiff: the work takes more memory than there is; fuse in smaller blocks with --block, or cut a smaller "
        "part of the images."
    )


def test_the_home_folder_is_found_where_the_shell_leaves_it(monkeypatch, truth, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    pair = ["--out-hsi=~/my hsi.tif", "--out-msi", "~/msi.tif"]
    with pytest.raises(SystemExit) as end:
        main(["simulate", "~/truth.tif", "--sensor", "sentinel2:10m", "--factor", "4", *pair])
    assert end.value.code == 0
    assert {"my hsi.tif", "msi.tif"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("arguments", [["fuze"], ["fuse"], ["fuse", "a", "b"], ["info", "--no-such-option"]])
def test_usage_errors_exit_with_2(arguments):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
