"""Descriptions as lines of ``KEY = value`` in nested groups: the MTL files of the USGS, the IMD files of Maxar."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, TypeAlias

from hsrdiff.cubes.products.product_files import read_xml
from hsrdiff.errors import CubeFormatError

Groups: TypeAlias = dict[str, dict[str, str]]  # group -> key -> value, groups in the order of the file

_LINE = re.compile(r"^\s*([A-Za-z_]\w*)\s*=\s*(.*?)\s*;?\s*$")


def read_keywords(path: Path) -> Groups:
    """Read a description of lines; a key outside any group stands under ``""``.

    Groups begin with ``GROUP = NAME`` or ``BEGIN_GROUP = NAME`` and end with ``END_GROUP``. A group within another
    stands under its own name. Lists over several lines are not kept.

    Args:
        path: The file.

    Returns:
        Values without quotes, by group and key.

    Raises:
        CubeFormatError: The file ends within a group.
    """
    groups: Groups = {"": {}}
    open_groups = [""]
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        key, value = match[1], match[2].strip('"')
        if key.upper() in {"GROUP", "BEGIN_GROUP"}:
            open_groups.append(value)
            groups.setdefault(value, {})
        elif key.upper() == "END_GROUP":
            if len(open_groups) > 1:
                open_groups.pop()
        else:
            groups[open_groups[-1]].setdefault(key, value)
    if len(open_groups) > 1:
        raise CubeFormatError(
            f"{path} ends within the group {open_groups[-1]}", expected="a whole file", do="copy it again"
        )
    return groups


def read_mtl(path: Path) -> Groups:
    """Read an MTL file of any of its three kinds: text, XML or JSON.

    Args:
        path: The file, which ends in .txt, .xml or .json.

    Returns:
        Values by group and key.

    Raises:
        CubeFormatError: It is damaged.
    """
    ending = path.suffix.lower()
    if ending == ".xml":
        return {group.tag: {item.tag: (item.text or "").strip() for item in group} for group in read_xml(path)}
    if ending != ".json":
        return read_keywords(path)
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
        (root,) = document.values()
        return {str(name): {str(key): str(value) for key, value in group.items()} for name, group in root.items()}
    except (ValueError, AttributeError) as error:
        raise CubeFormatError(
            f"{path} is damaged or cut short ({error})", expected="a whole JSON file", do="copy it again"
        ) from error


def number_in(groups: Groups, group: str, key: str, path: Path) -> float:
    """Return a number that a description must have.

    Args:
        groups: The description.
        group: The group.
        key: The key.
        path: The file, for the message.

    Returns:
        The number.

    Raises:
        CubeFormatError: It is absent or no number.
    """
    text = groups.get(group, {}).get(key)
    if text is None:
        raise CubeFormatError(f"{path} has no {key} in {group}", do="copy the file again")
    try:
        return float(text)
    except ValueError:
        raise CubeFormatError(f"{key} in {path} is '{text}'", expected="a number") from None
