"""Hyperion level 1T of EO-1: radiance at the sensor, one GeoTIFF for each of 242 bands at 30 m on a UTM grid.

USGS, EO-1 user guide: radiance = raw / 40 for bands of the VNIR detector and raw / 80 for those of the SWIR detector,
in W / (m2 sr um); 198 bands are calibrated, and the detectors overlap between 912 and 926 nm.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hsrdiff.cubes.cube import build_cube
from hsrdiff.cubes.formats import only_read
from hsrdiff.cubes.packing import Packing
from hsrdiff.cubes.products.band_stack import BandPlace, BandStack, grid_of
from hsrdiff.cubes.products.hyperion_bands import CENTRES_NM, LAST_VNIR, NUMBERS, WIDTHS_NM
from hsrdiff.cubes.products.keyword_text import number_in, read_keywords
from hsrdiff.cubes.products.product_files import UNMASKED, chosen_words, named_like, only_file
from hsrdiff.cubes.spectral_axis import SpectralAxis
from hsrdiff.errors import CubeFormatError

if TYPE_CHECKING:
    import xarray as xr

    from hsrdiff.cubes.cube import Chunks

title = "Hyperion L1T"
suffixes: tuple[str, ...] = ("_mtl_l1t.txt",)
options: dict[str, tuple[object, ...]] = {}
can_write = False
can_keep: frozenset[str] = frozenset()

UNITS = "W m-2 sr-1 um-1"
_IMAGE = r"(EO1H.*)_B(\d{3})_(L1T|L1GST)\.tif"
_MTL = r"(EO1H.*)_MTL_(L1T|L1GST)\.txt"
_SCALING = "RADIANCE_SCALING"


def sniff(path: Path, head: bytes) -> bool:
    """Return whether the path is a folder with bands of Hyperion, or their MTL file."""
    if path.is_dir():
        return bool(named_like(path, _IMAGE))
    return re.fullmatch(_MTL, path.name, re.IGNORECASE) is not None and b"GROUP" in head


def read(path: Path, *, chunks: Chunks, variable: str | None) -> xr.DataArray:
    """Read the radiance ``raw / SCALING_FACTOR`` of the calibrated bands, by their wavelengths.

    Args:
        path: The folder or the MTL file.
        chunks: As for `open_cube`.
        variable: ``"unmasked"``, which changes nothing here, or None.

    Returns:
        The cube, in W / (m2 sr um).

    Raises:
        CubeFormatError: A file is missing or damaged, or the folder has several scenes.
    """
    chosen_words(path, variable, (UNMASKED,))
    folder = path if path.is_dir() else path.parent
    metadata = path if path.is_file() else only_file(folder, _MTL, "its description", "EO1H..._MTL_L1T.TXT")
    scene = re.sub(rf"(?i){_MTL}", r"\1", metadata.name)
    images: dict[int, Path] = {}
    for file in named_like(folder, rf"{re.escape(scene)}_B\d{{3}}_(L1T|L1GST)\.tif"):
        match = re.fullmatch(_IMAGE, file.name, re.IGNORECASE)
        if match is not None:
            images[int(match[2])] = file
    missing = [number for number in NUMBERS if number not in images]
    if missing:
        raise CubeFormatError(
            f"{folder} lacks the images of {len(missing)} calibrated bands ({', '.join(map(str, missing[:5]))})",
            expected=f"{scene}_B{missing[0]:03d}_L1T.TIF and its like for bands 8 to 57 and 77 to 224",
            do="copy the whole product",
        )
    groups = read_keywords(metadata)
    factors = {
        detector: number_in(groups, _SCALING, f"SCALING_FACTOR_{detector}", metadata) for detector in ("VNIR", "SWIR")
    }
    if min(factors.values()) <= 0:
        raise CubeFormatError(f"a SCALING_FACTOR in {metadata} is not positive", expected="40 and 80")
    order = np.argsort(CENTRES_NM, kind="stable")
    detectors = ["VNIR" if number <= LAST_VNIR else "SWIR" for number in NUMBERS]
    grid = grid_of(images[NUMBERS[0]])
    return build_cube(
        BandStack(tuple(BandPlace(images[NUMBERS[place]]) for place in order), grid, 0),
        Packing.of(grid.dtype, [1.0 / factors[detectors[place]] for place in order], 0.0, 0),
        axis=SpectralAxis(
            np.array(CENTRES_NM)[order],
            np.array(WIDTHS_NM)[order],
            None,
            tuple(f"{detectors[place]} B{NUMBERS[place]:03d}" for place in order),
        ),
        crs=grid.crs,
        transform=grid.transform,
        chunks=chunks,
        attrs={"hsrdiff_quantity": "radiance", "hsrdiff_radiance_unit": UNITS, "masked_by": "nothing but nodata"},
    )


write = only_read(title)
