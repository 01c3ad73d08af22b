"""What a run says while it trains: a progress bar, a JSONL log, and TensorBoard."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Journal:
    """Reports steps to the terminal, ``log.jsonl`` and TensorBoard; a context manager.

    Args:
        folder: Where the logs go.
        steps: Steps in all.
        done: Steps already done.
        show: Draw the progress bar.
    """

    def __init__(self, folder: Path, steps: int, done: int, *, show: bool) -> None:
        self._bar = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.completed:.0f}/{task.total:.0f}  loss {task.fields[loss]}  {task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not show,
        )
        self._task = self._bar.add_task("training", total=steps, completed=done, loss="-", rate="")
        folder.mkdir(parents=True, exist_ok=True)
        self._trim(folder / "log.jsonl", done)
        self._file = (folder / "log.jsonl").open("a", encoding="utf-8")
        self._board: Any = None
        if importlib.util.find_spec("tensorboard") is not None:
            from torch.utils.tensorboard.writer import SummaryWriter

            self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=done)

    @staticmethod
    def _trim(path: Path, done: int) -> None:
        """Drop lines of steps that a resumed run will repeat."""
        if path.exists():
            lines = path.read_text(encoding="utf-8").splitlines()
            kept = [line for line in lines if line and json.loads(line)["step"] <= done]
            path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")

    def __enter__(self) -> Journal:
        """Start drawing."""
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing and close the logs."""
        self._bar.stop()
        self._file.close()
        if self._board is not None:
            self._board.close()

    def report(self, step: int, title: str, patches_per_second: float, values: dict[str, float]) -> None:
        """Record one step.

        Args:
            step: Steps done.
            title: The stage in words.
            patches_per_second: Throughput over all processes.
            values: Numbers to log; must hold "loss".
        """
        row = {"step": step, "stage": title, "patches_per_second": round(patches_per_second, 3)}
        self._file.write(json.dumps(row | {k: float(f"{v:.6g}") for k, v in values.items()}) + "\n")
        self._file.flush()
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)
        self._bar.update(
            self._task,
            completed=step,
            description=title,
            loss=f"{values['loss']:.5f}",
            rate=f"{patches_per_second:.2f} patches/s",
        )
