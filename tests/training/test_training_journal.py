"""The log of a run: torn lines, full disks, and a TensorBoard that may fail."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import hsrdiff.training.journal
from hsrdiff.errors import WriteError
from hsrdiff.training.journal import Journal


def rows(folder: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (folder / "log.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("torn", ['{"step": 3, "lo', '{"loss": 1.0}', "7", '\ufffd"'])
def test_a_torn_line_does_not_block_going_on(tmp_path: Path, torn: str) -> None:
    (tmp_path / "log.jsonl").write_text('{"step": 1}\n{"step": 2}\n' + torn)
    with Journal(tmp_path, 5, 2, show=False) as journal:
        journal.report(3, "stage", 1.0, {"loss": 0.5})
    assert rows(tmp_path) == [1, 2, 3]
    assert not list(tmp_path.glob("*.part"))


def test_a_log_that_is_a_folder_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").mkdir()
    with pytest.raises(WriteError, match=r"log\.jsonl' could not be written"):
        Journal(tmp_path, 5, 0, show=False)


def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    journal = Journal(tmp_path, 5, 0, show=False)
    journal._file.close()
    journal._file = open("/dev/full", "w", encoding="utf-8")  # noqa: SIM115
    with pytest.raises(WriteError, match="No space left"), journal:
        journal.report(1, "stage", 1.0, {"loss": 0.5})


def test_tensorboard_never_stops_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tensorboard")
    (tmp_path / "tensorboard").write_text("in the way")
    with Journal(tmp_path, 5, 0, show=False) as journal:
        journal.report(1, "stage", 1.0, {"loss": 0.5})
    (tmp_path / "tensorboard").unlink()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with Journal(tmp_path, 5, 1, show=False) as journal:
        journal.report(2, "stage", 1.0, {"loss": 0.5})
        monkeypatch.setattr("tensorboard.summary.writer.record_writer.RecordWriter.write", full)
        for step in (3, 4, 5):
            journal.report(step, "stage", 1.0, {"loss": 0.5})
            journal._board and journal._board.file_writer.event_writer._async_writer._worker.join(1.0)
        assert journal._board is None
    assert rows(tmp_path) == [1, 2, 3, 4, 5]
    assert "Traceback" not in capfd.readouterr().err


def test_a_narrow_terminal_cuts_the_title_and_not_the_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(hsrdiff.training.journal, "Console", lambda **_: Console(file=screen, width=80))
    with Journal(tmp_path, 20000, 1700, show=True) as journal:
        journal.report(1701, "second half on 128x128 patches", 14.08, {"loss": 0.04527})
    line = screen.getvalue().strip()
    assert re.match(r"1701/20000 +\d:\d\d:\d\d left (\d:\d\d:\d\d|-:--:--) .*loss 0.04527", line), line
    assert "second half" in line
    assert len(line) <= 80
