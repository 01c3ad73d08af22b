"""R and D estimated together from a pair, each in turn with what the other was found to be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy.typing as npt

from hsrdiff.errors import InvalidValueError
from hsrdiff.observation.model import Observation
from hsrdiff.observation.psf_estimate import PsfEstimate, estimate_psf
from hsrdiff.observation.response_estimate import ResponseEstimate, estimate_response
from hsrdiff.observation.scene import Scene
from hsrdiff.observation.spatial import FWHM_PER_SIGMA, SpatialResponse
from hsrdiff.observation.spectral import SpectralResponse

# Standard deviation in LR pixels of the blur under which R is found: a PSF 30 % wider changes R Z by half a percent.
BLUR_LR = 1.0
_ROUNDS = 4
# Change of the width and of the centre, in LR pixels, under which a further round is of no use.
_SETTLED = 1e-3


@dataclass(frozen=True, eq=False)
class PairEstimate:
    """R and D of a pair.

    Attributes:
        observation: R and D; R as it was given where it was.
        response: How R was found, or None where it was given.
        psf: What was found of D, or None where the pair shows no detail to find it from; D is the one assumed where
            the pair does not fix it.
        rounds: How often both were found in turn.
    """

    observation: Observation
    response: ResponseEstimate | None
    psf: PsfEstimate | None
    rounds: int


def estimate_pair(
    scene: Scene,
    *,
    spectral: SpectralResponse | None = None,
    assumed: SpatialResponse | None = None,
    allowed: npt.ArrayLike | None = None,
    offset: bool = False,
) -> PairEstimate:
    """Find D, and R where it is not given, by `estimate_response` and `estimate_psf` in turn.

    R is found first, on images blurred further, where D hardly matters. Then D is found on the sharp images with that
    R, R with that D, and so on. A D that the pair does not fix is left as it is assumed.

    Args:
        scene: X, Y, their masks, and the wavelengths where known.
        spectral: R where it is known; each band's gain is found along with D.
        assumed: D to begin with; `SpatialResponse.gaussian` when None.
        allowed: True where an MSI band may see an HSI band, bool (b, B), as `estimate_response` takes it.
        offset: Whether X may have an offset in each band.

    Returns:
        The estimates.

    Raises:
        InvalidValueError: No LR pixel is valid in both images.
    """
    D = SpatialResponse.gaussian(scene.factor) if assumed is None else assumed
    if spectral is not None:
        only = _psf(scene, spectral, free=True)
        return PairEstimate(Observation(spectral, D if only is None or not only.known else only.spatial), None, only, 1)

    def response_for(D: SpatialResponse, smoothness: float | None = None) -> ResponseEstimate:
        return estimate_response(scene, D, blur_lr=BLUR_LR, allowed=allowed, offset=offset, smoothness=smoothness)

    first = response = response_for(D)
    psf: PsfEstimate | None = None
    rounds = 0
    while rounds < _ROUNDS:
        before, psf = psf, _psf(scene, response.spectral, free=False)
        if psf is None:
            return PairEstimate(Observation(first.spectral, D), first, None, rounds)
        # the weight of the smoothness was found in the first round; only R changes with D
        response = response_for(psf.spatial, response.smoothness)
        rounds += 1
        if before is not None and _change(before, psf) < _SETTLED:
            break
    psf = _psf(scene, response.spectral, free=True)
    if psf is None or not psf.known:
        return PairEstimate(Observation(first.spectral, D), first, psf, rounds)
    response = response_for(psf.spatial)
    return PairEstimate(Observation(response.spectral, psf.spatial), response, psf, rounds)


def _psf(scene: Scene, spectral: SpectralResponse, *, free: bool) -> PsfEstimate | None:
    """Return D found with an R, or None where the pair shows nothing to find it from."""
    try:
        return estimate_psf(scene, spectral, free=free)
    except InvalidValueError:
        return None


def _change(one: PsfEstimate, other: PsfEstimate) -> float:
    """Return the largest change of width or centre, LR pixels."""
    width = abs(one.gaussian.sigma - other.gaussian.sigma) * FWHM_PER_SIGMA / one.spatial.factor
    return max(width, *(abs(a - b) for a, b in zip(one.shift_lr, other.shift_lr, strict=True)))
