"""How a cube was made: its attributes ``hsrdiff_*``, texts and numbers, which go into files and come back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

Record: TypeAlias = dict[str, str | int | float]

_NAME = re.compile(r"hsrdiff_[a-z0-9_]{1,48}")  # what every format takes as a name: MATLAB has 63 characters at most
_LARGEST_WHOLE = 2**63 - 1


def is_record_name(name: object) -> bool:
    """Return whether an entry of this name belongs to the record.

    Args:
        name: The name of an attribute, or of a variable or entry in a file.
    """
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def record_of(attributes: Mapping[Any, Any]) -> Record:
    """Pick the attributes that formats keep: ``hsrdiff_*``, lower-case, of some text or one real number.

    Args:
        attributes: Attributes of a cube, or of a file: text may be bytes, and numbers NumPy's.

    Returns:
        `str`, `int` (of 64 bits) and `float` by name, in the order given.
    """
    record: Record = {}
    for name, value in attributes.items():
        if not is_record_name(name):
            continue
        plain = value.item() if isinstance(value, np.ndarray | np.generic) and value.size == 1 else value
        if isinstance(plain, bytes):
            plain = plain.decode("utf-8", errors="replace")
        whole = isinstance(plain, int) and not isinstance(plain, bool) and abs(plain) <= _LARGEST_WHOLE
        if whole or isinstance(plain, float) or (isinstance(plain, str) and plain):
            record[name] = plain
    return record


def to_texts(record: Mapping[str, str | int | float]) -> dict[str, str]:
    """Write a record as one line of text an entry, for formats that know nothing else; `from_texts` undoes it.

    A text that would be read as another thing (``"4"`` is no number) or does not fit a line is quoted as in JSON.

    Args:
        record: Texts and numbers by name.

    Returns:
        Lines without braces by name.
    """
    return {name: _text_of(value) for name, value in record.items()}


def from_texts(texts: Mapping[str, str]) -> Record:
    """Read the record among a file's texts.

    Args:
        texts: All texts of a file by name.

    Returns:
        The record.
    """
    return record_of({name: _value_of(text) for name, text in texts.items() if is_record_name(name)})


def _text_of(value: str | int | float) -> str:
    """Return a text as it stands where it reads back as itself, anything else as JSON without braces."""
    if (
        isinstance(value, str)
        and value.isprintable()
        and not set("{}") & set(value)
        and value == value.strip()
        and _value_of(value) == value
    ):
        return value
    return json.dumps(value).replace("{", "\\u007b").replace("}", "\\u007d")


def _value_of(text: str) -> str | int | float:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else text
