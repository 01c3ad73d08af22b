"""A pair whose images may not lie on each other: measured, and mended or refused, before it is fused."""

from __future__ import annotations

import math
from dataclasses import replace

from hsrdiff.errors import InputError
from hsrdiff.jobs.bent import bent
from hsrdiff.jobs.pair import Pair
from hsrdiff.jobs.scaling import raw_scene
from hsrdiff.observation import Registration, SpatialResponse, SpectralResponse, register
from hsrdiff.observation.registration import LEAST_CORRELATION
from hsrdiff.observation.shift_field import ShiftField

# LR pixels: a shift up to the first is left as it is, one above the second is not mended unasked.
SMALL_SHIFT, LARGEST_SHIFT = 0.05, 2.0
_CERTAIN = 2.0  # standard errors that a shift must be long to be mended


def registered(
    pair: Pair, spatial: SpatialResponse, spectral: SpectralResponse | None, *, force: bool = False
) -> tuple[Pair, dict[str, str]]:
    """Measure how far the HSI lies from the MSI, and put it where it belongs if it lies elsewhere as a whole.

    Nothing is resampled: the HSI is moved by whole fine pixels, and D by the rest (`Pair.offset`). Only where the shift
    changes evenly over the image, as by a rotation, the MSI is resampled once.

    Args:
        pair: The two images.
        spatial: D for LR pixels that lie on their blocks, without the pair's own offset.
        spectral: R where it is known, else None.
        force: Whether to mend shifts of any length.

    Returns:
        The pair, mended where the shift is reliable and the same everywhere or changes evenly; and what a reader should
        know, by topic, nothing where the images are too small for a measurement.

    Raises:
        InputError: The shift is reliable and longer than `LARGEST_SHIFT`, and not forced.
    """
    found = register(raw_scene(pair), spatial.moved(*pair.offset), spectral)
    if found is None:
        return pair, {}
    if found.reliable and found.length > LARGEST_SHIFT and not force:
        rows, columns = found.shift
        raise InputError(
            f"the hyperspectral image lies {rows:+z.2f} rows and {columns:+z.2f} columns of its own pixels from the "
            f"multispectral one (standard error {found.error:.2g})",
            expected=f"a shift of at most {LARGEST_SHIFT:g} hyperspectral pixels",
            do="check the georeference of both, or have the shift mended with --force",
        )
    pair, why = mended(pair, found, spatial, spectral)
    return pair, {"registration": f"{found.describe()}; {why}"}


def check_force(force: bool, register: bool) -> None:
    """Make sure, before any work, that a shift which is to be mended by force is measured.

    Args:
        force: Whether to mend shifts of any length.
        register: Whether a shift is measured.

    Raises:
        InputError: It is not.
    """
    if force and not register:
        raise InputError(
            "a shift of any length is to be mended, and none is to be measured",
            expected="one of the two",
            do="leave out --force, or --no-register",
        )


def mended(
    pair: Pair, found: Registration, spatial: SpatialResponse, spectral: SpectralResponse | None
) -> tuple[Pair, str]:
    """Mend what was measured, if it can be, and say what was done.

    A shift of the whole moves the HSI. One that changes evenly over the image is measured again after that, once more
    after a first resampling, and the MSI as it was is resampled by the sum. Where the moved image is too small to be
    measured again, it is resampled by what was found before.

    Args:
        pair: The two images.
        found: What was measured on them.
        spatial: D for LR pixels that lie on their blocks.
        spectral: R where it is known, else None.

    Returns:
        The pair, and what was done, in words.
    """
    mends, why = decide(found)
    if not mends:
        return pair, why
    if found.field is None:
        return pair.moved(*(-pair.factor * part for part in found.shift)), why

    def left(moved: Pair) -> ShiftField | None:
        again = register(raw_scene(moved), spatial.moved(*moved.offset), spectral)
        return None if again is None else again.left

    middle = found.field.shift
    if math.hypot(*middle) > SMALL_SHIFT:
        moved = pair.moved(*(-pair.factor * part for part in middle))
        field = left(moved)
    else:
        moved, field = pair, found.field
    if field is None:
        # a small image may have too few blocks when it is cut: what was found holds there too, about its middle
        size = moved.hsi.sizes
        field = replace(found.field, shift=(0.0, 0.0), centre=((size["y"] - 1) / 2, (size["x"] - 1) / 2))
    rest = left(bent(moved, field))
    if rest is not None:
        field = field.plus(rest)
    return bent(moved, field), f"{why}, the multispectral image resampled (cubic) to where the hyperspectral one lies"


def decide(found: Registration) -> tuple[bool, str]:
    """Tell whether a shift is to be mended, and what to say about it.

    Args:
        found: The measured shift.

    Returns:
        Whether it is, whatever its length, and why, in words.
    """
    if found.field is not None and found.correlation >= LEAST_CORRELATION:
        return True, "mended before fusing"
    if not found.reliable:
        return False, "left as it is"
    if found.length <= max(SMALL_SHIFT, _CERTAIN * found.error):
        return False, "too small to be mended"
    if not found.everywhere:
        return False, "left as it is, since it is not the same everywhere"
    return True, "mended before fusing"
