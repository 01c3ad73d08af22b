"""Names and help on the command line: examples, options, and what a wrong name is answered with."""

import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from commands import COMMANDS, run

import hsrdiff
import hsrdiff.jobs.demo
import hsrdiff.jobs.fuse
import hsrdiff.jobs.info
import hsrdiff.jobs.simulate
import hsrdiff.jobs.train
from hsrdiff import __version__
from hsrdiff.cli import check, evaluate, fuse, info, quality, simulate
from hsrdiff.cli.info import ranges
from hsrdiff.cli.screen import number
from hsrdiff.datasets import DATASETS
from hsrdiff.fusers import FUSERS
from hsrdiff.training.recipe import shipped_recipes


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_a_real_example(command):
    done = run(command, "--help")
    assert done.exit_code == 0
    example = re.search(r"Example: (hsrdiff .+)", done.output)
    assert example, done.output
    assert f"hsrdiff {command}" in example[1]
    assert run(command, "-h").output == done.output


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("fuse", "h.tif", "m.tif", "-o", "f.tif", "-m", "zz"), FUSERS),
        (("train", "zz", "-o", "out"), shipped_recipes()),
        (("benchmark", "zz", "--method", "bicubic"), DATASETS),
        (("benchmark", "indian-pines", "--method", "zz"), FUSERS),
    ],
)
def test_a_wrong_name_lists_what_there_is(arguments, names):
    # the help texts send the user here
    done = run(*arguments)
    assert done.exit_code == 2
    assert set(names) <= set(re.findall(r"[\w-]+", done.stderr))


def test_examples_parse(monkeypatch, tmp_path):
    # Every option and argument of an example is one that the command knows: only the missing files stop it.
    monkeypatch.chdir(tmp_path)
    for module in (info, check, simulate, fuse, evaluate, quality):
        for words in re.findall(r"Example: hsrdiff (.+)", module.EXAMPLE):
            done = run(*words.split())
            assert done.exit_code == 2
            assert "does not exist" in done.stderr, done.stderr


def test_version_and_bare_call():
    assert run("--version").output.strip() == f"hsrdiff {__version__}"
    bare = run()
    assert all(command in bare.output for command in COMMANDS)


def test_names_with_brackets_are_told_as_they_are(truth, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pair = ("--out-hsi", "h[old].tif", "--out-msi", "m[old].tif")
    made = run("simulate", truth, "--sensor", "sentinel2:10m", "--factor", 4, *pair)
    assert made.output.startswith("h[old].tif: ")
    fused = run("fuse", "h[old].tif", "m[old].tif", "-o", "f[old].tif", "-m", "bicubic")
    assert fused.output.startswith("f[old].tif: ")
    Path("[").mkdir()  # what follows the name would else end a style that was never begun
    for name in ("m[a].tif", "[/x].tif"):
        checked = run("check", "h[old].tif", "m[old].tif", "--map", name, "--json", "[/x].json")
        assert checked.exit_code in (0, 3), checked.output
        assert f"{name}: the disagreement" in checked.output
        assert "[/x].json: the same as numbers" in checked.output
        assert "h[old].tif: 10 bands," in checked.output
    told = run("info", "[/x].tif")
    assert told.exit_code == 0, told.output
    assert "[/x].tif" in told.output


@pytest.mark.parametrize("command", ["check", "evaluate", "fuse", "quality"])
def test_what_is_found_is_asked_for_as_json_by_one_name(command):
    """`fuse --report` is an older name of its `--json`."""
    assert "json_out" in inspect.signature(getattr(hsrdiff, command)).parameters
    assert "--json" in run(command, "--help").output


def test_ranges_and_numbers():
    assert ranges((1, 2, 3, 7, 9, 10)) == "1-3, 7, 9-10"
    assert ranges(()) == ""
    assert number(float("nan"), 2) == "–"
    assert number(1.005, 1) == "1.0"


def test_reproduce_names_every_experiment_and_a_wrong_one_is_a_sentence():
    from hsrdiff.experiments import EXPERIMENTS

    listed = run("reproduce", "nothing-like-it").stderr
    assert all(name in listed for name in EXPERIMENTS)
    done = run("reproduce", "kriging-scene")
    assert done.exit_code == 2
    assert "use 'kriging-scenes'" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
def test_names_that_are_no_unicode_and_terminals_that_are_ascii(truth, tmp_path):
    """Processes of their own, as the streams of a test are not those of a user."""
    code = "from hsrdiff.cli import main; main()"

    def told(*arguments, **environment):
        return subprocess.run(
            [sys.executable, "-B", "-c", code, *arguments],
            cwd=tmp_path, capture_output=True, timeout=120, check=False, env=os.environ | environment,
        )  # fmt: skip

    done = told("info", "truth.tif", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert b"16 ? 16 pixels" in done.stdout
    pair = ("--out-hsi", tmp_path / "h.npy", "--out-msi", tmp_path / "m.tif")
    assert run("simulate", truth, "--sensor", "sentinel2:10m", "--factor", 4, *pair).exit_code == 0
    name = os.fsdecode(b"h\xe9.npy")
    (tmp_path / "h.npy").rename(tmp_path / name)
    done = told("fuse", name, "m.tif", "-o", "f.tif", "-m", "bicubic", "--json", "f.json", PYTHONUTF8="1")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "f.json").read_text("utf-8"))["hsi"] == name
    done = told("check", name, "m.tif", "--json", "c.json", PYTHONUTF8="1")
    assert done.returncode in (0, 3), done.stderr
    assert json.loads((tmp_path / "c.json").read_text("utf-8"))["findings"][1]["words"].startswith(name)
    done = told("fuse", name, "m.tif", "-o", name, PYTHONUTF8="1")
    assert done.returncode == 2
    assert b"would replace the input" in done.stderr
    done = told("fuse", name, "m.tif", "-o", name.replace("npy", "tif"), PYTHONUTF8="1")
    assert done.returncode == 2
    assert b"is no Unicode" in done.stderr
