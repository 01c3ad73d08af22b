"""WorldView-2 and -3: radiance at the sensor from a GeoTIFF and the IMD file beside it.

Maxar, Absolute Radiometric Calibration: radiance = raw * absCalFactor / effectiveBandwidth in W / (m2 sr um), without
the later fine tuning by gains and offsets; 0 is no data.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hsrdiff.cubes.cube import build_cube
from hsrdiff.cubes.formats import only_read
from hsrdiff.cubes.packing import Packing
from hsrdiff.cubes.products.keyword_text import Groups, number_in, read_keywords
from hsrdiff.cubes.products.product_files import UNMASKED, chosen_words, named_like
from hsrdiff.cubes.raster import RasterBands, open_raster, unused_place_of
from hsrdiff.cubes.spectral_axis import BAND_SHAPE, SpectralAxis
from hsrdiff.errors import CubeFormatError

if TYPE_CHECKING:
    import xarray as xr

    from hsrdiff.cubes.cube import Chunks

title = "WorldView-2/3"
suffixes: tuple[str, ...] = (".imd",)
options: dict[str, tuple[object, ...]] = {}
can_write = False
can_keep: frozenset[str] = frozenset()

_UNITS = "W m-2 sr-1 um-1"
# name and edges (nm) by the group of the IMD: Maxar's data sheets, for WorldView-3 its half-maximum edges
_SWIR = {
    "BAND_S1": ("swir1", 1195, 1225), "BAND_S2": ("swir2", 1550, 1590), "BAND_S3": ("swir3", 1640, 1680),
    "BAND_S4": ("swir4", 1710, 1750), "BAND_S5": ("swir5", 2145, 2185), "BAND_S6": ("swir6", 2185, 2225),
    "BAND_S7": ("swir7", 2235, 2285), "BAND_S8": ("swir8", 2295, 2365),
}  # fmt: skip
_BANDS = {
    "WV02": {
        "BAND_P": ("pan", 450, 800), "BAND_C": ("coastal", 400, 450), "BAND_B": ("blue", 450, 510),
        "BAND_G": ("green", 510, 580), "BAND_Y": ("yellow", 585, 625), "BAND_R": ("red", 630, 690),
        "BAND_RE": ("rededge", 705, 745), "BAND_N": ("nir1", 770, 895), "BAND_N2": ("nir2", 860, 1040),
    },
    "WV03": {
        "BAND_P": ("pan", 450, 800), "BAND_C": ("coastal", 403, 449), "BAND_B": ("blue", 452, 510),
        "BAND_G": ("green", 511, 579), "BAND_Y": ("yellow", 585, 623), "BAND_R": ("red", 631, 689),
        "BAND_RE": ("rededge", 704, 742), "BAND_N": ("nir1", 771, 891), "BAND_N2": ("nir2", 863, 948), **_SWIR,
    },
}  # fmt: skip
_TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_TILE = r"_R\d+C\d+"  # the tiles of a large image share one IMD file


def sniff(path: Path, head: bytes) -> bool:
    """Return whether the path is an IMD file of WorldView-2 or -3, or a TIFF that has one beside it."""
    if path.suffix.lower() == ".imd":
        return b"BEGIN_GROUP" in head
    beside = _imd_beside(path) if head[:4] in _TIFF else None
    return beside is not None and _satellite(read_keywords(beside)) in _BANDS


def read(path: Path, *, chunks: Chunks, variable: str | None) -> xr.DataArray:
    """Read the radiance ``raw * absCalFactor / effectiveBandwidth``; names and wavelengths follow the IMD's bands.

    Args:
        path: The TIFF or its IMD file.
        chunks: As for `open_cube`.
        variable: ``"unmasked"``, which changes nothing here, or None.

    Returns:
        The cube, in W / (m2 sr um); without a coordinate system where the image is not projected.

    Raises:
        CubeFormatError: A file is missing or damaged, or the IMD does not describe the bands of the image.
    """
    chosen_words(path, variable, (UNMASKED,))
    metadata = path if path.suffix.lower() == ".imd" else _imd_beside(path)
    image = _image_of(path) if path.suffix.lower() == ".imd" else path
    if metadata is None:
        raise CubeFormatError(f"{path} has no IMD file beside it", expected=f"{path.stem}.IMD")
    groups = read_keywords(metadata)
    satellite = _satellite(groups)
    known = _BANDS.get(satellite)
    if known is None:
        raise CubeFormatError(f"{metadata} is of the satellite '{satellite}'", expected="WV02 or WV03")
    names = [name for name in groups if name in known]
    factors = [number_in(groups, name, "absCalFactor", metadata) for name in names]
    widths_um = [number_in(groups, name, "effectiveBandwidth", metadata) for name in names]
    if any(width <= 0 for width in widths_um):
        raise CubeFormatError(f"an effectiveBandwidth in {metadata} is not positive", expected="micrometres")
    edges = np.array([known[name][1:] for name in names], np.float64).reshape(-1, 2)
    with open_raster(image, "GTiff") as raster:
        if raster.count != len(names):
            raise CubeFormatError(
                f"{image} has {raster.count} bands and {metadata.name} describes {len(names)}",
                expected="an IMD file of the same image",
                do="keep the files of one image together",
            )
        dtype, nodata = np.dtype(raster.dtypes[0]), raster.nodatavals[0]
        bands = RasterBands(image, "GTiff", tuple(raster.indexes), raster.height, raster.width, dtype, False)
        return build_cube(
            bands,
            Packing.of(dtype, np.array(factors) / widths_um, 0.0, 0 if nodata is None else nodata),
            axis=SpectralAxis(
                edges.mean(axis=1), np.diff(edges, axis=1)[:, 0], None, tuple(known[name][0] for name in names)
            ),
            crs=raster.crs,
            transform=None if raster.transform.is_identity else raster.transform,
            chunks=chunks,
            attrs={
                "hsrdiff_quantity": "radiance",
                "hsrdiff_radiance_unit": _UNITS,
                BAND_SHAPE: "box",
                "masked_by": "nothing but nodata",
                **unused_place_of(raster),
            },
        )


write = only_read(title)


def _satellite(groups: Groups) -> str:
    return next((group["satId"] for group in groups.values() if "satId" in group), "unknown")


def _imd_beside(path: Path) -> Path | None:
    """Return the IMD of an image: of its own name, or of its name without the place of a tile."""
    names = (f"{stem}{ending}" for stem in (path.stem, re.sub(_TILE, "", path.stem)) for ending in (".IMD", ".imd"))
    # not by listing the folder: every TIFF that is opened is asked for
    return next((file for name in names if (file := path.with_name(name)).is_file()), None)


def _image_of(metadata: Path) -> Path:
    images = [
        file
        for file in named_like(metadata.parent, r".*\.tiff?")
        if re.sub(_TILE, "", file.stem).lower() == metadata.stem.lower()
    ]
    if len(images) == 1:
        return images[0]
    found = f"{len(images)} tiles" if images else "no image"
    raise CubeFormatError(
        f"{metadata} has {found} beside it",
        expected=f"{metadata.stem}.TIF",
        do="open one of the tiles, or join them first" if images else "copy the whole product",
    )
