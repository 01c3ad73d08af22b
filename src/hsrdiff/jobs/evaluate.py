"""`evaluate`: a fused cube beside the truth, with the convention of every number."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import xarray as xr

from hsrdiff.cubes.georeference import georeference_of
from hsrdiff.cubes.spectral_axis import band_numbers
from hsrdiff.errors import InputError, InvalidValueError, ShapeError
from hsrdiff.jobs.images import Image, take_cube, take_mask
from hsrdiff.jobs.json_report import to_json, write_report
from hsrdiff.jobs.output_files import check_report_file
from hsrdiff.jobs.remembered import Remembered
from hsrdiff.jobs.same_place import check_no_deviation, check_same_place
from hsrdiff.metrics import Scores, score
from hsrdiff.observation.spatial import check_factor
from hsrdiff.typing import PathLike

# Two band centres closer than this are one band.
SAME_BAND_NM = 0.05


def evaluate(
    fused: Image,
    truth: Image,
    *,
    factor: int | None = None,
    mask: Image | None = None,
    peak: float | None = None,
    json_out: PathLike | None = None,
) -> Scores:
    """Score a fused cube against the truth where both are valid.

    Bands are matched by their wavelengths where both cubes have them, and those that the fusion left out are left
    out of the truth; up to one coarse pixel of rows and columns that `simulate` left out at the bottom and the right
    is too.

    Args:
        fused: Fused cube (band, y, x): a path, a DataArray or an array.
        truth: True cube, likewise.
        factor: Ratio of the pixel sizes, on which ERGAS depends; the one that the fused cube remembers when None.
        mask: True, or any number but 0, where a pixel counts.
        peak: Value that counts as full scale for PSNR and SSIM; the truth's largest valid value when None.
        json_out: Where to write the scores as JSON; a score that is not defined becomes null.

    Returns:
        PSNR, SSIM, SAM, ERGAS and RMSE with their convention.

    Raises:
        ShapeError: The cubes do not have the same bands, by their wavelengths where both have them, or size.
        FactorError: The factor is not a whole number of at least 2.
        InvalidValueError: No pixel is valid in both.
        InputError: The cubes lie in different places, the fused one holds a standard deviation, the JSON file would
            replace one of the images, or the factor is neither given nor remembered.
        WriteError: It cannot be written.
    """
    if factor is not None:
        factor = check_factor(factor)
    check_report_file(json_out, fused, truth, mask)
    estimate, reference = take_cube(fused, "the fused cube"), take_cube(truth, "the truth")
    if factor is None:
        factor = _remembered_factor(estimate)
    check_no_deviation(estimate, "the fused cube")
    reference = _same_size(_same_bands(reference, estimate), estimate, factor)
    check_same_place(estimate, *georeference_of(reference), names=("the fused cube", "the truth"))
    Z_hat, Z = estimate.values, reference.values
    valid = np.ones(Z.shape[1:], dtype=np.bool_)
    for image in (*Z_hat, *Z):  # band by band: cubes may fill the memory
        valid &= np.isfinite(image)
    if mask is not None:
        valid &= take_mask(mask, (Z.shape[-2], Z.shape[-1]))
    if not valid.any():
        raise InvalidValueError(
            "no pixel is valid in both cubes and the mask",
            expected="at least one",
            do="check nodata values and the mask",
        )
    if peak is None:
        # Six digits, as the convention is printed with the peak in it.
        peak = float(f"{max(float(band[valid].max()) for band in Z):.6g}")
    scores = score(Z_hat, Z, factor=factor, mask=valid, peak=peak)
    if json_out is not None:
        write_report(json_out, to_json(asdict(scores)))
    return scores


def _remembered_factor(fused: xr.DataArray) -> int:
    """Return the ratio of the pixel sizes that a fused cube was made with."""
    factor = Remembered.of(fused.attrs).factor
    if factor is None:
        raise InputError(
            "the fused cube does not say how many times finer than its hyperspectral image it is",
            expected="the ratio of the pixel sizes, which ERGAS depends on",
            do="give it with --factor",
        )
    return check_factor(factor)


def _same_bands(truth: xr.DataArray, fused: xr.DataArray) -> xr.DataArray:
    """Return the truth's bands that the fused cube has: by their wavelengths, or in order where a cube has none."""
    wanted, known = band_numbers(fused, "wavelength"), band_numbers(truth, "wavelength")
    if wanted is not None and known is not None:
        if len(wanted) == len(known) and np.abs(known - wanted).max() <= SAME_BAND_NM:
            return truth  # also where two bands share a wavelength
        apart_nm = np.abs(known[None, :] - wanted[:, None])
        nearest = apart_nm.argmin(axis=1)
        if apart_nm.min(axis=1).max() <= SAME_BAND_NM and len(set(nearest.tolist())) == len(wanted):
            return truth.isel(band=nearest)
    elif truth.sizes["band"] == fused.sizes["band"]:
        return truth
    counts = f"the fused cube has {fused.sizes['band']} bands and the truth {truth.sizes['band']}"
    if wanted is not None and known is not None:
        raise ShapeError(
            f"{counts}, and their wavelengths do not match: {wanted.min():g} to {wanted.max():g} nm in the fused cube, "
            f"{known.min():g} to {known.max():g} nm in the truth",
            expected=f"each of the fused cube's bands in the truth, within {SAME_BAND_NM} nm",
            do="compare cubes with the same bands",
        )
    raise ShapeError(counts, expected="the same bands, or wavelengths in both cubes to find them by")


def _same_size(truth: xr.DataArray, fused: xr.DataArray, factor: int) -> xr.DataArray:
    """Return the truth without the rows and columns that fill no coarse pixel, where the fused cube lacks them."""
    height, width = fused.sizes["y"], fused.sizes["x"]
    if (truth.sizes["y"] // factor * factor, truth.sizes["x"] // factor * factor) == (height, width):
        truth = truth.isel(y=slice(0, height), x=slice(0, width))
    if (truth.sizes["y"], truth.sizes["x"]) != (height, width):
        raise ShapeError(
            f"the fused cube has {height} x {width} pixels and the truth {truth.sizes['y']} x {truth.sizes['x']}",
            expected="the same size",
            do="cut both to the same extent",
        )
    return truth
