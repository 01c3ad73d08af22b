"""Noise levels of a pair, from the two images themselves and from how far they disagree."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from hsrdiff.observation.guide import guide_at_lr, guide_bands
from hsrdiff.observation.image_noise import estimate_noise_hr, estimate_noise_lr, filled, roughness
from hsrdiff.observation.scene import Scene
from hsrdiff.observation.spatial import SpatialResponse
from hsrdiff.observation.white_share import white_share

# Pairs that agree to this share of X are one cube seen twice: what is left is the rounding of float32.
EXACT = 1e-5
_WHOLE = 1.0 - 1e-9


@dataclass(frozen=True)
class NoiseLevels:
    """Noise levels of a pair and what they were found from.

    Attributes:
        sigma_x: Standard deviation of the noise of X, in its units; 0 where the images agree exactly.
        sigma_y: Standard deviation of the noise of Y, likewise.
        disagreement: Root mean square of R Y - X D over that of X D.
        model_error: Root mean square of the part of R Y - X D that neither noise seen in the images nor a wrong place
            explains; a part of sigma_x.
        misplaced: Root mean square of the part that a wrong place or PSF explains; no part of either level.
    """

    sigma_x: float
    sigma_y: float
    disagreement: float
    model_error: float
    misplaced: float = 0.0

    def describe(self, unit_x: float = 1.0, unit_y: float = 1.0) -> str:
        """Say in words what was found.

        Args:
            unit_x: What one unit of X is in the reader's unit.
            unit_y: What one unit of Y is, likewise.

        Returns:
            One line.
        """
        if not self.sigma_x and not self.sigma_y:
            return f"none; the images disagree by {100 * self.disagreement:.2g} % of their values"
        found = (
            f"HSI {self.sigma_y * unit_y:.3g}, MSI {self.sigma_x * unit_x:.3g}; "
            f"the images disagree by {100 * self.disagreement:.3g} % of their values"
        )
        beyond = f", of which {self.model_error * unit_x:.3g} is more than noise" if self.model_error else ""
        if self.misplaced:
            beyond += f", and {self.misplaced * unit_x:.3g} looks like a shift or another PSF"
        return found + beyond


def pair_noise(scene: Scene, sigma_x: float | None = None, sigma_y: float | None = None) -> NoiseLevels:
    """Estimate both noise levels and hold them against the disagreement of the pair.

    For each MSI band, ``R Y - X D`` has variance ``sigma_y^2 |R|^2 + sigma_x^2 |k|^2``. Images that agree exactly
    have no noise that matters, whatever detail they hold. Where they disagree less than their own noise would make
    them, part of that noise is common to both, or is detail: the levels are lowered, that of X, the less certain,
    twice as fast (in decibels). Where they disagree more, the rest is error of R, D or the registration. Where it
    follows the slopes and curvatures of X more than its colours it is a wrong place or PSF (`_misplaced`): it is said
    and counts as noise of neither, since trusting either image alone costs more than meeting both halfway. Else it
    counts as noise of X, so that no method forces the images together: as it stands, but for the part whose neighbours
    go together no more than white noise does under D (`white_share`), which is noise of X before D averaged it, as far
    as X is rough enough to hold it.

    Args:
        scene: X, Y, their masks and the observation.
        sigma_x: Noise of X where known: it is kept as it is.
        sigma_y: Noise of Y where known, likewise.

    Returns:
        The levels; those estimated without an observation where the scene has none.
    """
    found_x = estimate_noise_hr(scene.X, scene.valid) if sigma_x is None else sigma_x
    found_y = estimate_noise_lr(scene.Y, scene.valid_lr) if sigma_y is None else sigma_y
    if scene.observation is None:
        return NoiseLevels(found_x, found_y, 0.0, 0.0)
    spectral, spatial = scene.observation.spectral, scene.observation.spatial
    Y = filled(scene.Y, scene.valid_lr).double()
    X_lr = guide_at_lr(scene, spatial)
    usable = torch.ones_like(X_lr[:, :1], dtype=torch.bool)
    if scene.valid is not None:
        usable &= spatial.apply(scene.valid.double()) >= _WHOLE
    if scene.valid_lr is not None:
        usable &= scene.valid_lr
    if not usable.any():
        return NoiseLevels(found_x, found_y, 0.0, 0.0)
    bent = _derivatives(scene, spatial)[:, :, usable[0, 0]][0]
    maps = spectral.apply(Y)[0] - X_lr[0], X_lr[0]
    X_lr = X_lr[:, :, usable[0, 0]]
    apart = spectral.apply(Y)[:, :, usable[0, 0]] - X_lr
    seen, size = float(apart.square().mean()), float(X_lr.square().mean())
    relative = math.sqrt(seen / size) if size else 0.0
    if relative <= EXACT and sigma_x is None and sigma_y is None:
        return NoiseLevels(0.0, 0.0, relative, 0.0)
    gain_y = float(spectral.matrix.square().sum(dim=1).mean())
    gain_x = float(spatial.kernel.square().sum())
    from_y, from_x = gain_y * found_y**2, gain_x * found_x**2
    given = (from_y if sigma_y is not None else 0.0) + (from_x if sigma_x is not None else 0.0)
    free_y = from_y if sigma_y is None else 0.0
    free_x = from_x if sigma_x is None else 0.0
    share = _lowered(free_y, free_x, max(seen - given, 0.0))
    excess = max(seen - from_y - from_x, 0.0)
    misplaced = excess if excess and _misplaced(apart[0], X_lr[0], bent) else 0.0
    if sigma_y is None:
        found_y *= math.sqrt(share)
    wrong = max(excess - misplaced, 0.0)
    if sigma_x is None:
        lowered = share * found_x
        if wrong:
            white = white_share(*maps, usable[0, 0], spatial) * wrong
            seen_white = min(white, gain_x * max(roughness(scene.X, scene.valid) ** 2 - lowered**2, 0.0))
            wrong -= seen_white
            lowered = math.hypot(lowered, math.sqrt(seen_white / gain_x))
        found_x = math.hypot(lowered, math.sqrt(wrong))
    return NoiseLevels(found_x, found_y, relative, math.sqrt(wrong), math.sqrt(misplaced))


def _derivatives(scene: Scene, spatial: SpatialResponse) -> torch.Tensor:
    """Slopes along both axes and the Laplacian of X, averaged as D does, shape (1, 3 b, h, w)."""
    found: tuple[list[torch.Tensor], ...] = ([], [], [])
    for X in guide_bands(scene):
        edges = F.pad(X, (1, 1, 1, 1), mode="replicate")
        found[0].append(spatial.apply(edges[..., 2:, 1:-1] - edges[..., :-2, 1:-1]))
        found[1].append(spatial.apply(edges[..., 1:-1, 2:] - edges[..., 1:-1, :-2]))
        around = edges[..., 2:, 1:-1] + edges[..., :-2, 1:-1] + edges[..., 1:-1, 2:] + edges[..., 1:-1, :-2]
        found[2].append(spatial.apply(around - 4.0 * X))
    return torch.cat([band for kind in found for band in kind], dim=1)


def _misplaced(apart: torch.Tensor, X_lr: torch.Tensor, bent: torch.Tensor) -> bool:
    """Tell whether slopes and curvatures leave less of the disagreement than colours do.

    A wrong response makes images differ as a function of colour; a shift by d and another PSF, to first order, by
    ``d . grad X`` and by a multiple of the Laplacian. Both are fitted by least squares, with their degrees of freedom.

    Args:
        apart: R Y - X D, shape (b, N).
        X_lr: X D, shape (b, N).
        bent: Derivatives, shape (3 b, N).

    Returns:
        True where they do; False where there are too few pixels to tell.
    """
    ones = torch.ones_like(X_lr[:1])

    def left(*regressors: torch.Tensor) -> float:
        A = torch.cat(regressors)
        free = A.shape[1] - len(A)
        if free < len(A):
            return math.nan
        scale = A.square().mean(dim=1, keepdim=True).sqrt().clamp_min(torch.finfo(A.dtype).tiny)
        fit = torch.linalg.lstsq((A / scale).T, apart.T, driver="gelsd").solution
        return float((apart.T - (A / scale).T @ fit).square().sum()) / free

    return left(ones, bent) < left(ones, X_lr)


def _lowered(from_y: float, from_x: float, seen: float) -> float:
    """Return u in 0..1 with ``from_y u + from_x u^2 = seen``, or 1 where both stay below what is seen."""
    if from_y + from_x <= seen:
        return 1.0
    # Numerics: the root of the quadratic without cancellation
    return 2.0 * seen / (from_y + math.sqrt(from_y**2 + 4.0 * from_x * seen))
