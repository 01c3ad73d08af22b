"""What a row of docs/mistakes.md is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from mistaken_files import SENSOR

FUSE = "fuse hsi.tif msi.tif -o fused.tif"
SIMULATE = f"simulate truth.tif --sensor {SENSOR} --out-hsi h.tif --out-msi m.tif"


@dataclass(frozen=True)
class Mistake:
    """One row of the page.

    Attributes:
        done: What was done.
        command: What was typed behind ``hsrdiff``.
        do: What to do instead.
        make: Writes the files that the command meets beside the good ones.
        broken: Changes the machine for the command's time, by a `pytest.MonkeyPatch`, in the folder given.
    """

    done: str
    command: str
    do: str
    make: Callable[[], object] = lambda: None
    broken: Callable[[pytest.MonkeyPatch, Path], object] = lambda patch, folder: None


@dataclass(frozen=True)
class Mended:
    """What is put right without asking, and said.

    Attributes:
        found: What the images were like.
        command: What was typed behind ``hsrdiff``.
        says: Part of what is printed.
        make: Writes the files that the command meets beside the good ones.
    """

    found: str
    command: str
    says: str
    make: Callable[[], object] = lambda: None
