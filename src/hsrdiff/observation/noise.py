"""Noise levels of a pair, from the two images themselves and from how far they disagree."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from hsrdiff.observation.scene import Scene
from hsrdiff.observation.spatial import SpatialResponse
from hsrdiff.observation.white_share import white_share
from hsrdiff.typing import LRHSI, MSI

# Pairs that agree to this share of X are one cube seen twice: what is left is the rounding of float32.
EXACT = 1e-5
# Side of the blocks of X, and the share of blocks, those with the least detail, that show its noise.
_BLOCK, _QUIET = 8, 0.1
# LR pixels for each band that is regressed on: fewer make the residual itself uncertain.
_PIXELS_PER_BAND = 4
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


def estimate_noise_lr(Y: LRHSI, valid: torch.Tensor | None = None) -> float:
    """Estimate the noise of an image of many bands by what its other bands do not explain.

    Every band is regressed on the bands nearest to it, as many as the pixels allow; the median over bands of the
    residual variances, each with its degrees of freedom, is the noise. Real detail is shared by bands and drops out.

    Args:
        Y: Shape (1, B, h, w).
        valid: True where Y may be used, (1, 1, h, w), or None for everywhere.

    Returns:
        Standard deviation in the units of Y; that of `estimate_noise_hr` where there are too few bands or pixels.
    """
    pixels = Y[0].flatten(1).double()
    if valid is not None:
        pixels = pixels[:, valid.flatten()]
    bands, count = pixels.shape
    near = min(bands - 1, count // _PIXELS_PER_BAND)
    if near < 2:
        return estimate_noise_hr(Y, valid)
    centred = pixels - pixels.mean(dim=1, keepdim=True)
    gram = centred @ centred.T
    scale = gram.diagonal().mean()
    if not float(scale):
        return 0.0
    free = count - 1 - near
    variances = torch.empty(bands, dtype=torch.float64)
    for band in range(bands):
        # the window of near + 1 bands round this one, moved inside the spectrum
        first = min(max(band - (near + 1) // 2, 0), bands - near - 1)
        others = [other for other in range(first, first + near + 1) if other != band]
        # Numerics: the ridge only keeps bands that repeat others solvable
        square = gram[others][:, others] + 1e-13 * scale * torch.eye(near, dtype=torch.float64)
        weights = torch.linalg.solve(square, gram[others, band])
        variances[band] = (centred[band] - weights @ centred[others]).square().sum() / free
    return math.sqrt(float(variances.median()))


def roughness(X: MSI, valid: torch.Tensor | None = None) -> float:
    """Return the white noise that the quietest blocks of an image could hold, also noise that its bands share.

    As `estimate_noise_hr`, without taking out what the other bands explain: an upper bound of it.

    Args:
        X: Shape (1, b, H, W).
        valid: True where X may be used, (1, 1, H, W), or None for everywhere.

    Returns:
        Standard deviation in the units of X, root mean square over bands; 0 where there is no whole block.
    """
    levels = [estimate_noise_hr(X[:, band : band + 1], valid) for band in range(X.shape[1])]
    return math.sqrt(sum(level**2 for level in levels) / len(levels))


def estimate_noise_hr(X: MSI, valid: torch.Tensor | None = None) -> float:
    """Estimate the noise of an image of few bands by its quietest blocks.

    A second difference along both axes is taken of every band. In each block of 8 x 8 pixels it is regressed on
    that of the other bands, so that texture they share drops out. The tenth of the blocks with the least left is
    compared with the same tenth of white noise of variance 1 on the same grid; the median over bands is the noise.

    Args:
        X: Shape (1, b, H, W).
        valid: True where X may be used, (1, 1, H, W), or None for everywhere.

    Returns:
        Standard deviation in the units of X; 0 where there is no whole block.
    """
    if min(X.shape[-2:]) < 3:  # not one second difference
        return 0.0
    seen = torch.ones_like(X[:, :1], dtype=torch.bool) if valid is None else valid
    image = _filled(X, valid).double()
    whole = (_windows(seen.double(), 3).amin(dim=-1) > _WHOLE)[:, 0]  # (1, H - 2, W - 2)
    left = _left_in_blocks(image, whole)
    if not left.numel():
        return 0.0
    # Numerics: drawn from a fixed seed, so that the same image has the same noise in every run
    draw = torch.Generator().manual_seed(0)
    white = torch.randn(image.shape, generator=draw, dtype=torch.float64)
    unit = _left_in_blocks(white, whole)
    ratios = _quiet(left) / _quiet(unit)
    return math.sqrt(float(ratios.median()))


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
    X = _filled(scene.X, scene.valid).double()
    Y = _filled(scene.Y, scene.valid_lr).double()
    X_lr = spatial.apply(X)
    usable = torch.ones_like(X_lr[:, :1], dtype=torch.bool)
    if scene.valid is not None:
        usable &= spatial.apply(scene.valid.double()) >= _WHOLE
    if scene.valid_lr is not None:
        usable &= scene.valid_lr
    if not usable.any():
        return NoiseLevels(found_x, found_y, 0.0, 0.0)
    bent = _derivatives(X, spatial)[:, :, usable[0, 0]][0]
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


def _derivatives(X: MSI, spatial: SpatialResponse) -> torch.Tensor:
    """Slopes along both axes and the Laplacian of X, averaged as D does, shape (1, 3 b, h, w)."""
    edges = F.pad(X, (1, 1, 1, 1), mode="replicate")
    down, right = edges[..., 2:, 1:-1] - edges[..., :-2, 1:-1], edges[..., 1:-1, 2:] - edges[..., 1:-1, :-2]
    around = edges[..., 2:, 1:-1] + edges[..., :-2, 1:-1] + edges[..., 1:-1, 2:] + edges[..., 1:-1, :-2]
    return torch.cat([spatial.apply(image) for image in (down, right, around - 4.0 * X)], dim=1)


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


def _filled(image: torch.Tensor, valid: torch.Tensor | None) -> torch.Tensor:
    """Return the image with 0 where it is invalid: such pixels are never counted."""
    return image if valid is None else torch.where(valid, image, torch.zeros((), dtype=image.dtype))


def _windows(image: torch.Tensor, side: int) -> torch.Tensor:
    """Return every side x side window, shape (n, c, H - side + 1, W - side + 1, side^2)."""
    return image.unfold(2, side, 1).unfold(3, side, 1).flatten(-2)


def _left_in_blocks(image: torch.Tensor, whole: torch.Tensor) -> torch.Tensor:
    """Return the variance (b, blocks) of the second differences that the other bands do not explain."""
    rough = image[..., 2:, :] - 2.0 * image[..., 1:-1, :] + image[..., :-2, :]
    rough = (rough[..., 2:] - 2.0 * rough[..., 1:-1] + rough[..., :-2])[0] / 6.0
    bands, height, width = rough.shape
    rows, cols = height // _BLOCK, width // _BLOCK
    if not rows or not cols:
        return rough.new_empty(bands, 0)
    rough, kept = rough[:, : rows * _BLOCK, : cols * _BLOCK], whole[:, : rows * _BLOCK, : cols * _BLOCK]

    def blocks(part: torch.Tensor) -> torch.Tensor:
        parts = part.reshape(-1, rows, _BLOCK, cols, _BLOCK).permute(1, 3, 0, 2, 4)
        return parts.reshape(rows * cols, -1, _BLOCK * _BLOCK)

    tiles = blocks(rough)[blocks(kept)[:, 0].all(dim=-1)]  # (blocks, b, 64)
    gram = tiles @ tiles.transpose(1, 2) / _BLOCK**2
    # a block that is constant in a band, such as a clipped one, says nothing about noise
    gram = gram[(gram.diagonal(dim1=1, dim2=2) > 0).all(dim=1)]
    if not len(gram):
        return rough.new_empty(bands, 0)
    least = gram.diagonal(dim1=1, dim2=2).mean(dim=1)[:, None, None]
    gram = gram + 1e-12 * least * torch.eye(bands, dtype=gram.dtype)
    # the residual of a band on all the others is one over the diagonal of the inverse
    variance: torch.Tensor = torch.linalg.inv(gram).diagonal(dim1=1, dim2=2).reciprocal().T
    return variance


def _quiet(left: torch.Tensor) -> torch.Tensor:
    """Return the level under which the quietest tenth of the blocks lies, per band."""
    return torch.quantile(left[:, :: max(1, left.shape[1] // 1_000_000)], _QUIET, dim=1)
