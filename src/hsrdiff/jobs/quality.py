"""`quality`: a fused cube without truth, held against the pair that it was made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import xarray as xr

from hsrdiff.choice import ReducedScores, degrade, reduced_scores
from hsrdiff.choice.degraded import LEAST_PIXELS
from hsrdiff.cubes.spectral_axis import band_numbers
from hsrdiff.errors import InputError, ShapeError, did_you_mean
from hsrdiff.evaluation import judge
from hsrdiff.fusers import FUSERS
from hsrdiff.jobs.evaluate import SAME_BAND_NM
from hsrdiff.jobs.images import Image, take_cube
from hsrdiff.jobs.json_report import to_json, write_report
from hsrdiff.jobs.matched import describe_match
from hsrdiff.jobs.output_files import check_report_file
from hsrdiff.jobs.pair import Pair, make_pair
from hsrdiff.jobs.prepared import prepare_fuser
from hsrdiff.jobs.remembered import Remembered
from hsrdiff.jobs.same_place import check_no_deviation, check_same_place
from hsrdiff.jobs.scaling import find_scale, raw_scene
from hsrdiff.jobs.told import fitted_response, told_noise, told_response
from hsrdiff.jobs.writable import named_files
from hsrdiff.metrics import Agreement, FullResolution
from hsrdiff.observation import Observation
from hsrdiff.sensors import Sensor
from hsrdiff.typing import FloatArray, PathLike


@dataclass(frozen=True, eq=False)
class Quality:
    """What the pair says about a fused cube.

    Attributes:
        full: Numbers at full resolution, from the cube itself.
        reduced: Scores of its method on the pair degraded once more, or None.
        told: How R and D were found and the MSI was matched, by topic.
        msi_bands: Names of the MSI's bands.
        wavelengths_nm: Centres of the cube's bands (B,), nm, or None.
    """

    full: FullResolution
    reduced: ReducedScores | None
    told: Mapping[str, str]
    msi_bands: tuple[str, ...]
    wavelengths_nm: FloatArray | None

    def as_json(self) -> str:
        """Return everything as JSON; a number that is not defined becomes null."""
        full = self.full
        centres: Sequence[Any] = [None] * len(full.spatial.correlation)
        if self.wavelengths_nm is not None:
            centres = self.wavelengths_nm.tolist()
        content: dict[str, Any] = {
            "told": dict(self.told),
            "full_resolution": {
                "d_lambda": full.d_lambda,
                "d_s": full.d_s,
                "hqnr": full.hqnr,
                "spectral_consistency": _bands(full.spectral, "band", self.msi_bands),
                "spatial_consistency": _bands(full.spatial, "wavelength_nm", centres),
                "ndvi": None if full.ndvi is None else asdict(full.ndvi),
                "convention": full.convention,
                "remarks": list(full.remarks),
            },
        }
        if self.reduced is not None:
            content["reduced_resolution"] = {**asdict(self.reduced), "convention": self.reduced.convention}
        return to_json(content)


def quality(
    fused: Image,
    hsi: Image,
    msi: Image,
    *,
    sensor: str | Sensor | None = None,
    srf: PathLike | None = None,
    bands: Sequence[str] | None = None,
    psf: PathLike | npt.ArrayLike | None = None,
    psf_fwhm: float | None = None,
    hsi_variable: str | None = None,
    msi_variable: str | None = None,
    reduced: bool = False,
    method: str | None = None,
    weights: PathLike | None = None,
    steps: int | None = None,
    seed: int | None = None,
    json_out: PathLike | None = None,
) -> Quality:
    """Judge a fused cube by the images that it was made from.

    What the options leave open is taken from the cube's own record: the sensor, the PSF, the units, the method.

    Args:
        fused: Fused cube (B, H, W): a path, a DataArray or an array.
        hsi: LR-HSI that it was made from, likewise.
        msi: HR-MSI that it was made from, likewise.
        sensor: The MSI's sensor, as `fuse` takes it.
        srf: CSV table of the MSI's measured responses, in place of `sensor`.
        bands: The MSI's bands by the sensor's names, in the image's order.
        psf: ``"gaussian"``, the path of a kernel (.npy, .csv), or a kernel (K, K) in fine pixels; None as above.
        psf_fwhm: Full width at half maximum of the Gaussian in coarse pixels; None as above.
        hsi_variable: What was read of the HSI's file, as `fuse` takes it.
        msi_variable: Likewise of the MSI's.
        reduced: Also run the method on the pair degraded once more, and score it against the HSI.
        method: Which method to run there; the one that made the cube when None.
        weights: Its weights: a path or a shipped name; when None those that made the cube, or shipped ones that fit.
        steps: Its sampling steps; when None those that made the cube, or its own default.
        seed: Seed of what it draws; when None the one that made the cube, or 0.
        json_out: Where to write everything as JSON.

    Returns:
        Consistency with both images, D_lambda, D_s, HQNR, NDVI, and the scores at reduced resolution if asked for.

    Raises:
        InputError: The images or the options do not fit together, or the method is not known.
        HsrdiffError: A file or sensor cannot be used, or the report cannot be written.
    """
    used = named_files(psf=psf, srf=srf, sensor=sensor, weights=weights)
    check_report_file(json_out, fused, hsi, msi, *used)
    if method is not None and method not in FUSERS:
        raise InputError(f"there is no method '{method}'", do=did_you_mean(method, FUSERS))
    if not reduced and any(option is not None for option in (method, weights, steps, seed)):
        raise InputError(
            "a method, weights, steps or a seed are named, but no method is to be run",
            do="ask for the scores at reduced resolution with --reduced, or leave them out",
        )
    cube = take_cube(fused, "the fused cube")
    remembered = Remembered.of(cube.attrs, fused)
    pair = make_pair(
        take_cube(hsi, "the hyperspectral image", remembered.variable_of(hsi, "hsi", hsi_variable)),
        take_cube(msi, "the multispectral image", remembered.variable_of(msi, "msi", msi_variable)),
    )
    pair = remembered.placed(pair)
    check_no_deviation(cube, "the fused cube")
    _check_fit(cube, pair)
    check_same_place(cube, pair.crs, pair.transform, names=("the fused cube", "the pair"))
    name = _method(method, remembered) if reduced else ""
    told = remembered.spatial(psf, psf_fwhm, pair.factor)
    spatial = told.moved(*pair.offset)
    known = remembered.known_sensor(pair, sensor, srf, bands)
    spectral = told_response(known, pair.wavelengths_nm, pair.fwhm_nm)
    raw = raw_scene(pair)
    match, gain = remembered.match_of(spectral, pair), remembered.gain_of(spectral)
    scale = find_scale(raw, spectral, peak=remembered.peak, match=match, gain=gain)
    scene = scale.apply(raw)
    response = fitted_response(scene, spatial) if spectral is None else spectral
    scene = replace(scene, observation=Observation(response, spatial))
    Z_hat = torch.from_numpy(np.asarray(cube.values, dtype=np.float32) / np.float32(scale.peak))[None]
    del cube  # it may fill the memory
    full = judge(Z_hat, scene)
    del Z_hat
    found = None
    if reduced:
        weights, steps, more, interpolate = remembered.options(name, weights, steps)
        fuser = prepare_fuser(name, pair, weights=weights, steps=steps, more=more, interpolate=interpolate)
        # `fuse` fits R only where it chooses the method; what it made so can be run so again
        if method is not None and fuser.needs.response and spectral is None:
            raise InputError(
                f"the method '{name}' must know the multispectral sensor",
                expected="its spectral responses",
                do="name it with --sensor or --srf",
            )
        levels = told_noise(scene, scale, None, None)
        degraded = degrade(
            replace(scene, sigma_x=levels.sigma_x, sigma_y=levels.sigma_y),
            model_error=levels.model_error,
            fit_response=fitted_response if spectral is None else None,
        )
        if degraded is None:
            raise InputError(
                f"the degraded pair would have fewer than {LEAST_PIXELS} valid pixels",
                expected=f"a hyperspectral image with at least {4 * LEAST_PIXELS} valid pixels",
                do="leave out --reduced",
            )
        found = reduced_scores(degraded, fuser, seed=remembered.seed if seed is None else seed)
    words = {
        "sensor": "none; a response was fitted to the pair" if known is None else _words(known),
        "psf": told.describe(),
        "method": remembered.method or "not known",
    }
    if reduced:
        words["peak"] = f"{scale.peak:.6g}, the value that counts as 1 at reduced resolution"
    if scale.match is not None:
        words["match"] = describe_match(scale.match)
    judged = Quality(full, found, words, _names(pair, known), pair.wavelengths_nm)
    if json_out is not None:
        write_report(json_out, judged.as_json())
    return judged


def _check_fit(cube: xr.DataArray, pair: Pair) -> None:
    """Make sure that the cube has the bands of the HSI and the pixels of the MSI."""
    shape, expected = cube.shape, (pair.hsi.sizes["band"], pair.msi.sizes["y"], pair.msi.sizes["x"])
    if shape != expected:
        dropped = f" (without {len(pair.dropped)} bad ones)" if pair.dropped else ""
        raise ShapeError(
            f"the fused cube has {shape[0]} bands of {shape[1]} x {shape[2]} pixels",
            expected=f"the {expected[0]} bands of the hyperspectral image{dropped} and the {expected[1]} x "
            f"{expected[2]} pixels of the multispectral one",
            do="give the cube and the two images that it was made from",
        )
    own, known = band_numbers(cube, "wavelength"), pair.wavelengths_nm
    if own is not None and known is not None and np.abs(own - known).max() > SAME_BAND_NM:
        raise ShapeError(
            f"the bands of the fused cube lie up to {np.abs(own - known).max():.3g} nm from those of the "
            "hyperspectral image",
            expected=f"the same bands within {SAME_BAND_NM} nm",
            do="give the cube and the two images that it was made from",
        )


def _method(method: str | None, remembered: Remembered) -> str:
    """Return the method to run at reduced resolution."""
    name = remembered.method if method is None else method
    if name is None or name not in FUSERS:
        said = "does not say which method made it" if name is None else f"was made by '{name}', which is not known here"
        raise InputError(
            f"the fused cube {said}",
            expected="a method to run at reduced resolution",
            do="name one with --method, or leave out --reduced",
        )
    return name


def _words(sensor: Sensor) -> str:
    return f"{sensor.name}: {', '.join(sensor.bands)}"


def _names(pair: Pair, sensor: Sensor | None) -> tuple[str, ...]:
    """Names of the MSI's bands, or their numbers."""
    if sensor is not None:
        return sensor.bands
    return tuple(str(band + 1) for band in range(pair.msi.sizes["band"]))


def _bands(found: Agreement, key: str, labels: Sequence[Any]) -> dict[str, Any]:
    """Lay out an agreement as a summary and one entry a band."""
    return {
        "relative_rmse": found.mean_relative_rmse,
        "correlation": found.mean_correlation,
        "bands": [
            {key: label, "relative_rmse": float(error), "correlation": float(correlation)}
            for label, error, correlation in zip(labels, found.relative_rmse, found.correlation, strict=True)
        ],
    }
