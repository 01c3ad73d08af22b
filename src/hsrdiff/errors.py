"""Every error a user can cause, as one tree.

    HsrdiffError
    ├── InputError             arrays, cubes or arguments that do not fit together
    │   ├── ShapeError         sizes or dimensions disagree
    │   ├── FactorError        the resolution ratio is not a whole number of at least 2
    │   ├── WavelengthError    wavelengths missing, not in nm, or not increasing where they must
    │   └── InvalidValueError  NaN, infinite or all-masked data where numbers are needed
    ├── CubeFormatError        a file that cannot be read as a cube, or a format that cannot hold it
    ├── WriteError             an output that could not be written; nothing half-written is left
    ├── SensorError            an unknown sensor, or a band outside the hyperspectral range
    ├── DatasetNotFoundError   a data set that is not where it should be
    ├── RecipeError            a recipe with an unknown key or a value out of range
    ├── WeightsError           weights or a checkpoint that do not fit the data or the network
    └── MissingExtraError      an optional dependency that is not installed

The command line prints the message of a HsrdiffError as one sentence and exits with code 2.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class HsrdiffError(Exception):
    """Base of all errors a user can cause: what was found, what was expected, what to do.

    Args:
        found: What was met, with names and numbers, without a full stop.
        expected: What would have been right.
        do: What the user can do next, as an imperative.
    """

    exit_code = 2

    def __init__(self, found: str, *, expected: str = "", do: str = "") -> None:
        self.found, self.expected, self.do = found, expected, do
        parts = [found]
        if expected:
            parts.append(f"expected {expected}")
        if do:
            parts.append(do)
        super().__init__("; ".join(parts) + ".")


class InputError(HsrdiffError, ValueError):
    """Arrays, cubes or arguments that do not fit together."""


class ShapeError(InputError):
    """Sizes or dimensions disagree."""


class FactorError(InputError):
    """The ratio of the two pixel sizes is not a whole number of at least 2."""


class WavelengthError(InputError):
    """Wavelengths are missing, not in nanometres, or not in the order needed."""


class InvalidValueError(InputError):
    """NaN, infinite or fully masked data where numbers are needed."""


class CubeFormatError(HsrdiffError):
    """A file that cannot be read as a cube, or a format that cannot hold one."""


class WriteError(HsrdiffError):
    """An output that could not be written; nothing half-written is left behind."""


class SensorError(HsrdiffError):
    """An unknown sensor, or a sensor band that the hyperspectral image does not cover."""


class DatasetNotFoundError(HsrdiffError):
    """A data set whose files are not where they should be."""


class RecipeError(HsrdiffError):
    """A recipe with an unknown key or a value out of range."""


class WeightsError(HsrdiffError):
    """Weights or a checkpoint that do not fit the data or the network."""


class MissingExtraError(HsrdiffError):
    """An optional dependency that is not installed."""


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """Return an imperative naming the nearest of `choices`, or listing them all.

    Args:
        name: What the user wrote.
        choices: The names that exist.

    Returns:
        ``"did you mean 'x'?"``-like text for the `do` part of an error, without a full stop.
    """
    known = sorted(choices)
    near = difflib.get_close_matches(name.lower(), [k.lower() for k in known], n=1)
    if near:
        exact = next(k for k in known if k.lower() == near[0])
        return f"use '{exact}' if that was meant (known: {', '.join(known)})"
    return f"use one of: {', '.join(known)}"
