"""docs/mistakes.md: every row is run through the real command line, and says what the page says.

The page is written anew by ``python tests/test_mistakes.py``.
"""

import os
import shlex
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hsrdiff.cli.app import app
from mistaken_files import good_files
from mistakes import MENDED, MISTAKES

PAGE = Path(__file__).parent.parent / "docs" / "mistakes.md"
HOME = "/home/you"  # stands for the folder in which the commands run
ROWS = [mistake for rows in MISTAKES.values() for mistake in rows]
# a row of the page: what was done, the command, the sentence, what to do
LINE = "| {done} | `hsrdiff {command}` | {sentence} | {do} |"
INTRODUCTION = """# Mistakes

What can go wrong, the sentence that `hsrdiff` prints, and what to do. Each sentence says what was found, and what was
expected or what can be done. The exit code is 2 and nothing is left behind. Every row is run by a test
(`tests/test_mistakes.py`), which compares the sentence with what is printed. The commands run in `/home/you`, which
holds a pair of 8 and 4 bands (`hsi.tif`, `msi.tif`, factor 4), its truth (`truth.tif`) and weights
(`mine.safetensors`, `others.safetensors`); `other.*` are the files with the mistake.
"""


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        good_files()
    return folder


def listing(folder):
    return {str(p.relative_to(folder)): (p.stat().st_size, p.stat().st_mtime_ns) for p in folder.rglob("*")}


def run(row, folder, originals, patch):
    """Make the files of a row, and run its command there."""
    for file in originals.iterdir():
        shutil.copy(file, folder)
    patch.chdir(folder)
    patch.delenv("HSRDIFF_DATA", raising=False)
    row.make()
    before = listing(folder)
    done = CliRunner().invoke(app, shlex.split(row.command))
    return done, before


def sentence(done, folder):
    return done.stderr.strip().removeprefix("hsrdiff: ").replace(os.path.realpath(folder), HOME).replace("|", r"\|")


def line(row, done, folder):
    return LINE.format(done=row.done, command=row.command, sentence=sentence(done, folder), do=row.do)


@pytest.fixture(scope="module")
def page():
    return PAGE.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.done)
def test_each_mistake_is_one_sentence_and_the_one_of_the_page(row, page, originals, tmp_path, monkeypatch):
    row.broken(monkeypatch, tmp_path)
    done, before = run(row, tmp_path, originals, monkeypatch)
    assert done.exit_code == 2, (done.output, done.exception)
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert done.stderr.startswith("hsrdiff: ")
    assert done.stderr.rstrip().endswith(".")
    assert "; " in done.stderr, "only what was found, neither what was expected nor what to do"
    assert listing(tmp_path) == before, "something was left behind or changed"
    assert line(row, done, tmp_path) in page, "write the page anew: python tests/test_mistakes.py"


@pytest.mark.parametrize("row", MENDED, ids=lambda row: row.found)
def test_what_is_put_right_is_said(row, page, originals, tmp_path, monkeypatch):
    done, _ = run(row, tmp_path, originals, monkeypatch)
    assert done.exit_code == 0, done.output
    assert row.says in " ".join(done.stdout.split())
    assert f"| {row.found} | `hsrdiff {row.command}` | {row.says} |" in page


def test_bands_of_another_calibration_are_taken_as_they_are_where_asked_for(originals, tmp_path, monkeypatch):
    row = next(row for row in MENDED if "match: " in row.says)
    done, _ = run(replace(row, command=f"{row.command} --no-match"), tmp_path, originals, monkeypatch)
    assert done.exit_code == 0, done.output
    assert "match:" not in done.stdout


def test_the_page_holds_the_rows_and_no_others(page):
    assert len(ROWS) >= 30
    assert len({row.done for row in ROWS}) == len(ROWS)
    assert all(row.do.endswith(".") for row in ROWS)
    assert sum(text.startswith("| ") and "`hsrdiff " in text for text in page) == len(ROWS) + len(MENDED)


def write():
    """Write the page from what is printed today."""
    parts = [INTRODUCTION]
    with tempfile.TemporaryDirectory() as made, pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        good_files()
        for topic, rows in MISTAKES.items():
            parts.append(f"\n## {topic}\n\n| what was done | command | it says | what to do |\n|---|---|---|---|\n")
            for row in rows:
                with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as own:
                    row.broken(own, Path(folder))
                    done, _ = run(row, Path(folder), Path(made), own)
                    parts.append(line(row, done, folder) + "\n")
    parts.append("\n## What is put right without asking\n\n| what was found | command | it says |\n|---|---|---|\n")
    parts += [f"| {row.found} | `hsrdiff {row.command}` | {row.says} |\n" for row in MENDED]
    PAGE.write_text("".join(parts), encoding="utf-8")


if __name__ == "__main__":
    write()
