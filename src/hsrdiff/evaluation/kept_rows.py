"""Rows kept on disk, so that a run started again goes on behind them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from hsrdiff._version import __version__
from hsrdiff.errors import WriteError
from hsrdiff.evaluation.rows import Row
from hsrdiff.typing import PathLike


class KeptRows:
    """Rows in ``rows.jsonl`` of a folder, one JSON object a line, and the texts made of them.

    Args:
        folder: Where; made when missing. None keeps nothing.

    Raises:
        WriteError: If the folder cannot be used.
    """

    def __init__(self, folder: PathLike | None) -> None:
        self._folder = None if folder is None else Path(folder)
        self._rows: dict[str, Row] = {}
        self._torn = False
        if self._folder is None:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / "rows.jsonl"
            text = path.read_text(encoding="utf-8") if path.exists() else ""
        except OSError as e:
            raise WriteError(f"'{self._folder}' cannot be used ({e.strerror})", do="choose another folder") from e
        self._torn = bool(text) and not text.endswith("\n")
        for line in text.splitlines():
            try:
                entry = json.loads(line)
                self._rows[entry["key"]] = Row(**entry["row"])
            except (ValueError, KeyError, TypeError):
                continue  # a line cut off by an interruption: its row is computed again

    def get(self, key: str) -> Row | None:
        """Return the row of a key, or None.

        Args:
            key: What `row_key` gave.

        Returns:
            The row as it was kept.
        """
        return self._rows.get(key)

    def add(self, key: str, row: Row) -> None:
        """Keep a row.

        Args:
            key: What `row_key` gave.
            row: The row.

        Raises:
            WriteError: If it cannot be written.
        """
        self._rows[key] = row
        line = json.dumps({"key": key, "row": asdict(row)}) + "\n"
        self._write("rows.jsonl", "\n" + line if self._torn else line, "a")
        self._torn = False

    def write(self, name: str, text: str) -> None:
        """Write a text beside the rows.

        Args:
            name: File name, such as ``"table.md"``.
            text: Its contents.

        Raises:
            WriteError: If it cannot be written.
        """
        self._write(name, text, "w")

    def _write(self, name: str, text: str, mode: str) -> None:
        if self._folder is None:
            return
        try:
            with (self._folder / name).open(mode, encoding="utf-8") as file:
                file.write(text)
        except OSError as e:
            raise WriteError(
                f"'{self._folder / name}' could not be written ({e.strerror})", do="check the folder and the free space"
            ) from e


def row_key(*parts: object) -> str:
    """Hash what decides a row; the version decides it too.

    Args:
        *parts: Names, options, digests, in a fixed order.

    Returns:
        16 hexadecimal digits.
    """
    text = "\x1f".join([__version__, *(str(part) for part in parts)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
