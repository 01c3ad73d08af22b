"""Likeness: R Y held against X D at any shift, over the whole image or in parts of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from skimage.registration import phase_cross_correlation

from hsrdiff.observation.guide import guide_bands
from hsrdiff.observation.scene import Scene
from hsrdiff.observation.spatial import SpatialResponse
from hsrdiff.observation.spectral import SpectralResponse
from hsrdiff.typing import BoolArray, FloatArray

LEAST_PIXELS = 64  # LR pixels: fewer say too little about a shift
_BLOCK, _MOST_BLOCKS = 8, 8  # least side of a block in LR pixels, and the most blocks along a side
_MOST_PIXELS = 2**18  # LR pixels that are compared: a shift of the whole needs no more
_STEPS, _LONGEST, _DONE = 12, 0.5, 1e-4  # of the iteration; LR pixels
_WHOLE = 1.0 - 1e-6
_SHARES = (_WHOLE, 0.9, 0.5)  # of the kernel on valid pixels of X: the first that leaves half of the LR pixels
_FILLED = 0.1  # share of the kernel under which X counts as not seen at all
_COMPONENTS = 3  # principal components of Y: with more, bands that lie off each other follow a shift
_SLOPE = 0.05  # HR pixels, of the central difference
_LEAST_OF_GROUP = 12  # LR pixels


@dataclass(frozen=True, eq=False)
class Fit:
    """Shifts (groups, 2), their standard errors (groups,), the mean correlation, and 1 / variance left per band."""

    shift: FloatArray
    error: FloatArray
    correlation: float
    weights: FloatArray


class Likeness:
    """R Y at LR, and X blurred as D does, to be read anywhere.

    Args:
        Y: (B, h, w), any values where invalid.
        seen_y: R Y, (b, h, w).
        valid_y: (h, w).
        splines: X blurred on the HR grid, as coefficients of cubic splines, (b, H, W).
        plain: The blurred X at the LR pixels, (b, h, w).
        valid_x: Where the kernel lies inside X and on enough valid pixels, (H, W).
        factor: s.
    """

    def __init__(
        self,
        Y: FloatArray,
        seen_y: FloatArray,
        valid_y: BoolArray,
        splines: FloatArray,
        plain: FloatArray,
        valid_x: BoolArray,
        factor: int,
    ) -> None:
        self.bands, self.factor, self.size = len(seen_y), factor, valid_y.shape
        self.plain, self.plain_valid = plain, valid_x[::factor, ::factor]
        self.Y, self.seen_y, self.valid_y = Y, seen_y, valid_y
        self._splines = splines
        self._valid_x = valid_x.astype(np.float32)
        thin = max(1, math.ceil(math.sqrt(valid_y.size / _MOST_PIXELS)))
        grid = np.stack(np.meshgrid(*(np.arange(0, side, thin) for side in valid_y.shape), indexing="ij"))
        self._at = grid.reshape(2, -1)[:, valid_y[grid[0], grid[1]].ravel()]  # the LR pixels compared, (2, n)
        self._targets = seen_y[:, self._at[0], self._at[1]]

    @classmethod
    def of(cls, scene: Scene, spatial: SpatialResponse, spectral: SpectralResponse | None) -> Likeness | None:
        """Prepare a scene; values under a mask have no part in anything. None where there is too little of it."""
        ones = torch.ones_like(scene.X[:, :1], dtype=torch.float64)
        inside = spatial.dense(ones)
        share = inside if scene.valid is None else spatial.dense(scene.valid.double())
        valid_lr = torch.ones_like(scene.Y[:, :1], dtype=torch.bool) if scene.valid_lr is None else scene.valid_lr
        s = spatial.factor
        whole = (inside >= _WHOLE)[..., ::s, ::s] & valid_lr
        for least in _SHARES:
            valid_x = (inside >= _WHOLE) & (share >= least)
            left = int((valid_x[..., ::s, ::s] & valid_lr).sum())
            if left >= max(LEAST_PIXELS, int(whole.sum()) / 2):
                break
        if left < LEAST_PIXELS:
            return None
        # without R the mean of all bands is what to begin with
        matrix = (
            torch.full((1, scene.bands), 1.0 / scene.bands, dtype=torch.float64)
            if spectral is None
            else spectral.matrix
        )
        RY = torch.zeros((1, len(matrix), *valid_lr.shape[-2:]), dtype=torch.float64)
        for band in range(scene.bands):  # float64 of the whole image may not fit the memory
            layer = torch.where(valid_lr, scene.Y[:, band : band + 1].double(), 0.0)
            RY += matrix[:, band, None, None] * layer
        RY = RY.expand(-1, scene.msi_bands, -1, -1)
        splines, plain = _blurred(scene, spatial, share)
        return cls(scene.Y[0].numpy(), RY[0].numpy(), valid_lr[0, 0].numpy(), splines, plain, valid_x[0, 0].numpy(), s)

    def regress(self, shift: FloatArray) -> None:
        """Put a regression of X D, read at a shift, on the principal components of Y in the place of R Y."""
        places = self._places(shift)
        usable = self._usable(places)
        pixels = self.Y[:, self._at[0], self._at[1]].astype(np.float64)
        pixels = pixels - pixels[:, usable].mean(axis=1, keepdims=True)
        gram = pixels[:, usable] @ pixels[:, usable].T
        _, vectors = np.linalg.eigh(gram)
        parts = vectors[:, -_COMPONENTS:].T @ pixels
        A = np.concatenate([parts, np.ones_like(parts[:1])])
        fit, *_ = np.linalg.lstsq(A[:, usable].T, self._read(places[:, usable], slice(None)).T)
        self._targets = fit.T @ A

    def count(self, shift: FloatArray) -> int:
        """Return how many LR pixels can be compared at a shift of all."""
        return int(self._usable(self._places(shift)).sum())

    def beginnings(self) -> list[FloatArray]:
        """Return no shift, and the whole one that the masked cross-correlation of the sums of the bands finds."""
        valid = self.valid_y, self.plain_valid
        images = []
        for image, mask in ((self.seen_y, valid[0]), (self.plain, valid[1])):
            inside = image[:, mask]
            spread = inside.std(axis=1)
            usable = spread > 0
            level = (image[usable] - inside.mean(axis=1)[usable, None, None]) / spread[usable, None, None]
            images.append(np.where(mask, level.sum(axis=0), 0.0))
        none = np.zeros(2)
        if not images[0].any() or not images[1].any():
            return [none]
        back, *_ = phase_cross_correlation(  # type: ignore[no-untyped-call]
            images[1], images[0], reference_mask=valid[1], moving_mask=valid[0]
        )
        found = -np.asarray(back, dtype=np.float64)
        return [none] if not found.any() or self.count(found) < LEAST_PIXELS else [none, found]

    def blocks(self) -> tuple[npt.NDArray[np.intp], list[tuple[int, int, int, int]]]:
        """Return the block of each compared LR pixel, and first row, first column, height and width of each block."""
        edges = []
        for side in self.size:
            parts = min(_MOST_BLOCKS, max(1, side // _BLOCK))
            edges.append(np.linspace(0, side, parts + 1).round().astype(int))
        row, column = (np.searchsorted(edge, at, side="right") - 1 for edge, at in zip(edges, self._at, strict=True))
        across = len(edges[1]) - 1
        places = [
            (int(top), int(left), int(bottom - top), int(right - left))
            for top, bottom in zip(edges[0][:-1], edges[0][1:], strict=True)
            for left, right in zip(edges[1][:-1], edges[1][1:], strict=True)
        ]
        return row * across + column, places

    def fit(
        self,
        start: FloatArray,
        *,
        bands: slice = slice(None),
        weights: FloatArray | None = None,
        labels: npt.NDArray[np.intp] | None = None,
        count: int = 1,
    ) -> Fit:
        """Minimise ``sum w_b (R Y - a_b (X D)(i - d) - c_b)^2`` over d, and over a_b and c_b, in every group alone.

        Args:
            start: d to begin with, (2,).
            bands: The MSI bands that count.
            weights: w_b; one over the variance of the band when None.
            labels: Group of each compared LR pixel, (n,); one group when None.
            count: Number of groups.
        """
        groups = np.zeros(self._at.shape[1], dtype=np.intp) if labels is None else labels
        shift = np.tile(np.asarray(start, dtype=np.float64), (count, 1))
        for _ in range(_STEPS):
            sums = self._sums(shift, groups, bands, weights)
            step = np.clip(sums.step, -_LONGEST, _LONGEST)
            shift = shift + step
            if np.abs(step).max() < _DONE:
                break
        sums = self._sums(shift, groups, bands, weights)
        return Fit(shift, sums.error, sums.correlation, sums.weights)

    def _places(self, shift: FloatArray) -> FloatArray:
        """Return the HR places of D at the compared LR pixels, (2, n), for shifts (2,) or (n, 2) in LR pixels."""
        return self.factor * (self._at - np.asarray(shift).T.reshape(2, -1))

    def _usable(self, places: FloatArray) -> BoolArray:
        inside = ndimage.map_coordinates(self._valid_x, places, order=1, mode="constant", cval=0.0)
        # Numerics: reading between four pixels, a place on the edge of the last one reads outside by rounding
        return np.asarray(inside > 0.999)

    def _read(self, places: FloatArray, bands: slice) -> FloatArray:
        splines = self._splines[bands]
        return np.stack([ndimage.map_coordinates(band, places, order=3, prefilter=False) for band in splines])

    def _sums(self, shift: FloatArray, groups: npt.NDArray[np.intp], bands: slice, weights: FloatArray | None) -> _Sums:
        count = len(shift)
        places = self._places(shift[groups])
        usable = self._usable(places)
        label, places = groups[usable], places[:, usable]

        def total(values: FloatArray) -> FloatArray:
            """Sum over the pixels of each group, (b, groups)."""
            return np.stack([np.bincount(label, band, minlength=count) for band in values])

        number = np.maximum(np.bincount(label, minlength=count), 1)

        def centred(values: FloatArray) -> FloatArray:
            return np.asarray(values - (total(values) / number)[:, label])

        target = centred(self._targets[bands][:, usable])
        value = centred(self._read(places, bands))
        slopes = []
        for axis in (0, 1):
            off = np.zeros((2, 1))
            off[axis] = _SLOPE
            rise = (self._read(places + off, bands) - self._read(places - off, bands)) / (2 * _SLOPE)
            slopes.append(centred(-self.factor * rise))  # of (X D)(i - d) in d, per LR pixel
        power_y, power_x = total(target**2), total(value**2)
        tiny = np.finfo(np.float64).tiny
        gain = total(target * value) / np.maximum(power_x, tiny)
        left = target - gain[:, label] * value
        # what a gain could do as well is no shift
        slopes = [slope - (total(slope * value) / np.maximum(power_x, tiny))[:, label] * value for slope in slopes]
        slopes = [gain[:, label] * slope for slope in slopes]
        missed = total(left**2)
        correlation = np.sqrt(np.clip(1.0 - missed.sum(axis=1) / np.maximum(power_y.sum(axis=1), tiny), 0.0, 1.0))
        correlation = np.where((gain * power_x).sum(axis=1) > 0, correlation, 0.0)
        free = max(1, int(usable.sum()) - 4)
        spread = np.maximum(missed.sum(axis=1), 1e-12 * power_y.sum(axis=1)) / free
        own = np.where(spread > 0, 1.0 / np.maximum(spread, tiny), 0.0)
        w = (own if weights is None else weights)[:, None]
        normal = np.empty((count, 2, 2))
        right = np.empty((count, 2))
        for i in (0, 1):
            right[:, i] = (w * total(slopes[i] * left)).sum(axis=0)
            for j in (0, 1):
                normal[:, i, j] = (w * total(slopes[i] * slopes[j])).sum(axis=0)
        misfit = (w * missed).sum(axis=0) / np.maximum(len(missed) * number - 2 * len(missed) - 2, 1)
        return _Sums(*_solve(normal, right, misfit, number), float(correlation.mean()), own)


def _blurred(scene: Scene, spatial: SpatialResponse, share: torch.Tensor) -> tuple[FloatArray, FloatArray]:
    """Return X blurred as D does, as spline coefficients (b, H, W), and at the LR pixels (b, h, w).

    Band by band: float64 of the whole image several times over may not fit the memory.
    """
    s = spatial.factor
    splines, plain = np.empty(scene.X.shape[1:]), []
    for band, X in enumerate(guide_bands(scene)):
        count = X.numel() if scene.valid is None else int(scene.valid.sum())
        blurred = spatial.dense(X)
        blurred /= share
        blurred[share <= _FILLED] = X.sum() / count
        blurred = blurred[0, 0]
        plain.append(blurred[::s, ::s].numpy().copy())
        ndimage.spline_filter(blurred.numpy(), order=3, output=splines[band])
    return splines, np.stack(plain)


@dataclass(frozen=True, eq=False)
class _Sums:
    """The next Gauss-Newton step (groups, 2), the standard error of a shift (groups,), correlation and weights."""

    step: FloatArray
    error: FloatArray
    correlation: float
    weights: FloatArray


def _solve(
    normal: FloatArray, right: FloatArray, misfit: FloatArray, number: npt.NDArray[Any]
) -> tuple[FloatArray, FloatArray]:
    """Solve the 2 x 2 systems; a group without detail, or of few pixels, does not move and has an infinite error."""
    trace, determinant = normal[:, 0, 0] + normal[:, 1, 1], np.linalg.det(normal)
    solvable = (determinant > 1e-9 * trace**2) & (trace > 0) & (number >= _LEAST_OF_GROUP)
    step, error = np.zeros_like(right), np.full(len(right), np.inf)
    if solvable.any():
        inverse = np.linalg.inv(normal[solvable])
        step[solvable] = np.einsum("gij,gj->gi", inverse, right[solvable])
        worst = np.maximum(inverse[:, 0, 0], inverse[:, 1, 1])
        error[solvable] = np.sqrt(np.maximum(worst * misfit[solvable], 0.0))
    return step, error
