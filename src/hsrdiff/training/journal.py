"""What a run says while it trains: a progress bar, a JSONL log, and TensorBoard."""

from __future__ import annotations

import importlib.util
import json
import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Column

from hsrdiff.errors import WriteError


class Journal:
    """Reports steps to the terminal, ``log.jsonl`` and TensorBoard; a context manager.

    Args:
        folder: Where the logs go.
        steps: Steps in all.
        done: Steps already done.
        show: Draw the progress bar.

    Raises:
        WriteError: If ``log.jsonl`` cannot be written. TensorBoard's files are an extra: if they cannot be
            written, they are left out.
    """

    def __init__(self, folder: Path, steps: int, done: int, *, show: bool) -> None:
        self._bar = Progress(
            # a narrow terminal cuts what stands last, so how far and how long come first
            TextColumn("{task.completed:.0f}/{task.total:.0f}", table_column=_whole(f"{steps}/{steps}")),
            TimeElapsedColumn(table_column=_whole("0:00:00")),
            TextColumn("left", table_column=_whole("left")),
            TimeRemainingColumn(table_column=_whole("0:00:00")),
            BarColumn(bar_width=None),
            TextColumn("loss {task.fields[loss]}", table_column=_whole("loss 0.00000")),
            TextColumn("{task.fields[rate]}"),
            TextColumn("[bold]{task.description}"),
            console=Console(stderr=True),
            disable=not show,
        )
        self._task = self._bar.add_task("training", total=steps, completed=done, loss="-", rate="")
        self._path = folder / "log.jsonl"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._trim(self._path, done)
            self._file = self._path.open("a", encoding="utf-8")
        except OSError as e:
            raise self._refusal(e) from e
        self._thread_hook = threading.excepthook
        self._board: Any = None
        if importlib.util.find_spec("tensorboard") is not None:
            from torch.utils.tensorboard.writer import SummaryWriter

            try:
                self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=done)
            except OSError:
                self._board = None

    @staticmethod
    def _trim(path: Path, done: int) -> None:
        """Drop lines of steps that a resumed run will repeat, and lines torn by a kill or a full disk."""
        if path.exists():
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            kept = [line for line in lines if 0 < _step(line) <= done]
            write_whole(path, "".join(f"{line}\n" for line in kept))

    def _refusal(self, error: OSError) -> WriteError:
        return WriteError(
            f"the log '{self._path}' could not be written ({error.strerror})",
            do="check the folder and the free space, then run again to go on",
        )

    def _on_thread_error(self, args: threading.ExceptHookArgs) -> None:
        """Keep TensorBoard's writing thread from printing a traceback; `report` meets its error and drops it."""
        if not type(args.thread).__module__.startswith("tensorboard"):
            self._thread_hook(args)

    def __enter__(self) -> Journal:
        """Start drawing."""
        self._thread_hook = threading.excepthook
        threading.excepthook = self._on_thread_error
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing and close the logs."""
        self._bar.stop()
        try:
            if self._board is not None:
                self._board.close()
        except OSError:
            self._board = None
        finally:
            threading.excepthook = self._thread_hook
        try:
            self._file.close()
        except OSError as e:
            # an error already on its way says more
            if error is None:
                raise self._refusal(e) from e

    def report(self, step: int, title: str, patches_per_second: float, values: dict[str, float]) -> None:
        """Record one step.

        Args:
            step: Steps done.
            title: The stage in words.
            patches_per_second: Throughput over all processes.
            values: Numbers to log; must hold "loss".

        Raises:
            WriteError: If the log cannot be written.
        """
        row = {"step": step, "stage": title, "patches_per_second": round(patches_per_second, 3)}
        try:
            self._file.write(json.dumps(row | {k: float(f"{v:.6g}") for k, v in values.items()}) + "\n")
            self._file.flush()
        except OSError as e:
            raise self._refusal(e) from e
        if self._board is not None:
            try:
                for name, value in values.items():
                    self._board.add_scalar(name, value, step)
            except OSError:
                self._board = None
        self._bar.update(
            self._task,
            completed=step,
            description=title,
            loss=f"{values['loss']:.5f}",
            rate=f"{patches_per_second:.2f} patches/s",
        )


def _whole(widest: str) -> Column:
    """Return a column that is never narrower than a text."""
    return Column(min_width=len(widest), no_wrap=True)


def _step(line: str) -> int:
    """Return the step of a line of the log; 0 where the line is torn."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return 0


def write_whole(path: Path, text: str) -> None:
    """Write a text file all or nothing.

    Args:
        path: Target file.
        text: Its content.

    Raises:
        OSError: If it cannot be written; an older file is left as it was.
    """
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
