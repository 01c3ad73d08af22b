"""EnMAP level 2A: surface reflectance of 224 bands at 30 m, in GeoTIFF, described in XML.

DLR, EnMAP HSI Level 1B, 1C, 2A product specification (EN-PCV-ICD-2009-2): the tags, the quality layers, and 420 to
2450 nm seen by two detectors that overlap between 900 and 1000 nm.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hsrdiff.cubes.formats import only_read
from hsrdiff.cubes.products.band_stack import BandPlace, MaskLayer
from hsrdiff.cubes.products.dlr import DlrBands, DlrFiles, DlrProduct, describes, has_spectral_image
from hsrdiff.cubes.products.product_files import UNMASKED, chosen_words, number_at

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    import xarray as xr

    from hsrdiff.cubes.cube import Chunks
    from hsrdiff.typing import BoolArray

title = "EnMAP L2A"
suffixes: tuple[str, ...] = ("-metadata.xml",)
options: dict[str, tuple[object, ...]] = {}
can_write = False
can_keep: frozenset[str] = frozenset()

_LAYERS = ("CLOUD", "CLOUDSHADOW", "HAZE", "CIRRUS", "SNOW")
_TAGS = ("wavelengthCenterOfBand", "FWHMOfBand", "GainOfBand", "OffsetOfBand")


def sniff(path: Path, head: bytes) -> bool:
    """Return whether the path is or belongs to an EnMAP description, or has a spectral image by its name."""
    return describes(path, "FWHMOfBand") or has_spectral_image(path, "ENMAP")


def read(path: Path, *, chunks: Chunks, variable: str | None) -> xr.DataArray:
    """Read the reflectance ``raw * GainOfBand + OffsetOfBand``, bands in the order of their wavelengths.

    Pixels under cloud, cloud shadow, haze, cirrus or snow, and pixels that a band's detector failed to see, are
    invalid where the quality layers are beside the image. Bands that the product does not deliver are marked as bad.

    Args:
        path: The folder, the description or the spectral image.
        chunks: As for `open_cube`.
        variable: ``"unmasked"`` to leave the quality layers out, or None.

    Returns:
        The cube.

    Raises:
        CubeFormatError: A file is missing or damaged, or the product is of another level.
    """
    words = chosen_words(path, variable, (UNMASKED,))
    product = DlrProduct.opened(path, "EnMAP", "specific/bandCharacterisation/bandID", _TAGS)
    root, bands, files = product.root, product.bands, product.files
    background = None
    if root.find("specific/backgroundValue") is not None:
        background = number_at(root, "specific/backgroundValue", files.metadata)
    masks = () if UNMASKED in words else _masks(files, product.order)
    good = _good_bands(root, bands)
    return product.cube(_names(root, bands), masks, chunks=chunks, good=good, background=background)


write = only_read(title)


def _masks(files: DlrFiles, order: list[int]) -> tuple[MaskLayer, ...]:
    """Return the quality layers that are there; 0 is a pixel without the condition."""
    masks = []
    for name in _LAYERS:
        layer = files.layer(f"QL_QUALITY_{name}")
        if layer is not None:
            masks.append(MaskLayer(name.lower(), (BandPlace(layer),)))
    defects = files.layer("QL_PIXELMASK")
    if defects is not None:
        places = tuple(BandPlace(defects, place + 1) for place in order)
        masks.append(MaskLayer("defective pixel", places, per_band=True))
    return tuple(masks)


def _channels(root: Element, detector: str) -> frozenset[int]:
    text = root.findtext(f"specific/{detector}ProductQuality/expectedChannelsList") or ""
    return frozenset(int(part) for part in text.replace(",", " ").split() if part.isdigit())


def _good_bands(root: Element, bands: DlrBands) -> BoolArray | None:
    """Return False for bands that no detector delivers, or of which the statistics say that they are empty."""
    delivered = _channels(root, "vnir") | _channels(root, "swir")
    statistics = {element.get("number"): element for element in root.findall("product/bandStatistics/bandID")}
    if not delivered and not statistics:
        return None
    good = np.array([not delivered or number in delivered for number in bands.numbers])
    for place, number in enumerate(bands.numbers):
        element = statistics.get(str(number))
        if element is not None:
            mean, spread = (element.findtext(tag) or "" for tag in ("mean", "stdDeviation"))
            # as EnMAP-Box reads it (EnMAP-Box/enmap-box#974): mean -1000000 and no spread is a band without data
            good[place] &= not (mean.strip().startswith("-1000000") and float(spread or 0) == 0)
    return good


def _names(root: Element, bands: DlrBands) -> tuple[str, ...]:
    """Return each band's detector, where the description names it, and its number in the product."""
    vnir, swir = _channels(root, "vnir"), _channels(root, "swir")
    return tuple(
        f"{'VNIR' if number in vnir else 'SWIR' if number in swir else 'channel'} {number}" for number in bands.numbers
    )
