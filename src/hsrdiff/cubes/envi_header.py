"""The ENVI header: its text, read to a mapping and written back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hsrdiff.errors import CubeFormatError

if TYPE_CHECKING:
    import numpy.typing as npt

# https://www.nv5geospatialsoftware.com/docs/ENVIHeaderFiles.html lists these numbers; 6 and 9 are complex.
NUMBER_TYPES = {1: "u1", 2: "i2", 3: "i4", 4: "f4", 5: "f8", 12: "u2", 13: "u4", 14: "i8", 15: "u8"}
_ENTRY = re.compile(r"^[ \t]*([^=;{}\n]+?)[ \t]*=[ \t]*(\{.*?\}|[^\n]*)", re.MULTILINE | re.DOTALL)


def parse_header(path: Path) -> dict[str, str]:
    """Read an ENVI header.

    Args:
        path: The ``.hdr`` file.

    Returns:
        Values by lower-case key; a value in braces is kept without them.

    Raises:
        CubeFormatError: The file does not begin with ENVI, or braces are not closed.
    """
    text = path.read_bytes().decode("utf-8", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    if not text.lstrip("\ufeff \n").startswith("ENVI"):
        raise CubeFormatError(f"{path} does not begin with 'ENVI'", expected="an ENVI header")
    text = re.sub(r"(?m)^[ \t]*;.*$", "", text)
    if text.count("{") != text.count("}"):
        raise CubeFormatError(f"{path} has a brace that is not closed", expected="a whole header")
    entries: dict[str, str] = {}
    for match in _ENTRY.finditer(text):
        key, value = " ".join(match[1].lower().split()), match[2].strip()
        entries[key] = value[1:-1].strip() if value.startswith("{") else value
    return entries


def whole_number(header: Mapping[str, str], key: str, path: Path, default: int | None = None) -> int:
    """Return a whole number of the header.

    Args:
        header: The header.
        key: Its key.
        path: The header's file, for the message.
        default: What to return where the key is absent; None where it must be there.

    Returns:
        The number.

    Raises:
        CubeFormatError: The key is absent and has no default, or is no whole number.
    """
    text = header.get(key)
    if text is None and default is not None:
        return default
    try:
        return int(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        found = "is missing" if text is None else f"is '{text}'"
        raise CubeFormatError(f"'{key}' in {path} {found}", expected="a whole number") from None


def listed(header: Mapping[str, str], key: str, bands: int, path: Path) -> npt.NDArray[np.float64] | None:
    """Return a list of one number a band.

    Args:
        header: The header.
        key: Its key.
        bands: How many numbers there must be.
        path: The header's file, for the message.

    Returns:
        The numbers, or None where the key is absent or empty.

    Raises:
        CubeFormatError: The list has another length or entries that are no numbers (such as ``...``).
    """
    parts = [part for part in re.split(r"[,\s]+", header.get(key, "")) if part]
    if not parts:
        return None
    try:
        numbers = np.array([float(part) for part in parts])
    except ValueError:
        raise CubeFormatError(f"'{key}' in {path} is not a list of numbers", do="write it out in full") from None
    if numbers.size != bands:
        raise CubeFormatError(f"'{key}' in {path} has {numbers.size} entries", expected=f"{bands}, one a band")
    return numbers


def named(header: Mapping[str, str], bands: int) -> tuple[str, ...] | None:
    """Return the band names where there is one a band and they say more than a number.

    Args:
        header: The header.
        bands: The number of bands.

    Returns:
        The names or None.
    """
    names = tuple(name.strip() for name in header.get("band names", "").split(","))
    if len(names) != bands or not all(names) or all(re.fullmatch(r"(?i)band[ _]?\d+", name) for name in names):
        return None
    return names


def format_header(entries: Mapping[str, Any]) -> str:
    """Return the text of an ENVI header.

    Args:
        entries: Values by key; a sequence becomes a list in braces, several entries a line.

    Returns:
        The text, ending in a line feed.
    """
    lines = ["ENVI"]
    for key, value in entries.items():
        if isinstance(value, str | int | float):
            lines.append(f"{key} = {value}")
            continue
        items = [str(item) for item in value]
        rows = [", ".join(items[i : i + 8]) for i in range(0, len(items), 8)]
        lines.append(f"{key} = {{\n " + ",\n ".join(rows) + "}")
    return "\n".join(lines) + "\n"
