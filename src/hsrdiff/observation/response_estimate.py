"""R estimated from the pair itself: non-negative and as smooth as held-out pixels ask for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import nnls

from hsrdiff.errors import InputError, ShapeError
from hsrdiff.observation.scene import Scene
from hsrdiff.observation.shared_pixels import FOLDS, SharedPixels, shared_pixels, triangle
from hsrdiff.observation.spatial import SpatialResponse
from hsrdiff.observation.spectral import SpectralResponse
from hsrdiff.typing import BoolArray, FloatArray

# Weights of the smoothness, relative to the mean diagonal of the normal matrix: exact pairs ask for none, noisy ones
# for 1e-3 to 1e-2, pairs whose PSF is not known for more.
SMOOTHNESS = (0.0, 1e-6, 1e-4, 1e-3, 1e-2, 1e-1)
# Errors on held-out pixels this close to the least are equal to it: the smoothest of equals is taken.
_EQUAL = 1.02
_GAP = 3.0  # centres further apart than this many median spacings are no neighbours


@dataclass(frozen=True, eq=False)
class ResponseEstimate:
    """R found from a pair, and how well the pair fixes it.

    R itself can be far off where R Z is right, since spectra of one scene span few directions: `error` judges R Z.

    Attributes:
        spectral: R, non-negative; rows are not normalised, as the two images may be in different units.
        offset: What X has where Y is 0, shape (b,), in the unit of X; zeros where not asked for.
        error: Root mean square of ``R Y + offset - X D`` over that of X D per MSI band, shape (b,), over pixels held
            out of the fit.
        directions: How many of the B directions of R the pair fixes better than to their own size.
        smoothness: Weight of the smoothness that was taken, relative to the mean diagonal of the normal matrix.
        pixels: LR pixels used.
    """

    spectral: SpectralResponse
    offset: FloatArray
    error: FloatArray
    directions: int
    smoothness: float
    pixels: int

    def describe(self) -> str:
        """Say in words what was found."""
        bands = self.spectral.bands
        words = (
            f"fitted to {self.pixels} coarse pixels; it tells the multispectral bands of pixels left out of the fit to "
            f"{100 * self.error.min():.2g}-{100 * self.error.max():.2g} %"
        )
        if self.directions < bands:
            words += f"; the pair fixes {self.directions} of the {bands} directions of each response, so use R only "
            words += "on spectra like these"
        return words


def estimate_response(
    scene: Scene,
    spatial: SpatialResponse,
    *,
    blur_lr: float = 0.0,
    allowed: npt.ArrayLike | None = None,
    offset: bool = False,
    smoothness: float | None = None,
) -> ResponseEstimate:
    """Fit R: per MSI band ``min |X D - r Y - o|^2 + lam |E r|^2`` with ``r >= 0``.

    E takes differences of neighbouring bands. ``lam = c trace(Y Y^T) / B``, so that the result follows the unit of
    the images; c is the one of `SMOOTHNESS` with the least error on held-out pixels.

    Args:
        scene: X, Y, their masks, and the wavelengths where known.
        spatial: D, or a guess of it together with a blur.
        blur_lr: Standard deviation in LR pixels of a further blur of both images, so that a wrong D hardly matters.
        allowed: True where an MSI band may see an HSI band, bool (b, B); everywhere when None.
        offset: Whether to fit o; else it is 0.
        smoothness: c, at least 0, in place of the search.

    Returns:
        The estimate.

    Raises:
        InvalidValueError: No LR pixel is seen by both images.
        ShapeError: `allowed` is not (b, B).
        InputError: An MSI band is allowed no HSI band.
    """
    may = _allowed(allowed, scene.msi_bands, scene.bands)
    pixels = shared_pixels(scene, spatial, blur_lr=blur_lr)
    problem = _Problem(pixels, _differences(scene), may, offset)
    if smoothness is None:
        errors = np.stack([problem.held_out(c) for c in SMOOTHNESS])
        mean = errors.mean(axis=1)
        chosen = int(np.flatnonzero(mean <= _EQUAL * mean.min()).max())
        smoothness, error = SMOOTHNESS[chosen], errors[chosen]
    else:
        error = problem.held_out(smoothness)
    matrix, offsets = problem.solve(problem.whole, smoothness)
    return ResponseEstimate(
        SpectralResponse(torch.from_numpy(matrix)),
        offsets,
        np.sqrt(error),
        problem.directions(matrix, error),
        smoothness,
        pixels.Y.shape[1],
    )


class _Problem:
    """The least-squares problem as triangles, one for each fold, so that every further solution is small."""

    def __init__(self, pixels: SharedPixels, E: FloatArray, allowed: BoolArray, offset: bool) -> None:
        self.E, self.allowed, self.bands = E, allowed, len(pixels.Y)
        self.unit = float(np.sqrt(np.square(pixels.Y).mean())) or 1.0
        self.energy = np.square(pixels.X_lr).mean(axis=1)
        self.count = pixels.Y.shape[1]
        # nnls knows no sign but plus: an offset is the difference of two of its unknowns
        ones = np.full((2 if offset else 0, self.count), self.unit) * np.array([[1.0], [-1.0]])[: 2 if offset else 0]
        samples = np.concatenate([pixels.Y, ones, pixels.X_lr])
        self.unknowns = self.bands + len(ones)
        folds = pixels.folds
        self.sizes = [int((folds == fold).sum()) for fold in range(FOLDS)]
        self.parts = [triangle(samples[:, folds == fold]) for fold in range(FOLDS)]
        self.whole = np.linalg.qr(np.concatenate(self.parts)).R

    def solve(self, T: FloatArray, smoothness: float) -> tuple[FloatArray, FloatArray]:
        """Return R (b, B) and the offsets (b,)."""
        A, targets = T[:, : self.unknowns], T[:, self.unknowns :]
        weight = np.sqrt(smoothness * np.square(A[:, : self.bands]).sum() / self.bands)
        rows, offsets = [], []
        for target, may in zip(targets.T, self.allowed, strict=True):
            kept = np.concatenate([may, np.ones(self.unknowns - self.bands, dtype=bool)])
            # a difference towards a band that may not be seen says nothing
            E = np.pad(self.E[~(self.E[:, ~may] != 0).any(axis=1)], ((0, 0), (0, self.unknowns - self.bands)))
            matrix = np.concatenate([A, weight * E]) if weight else A
            found = np.zeros(self.unknowns)
            right = np.concatenate([target, np.zeros(len(matrix) - len(A))])
            found[kept] = nnls(matrix[:, kept], right, maxiter=30 * self.unknowns)[0]
            rows.append(found[: self.bands])
            rest = found[self.bands :]
            offsets.append(self.unit * (rest[0] - rest[1]) if rest.size else 0.0)
        return np.stack(rows), np.asarray(offsets)

    def held_out(self, smoothness: float) -> FloatArray:
        """Return the mean square error on held-out pixels over the mean square of X D, (b,).

        Where a single fold holds all pixels, it is that of the fit.
        """
        squares, b = np.zeros(len(self.energy)), len(self.energy)
        filled = [fold for fold in range(FOLDS) if self.sizes[fold]]
        for fold in filled:
            others = [self.parts[other] for other in filled if other != fold or len(filled) == 1]
            rows, offsets = self.solve(np.linalg.qr(np.concatenate(others)).R, smoothness)
            extra = self.unknowns - self.bands
            half = offsets[:, None] / (2 * self.unit) * np.array([[1.0, -1.0]])[:, :extra]
            found = np.concatenate([rows, half, -np.eye(b)], axis=1)
            squares += np.square(self.parts[fold] @ found.T).sum(axis=0)
        energy: FloatArray = np.where(self.energy > 0, self.energy, 1.0)
        return np.asarray(squares / self.count / energy)

    def directions(self, matrix: FloatArray, error: FloatArray) -> int:
        """Count the directions in which the standard error of a response is below its root mean square."""
        variances = np.square(np.linalg.svd(self.whole[:, : self.bands], compute_uv=False))
        size = np.square(matrix).sum(axis=1) / self.bands
        level = float(np.median(error * self.energy / np.where(size > 0, size, np.inf)))
        return int((variances > level).sum())


def _allowed(allowed: npt.ArrayLike | None, msi_bands: int, bands: int) -> BoolArray:
    if allowed is None:
        return np.ones((msi_bands, bands), dtype=bool)
    may = np.asarray(allowed, dtype=bool)
    if may.shape != (msi_bands, bands):
        raise ShapeError(f"the allowed bands have shape {may.shape}", expected=f"({msi_bands}, {bands})")
    if not may.any(axis=1).all():
        raise InputError(
            f"multispectral band {int(np.flatnonzero(~may.any(axis=1))[0]) + 1} is allowed no hyperspectral band",
            expected="at least one",
            do="leave that band out, or allow a wider range",
        )
    return may


def _differences(scene: Scene) -> FloatArray:
    """Return E, differences of bands next to each other in wavelength, shape (at most B - 1, B)."""
    order, near = np.arange(scene.bands), np.ones(max(scene.bands - 1, 0), dtype=bool)
    if scene.wavelengths_nm is not None and scene.bands > 1:
        order = np.argsort(scene.wavelengths_nm, kind="stable")
        spacing = np.diff(np.asarray(scene.wavelengths_nm)[order])
        near = spacing <= _GAP * np.median(spacing)
    E = np.zeros((len(near), scene.bands))
    E[np.arange(len(near)), order[:-1]], E[np.arange(len(near)), order[1:]] = -1.0, 1.0
    return E[near]
