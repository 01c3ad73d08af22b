"""A file that a fused cube was made with: its name as it was typed, and how it is found again."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hsrdiff.errors import HsrdiffError, InputError, SensorError, WeightsError
from hsrdiff.typing import PathLike

# What the record calls it: what it is, the option that names it, and the error where it is gone.
_KINDS: dict[str, tuple[str, str, type[HsrdiffError]]] = {
    "weights": ("weights", "--weights", WeightsError),
    "psf_file": ("PSF", "--psf", InputError),
    "srf": ("table of responses", "--srf", SensorError),
    "option": ("option", "--set where it is fused", InputError),
}


@dataclass(frozen=True)
class NamedFile:
    """A file by its name and its content.

    The record holds the name as it was typed, not where the file lies on one machine: the same command leaves the same
    record everywhere. The digest tells the right file among those that the name may mean.

    Attributes:
        topic: ``"weights"``, ``"psf_file"`` or ``"srf"``: the record's ``hsrdiff_<topic>``; ``"option"`` for a file
            among the options of the method.
        name: The path as it was typed, or a name that comes with hsrdiff.
        digest: 16 hexadecimal digits of the SHA-256 of its content; None for a name that comes with hsrdiff.
    """

    topic: str
    name: str
    digest: str | None

    @classmethod
    def given(cls, topic: str, path: PathLike) -> NamedFile:
        """Note what a user names.

        Args:
            topic: As above.
            path: The path, or a name that comes with hsrdiff.
        """
        return cls(topic, str(path), _digest(Path(path)))

    @classmethod
    def of(cls, record: Mapping[str, object], topic: str) -> NamedFile | None:
        """Read what a fused file remembers.

        Args:
            record: Its record.
            topic: As above.

        Returns:
            The file, or None where the record names none.
        """
        name, digest = (record.get(f"hsrdiff_{topic}{ending}") for ending in ("", "_digest"))
        return None if name is None else cls(topic, _unescaped(str(name)), None if digest is None else str(digest))

    def record(self) -> dict[str, str]:
        """Return the attributes of a fused cube that say so."""
        name = {f"hsrdiff_{self.topic}": self.name}
        return name if self.digest is None else name | {f"hsrdiff_{self.topic}_digest": self.digest}

    def find(self, beside: PathLike | None = None) -> PathLike:
        """Return where the file is: by its name in the working folder, else in that of the fused cube or one above it.

        Args:
            beside: The fused cube, or None where it is no file.

        Returns:
            The first with the same content; the name itself for one that comes with hsrdiff.

        Raises:
            HsrdiffError: It is gone, or another one is there now.
        """
        if self.digest is None:
            return self.name
        folders = () if beside is None else Path(os.path.abspath(beside)).parents
        places = [Path(self.name), *(folder / self.name for folder in folders)]
        for place in places:
            if _digest(place) == self.digest:
                return place
        what, option, error = _KINDS[self.topic]
        found = "is another one now" if any(place.is_file() for place in places) else "is not there"
        raise error(
            f"the file '{self.name}' of the {what}, which the fused cube was made with, {found}",
            expected="the same file, by that name in the working folder, in the cube's own, or in one above it",
            do=f"name it with {option}",
        )


def escaped(text: str) -> str:
    """Return a text that every format can hold: bytes of a file name that are no Unicode become their code in words.

    Args:
        text: A text of a record.
    """
    return text.encode("utf-8", "backslashreplace").decode()


def _unescaped(text: str) -> str:
    return re.sub(r"\\u(dc[89a-f][0-9a-f])", lambda found: chr(int(found[1], 16)), text)


def _digest(path: Path) -> str | None:
    """Return the digest of a file's content; None where there is no file that can be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else None
    except OSError:
        return None
