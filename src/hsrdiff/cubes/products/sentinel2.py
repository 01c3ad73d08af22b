"""Sentinel-2 level 2A: surface reflectance of a tile in a SAFE folder, one JPEG 2000 image for each band.

ESA, Sentinel-2 Products Specification Document (S2-PDGS-TAS-DI-PSD): reflectance = (raw + BOA_ADD_OFFSET) /
BOA_QUANTIFICATION_VALUE, where the offset of -1000 exists since processing baseline 04.00; 0 is no data.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hsrdiff.cubes.cube import build_cube
from hsrdiff.cubes.formats import only_read
from hsrdiff.cubes.packing import Packing
from hsrdiff.cubes.products.band_stack import BandPlace, BandStack, MaskLayer, grid_of
from hsrdiff.cubes.products.product_files import (
    UNMASKED,
    chosen_words,
    named_like,
    number_at,
    only_file,
    read_xml,
    text_at,
)
from hsrdiff.cubes.spectral_axis import BAND_SHAPE, SpectralAxis
from hsrdiff.errors import CubeFormatError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    import xarray as xr

    from hsrdiff.cubes.cube import Chunks

title = "Sentinel-2 L2A"
suffixes: tuple[str, ...] = (".safe", "mtd_msil2a.xml")
options: dict[str, tuple[object, ...]] = {}
can_write = False
can_keep: frozenset[str] = frozenset()


REPEATED = "repeated_bands"  # names of the bands of 20 m that are repeated in blocks of 2 x 2 pixels of 10 m


class S2Band(NamedTuple):
    """A band: its number in the description, its finest pixel, and the nominal centre and width of Sentinel-2A."""

    identity: int
    pixel_m: int
    centre_nm: float
    width_nm: float


# ESA, Sentinel-2 MSI spectral bands; the description of a product gives the centres of its own satellite.
BANDS = {
    "B1": S2Band(0, 60, 442.7, 21.0),
    "B2": S2Band(1, 10, 492.4, 66.0),
    "B3": S2Band(2, 10, 559.8, 36.0),
    "B4": S2Band(3, 10, 664.6, 31.0),
    "B5": S2Band(4, 20, 704.1, 15.0),
    "B6": S2Band(5, 20, 740.5, 15.0),
    "B7": S2Band(6, 20, 782.8, 20.0),
    "B8": S2Band(7, 10, 832.8, 106.0),
    "B8A": S2Band(8, 20, 864.7, 21.0),
    "B9": S2Band(9, 60, 945.1, 20.0),
    "B11": S2Band(11, 20, 1613.7, 91.0),
    "B12": S2Band(12, 20, 2202.4, 175.0),
}
_METADATA = r"MTD_MSIL(1C|2A)\.xml"
_CHOICES = ("10m", "20m", "60m", "10m+20m")
_ALL_NINE = ("B2", "B3", "B4", "B5", "B6", "B7", "B8A", "B11", "B12")  # what a product holds at 20 m
# of the scene classification: no data, saturated or defective, cloud shadow, cloud (medium, high), thin cirrus
_MASKED_CLASSES = (0, 1, 3, 8, 9, 10)
_FIRST_BASELINE_WITH_OFFSET = 4.0
_OFFSET = -1000.0


def sniff(path: Path, head: bytes) -> bool:
    """Return whether the path is a SAFE folder of Sentinel-2 or its description."""
    if path.is_dir():
        return bool(named_like(path, _METADATA)) or re.fullmatch(r"(?i)S2.*\.SAFE", path.name) is not None
    return re.fullmatch(_METADATA, path.name, re.IGNORECASE) is not None


def read(path: Path, *, chunks: Chunks, variable: str | None) -> xr.DataArray:
    """Read the reflectance ``(raw + BOA_ADD_OFFSET) / BOA_QUANTIFICATION_VALUE``.

    Where the scene classification is there, its classes 1 (saturated or defective), 3 (cloud shadow), 8 and 9
    (cloud) and 10 (thin cirrus) are invalid.

    Args:
        path: The SAFE folder or its MTD_MSIL2A.xml.
        chunks: As for `open_cube`.
        variable: ``"10m"`` (the default): B2, B3, B4, B8. ``"20m"``: the nine bands that are delivered at 20 m.
            ``"60m"``: B1 and B9. ``"10m+20m"``: ten bands at 10 m, those of 20 m repeated in blocks of 2 x 2.
            ``"unmasked"``, also after one of these, leaves the scene classification out; names of bands, as in
            ``"10m+20m B2 B3 B4 B5"``, leave the others out.

    Returns:
        The cube.

    Raises:
        CubeFormatError: A file is missing or damaged, or the product is of level 1C.
    """
    words = chosen_words(path, variable, (*_CHOICES, UNMASKED, *(name.lower() for name in BANDS)))
    named = words.difference(_CHOICES, {UNMASKED})
    asked = sorted(words.intersection(_CHOICES)) or ["10m"]
    if len(asked) > 1:
        raise CubeFormatError(
            f"variable='{variable}' asks for {' and '.join(asked)}", expected="one grid", do="use '10m+20m' for both"
        )
    folder = path if path.is_dir() else path.parent
    metadata = path if path.is_file() else only_file(folder, _METADATA, "its description", "MTD_MSIL2A.xml")
    if "1C" in metadata.name.upper():
        raise CubeFormatError(
            f"{folder} is Sentinel-2 level 1C, reflectance at the top of the atmosphere",
            expected="level 2A",
            do="order the L2A product of the tile",
        )
    root = read_xml(metadata)
    images = _images(root, metadata, folder)
    names, pixel_m = _named(*_bands_at(asked[0]), named, variable)
    places = tuple(_place(images, name, asked[0], pixel_m, folder) for name in names)
    grid = grid_of(next(place.path for place in places if place.zoom == 1))
    masks = () if UNMASKED in words else _mask(images, pixel_m, folder)
    scale = 1.0 / _quantification(root, metadata)
    offsets = _offsets(root, metadata)
    return build_cube(
        BandStack(places, grid, 0, masks),
        Packing.of(grid.dtype, scale, [offsets.get(BANDS[name].identity, 0.0) * scale for name in names], 0),
        axis=_axis(root, names),
        crs=grid.crs,
        transform=grid.transform,
        chunks=chunks,
        attrs=_attributes(bool(masks), [name for name, place in zip(names, places, strict=True) if place.zoom > 1]),
    )


write = only_read(title)


def _bands_at(choice: str) -> tuple[tuple[str, ...], int]:
    """Return the names of the bands of a choice, by wavelength, and the pixel of their grid, m."""
    if choice == "20m":
        return _ALL_NINE, 20
    if choice == "10m+20m":
        return tuple(name for name, band in BANDS.items() if band.pixel_m < 60), 10
    pixel_m = int(choice[:-1])
    return tuple(name for name, band in BANDS.items() if band.pixel_m == pixel_m), pixel_m


def _named(
    names: tuple[str, ...], pixel_m: int, wanted: frozenset[str], variable: str | None
) -> tuple[tuple[str, ...], int]:
    """Keep the bands named in lower case, all where none is; one of the grid's own pixel must be among them."""
    kept = tuple(name for name in names if not wanted or name.lower() in wanted)
    if len(wanted) > len(kept):
        raise CubeFormatError(
            f"variable='{variable}' names {len(wanted)} bands, of which {len(kept)} are on that grid",
            expected=f"some of {', '.join(names)}",
            do="name the grid that has them, such as '10m+20m'",
        )
    if wanted and not any(BANDS[name].pixel_m <= pixel_m for name in kept):
        raise CubeFormatError(
            f"variable='{variable}' names no band of {pixel_m} m",
            expected="one at least",
            do="use the grid of 20 m for bands of 20 m alone",
        )
    return kept, pixel_m


def _images(root: Element, metadata: Path, folder: Path) -> dict[str, Path]:
    """Return the places of the images, without their endings, by band and pixel such as ``B02_10m``."""
    granules = root.findall(".//Granule_List/Granule")
    if len(granules) != 1:
        raise CubeFormatError(
            f"{metadata} lists {len(granules)} granules", expected="one tile", do="order products of one tile each"
        )
    listed = [(element.text or "").strip() for element in granules[0].iter("IMAGE_FILE")]
    if not listed:
        raise CubeFormatError(f"{metadata} lists no IMAGE_FILE", do="copy the file again")
    return {"_".join(place.rsplit("_", 2)[-2:]): folder / place for place in listed}


def _find(images: dict[str, Path], key: str) -> Path | None:
    stem = images.get(key)
    if stem is None:
        return None
    return next((file for end in (".jp2", ".tif") if (file := stem.with_name(stem.name + end)).is_file()), None)


def _place(images: dict[str, Path], name: str, choice: str, pixel_m: int, folder: Path) -> BandPlace:
    """Return where a band lies: at the pixel of the grid, or at its own, coarser one where both are wanted."""
    number = name if name == "B8A" else f"B{int(name[1:]):02d}"
    own = BANDS[name].pixel_m if choice == "10m+20m" else pixel_m
    file = _find(images, f"{number}_{own}m")
    if file is None:
        raise CubeFormatError(
            f"{folder} lacks the image of {number} at {own} m",
            expected=f"a file that ends in _{number}_{own}m.jp2",
            do="copy the whole product",
        )
    return BandPlace(file, 1, own // pixel_m)


def _mask(images: dict[str, Path], pixel_m: int, folder: Path) -> tuple[MaskLayer, ...]:
    """Return the scene classification where it is there: 20 m and 60 m, the former for the grid of 10 m as well."""
    own = max(pixel_m, 20)
    file = _find(images, f"SCL_{own}m")
    if file is None:  # descriptions of early baselines do not list it
        found = sorted(folder.glob(f"GRANULE/*/IMG_DATA/R{own}m/*_SCL_{own}m.*"))
        file = next((each for each in found if each.suffix.lower() in {".jp2", ".tif"}), None)
    if file is None:
        return ()
    return (MaskLayer("scene classification", (BandPlace(file, 1, own // pixel_m),), values=_MASKED_CLASSES),)


def _quantification(root: Element, metadata: Path) -> float:
    # early products have L2A_ before the name
    old = ".//L2A_BOA_QUANTIFICATION_VALUE"
    value = number_at(root, old if root.find(old) is not None else ".//BOA_QUANTIFICATION_VALUE", metadata)
    if value <= 0:
        raise CubeFormatError(f"BOA_QUANTIFICATION_VALUE in {metadata} is {value:g}", expected="a positive number")
    return value


def _offsets(root: Element, metadata: Path) -> dict[int, float]:
    """Return the offset of each band by its number, as stated, or else as the processing baseline has it."""
    stated = {}
    for element in root.iter("BOA_ADD_OFFSET"):
        try:
            stated[int(element.get("band_id", ""))] = float(element.text or "")
        except ValueError:
            raise CubeFormatError(
                f"a BOA_ADD_OFFSET in {metadata} is '{element.text}' for band '{element.get('band_id')}'",
                expected="a number for a band_id",
            ) from None
    if stated:
        return stated
    text = text_at(root, ".//PROCESSING_BASELINE", metadata)
    try:
        late = float(text) >= _FIRST_BASELINE_WITH_OFFSET
    except ValueError:
        raise CubeFormatError(f"PROCESSING_BASELINE in {metadata} is '{text}'", expected="a number") from None
    return dict.fromkeys((band.identity for band in BANDS.values()), _OFFSET if late else 0.0)


def _axis(root: Element, names: tuple[str, ...]) -> SpectralAxis:
    """Return the centres of the product's own satellite where they are stated, and the nominal widths."""
    centres = {name: band.centre_nm for name, band in BANDS.items()}
    for element in root.iter("Spectral_Information"):
        centre = (element.findtext("Wavelength/CENTRAL") or "").strip()
        if element.get("physicalBand") in centres and centre:
            centres[str(element.get("physicalBand"))] = float(centre)
    return SpectralAxis(
        np.array([centres[name] for name in names]),
        np.array([BANDS[name].width_nm for name in names]),
        None,
        names,
    )


def _attributes(masked: bool, repeated: list[str]) -> dict[str, str]:
    attributes = {
        "hsrdiff_quantity": "reflectance",
        BAND_SHAPE: "box",
        "masked_by": "scene classification" if masked else "nothing but nodata",
    }
    return attributes | ({REPEATED: ", ".join(repeated)} if repeated else {})
