"""`check`: what two images are and how far they agree, said before anyone fuses them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from hsrdiff.choice import AUTO
from hsrdiff.jobs.agreement import Agreement, agreement_findings, find_agreement
from hsrdiff.jobs.chosen import check_report, usable_sensor
from hsrdiff.jobs.finding import Finding, Verdict, verdict_on
from hsrdiff.jobs.images import Image, take_cube
from hsrdiff.jobs.info import CubeInfo, cube_info
from hsrdiff.jobs.json_report import to_json, write_report
from hsrdiff.jobs.matched import better_order, find_match
from hsrdiff.jobs.pair import Pair, make_pair
from hsrdiff.jobs.registered import LARGEST_SHIFT, SMALL_SHIFT, decide, mended
from hsrdiff.jobs.scaling import Scale, find_scale, raw_scene
from hsrdiff.jobs.told import told_noise, told_psf, told_response, told_sensor
from hsrdiff.jobs.units import OPEN, unit_of
from hsrdiff.observation import Observation, Registration, Scene, register
from hsrdiff.sensors import Sensor
from hsrdiff.typing import PathLike

# Share of coarse pixels seen by both images, and their number, below which a fusion rests on little.
_SHARED, _FEWEST = 0.9, 64


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
    psf_fwhm: float = 1.0,
    factor: int | None = None,
    json_out: PathLike | None = None,
) -> CheckReport:
    """Look at two images as `fuse` would take them, and say whether they fit together.

    Args:
        hsi: LR-HSI (band, y, x): a path, a DataArray or an array.
        msi: HR-MSI (band, y, x) of the same extent, likewise.
        sensor: The MSI's sensor, such as ``"sentinel2:B2,B3,B4,B8"``; R is fitted to the pair without one.
        srf: CSV table of the MSI's measured responses, in place of `sensor`.
        bands: The MSI's bands by the sensor's names, in the image's order.
        psf: None or ``"gaussian"``, the path of a kernel (.npy, .csv), or a kernel (K, K) in fine pixels.
        psf_fwhm: Full width at half maximum of the Gaussian in coarse pixels.
        factor: Ratio of the pixel sizes; deduced when None.
        json_out: Where to write the report as JSON.

    Returns:
        The report.

    Raises:
        InputError: The images or the options do not fit together.
        HsrdiffError: A file or sensor cannot be used, or the report cannot be written.
    """
    check_report(json_out, AUTO, hsi, msi)
    cubes = take_cube(hsi, "the hyperspectral image"), take_cube(msi, "the multispectral image")
    pair = make_pair(*cubes, factor)
    known = told_sensor(sensor, srf, bands, msi=pair.msi)
    if known is None:
        known = usable_sensor(pair)
    spectral = told_response(known, pair.wavelengths_nm, pair.fwhm_nm)
    told = told_psf(psf, psf_fwhm, pair.factor)
    registration = register(raw_scene(pair), told.moved(*pair.offset), spectral)
    grid = _grid(pair)
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
    findings = (
        _image("hyperspectral", infos[0]),
        _image("multispectral", infos[1]),
        _values(pair, infos, scale),
        _bad_bands(pair, infos[0]),
        _valid(scene, found),
        grid,
        _registration(registration, why),
        *agreement_findings(found, scene, known, order),
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
    if json_out is not None:
        write_report(json_out, report.as_json())
    return report


def _name(image: Image, otherwise: str) -> str:
    return str(image) if isinstance(image, str | os.PathLike) else otherwise


def _image(topic: str, info: CubeInfo) -> Finding:
    """Say what an image is."""
    words = f"{info.path}: {info.bands} bands"
    if info.wavelengths_nm is not None:
        words += f", {info.wavelengths_nm[0]:g}-{info.wavelengths_nm[1]:g} nm"
    words += f", {info.height} × {info.width} pixels"
    if info.pixel_size is not None:
        words += f" of {info.pixel_size[0]:.6g} × {info.pixel_size[1]:.6g}"
    words += f", {info.crs or 'no coordinate system'}"
    numbers: dict[str, Any] = {
        "bands": info.bands,
        "height": info.height,
        "width": info.width,
        "wavelengths_nm": None if info.wavelengths_nm is None else list(info.wavelengths_nm),
        "pixel_size": None if info.pixel_size is None else list(info.pixel_size),
        "crs": info.crs,
    }
    return Finding(topic, words, numbers=numbers)


def _values(pair: Pair, infos: tuple[CubeInfo, CubeInfo], scale: Scale) -> Finding:
    """Say what the values of both images seem to be, and what their units differ by."""
    units = [unit_of(cube) for cube in (pair.hsi, pair.msi)]
    parts = []
    for name, cube, info, (unit, why) in zip(("HSI", "MSI"), (pair.hsi, pair.msi), infos, units, strict=True):
        said = f", in '{cube.attrs['units']}' by its own word" if "units" in cube.attrs else ""
        looks = "of no unit that is known" if unit == OPEN else f"look like {unit}"
        parts.append(f"{name} {info.minimum:.4g} to {info.maximum:.4g}, mean {info.mean:.4g}{said}: {looks} ({why})")
    if scale.gain != 1.0:
        parts.append(f"one unit of HSI is about {scale.gain:.4g} of MSI, by which fuse divides MSI")
    numbers = {"hsi_unit": units[0][0], "msi_unit": units[1][0], "gain": scale.gain}
    return Finding("values", "; ".join(parts), numbers=numbers)


def _bad_bands(pair: Pair, info: CubeInfo) -> Finding:
    dropped = list(pair.dropped)
    words = f"{len(dropped)} of {info.bands} left out as bad or empty" if dropped else "all are used"
    concern = ""
    if 2 * len(dropped) > info.bands:
        concern = f"{len(dropped)} of {info.bands} hyperspectral bands are bad or empty; check the good_band marks"
    return Finding("bands", words, concern, numbers={"dropped": dropped})


def _valid(scene: Scene, found: Agreement) -> Finding:
    """Say how much of both images is valid, and how many coarse pixels both see."""
    shares = [1.0 if mask is None else float(mask.double().mean()) for mask in (scene.valid_lr, scene.valid)]
    pixels, of = found.estimated.pixels, found.estimated.of
    words = f"HSI {100 * shares[0]:.4g} %, MSI {100 * shares[1]:.4g} %; {pixels} of {of} coarse pixels are seen by both"
    concern = ""
    if pixels < _FEWEST:
        concern = f"only {pixels} coarse pixels are seen by both images, and what is learnt from them is uncertain"
    elif pixels < _SHARED * of:
        concern = f"only {100 * pixels / of:.3g} % of the coarse pixels are seen by both images"
    return Finding("valid", words, concern, numbers={"hsi": shares[0], "msi": shares[1], "shared": pixels, "of": of})


def _grid(pair: Pair) -> Finding:
    """Say how the grids fit, and what `fuse` does to nest them."""
    words = f"pixel sizes have ratio {pair.factor}"
    if pair.transform is None:
        words += "; no place on the map is known, so the images are taken to have the same extent"
    done = pair.notes.get("grid", "")
    words += f"; {done}" if done else ", and the extents are the same" if pair.transform is not None else ""
    return Finding("grid", words, numbers={"factor": pair.factor, "offset_px": list(pair.offset)})


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
