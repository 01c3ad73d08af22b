"""Reports for programs: JSON that every reader takes, written whole or not at all."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hsrdiff.cubes.atomic import atomic_output
from hsrdiff.typing import PathLike


def to_json(content: Mapping[str, Any]) -> str:
    """Write as JSON; a number that is not finite, which JSON does not have, becomes null.

    Args:
        content: Mappings, lists, texts and numbers, at any depth.

    Returns:
        Text with a line end.
    """
    return json.dumps(_finite(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_report(path: PathLike, text: str) -> None:
    """Write a report, whole or not at all.

    Args:
        path: The file.
        text: What it is to hold.

    Raises:
        WriteError: It cannot be written.
    """
    with report_beside(path, text):
        pass


@contextmanager
def report_beside(path: PathLike, text: str) -> Iterator[None]:
    """Write a report that takes its place when the block ends well, so that it comes with other outputs or not at all.

    Args:
        path: The file.
        text: What it is to hold; a file name in it that is no Unicode becomes what JSON reads back as that name.

    Raises:
        WriteError: It cannot be written.
    """
    with atomic_output(Path(path).absolute()) as part:
        part.write_text(text, encoding="utf-8", errors="backslashreplace")
        yield


def _finite(value: Any) -> Any:
    """Replace numbers that JSON does not have by None, at any depth."""
    if isinstance(value, Mapping):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
