"""What `check` says of the images themselves: size, values, bands, valid pixels, grids."""

from __future__ import annotations

from typing import Any

import xarray as xr

from hsrdiff.jobs.doubts import blank_notes
from hsrdiff.jobs.finding import Finding
from hsrdiff.jobs.info import CubeInfo
from hsrdiff.jobs.pair import Pair
from hsrdiff.jobs.scaling import Scale
from hsrdiff.jobs.units import OPEN, RADIANCE, REFLECTANCE, unit_of
from hsrdiff.observation import Disagreement, Scene

# Share of coarse pixels seen by both images, and their number, below which a fusion rests on little.
_SHARED, _FEWEST = 0.9, 64


def image_finding(topic: str, info: CubeInfo) -> Finding:
    """Say what an image is.

    Args:
        topic: Which of the two.
        info: What is known of it.
    """
    words = f"{info.path}: {info.bands} bands"
    if info.wavelengths_nm is not None:
        words += f", {info.wavelengths_nm[0]:g}-{info.wavelengths_nm[1]:g} nm"
    words += f", {info.height} × {info.width} pixels"
    if info.pixel_size is not None:
        words += f" of {info.pixel_size[0]:.6g} × {info.pixel_size[1]:.6g}{_spaced(info.map_unit)}"
    words += f", {info.crs or 'no coordinate system'}"
    numbers: dict[str, Any] = {
        "bands": info.bands,
        "height": info.height,
        "width": info.width,
        "wavelengths_nm": None if info.wavelengths_nm is None else list(info.wavelengths_nm),
        "pixel_size": None if info.pixel_size is None else list(info.pixel_size),
        "map_unit": info.map_unit,
        "crs": info.crs,
    }
    return Finding(topic, words, numbers=numbers)


def values_finding(
    pair: Pair, infos: tuple[CubeInfo, CubeInfo], scale: Scale, cubes: tuple[xr.DataArray, xr.DataArray]
) -> Finding:
    """Say what the values of both images are or seem to be, what their units differ by, and which look like fill.

    Args:
        pair: The images.
        infos: What is known of them.
        scale: How their values are brought together.
        cubes: The images as they were read.
    """
    units = [unit_of(cube) for cube in (pair.hsi, pair.msi)]
    parts = []
    for name, cube, info, (unit, why) in zip(("HSI", "MSI"), (pair.hsi, pair.msi), infos, units, strict=True):
        said = f", in '{cube.attrs['units']}' by its own word" if "units" in cube.attrs else ""
        told = _told_quantity(cube, unit)
        looks = told or f"{'of no unit that is known' if unit == OPEN else f'look like {unit}'} ({why})"
        parts.append(f"{name} {info.minimum:.4g} to {info.maximum:.4g}, mean {info.mean:.4g}{said}: {looks}")
    if scale.gain != 1.0:
        parts.append(f"one unit of HSI is about {scale.gain:.4g} of MSI, by which fuse divides MSI")
    named = [
        str(cube.attrs["hsrdiff_quantity"]) if _told_quantity(cube, unit) else unit
        for cube, (unit, _) in zip((pair.hsi, pair.msi), units, strict=True)
    ]
    numbers = {"hsi_unit": named[0], "msi_unit": named[1], "gain": scale.gain}
    return Finding("values", "; ".join(parts), "; ".join(blank_notes(*cubes).values()), numbers=numbers)


def _told_quantity(cube: xr.DataArray, unit: str) -> str:
    """Return what a product says its values are, unless they look like something else."""
    quantity = cube.attrs.get("hsrdiff_quantity")
    if quantity not in (REFLECTANCE, RADIANCE) or unit not in (quantity, OPEN, REFLECTANCE):
        return ""
    return f"{quantity}{_spaced(str(cube.attrs.get('hsrdiff_radiance_unit', '')), ' in ')}, as the product says"


def _spaced(text: str, before: str = " ") -> str:
    return f"{before}{text}" if text else ""


def bands_finding(pair: Pair, info: CubeInfo) -> Finding:
    """Say which bands are left out.

    Args:
        pair: The images.
        info: What is known of the HSI.
    """
    dropped = list(pair.dropped)
    words = f"{len(dropped)} of {info.bands} left out as bad or empty" if dropped else "all are used"
    concern = ""
    if 2 * len(dropped) > info.bands:
        concern = f"{len(dropped)} of {info.bands} hyperspectral bands are bad or empty; check the good_band marks"
    return Finding("bands", words, concern, numbers={"dropped": dropped})


def valid_finding(scene: Scene, found: Disagreement) -> Finding:
    """Say how much of both images is valid, and how many coarse pixels both see.

    Args:
        scene: The pair.
        found: How far it disagrees, where both see something.
    """
    shares = [1.0 if mask is None else float(mask.double().mean()) for mask in (scene.valid_lr, scene.valid)]
    pixels, of = found.pixels, found.of
    words = f"HSI {100 * shares[0]:.4g} %, MSI {100 * shares[1]:.4g} %; {pixels} of {of} coarse pixels are seen by both"
    concern = ""
    if pixels < _FEWEST:
        concern = f"only {pixels} coarse pixels are seen by both images, and what is learnt from them is uncertain"
    elif pixels < _SHARED * of:
        concern = f"only {100 * pixels / of:.3g} % of the coarse pixels are seen by both images"
    return Finding("valid", words, concern, numbers={"hsi": shares[0], "msi": shares[1], "shared": pixels, "of": of})


def grid_finding(pair: Pair) -> Finding:
    """Say how the grids fit, and what `fuse` does to nest them.

    Args:
        pair: The images.
    """
    words = f"pixel sizes have ratio {pair.factor}"
    if not pair.placed:
        words += "; no place on the map is known, so the images are taken to have the same extent"
    done = pair.notes.get("grid", "")
    words += f"; {done}" if done else ", and the extents are the same" if pair.placed else ""
    return Finding("grid", words, numbers={"factor": pair.factor, "offset_px": list(pair.offset)})
