"""DESIS level 2A: surface reflectance of up to 235 bands from 400 to 1000 nm at 30 m, in GeoTIFF, described in XML.

DLR, DESIS Product Specification (PAV-DLR-ICD-003): the tags of a band, -32768 for no data, and QL_QUALITY-2 with the
layers shadow, land, snow, haze over land, haze over water, cloud over land, cloud over water, water.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hsrdiff.cubes.formats import only_read
from hsrdiff.cubes.products.band_stack import BandPlace, MaskLayer
from hsrdiff.cubes.products.dlr import DlrProduct, describes, has_spectral_image
from hsrdiff.cubes.products.product_files import UNMASKED, chosen_words

if TYPE_CHECKING:
    import xarray as xr

    from hsrdiff.cubes.cube import Chunks

title = "DESIS L2A"
suffixes: tuple[str, ...] = ("-metadata.xml",)
options: dict[str, tuple[object, ...]] = {}
can_write = False
can_keep: frozenset[str] = frozenset()

_TAGS = ("wavelengthCenterOfBand", "wavelengthWidthOfBand", "gainOfBand", "offsetOfBand")
_LAYERS = {"shadow": (1,), "snow": (3,), "haze": (4, 5), "cloud": (6, 7)}  # their numbers in QL_QUALITY-2


def sniff(path: Path, head: bytes) -> bool:
    """Return whether the path is or belongs to a DESIS description, or has a spectral image by its name."""
    return describes(path, "wavelengthWidthOfBand") or has_spectral_image(path, "DESIS")


def read(path: Path, *, chunks: Chunks, variable: str | None) -> xr.DataArray:
    """Read the reflectance ``raw * gainOfBand + offsetOfBand``.

    Pixels in shadow or under snow, haze or cloud are invalid where QL_QUALITY-2 is beside the image.

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
    # bands are listed under interiorOrientation as well
    product = DlrProduct.opened(path, "DESIS", "specific/bandCharacterisation/band", _TAGS)
    masks: tuple[MaskLayer, ...] = ()
    quality = product.files.layer("QL_QUALITY-2")
    if quality is not None and UNMASKED not in words:
        masks = tuple(
            MaskLayer(name, tuple(BandPlace(quality, number) for number in numbers))
            for name, numbers in _LAYERS.items()
        )
    return product.cube([f"channel {number}" for number in product.bands.numbers], masks, chunks=chunks)


write = only_read(title)
