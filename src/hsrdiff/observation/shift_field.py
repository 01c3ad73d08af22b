"""A shift that changes evenly over the image, as a rotation or an error of scale makes it, from shifts of blocks."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
from scipy import stats

from hsrdiff.typing import FloatArray

_LEAST_BLOCKS = 8  # that tell something: 16 numbers for 6 unknowns
_FLOOR = 0.02  # LR pixels: no block is trusted more than this
_ROUNDS, _TUKEY = 20, 4.685
_LEAST_BEND = 0.1  # LR pixels at the worst corner: less is not worth a resampling
_CHANCE, _LEFT = 1e-4, 0.25  # of the F test, and the share of the blocks' variance that may be left
_NEAR, _SHARE = 0.15, 0.75  # LR pixels that a block may lie off the field, or three errors, and how many must not
_ILL = 1e8  # condition of the normal matrix where the blocks lie in a row
_LARGEST_ERROR = 0.1  # LR pixels at the worst corner
_NUMBER = r"([-+.\deE]+)"
_TEXT = re.compile(rf"{_NUMBER} {_NUMBER} by {_NUMBER} {_NUMBER} {_NUMBER} {_NUMBER} about {_NUMBER} {_NUMBER}")


@dataclass(frozen=True)
class ShiftField:
    """The affine field ``d(i) = shift + slope (i - centre)``, in LR pixels, i counted between pixel centres.

    Attributes:
        shift: (rows, columns) at the centre.
        slope: ((rows by row, rows by column), (columns by row, columns by column)); a small rotation by t, clockwise
            on the screen, is ((0, t), (-t, 0)), an HSI too large by a share e is ((e, 0), (0, e)).
        centre: Row and column of the middle of the HSI.
        error: Standard error of the field at the worst corner.
    """

    shift: tuple[float, float]
    slope: tuple[tuple[float, float], tuple[float, float]]
    centre: tuple[float, float]
    error: float = 0.0

    def at(self, places: FloatArray) -> FloatArray:
        """Return the shift at places.

        Args:
            places: Rows and columns, (2, ...), LR pixels.

        Returns:
            (2, ...), LR pixels.
        """
        trailing = (1,) * (np.ndim(places) - 1)
        off = places - np.reshape(self.centre, (2, *trailing))
        return np.asarray(np.reshape(self.shift, (2, *trailing)) + np.tensordot(np.array(self.slope), off, axes=1))

    @property
    def bend(self) -> float:
        """What the shift at the worst corner of the image differs by from that at its centre, LR pixels."""
        row, column = (part + 0.5 for part in self.centre)
        slope = np.array(self.slope)
        return float(max(np.linalg.norm(slope @ (row, sign * column)) for sign in (-1, 1)))

    def plus(self, rest: ShiftField) -> ShiftField:
        """Return this field with what is found left of it added.

        Args:
            rest: A small field about the same centre.
        """
        shift = self.shift[0] + rest.shift[0], self.shift[1] + rest.shift[1]
        (a, b), (c, d) = (np.array(self.slope) + np.array(rest.slope)).tolist()
        return ShiftField(shift, ((a, b), (c, d)), self.centre, rest.error)

    def describe(self) -> str:
        """Say what it is, in words."""
        (a, b), (c, d) = self.slope
        words = f"rotated by {math.degrees((b - c) / 2):+.2f}° and scaled by {100 * (a + d) / 2:+.2f} %"
        sheared = max(abs(a - d) / 2, abs(b + c) / 2)
        if sheared > 0.2 * max(abs(b - c) / 2, abs(a + d) / 2):
            words += f", sheared by up to {100 * sheared:.2g} %"
        return f"{words}, up to {self.bend:.2f} hyperspectral pixels at the corners (standard error {self.error:.2g})"

    def to_text(self) -> str:
        """Return its numbers, for `from_text`."""
        values = (*self.shift, *self.slope[0], *self.slope[1], *self.centre)
        return "{} {} by {} {} {} {} about {} {}".format(*(f"{value:.9g}" for value in values))

    @classmethod
    def from_text(cls, text: str) -> ShiftField | None:
        """Read what `to_text` wrote.

        Args:
            text: The text.

        Returns:
            The field without its error, or None for anything else.
        """
        found = _TEXT.fullmatch(text)
        if found is None:
            return None
        a, b, c, d, e, f, g, h = (float(number) for number in found.groups())
        return cls((a, b), ((c, d), (e, f)), (g, h))


def fit_field(
    places: FloatArray, shifts: FloatArray, errors: FloatArray, size: tuple[int, int], *, least: bool = True
) -> ShiftField | None:
    """Fit an affine field to the shifts of blocks by least squares, blocks that lie off it weighted down (Tukey).

    Args:
        places: Middles of the blocks that tell something, (n, 2), LR pixels.
        shifts: Their shifts, (n, 2), LR pixels.
        errors: Their standard errors, (n,), LR pixels.
        size: (h, w) of the image.
        least: Whether the field has to say clearly more than one shift for all.

    Returns:
        The field; None where it has to and does not (F test, at most a quarter of the variance left, a tenth of a
        pixel at the worst corner), where a quarter of the blocks lie off it, it is uncertain, or it rests on fewer
        than 8 blocks.
    """
    if len(places) < _LEAST_BLOCKS:
        return None
    centre = ((size[0] - 1) / 2, (size[1] - 1) / 2)
    A = np.concatenate([np.ones((len(places), 1)), places - centre], axis=1)
    own = 1.0 / (errors**2 + _FLOOR**2)
    weights = own
    for _ in range(_ROUNDS):
        fit, normal = _solve(A, shifts, weights)
        left = np.linalg.norm(shifts - A @ fit, axis=1)
        # Numerics: the median length of a vector of two normal numbers is 1.1774 standard deviations
        spread = max(float(np.median(left)) / 1.1774, _FLOOR)
        kept = np.clip(1.0 - np.square(left / (_TUKEY * spread)), 0.0, None)
        weights = own * np.square(kept)
    counted = int((weights > 0).sum())
    near = left <= np.maximum(_NEAR, 3.0 * errors)
    if counted < _LEAST_BLOCKS or near.mean() < _SHARE or np.linalg.cond(normal) > _ILL:
        return None
    one, _ = _solve(A[:, :1], shifts, weights)
    missed, missed_by_one = (
        float((weights[:, None] * np.square(shifts - rows @ parts)).sum())
        for rows, parts in ((A, fit), (A[:, :1], one))
    )
    free = 2 * counted - 6
    variance = missed / free
    better = (missed_by_one - missed) / 4 / max(variance, np.finfo(np.float64).tiny)
    if least and (missed > _LEFT * missed_by_one or stats.f.sf(better, 4, free) > _CHANCE):
        return None
    (a, b), (c, d) = fit[1:].T.tolist()
    # Numerics: the sandwich of M-estimators; the slope of w(|r|) r, over all directions, is (1 - u^2)(1 - 3 u^2)
    bread = A.T @ ((own * kept * (3.0 * kept - 2.0))[:, None] * A)
    meat = A.T @ (np.square(weights * left)[:, None] / 2.0 * A) * (2 * counted / free)
    spread_of_fit = np.linalg.solve(bread, np.linalg.solve(bread, meat).T)
    corners = np.array([[1.0, centre[0], sign * centre[1]] for sign in (-1, 1)])
    error = math.sqrt(max(float(at @ spread_of_fit @ at) for at in corners))
    field = ShiftField((float(fit[0, 0]), float(fit[0, 1])), ((a, b), (c, d)), centre, error)
    if error > _LARGEST_ERROR or (least and field.bend < _LEAST_BEND):
        return None
    return field


def _solve(A: FloatArray, shifts: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the weighted least squares fit and its normal matrix."""
    normal = A.T @ (weights[:, None] * A)
    return np.linalg.lstsq(normal, A.T @ (weights[:, None] * shifts), rcond=None)[0], normal
