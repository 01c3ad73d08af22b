"""Agreement: R and D as `fuse` takes them and as the pair itself says, and how far the pair disagrees with either."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from hsrdiff.jobs.doubts import APART
from hsrdiff.jobs.finding import Finding
from hsrdiff.jobs.matched import describe_match
from hsrdiff.jobs.told import fitted_response
from hsrdiff.observation import (
    BandMatch,
    Disagreement,
    Observation,
    PsfEstimate,
    ResponseEstimate,
    Scene,
    SpatialResponse,
    SpectralResponse,
    disagreement,
    estimate_pair,
    estimate_response,
)
from hsrdiff.observation.pair_estimate import BLUR_LR
from hsrdiff.observation.psf_estimate import spread
from hsrdiff.sensors import Sensor
from hsrdiff.typing import BoolArray, FloatArray

# R Y and X D that share less than this do not show one place at one time; those that share more than the second do.
_STRANGERS, _RELATED = 0.6, 0.9
# Displacement in LR pixels, width of the PSF over the assumed one, and spread of the gains that are worth a word.
_WIDTH, _GAINS = 1.25, 1.5
_MARGIN_NM = 20.0  # what a response may reach beyond its table
_MOST_CHANGED = 0.5


@dataclass(frozen=True, eq=False)
class Agreement:
    """What the pair says of R and D.

    Attributes:
        spectral: R as `fuse` has it: that of the sensor, or fitted with the assumed D.
        spatial: D as it is assumed.
        fitted: R fitted to the pair with D estimated, within the sensor's ranges where there is one.
        psf: D estimated, or None where the pair shows no detail.
        assumed: Disagreement with `spectral` and `spatial`, apart from blocks that changed.
        estimated: Disagreement with both estimated, of the whole pair.
        match: Gain and offset that each MSI band was matched by before, or None.
    """

    spectral: SpectralResponse
    spatial: SpatialResponse
    fitted: ResponseEstimate
    psf: PsfEstimate | None
    assumed: Disagreement
    estimated: Disagreement
    match: BandMatch | None = None

    @property
    def gain(self) -> FloatArray:
        """What R Y is multiplied by to come nearest to X D, as X was before it was matched, (b,)."""
        return self.assumed.gain * (1.0 if self.match is None else self.match.gain)


def find_agreement(
    scene: Scene,
    spectral: SpectralResponse | None,
    spatial: SpatialResponse,
    sensor: Sensor | None,
    match: BandMatch | None = None,
) -> Agreement:
    """Estimate R and D, and hold the pair against them and against what is known or assumed.

    Args:
        scene: The pair in one unit, without observation.
        spectral: R where it is known.
        spatial: D as it is assumed.
        sensor: The sensor of R, whose ranges the fitted response keeps to.
        match: Gain and offset that each MSI band of the scene was matched by.

    Returns:
        What was found.

    Raises:
        InvalidValueError: No LR pixel is valid in both images.
    """
    allowed = _ranges(scene, sensor)
    steady, joint = scene, estimate_pair(scene, assumed=spatial, allowed=allowed)
    estimated = disagreement(replace(scene, observation=joint.observation))
    if 0 < estimated.changed.sum() < _MOST_CHANGED * estimated.changed.size:
        # what changed would pass for another PSF: both are found again without it
        steady = _without(scene, estimated.changed, estimated.side)
        joint = estimate_pair(steady, assumed=spatial, allowed=allowed)
        estimated = disagreement(replace(scene, observation=joint.observation))
    fitted = joint.response or estimate_response(steady, joint.observation.spatial, blur_lr=BLUR_LR, allowed=allowed)
    R = fitted_response(scene, spatial) if spectral is None else spectral
    psf = joint.psf
    if spectral is not None:
        # a known R leaves less to be mistaken for another PSF
        psf = estimate_pair(steady, spectral=spectral, assumed=spatial).psf
    return Agreement(
        spectral=R,
        spatial=spatial,
        fitted=fitted,
        psf=psf,
        assumed=disagreement(replace(steady, observation=Observation(R, spatial))),
        estimated=estimated,
        match=match,
    )


def _without(scene: Scene, changed: BoolArray, side: int) -> Scene:
    """Return the scene with the changed blocks masked in both images; as it is where nothing else is left."""
    height, width = scene.Y.shape[-2:]
    steady_lr = torch.from_numpy(~np.kron(changed, np.ones((side, side), dtype=bool))[:height, :width])[None, None]
    # in X too: LR pixels beside a block look into it
    steady = steady_lr.repeat_interleave(scene.factor, -2).repeat_interleave(scene.factor, -1)
    valid_lr = steady_lr if scene.valid_lr is None else steady_lr & scene.valid_lr
    valid = steady if scene.valid is None else steady & scene.valid
    return replace(scene, valid=valid, valid_lr=valid_lr) if valid.any() and valid_lr.any() else scene


def _ranges(scene: Scene, sensor: Sensor | None) -> BoolArray | None:
    """Return which HSI bands each MSI band may see, or None for all."""
    if sensor is None or scene.wavelengths_nm is None:
        return None
    centres = np.asarray(scene.wavelengths_nm)
    ranges = [(low - _MARGIN_NM, high + _MARGIN_NM) for low, high in sensor.ranges_nm()]
    may = np.stack([(centres >= low) & (centres <= high) for low, high in ranges])
    return may if may.any(axis=1).all() else None


def agreement_findings(
    found: Agreement, scene: Scene, sensor: Sensor | None, order: tuple[str, ...] | None = None
) -> tuple[Finding, Finding, Finding]:
    """Put the agreement into findings.

    Args:
        found: The agreement.
        scene: The pair.
        sensor: The MSI's sensor, or None.
        order: Its bands in another order, in which they fit far better, or None.

    Returns:
        Findings on response, PSF and disagreement.
    """
    return (_response(found, sensor, order), _psf(found), _disagreement(found))


def _response(found: Agreement, sensor: Sensor | None, order: tuple[str, ...] | None) -> Finding:
    """Say whether R is known, how well a fitted one does, and whether the bands' order or units differ."""
    fitted, gain, match = found.fitted, found.gain, found.match
    words = fitted.describe()
    concern = ""
    if sensor is not None:
        words = f"known, {sensor.name}: {', '.join(sensor.bands)}; one {words}"
        if match is not None:
            words += f"; {describe_match(match).replace('were brought', 'are brought by fuse')}"
        low, high = float(gain.min()), float(gain.max())
        if order is not None:
            concern = (
                f"the multispectral bands do not look like {', '.join(sensor.bands)} but {', '.join(order)}, and fuse "
                "refuses them; name them with --bands in that order, or leave the sensor out"
            )
        elif low <= 0 or high / low > _GAINS:
            concern = (
                f"the multispectral bands are {low:.3g} to {high:.3g} times what the sensor's responses make of the "
                "HSI, as where one image is radiance and the other reflectance, or each band has its own scale; bring "
                "both to one unit, or give no sensor and no method, so that each response is fitted with its scale"
            )
            if match is not None:
                concern += "; else fuse matches the bands, which makes up for the scales alone"
    numbers = {
        "known": sensor is not None,
        "held_out_error": [float(e) for e in fitted.error],
        "gain": [float(g) for g in gain],
        "directions": fitted.directions,
    }
    return Finding("response", words, concern, order is not None, numbers)


def _psf(found: Agreement) -> Finding:
    """Hold the estimated PSF against the assumed one."""
    assumed = spread(found.spatial.kernel)[0] / found.spatial.factor
    words = f"assumed {found.spatial.describe()}"
    psf = found.psf
    if psf is None:
        return Finding("psf", f"{words}; the pair shows no detail to estimate it from", numbers={"known": False})
    concern = ""
    mine = spread(psf.spatial.kernel)[0] / found.spatial.factor
    ratio = mine / assumed
    if psf.known and not 1 / _WIDTH <= ratio <= _WIDTH:
        concern = f"the PSF seems {ratio:.2g} times as wide as the assumed one; fuse with '--psf estimated'"
    numbers = {
        "known": psf.known,
        "kind": psf.kind,
        "fwhm_lr": psf.fwhm_lr,
        "fwhm_error_lr": psf.uncertainty_lr,
        "width_over_assumed": ratio,
        "left": psf.left,
    }
    return Finding("psf", f"{words}; estimated {psf.describe()}", concern, numbers=numbers)


def _disagreement(found: Agreement) -> Finding:
    """Say how far the images disagree, where most, and whether something changed between them."""
    seen, best = found.assumed, found.estimated
    held_out = float(np.sqrt(np.square(found.fitted.error).mean()))
    worst = ", ".join(f"row {row} column {column} ({100 * value:.2g} %)" for row, column, value in best.worst())
    words = (
        f"{100 * seen.total:.2g} % of the values with R and the PSF as fuse takes them, {100 * best.total:.2g} % with "
        f"both estimated; most in the blocks of {best.side} × {best.side} coarse pixels at {worst}"
    )
    changed, known = best.changed, np.isfinite(best.offsets)
    if changed.any():
        words += ", changed ones left out of the first number and of the bands'"
    places = [(int(r) * best.side, int(c) * best.side) for r, c in np.argwhere(changed)]
    share = len(places) / max(int(known.sum()), 1)
    related = float(np.median(np.maximum(seen.correlation, 0)))
    concern, grave = "", False
    if related < _STRANGERS or share > _MOST_CHANGED:
        grave = True
        concern = (
            f"the images share little (correlation {related:.2f} over coarse pixels); check that they show one place "
            "at one time, and that neither is flipped or shifted"
        )
    elif places:
        listed = ", ".join(f"row {row} column {column}" for row, column in places[:5])
        concern = (
            f"something changed between the images, or a cloud is in one of them, in {len(places)} of "
            f"{int(known.sum())} blocks ({listed}{', ...' if len(places) > 5 else ''}); mask them"
        )
    elif min(related, float(seen.correlation.min())) < _RELATED:
        concern = f"a multispectral band has a correlation of {float(seen.correlation.min()):.2f} with HSI"
    elif min(seen.total, best.total) > APART:
        concern = f"the images disagree by {100 * min(seen.total, best.total):.2g} % of their values"
    numbers = {
        "assumed": seen.total,
        "estimated": best.total,
        "held_out": held_out,
        "correlation": [float(c) for c in seen.correlation],
        "changed": [place for at in places for place in at],
    }
    return Finding("disagreement", words, concern, grave, numbers)
