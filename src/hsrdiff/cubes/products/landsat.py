"""Landsat 8 and 9 Collection 2 level 2: surface reflectance, one GeoTIFF for each band, described in an MTL file.

USGS, Landsat 8-9 Collection 2 Level 2 Science Product Guide (LSDS-1619): reflectance = raw * 2.75e-05 - 0.2, 0 is no
data, and the bits of QA_PIXEL.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hsrdiff.cubes.cube import build_cube
from hsrdiff.cubes.formats import only_read
from hsrdiff.cubes.packing import Packing
from hsrdiff.cubes.products.band_stack import BandPlace, BandStack, MaskLayer, grid_of
from hsrdiff.cubes.products.keyword_text import number_in, read_mtl
from hsrdiff.cubes.products.product_files import UNMASKED, chosen_words, named_like, only_file
from hsrdiff.cubes.spectral_axis import BAND_SHAPE, SpectralAxis
from hsrdiff.errors import CubeFormatError

if TYPE_CHECKING:
    import xarray as xr

    from hsrdiff.cubes.cube import Chunks

title = "Landsat 8/9 L2"
suffixes: tuple[str, ...] = ("_mtl.txt", "_mtl.xml", "_mtl.json")
options: dict[str, tuple[object, ...]] = {}
can_write = False
can_keep: frozenset[str] = frozenset()

# USGS, band designations of OLI and OLI-2: edges, nm
_EDGES_NM = {
    1: (435, 451),
    2: (452, 512),
    3: (533, 590),
    4: (636, 673),
    5: (851, 879),
    6: (1566, 1651),
    7: (2107, 2294),
}
_MTL = r"(.*)_MTL\.(txt|xml|json)"
_IMAGE = r".*_SR_B\d+\.tif"
_SCALING = "LEVEL2_SURFACE_REFLECTANCE_PARAMETERS"
_CLOUD_BITS = 0b11110  # dilated cloud, cirrus, cloud, cloud shadow; bit 0 is fill, bit 5 snow, bit 7 water


def sniff(path: Path, head: bytes) -> bool:
    """Return whether the path is a folder with images of surface reflectance, or an MTL file."""
    if path.is_dir():
        return bool(named_like(path, _IMAGE))
    return re.fullmatch(_MTL, path.name, re.IGNORECASE) is not None and b"LANDSAT_METADATA_FILE" in head


def read(path: Path, *, chunks: Chunks, variable: str | None) -> xr.DataArray:
    """Read the reflectance ``raw * REFLECTANCE_MULT + REFLECTANCE_ADD`` of B1 to B7.

    Where QA_PIXEL is there, pixels of cloud, dilated cloud, cirrus and cloud shadow are invalid.

    Args:
        path: The folder or the MTL file.
        chunks: As for `open_cube`.
        variable: ``"unmasked"`` to leave QA_PIXEL out, or None.

    Returns:
        The cube.

    Raises:
        CubeFormatError: A file is missing or damaged, or the product is of another satellite or level.
    """
    words = chosen_words(path, variable, (UNMASKED,))
    folder = path if path.is_dir() else path.parent
    # the three kinds of MTL say the same; any one will do
    known = [path] if path.is_file() else named_like(folder, _MTL)
    metadata = known[0] if known else only_file(folder, _MTL, "its description", "..._MTL.txt")
    scene, *others = dict.fromkeys(file.name[: file.name.upper().rindex("_MTL.")] for file in (metadata, *known))
    if others:
        raise CubeFormatError(
            f"{folder} holds {len(others) + 1} scenes", expected="one", do=f"open {metadata.name} if that was meant"
        )
    groups = read_mtl(metadata)
    satellite = groups.get("IMAGE_ATTRIBUTES", {}).get("SPACECRAFT_ID", "unknown")
    if satellite not in {"LANDSAT_8", "LANDSAT_9"}:
        raise CubeFormatError(f"{metadata} is of the satellite {satellite}", expected="LANDSAT_8 or LANDSAT_9")
    if _SCALING not in groups:
        raise CubeFormatError(
            f"{metadata} has no {_SCALING}", expected="a level 2 product", do="order the L2SP product of the scene"
        )
    own = re.escape(scene)
    places = tuple(
        BandPlace(only_file(folder, rf"{own}_SR_B{n}\.tif", f"the image of band {n}", f"{scene}_SR_B{n}.TIF"))
        for n in _EDGES_NM
    )
    quality = [] if UNMASKED in words else named_like(folder, rf"{own}_QA_PIXEL\.tif")
    masks = tuple(MaskLayer("QA_PIXEL", (BandPlace(file),), bits=_CLOUD_BITS) for file in quality)
    gains, offsets = (
        [number_in(groups, _SCALING, f"REFLECTANCE_{word}_BAND_{n}", metadata) for n in _EDGES_NM]
        for word in ("MULT", "ADD")
    )
    grid = grid_of(places[0].path)
    edges = np.array(list(_EDGES_NM.values()), np.float64)
    return build_cube(
        BandStack(places, grid, 0, masks),
        Packing.of(grid.dtype, gains, offsets, 0),
        axis=SpectralAxis(edges.mean(axis=1), np.diff(edges, axis=1)[:, 0], None, tuple(f"B{n}" for n in _EDGES_NM)),
        crs=grid.crs,
        transform=grid.transform,
        chunks=chunks,
        attrs={
            "hsrdiff_quantity": "reflectance",
            BAND_SHAPE: "box",
            "masked_by": "QA_PIXEL" if masks else "nothing but nodata",
        },
    )


write = only_read(title)
