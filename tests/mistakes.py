"""What users get wrong, each with the files and the command that bring it about: the rows of docs/mistakes.md."""

from __future__ import annotations

from mistake import Mistake
from mistaken_commands import COMMANDS, MENDED
from mistaken_images import IMAGES
from mistaken_options import OPTIONS

__all__ = ["MENDED", "MISTAKES"]

_ORDER = (
    "The two images",
    "Places on the map",
    "Wavelengths",
    "Sensors",
    "Values",
    "Numbers and the PSF",
    "Outputs",
    "Methods and weights",
    "Files",
    "Other commands",
)
# a topic that has no place in the order is an error
MISTAKES: dict[str, tuple[Mistake, ...]] = dict(
    sorted((IMAGES | OPTIONS | COMMANDS).items(), key=lambda item: _ORDER.index(item[0]))
)
