"""Time and memory of kriging against the number of pixels, each size in a process of its own."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial

import torch

from hsrdiff.errors import InputError
from hsrdiff.evaluation import Row
from hsrdiff.experiments.base import Rows, Trial, markdown_table
from hsrdiff.typing import PathLike

SIDES = (256, 512, 1024, 2048)
STD = " --std"  # behind a method's name: with the standard deviation, which `fuse` leaves out unless it is asked for
METHODS = ("kriging", "kriging" + STD, "kriging-learned", "regression-projected")
BANDS, FACTOR, GUIDE_BANDS = 31, 4, 4
PEAK, BEFORE = "peak MiB", "MiB before"


class KrigingCost:
    """Square made-up scenes of 31 bands at x4 with four bands of guide.

    Args:
        sides: HR pixels along both axes.
        methods: Names of methods, with `STD` behind one to have its standard deviation too.
    """

    name = "kriging-cost"
    summary = "Time and memory of kriging against pixels: made-up scenes of 31 bands, x4, four bands of guide"

    def __init__(self, sides: Sequence[int] = SIDES, methods: Sequence[str] = METHODS) -> None:
        self.sides, self.methods = sides, methods

    def trials(self, data: PathLike | None, seed: int) -> Iterator[Trial]:
        """Yield every method at every size; no data are read."""
        threads = torch.get_num_threads()
        for side in self.sides:
            for method in self.methods:
                run = partial(_measure, side, method, seed, threads)
                yield Trial((f"{side} x {side}", method), partial(str, threads), run)

    def report(self, rows: Rows) -> str:
        """Return seconds and memory."""
        lines = []
        for (size, method), row in rows.items():
            side = int(size.split()[0])
            own = float(row.notes[PEAK]) - float(row.notes[BEFORE])
            per_million = 1e6 * row.seconds / side**2
            lines.append([size, method, f"{row.seconds:.1f}", f"{per_million:.1f}", row.notes[PEAK], f"{own:.0f}"])
        titles = ["pixels", "method", "s", "s a million pixels", "peak MiB of the process", "of it during the fusion"]
        return f"{torch.get_num_threads()} threads.\n\n" + markdown_table(titles, lines, left=2)


def _measure(side: int, method: str, seed: int, threads: int) -> Row:
    """Fuse in a fresh process, so that the memory of one size is not that of another."""
    command = [sys.executable, "-m", "hsrdiff.experiments.cost_probe", *map(str, (side, method, seed, threads))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise InputError(
            f"{method} on {side} x {side} pixels ended early ({last.rstrip('.')})",
            expected="enough memory for both images and the result",
            do="use a machine with more memory",
        )
    found = json.loads(done.stdout)
    nan = math.nan
    notes = {PEAK: f"{found['peak_mib']:.0f}", BEFORE: f"{found['before_mib']:.0f}"}
    return Row(method, f"{side} x {side}", FACTOR, nan, nan, nan, nan, nan, seconds=found["seconds"], notes=notes)
