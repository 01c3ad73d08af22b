"""The files of a product: which of them belong together, and the texts that describe them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from hsrdiff.errors import CubeFormatError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection
    from xml.etree.ElementTree import Element

UNMASKED = "unmasked"  # the word that asks for pixels as they are stored, under clouds as well


def named_like(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a folder by their names.

    Args:
        folder: The folder.
        pattern: A regular expression for the whole name, in any case.

    Returns:
        The files, sorted by name; empty where the folder is none.
    """
    if not folder.is_dir():
        return []
    name = re.compile(pattern, re.IGNORECASE)
    return sorted(child for child in folder.iterdir() if child.is_file() and name.fullmatch(child.name))


def only_file(folder: Path, pattern: str, what: str, example: str) -> Path:
    """Return the one file of a folder that a product must have.

    Args:
        folder: The folder.
        pattern: A regular expression for the whole name, in any case.
        what: What the file is, for the message.
        example: How it is named, for the message.

    Returns:
        The file.

    Raises:
        CubeFormatError: There is none, or there are several.
    """
    found = named_like(folder, pattern)
    if len(found) == 1:
        return found[0]
    if found:
        raise CubeFormatError(
            f"{folder} holds {len(found)} files that could be {what} ({', '.join(file.name for file in found[:3])})",
            expected="one product in a folder",
            do="move each product to a folder of its own",
        )
    raise CubeFormatError(f"{folder} lacks {what}", expected=f"a file named {example}", do="copy the whole product")


def read_xml(path: Path) -> Element:
    """Read a description in XML, its tags without their namespaces.

    Args:
        path: The file.

    Returns:
        The root element.

    Raises:
        CubeFormatError: It is no whole XML file.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, UnicodeDecodeError) as error:
        raise CubeFormatError(
            f"{path} is damaged or cut short ({error})", expected="a whole XML file", do="copy it again"
        ) from error
    for element in root.iter():
        element.tag = element.tag.rsplit("}", 1)[-1]
    return root


def text_at(root: Element, place: str, path: Path) -> str:
    """Return a text that a description must have.

    Args:
        root: An element of the description.
        place: Tags below it, as `Element.find` takes them.
        path: The file, for the message.

    Returns:
        The text, without blanks around it.

    Raises:
        CubeFormatError: It is absent or empty.
    """
    text = (root.findtext(place) or "").strip()
    if not text:
        raise CubeFormatError(f"{path} has no {place.removeprefix('.//')}", do="copy the file again")
    return text


def number_at(root: Element, place: str, path: Path) -> float:
    """Return a number that a description must have.

    Args:
        root: An element of the description.
        place: Tags below it, as `Element.find` takes them.
        path: The file, for the message.

    Returns:
        The number.

    Raises:
        CubeFormatError: It is absent or no number.
    """
    text = text_at(root, place, path)
    try:
        return float(text)
    except ValueError:
        raise CubeFormatError(f"{place.removeprefix('.//')} in {path} is '{text}'", expected="a number") from None


def chosen_words(path: Path, variable: str | None, known: Collection[str]) -> frozenset[str]:
    """Return what the caller asked for with `variable`: one or several words, such as ``"20m unmasked"``.

    Args:
        path: The product, for the message.
        variable: The words, apart from each other by blanks or commas, or None.
        known: The words that the product knows.

    Returns:
        The words in lower case.

    Raises:
        CubeFormatError: A word is not known.
    """
    words = frozenset(re.split(r"[\s,]+", variable.strip().lower())) if variable and variable.strip() else frozenset()
    for word in sorted(words - set(known)):
        raise CubeFormatError(f"{path} has no variable '{word}'", do=did_you_mean(word, known))
    return words
