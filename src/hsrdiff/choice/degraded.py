"""Wald's protocol on a pair without truth: both images degraded once more, so that Y is the truth of the new pair."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from hsrdiff.fusers.base import require_observation
from hsrdiff.fusers.masking import fill_invalid, output_mask
from hsrdiff.fusers.regression import MINIMUM_SHARE, WHOLE_SHARE
from hsrdiff.observation import Observation, Scene, SpatialResponse, SpectralResponse
from hsrdiff.observation.guide import guide_at_lr
from hsrdiff.observation.scene_part import most_seen
from hsrdiff.observation.spatial import FWHM_PER_SIGMA

LEAST_PIXELS = 64  # of the degraded Y: fewer say too little about a method
WINDOW = 256  # largest side, in pixels of Y, of the part that is degraded: the choice costs no more on larger scenes
_LEAST_SIGMA = 0.1  # px, of a kernel that is a single pixel

FitResponse = Callable[[Scene, SpatialResponse], SpectralResponse]


@dataclass(frozen=True)
class Degraded:
    """A pair whose truth is the Y of the pair that it was made from.

    Attributes:
        scene: X D and Y D', with Z = Y, without a mask of X: what is invalid is filled alike in both.
        counted: True where the truth is a measured pixel, bool (1, 1, h, w).
        remarks: What was done otherwise than degrading the whole pair by its own factor.
    """

    scene: Scene
    counted: torch.Tensor
    remarks: tuple[str, ...] = ()

    @property
    def pixels(self) -> int:
        """Valid pixels of the degraded Y."""
        seen = self.scene.valid_lr
        return self.scene.Y[0, 0].numel() if seen is None else int(seen.sum())

    @property
    def truth(self) -> torch.Tensor:
        """Z of the degraded pair, (1, B, h, w): the Y of the pair it was made from."""
        assert self.scene.Z is not None  # degrade() sets it
        return self.scene.Z

    @property
    def scored(self) -> torch.Tensor:
        """True where the truth is measured and inside a valid pixel of the degraded Y, bool (1, 1, h, w)."""
        return self.counted & output_mask(self.scene)


def degrade(scene: Scene, *, model_error: float = 0.0, fit_response: FitResponse | None = None) -> Degraded | None:
    """Return the pair (X D, Y D'), consistent where (X, Y) is: R Y = X D gives R (Y D') = (X D) D'.

    D' is D where enough pixels are left, else a Gaussian as wide in its own pixels for the largest factor that
    leaves `LEAST_PIXELS`. The noise of each image shrinks by the root of the sum of squares of its kernel.

    Args:
        scene: X, Y, their masks, noise levels and observation.
        model_error: Part of ``scene.sigma_x`` that is no noise but error of R, D or the registration, which
            averages do not lower, in the units of X.
        fit_response: Fits R to a pair; given where R is not known but fitted, as the degraded pair needs its own.

    Returns:
        The degraded pair, or None where it would have fewer than `LEAST_PIXELS` valid pixels.

    Raises:
        InputError: The scene has no observation.
    """
    observation = require_observation(scene, "the comparison of methods")
    X, seen = _guide_at_lr(scene, observation.spatial)
    rows, columns, _ = most_seen(seen[0, 0], WINDOW)
    remarks = []
    if (rows.stop - rows.start, columns.stop - columns.start) != tuple(seen.shape[-2:]):
        remarks.append(f"on a part of {rows.stop - rows.start} x {columns.stop - columns.start} coarse pixels")
    X, Y, seen = (image[..., rows, columns] for image in (X, scene.Y, seen))
    D = _coarser(observation.spatial, seen)
    if D is None:
        return None
    if D.factor != observation.spatial.factor:
        remarks.append(f"by {D.factor} rather than {observation.spatial.factor}, which would leave too few pixels")
    height, width = (side // D.factor * D.factor for side in seen.shape[-2:])
    X, Y, seen = (image[..., :height, :width] for image in (X, Y, seen))
    # filled alike, the two images stay consistent where neither has data
    X, Y = fill_invalid(X, seen).to(scene.X), fill_invalid(Y, seen)
    usable = D.apply(seen.double()) >= MINIMUM_SHARE
    noise = math.sqrt(max(scene.sigma_x**2 - model_error**2, 0.0)) * _gain(observation.spatial)
    degraded = Scene(
        X=X,
        Y=D.apply(Y.double()).to(Y),
        observation=Observation(observation.spectral, D),
        Z=Y,
        valid_lr=None if bool(usable.all()) else usable,
        sigma_x=math.hypot(noise, min(model_error, scene.sigma_x)),
        sigma_y=scene.sigma_y * _gain(D),
        wavelengths_nm=scene.wavelengths_nm,
        name=scene.name,
    )
    if fit_response is not None:
        degraded = replace(degraded, observation=Observation(fit_response(degraded, D), D))
    return Degraded(degraded.check(), seen, tuple(remarks))


def _guide_at_lr(scene: Scene, D: SpatialResponse) -> tuple[torch.Tensor, torch.Tensor]:
    """Return X D, float64, and where both it and Y are seen.

    Where fewer than half of the valid pixels of Y see valid pixels of X only, those that see mostly such count too.
    """
    ones = torch.ones_like(scene.Y[:, :1], dtype=torch.bool)
    seen_lr = ones if scene.valid_lr is None else scene.valid_lr
    if scene.valid is None or bool(scene.valid.all()):
        return guide_at_lr(scene, D), seen_lr
    share = D.apply(scene.valid.double())
    seen = seen_lr & (share >= WHOLE_SHARE)
    if 2 * seen.sum() < seen_lr.sum():
        seen = seen_lr & (share >= MINIMUM_SHARE)
    return guide_at_lr(scene, D) / share.clamp_min(MINIMUM_SHARE), seen


def _coarser(D: SpatialResponse, seen: torch.Tensor) -> SpatialResponse | None:
    """Return the D' of the largest factor, D's own at most, that leaves enough valid pixels."""
    for factor in range(D.factor, 1, -1):
        height, width = (side // factor * factor for side in seen.shape[-2:])
        if height // factor * (width // factor) < LEAST_PIXELS:
            continue
        coarser = D if factor == D.factor else _scaled(D, factor)
        share = coarser.apply(seen[..., :height, :width].double())
        if int((share >= MINIMUM_SHARE).sum()) >= LEAST_PIXELS:
            return coarser
    return None


def _scaled(D: SpatialResponse, factor: int) -> SpatialResponse:
    """Return a Gaussian for another factor, as wide as D in units of the LR pixel."""
    u = torch.arange(D.size, dtype=torch.float64) - (D.size - 1) / 2
    profile = (D.kernel.sum(dim=0) + D.kernel.sum(dim=1)) / 2
    variance = float((profile * u.square()).sum())
    sigma = max(math.sqrt(max(variance, 0.0)) * factor / D.factor, _LEAST_SIGMA)
    size = factor if D.offset == 0 else factor + 2 * math.ceil(sigma * FWHM_PER_SIGMA / 2)
    return SpatialResponse.gaussian(factor, sigma=sigma, size=size, border=D.border)


def _gain(D: SpatialResponse) -> float:
    """What a kernel makes of white noise of standard deviation 1."""
    return math.sqrt(float(D.kernel.square().sum()))
