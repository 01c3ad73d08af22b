"""Options of a method in the record of a fused cube: written, read, and the files among them found again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from hsrdiff.jobs.named_file import NamedFile
from hsrdiff.typing import PathLike

_FILE = {"file", "digest"}


def write_options(options: Mapping[str, object]) -> str:
    """Put options into JSON, files by their names and contents.

    Args:
        options: Options of the method's constructor.

    Returns:
        One line.
    """
    return json.dumps({name: _kept(value) for name, value in sorted(options.items())}, default=str)


def read_options(text: object) -> Mapping[str, object]:
    """Read what `write_options` wrote.

    Args:
        text: What the record holds.

    Returns:
        The options, files still by name and content; none where the text is another.
    """
    try:
        found = json.loads(str(text))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def found_options(options: Mapping[str, object], beside: PathLike | None) -> dict[str, object]:
    """Return options as they were given, of files where they are now.

    Args:
        options: From `read_options`.
        beside: The fused cube, or None where it is no file.

    Returns:
        The options.

    Raises:
        InputError: A file is gone, or another one is there now.
    """
    return {
        name: NamedFile("option", str(value["file"]), str(value["digest"])).find(beside)
        if isinstance(value, Mapping) and value.keys() == _FILE
        else value
        for name, value in options.items()
    }


def _kept(value: object) -> object:
    if isinstance(value, str | os.PathLike):
        file = NamedFile.given("option", value)
        return str(value) if file.digest is None else {"file": file.name, "digest": file.digest}
    return value
