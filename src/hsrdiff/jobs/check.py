"""`check`: what two images are and how far they agree, said before anyone fuses them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from affine import Affine

from hsrdiff.cubes import as_cube, write_cube
from hsrdiff.jobs.agreement import Agreement, agreement_findings, find_agreement
from hsrdiff.jobs.chosen import usable_sensor
from hsrdiff.jobs.finding import Finding, Verdict, verdict_on
from hsrdiff.jobs.image_findings import (
    bands_finding,
    grid_finding,
    image_finding,
    valid_finding,
    values_finding,
)
from hsrdiff.jobs.images import Image, take_cube
from hsrdiff.jobs.info import cube_info
from hsrdiff.jobs.json_report import report_beside, to_json
from hsrdiff.jobs.matched import better_order, find_match
from hsrdiff.jobs.output_files import check_output, check_report_file
from hsrdiff.jobs.pair import Pair, make_pair
from hsrdiff.jobs.registered import LARGEST_SHIFT, SMALL_SHIFT, decide, mended
from hsrdiff.jobs.scaling import Scale, find_scale, raw_scene
from hsrdiff.jobs.told import told_noise, told_response, told_sensor
from hsrdiff.jobs.told_psf import told_psf
from hsrdiff.jobs.writable import check_held, named_files
from hsrdiff.observation import Observation, Registration, Scene, register
from hsrdiff.sensors import Sensor
from hsrdiff.typing import PathLike


@dataclass(frozen=True)
class BandRow:
    """One MSI band.

    Attributes:
        name: Its name, or its number.
        disagreement: Root mean square of R Y - X D over that of X D, with R, D and X as `fuse` has them, %.
        gain: What R Y is multiplied by to come nearest to X D; 1 where both are in one unit, as `fuse` brings them to.
        correlation: Of R Y with X D.
        estimated: The disagreement with R and D estimated from the pair, on pixels held out of the fit of R, %.
    """

    name: str
    disagreement: float
    gain: float
    correlation: float
    estimated: float


@dataclass(frozen=True)
class CheckReport:
    """What `check` found.

    Attributes:
        verdict: Whether the images may be fused.
        reasons: Why not, or why with care; empty where they are fit.
        findings: What was looked at, in order.
        bands: The MSI's bands.
        blocks: Root mean square disagreement in blocks over that of the image, rows of columns; None where unknown.
        block_side: Side of a block in coarse pixels.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    findings: tuple[Finding, ...]
    bands: tuple[BandRow, ...]
    blocks: tuple[tuple[float | None, ...], ...]
    block_side: int

    def finding(self, topic: str) -> Finding:
        """Return what was found about a topic.

        Args:
            topic: Its name.
        """
        return next(finding for finding in self.findings if finding.topic == topic)

    def as_json(self) -> str:
        """Return the report as JSON."""
        content: dict[str, Any] = {
            "verdict": self.verdict.value,
            "reasons": list(self.reasons),
            "findings": [asdict(finding) for finding in self.findings],
            "bands": [asdict(band) for band in self.bands],
            "blocks": self.blocks,
            "block_side": self.block_side,
        }
        return to_json(content)


def check(
    hsi: Image,
    msi: Image,
    *,
    sensor: str | Sensor | None = None,
    srf: PathLike | None = None,
    bands: Sequence[str] | None = None,
    psf: PathLike | npt.ArrayLike | None = None,
    psf_fwhm: float | None = None,
    factor: int | None = None,
    hsi_variable: str | None = None,
    msi_variable: str | None = None,
    json_out: PathLike | None = None,
    map_out: PathLike | None = None,
) -> CheckReport:
    """Look at two images as `fuse` would take them, and say whether they fit together.

    Args:
        hsi: LR-HSI (band, y, x): a path, a DataArray or an array.
        msi: HR-MSI (band, y, x), likewise; of the same extent where one of the two has no place on the map.
        sensor: The MSI's sensor, such as ``"sentinel2:B2,B3,B4,B8"``; where none is named, what the MSI says of its
            own bands is used, else R is fitted to the pair.
        srf: CSV table of the MSI's measured responses, in place of `sensor`.
        bands: The MSI's bands by the sensor's names, in the image's order.
        psf: None or ``"gaussian"``, the path of a kernel (.npy, .csv), or a kernel (K, K) in fine pixels.
        psf_fwhm: Full width at half maximum of the Gaussian in coarse pixels; 1 when None.
        factor: Ratio of the pixel sizes; deduced when None.
        hsi_variable: What to read of the HSI's file, such as ``"unmasked"``, as `hsrdiff.open_cube` takes it.
        msi_variable: Likewise of the MSI's, such as ``"10m+20m"`` of a Sentinel-2 product.
        json_out: Where to write the report as JSON.
        map_out: Where to write the disagreement of each block, with R and D estimated, as a cube of one band on the
            HSI's grid: a share of the image's root mean square; NaN where unknown. The ending names the format.

    Returns:
        The report.

    Raises:
        InputError: The images or the options do not fit together.
        HsrdiffError: A file or sensor cannot be used, or the report cannot be written.
    """
    used = hsi, msi, *named_files(psf=psf, srf=srf, sensor=sensor)
    check_report_file(json_out, *used, map_out)
    check_output(map_out, *used)
    cubes = (
        take_cube(hsi, "the hyperspectral image", hsi_variable),
        take_cube(msi, "the multispectral image", msi_variable),
    )
    pair = make_pair(*cubes, factor)
    lr_size = pair.hsi.sizes["y"], pair.hsi.sizes["x"]
    check_held(map_out, (1, *lr_size), crs=pair.crs, transform=_lr_place(pair))
    known = told_sensor(sensor, srf, bands, msi=pair.msi)
    if known is None:
        known = usable_sensor(pair)
    spectral = told_response(known, pair.wavelengths_nm, pair.fwhm_nm)
    told = told_psf(psf, psf_fwhm, pair.factor)
    registration = register(raw_scene(pair), told.moved(*pair.offset), spectral)
    grid = grid_finding(pair)
    why = ""
    if registration is not None:
        # as `fuse` does, so that what follows is said of the pair that it fuses
        pair, why = mended(pair, registration, told, spectral)
    raw = raw_scene(pair)
    match = order = None
    if spectral is not None and known is not None:
        match = find_match(raw, spectral, told.moved(*pair.offset))
        order = better_order(raw, spectral, told.moved(*pair.offset), known)
    scale = find_scale(raw, spectral, peak=None, match=match)
    scene = scale.apply(raw)
    found = find_agreement(scene, spectral, told.moved(*pair.offset), known, match)
    names = (_name(hsi, "the array given first"), _name(msi, "the array given second"))
    infos = cube_info(cubes[0], names[0]), cube_info(cubes[1], names[1])
    response, width, apart = agreement_findings(found, scene, known, order)
    findings = (
        apart,
        image_finding("hyperspectral", infos[0]),
        image_finding("multispectral", infos[1]),
        values_finding(pair, infos, scale, cubes),
        bands_finding(pair, infos[0]),
        valid_finding(scene, found.estimated),
        grid,
        _registration(registration, why),
        response,
        width,
        _noise(replace(scene, observation=Observation(found.spectral, found.spatial)), scale),
    )
    report = CheckReport(
        verdict=verdict_on(findings),
        reasons=tuple(f"{finding.topic}: {finding.concern}" for finding in findings if finding.concern),
        findings=findings,
        bands=_rows(pair, known, found),
        blocks=tuple(
            tuple(float(value) if np.isfinite(value) else None for value in row) for row in found.estimated.blocks
        ),
        block_side=found.estimated.side,
    )
    with ExitStack() as stack:
        if json_out is not None:
            # it takes its place only after the map has been written
            stack.enter_context(report_beside(json_out, report.as_json()))
        if map_out is not None:
            write_cube(_map(pair, report), map_out)
    return report


def _name(image: Image, otherwise: str) -> str:
    return str(image) if isinstance(image, str | os.PathLike) else otherwise


def _map(pair: Pair, report: CheckReport) -> xr.DataArray:
    """Return the disagreement of each block in all its pixels, on the grid of the HSI as it was compared."""
    height, width = pair.hsi.sizes["y"], pair.hsi.sizes["x"]
    blocks = np.array(report.blocks, dtype=np.float32)  # None becomes NaN
    side = report.block_side
    values = blocks.repeat(side, axis=0).repeat(side, axis=1)[None, :height, :width]
    cube = as_cube(np.ascontiguousarray(values), crs=pair.crs, transform=_lr_place(pair))
    cube.name = "disagreement"
    cube.attrs["hsrdiff_quantity"] = "relative disagreement of the two images"
    return cube


def _lr_place(pair: Pair) -> Affine | None:
    return None if pair.transform is None else pair.transform @ Affine.scale(pair.factor)


def _registration(found: Registration | None, why: str) -> Finding:
    """Say how far the images lie from each other, and what `fuse` does about it."""
    if found is None:
        return Finding("registration", "not known: the images are too small to measure a shift")
    mends, _ = decide(found)
    words = f"{found.describe()}; {why.replace('mended before fusing', 'fuse mends it')}"
    rows, columns = found.shift
    numbers = {
        "rows_lr": float(rows),
        "columns_lr": float(columns),
        "reliable": bool(found.reliable),
        "mended": bool(mends),
        "field": None if found.field is None else asdict(found.field),
    }
    concern, grave = "", False
    if found.reliable and found.length > LARGEST_SHIFT:
        concern = f"the images lie {found.length:.2g} coarse pixels apart, which fuse mends with '--force' only"
        grave = True
    elif not mends and found.reliable and found.length > SMALL_SHIFT and not found.everywhere:
        concern = "the images lie apart by a shift that is not the same everywhere; register them first"
    return Finding("registration", words, concern, grave, numbers)


def _noise(scene: Scene, scale: Scale) -> Finding:
    levels = told_noise(scene, scale, None, None)
    numbers = {
        "hsi": levels.sigma_y * scale.peak,
        "msi": levels.sigma_x * scale.unit_msi,
        "model_error": levels.model_error * scale.unit_msi,
    }
    return Finding("noise", levels.describe(scale.unit_msi, scale.peak), numbers=numbers)


def _rows(pair: Pair, sensor: Sensor | None, found: Agreement) -> tuple[BandRow, ...]:
    names = [str(i + 1) for i in range(pair.msi.sizes["band"])]
    if sensor is not None:
        names = list(sensor.bands)
    elif "band_name" in pair.msi.coords:
        names = [str(name) for name in pair.msi["band_name"].values]
    columns = (100 * found.assumed.relative, found.gain, found.assumed.correlation, 100 * found.fitted.error)
    return tuple(BandRow(name, *(float(value) for value in row)) for name, *row in zip(names, *columns, strict=True))
