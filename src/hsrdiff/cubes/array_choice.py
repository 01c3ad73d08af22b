"""Which of the arrays in a file is the cube, and which of its axes holds the bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from hsrdiff.errors import CubeFormatError, did_you_mean


class Entry(NamedTuple):
    """One thing in a file: its shape, the name of its kind, and whether it is an array of real numbers."""

    shape: tuple[int, ...]
    kind: str
    numeric: bool


def describe(entries: Mapping[str, Entry]) -> str:
    """Return what a file holds as one list, such as ``data (100, 100, 205) uint16, map (100, 100) uint8``.

    Args:
        entries: What is in the file, by name.

    Returns:
        The text; "nothing" for an empty file.
    """
    shown = [f"{name} {entry.shape} {entry.kind}" for name, entry in list(entries.items())[:20]]
    rest = [f"and {len(entries) - 20} more"] if len(entries) > 20 else []
    return ", ".join([*shown, *rest]) or "nothing"


def choose_array(
    path: Path, entries: Mapping[str, Entry], variable: str | None, *, matrix_is_band: bool = False
) -> str:
    """Return the name of the array that is the cube: the one asked for, or the only one of three dimensions.

    Args:
        path: The file, for the message.
        entries: What is in the file, by name.
        variable: The name asked for, or None.
        matrix_is_band: Whether a matrix may be asked for by name, as a cube of one band (a panchromatic image).

    Returns:
        A name in `entries`.

    Raises:
        CubeFormatError: No array or several would do, the one asked for is not there or no cube, or a larger matrix
            holds the pixels unfolded.
    """
    if variable is not None:
        if variable not in entries:
            raise CubeFormatError(f"{path} has no variable '{variable}'", do=did_you_mean(variable, entries))
        shape, kind, numeric = entries[variable]
        as_band = matrix_is_band and len(shape) == 2 and min(shape) > 1
        if not numeric or not (len(shape) == 3 or as_band):
            raise CubeFormatError(
                f"'{variable}' in {path} is {shape} {kind}",
                expected="an array of real numbers with three dimensions",
            )
        return variable
    cubes = [name for name, entry in entries.items() if entry.numeric and len(entry.shape) == 3]
    if not cubes:
        raise CubeFormatError(
            f"{path} holds {describe(entries)}",
            expected="an array of real numbers with three dimensions",
            do="reshape the pixels to rows x columns x bands first",
        )
    if len(cubes) > 1:
        raise CubeFormatError(
            f"{path} holds {len(cubes)} cubes: {describe({name: entries[name] for name in cubes})}",
            expected="one",
            do=f"choose with --hsi-variable {cubes[0]} or --msi-variable, or variable='{cubes[0]}' in Python, or save "
            "one of them alone",
        )
    unfolded = [
        name
        for name, entry in entries.items()
        if entry.numeric and len(entry.shape) == 2 and _size(entry.shape) > _size(entries[cubes[0]].shape)
    ]
    if unfolded:
        raise CubeFormatError(
            f"{path} holds {describe(entries)}, and '{unfolded[0]}', a matrix, is larger than '{cubes[0]}'",
            expected="a cube that is not unfolded to a matrix",
            do=f"reshape '{unfolded[0]}' to rows x columns x bands, or pass variable='{cubes[0]}' if that is meant",
        )
    return cubes[0]


def band_axis(shape: Sequence[int], wavelength_lengths: Sequence[int], convention: int) -> int:
    """Return the axis of the bands.

    An axis as long as the only vector of wavelengths; else the axis at an end that differs from two equal ones; else
    the convention of the format.

    Args:
        shape: Three sizes.
        wavelength_lengths: Lengths of the wavelength vectors in the file.
        convention: The axis (0 or 2) where the format's users put the bands.

    Returns:
        0, 1 or 2.
    """
    fitting = [axis for axis in range(3) if shape[axis] in wavelength_lengths]
    if fitting:
        return convention if convention in fitting else fitting[0]
    first, middle, last = shape
    if middle == last != first:
        return 0
    if first == middle != last:
        return 2
    return convention


def _size(shape: Sequence[int]) -> int:
    total = 1
    for length in shape:
        total *= length
    return total
