"""What EnMAP and DESIS products of the DLR share: PREFIX-METADATA.XML beside PREFIX-SPECTRAL_IMAGE.TIF."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hsrdiff.cubes.cube import build_cube
from hsrdiff.cubes.packing import Packing
from hsrdiff.cubes.products.band_stack import BandPlace, BandStack, MaskLayer, grid_of
from hsrdiff.cubes.products.product_files import named_like, number_at, only_file, read_xml
from hsrdiff.cubes.spectral_axis import SpectralAxis
from hsrdiff.errors import CubeFormatError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

    import xarray as xr

    from hsrdiff.cubes.cube import Chunks
    from hsrdiff.typing import BoolArray, FloatArray

_METADATA = r"METADATA\.xml"
_IMAGE = r"SPECTRAL_IMAGE(_COG)?\.(tiff?|geotiff)"
_PREFIX = re.compile(rf"(?i)(.*?)({_METADATA}|{_IMAGE})")


@dataclass(frozen=True)
class DlrFiles:
    """The files of one product.

    Args:
        folder: Where they are.
        prefix: What their names begin with, such as ``ENMAP01-____L2A-...-``.
        metadata: The description.
        image: The spectral image.
    """

    folder: Path
    prefix: str
    metadata: Path
    image: Path

    def layer(self, name: str) -> Path | None:
        """Return a quality layer where it is beside the image.

        Args:
            name: Its name after the prefix, such as ``QL_QUALITY_CLOUD``.
        """
        found = named_like(self.folder, rf"{re.escape(self.prefix)}{name}(_COG)?\.(tiff?|geotiff)")
        return found[0] if found else None


@dataclass(frozen=True)
class DlrBands:
    """What the description says of each band, in the order of the image.

    Args:
        numbers: Numbers of the bands, counted from 1.
        centres_nm: Band centres, nm.
        widths_nm: Full widths at half maximum, nm.
        gains: What a stored number is multiplied by.
        offsets: What is added after that.
    """

    numbers: tuple[int, ...]
    centres_nm: FloatArray
    widths_nm: FloatArray
    gains: FloatArray
    offsets: FloatArray


def describes(path: Path, tag: str) -> bool:
    """Return whether a path is or has beside it a description with some tag.

    Args:
        path: A folder, a description or a spectral image.
        tag: A tag that only this mission has.
    """
    if path.is_dir():
        files = named_like(path, f".*{_METADATA}")
    else:
        match = _PREFIX.fullmatch(path.name)
        files = named_like(path.parent, re.escape(match[1]) + _METADATA) if match else []
    return any(f"<{tag}>".encode() in file.read_bytes() for file in files)


def has_spectral_image(path: Path, mission: str) -> bool:
    """Return whether a file is named as the spectral image of a mission's product, or a folder holds such a file.

    Args:
        path: A file or a folder.
        mission: What names begin with, such as ``ENMAP``.
    """
    name = rf"{mission}.*{_IMAGE}"
    return bool(named_like(path, name)) or (path.is_file() and re.fullmatch(name, path.name, re.IGNORECASE) is not None)


def files_of(path: Path, mission: str) -> DlrFiles:
    """Find the files of a product from its folder or from one of them.

    Args:
        path: The folder, the description or the spectral image.
        mission: The name of the mission, for messages.

    Returns:
        The files.

    Raises:
        CubeFormatError: The description or the image is missing, or the folder has several products.
    """
    folder, prefix = (path, ".*") if path.is_dir() else (path.parent, "")
    match = _PREFIX.fullmatch(path.name)
    if match and not path.is_dir():
        prefix = re.escape(match[1])
        if not named_like(folder, prefix + _METADATA):
            raise CubeFormatError(
                f"{path} has no {match[1]}METADATA.XML beside it, which says what its numbers mean",
                expected=f"the files of the {mission} product together",
                do="copy the description too, or rename the image to read its plain numbers",
            )
    metadata = only_file(folder, prefix + _METADATA, f"the description of {mission}", "...-METADATA.XML")
    own = metadata.name[: -len("METADATA.XML")]
    image = only_file(folder, re.escape(own) + _IMAGE, f"the image of {metadata.name}", f"{own}SPECTRAL_IMAGE.TIF")
    return DlrFiles(folder, own, metadata, image)


def read_description(files: DlrFiles, mission: str) -> Element:
    """Read the description, which must be of a level 2A product.

    Args:
        files: The files.
        mission: The name of the mission, for messages.

    Returns:
        The root element.

    Raises:
        CubeFormatError: It is damaged or of another level.
    """
    root = read_xml(files.metadata)
    stated = re.search(r"0|1A|1B|1C|2A", (root.findtext("base/level") or "").upper())
    if stated is not None and stated[0] != "2A":
        raise CubeFormatError(
            f"{files.metadata} describes {mission} level L{stated[0]}",
            expected="level L2A, surface reflectance on a map",
            do="order or process it to L2A",
        )
    return root


def read_band_table(elements: list[Element], tags: tuple[str, str, str, str], path: Path) -> DlrBands:
    """Read centre, width, gain and offset of every band.

    Args:
        elements: One element a band.
        tags: Their children with centre (nm), width (nm), gain and offset.
        path: The description, for messages.

    Returns:
        The bands.

    Raises:
        CubeFormatError: There is no band, or an entry is missing or no number.
    """
    if not elements:
        raise CubeFormatError(f"{path} describes no band", expected="bandCharacterisation", do="copy the file again")
    numbers = []
    for place, element in enumerate(elements, 1):
        stated = (element.get("number") or element.findtext("bandNumber") or "").strip()
        numbers.append(int(stated) if stated.isdigit() else place)
    table = np.array([[number_at(element, tag, path) for tag in tags] for element in elements])
    return DlrBands(tuple(numbers), table[:, 0], table[:, 1], table[:, 2], table[:, 3])


@dataclass(frozen=True)
class DlrProduct:
    """An opened product.

    Args:
        files: Its files.
        root: Its description.
        bands: The bands as described.
        order: For each band of the cube, by increasing wavelength, its place in the image, counted from 0.
    """

    files: DlrFiles
    root: Element
    bands: DlrBands
    order: list[int]

    @classmethod
    def opened(cls, path: Path, mission: str, elements: str, tags: tuple[str, str, str, str]) -> DlrProduct:
        """Find the files of a product and read its description.

        Args:
            path: The folder, the description or the spectral image.
            mission: The name of the mission, for messages.
            elements: Where the description has one element a band.
            tags: As for `read_band_table`.

        Returns:
            The product.

        Raises:
            CubeFormatError: A file is missing or damaged, or the product is of another level.
        """
        files = files_of(path, mission)
        root = read_description(files, mission)
        bands = read_band_table(root.findall(elements), tags, files.metadata)
        return cls(files, root, bands, np.argsort(bands.centres_nm, kind="stable").tolist())

    def cube(
        self,
        names: Sequence[str],
        masks: tuple[MaskLayer, ...],
        *,
        chunks: Chunks,
        good: BoolArray | None = None,
        background: float | None = None,
    ) -> xr.DataArray:
        """Return the reflectance, bands by increasing wavelength.

        Args:
            names: Name of each band, in the order of the image.
            masks: Quality layers.
            chunks: As for `open_cube`.
            good: False for bands without data, in the order of the image, or None.
            background: The raw number of an invalid pixel as described; None for what the image says.

        Returns:
            The cube.

        Raises:
            CubeFormatError: The image has another number of bands than are described.
        """
        bands, order, image = self.bands, self.order, self.files.image
        grid = grid_of(image)
        if grid.bands != len(bands.numbers):
            raise CubeFormatError(
                f"{image} has {grid.bands} bands",
                expected=f"{len(bands.numbers)} as in {self.files.metadata.name}",
                do="copy the product again",
            )
        stated = background if background is not None else grid.nodata
        fill = -32768.0 if stated is None else stated
        return build_cube(
            BandStack(tuple(BandPlace(image, place + 1) for place in order), grid, fill, masks),
            Packing.of(grid.dtype, bands.gains[order], bands.offsets[order], fill),
            axis=SpectralAxis(
                bands.centres_nm[order],
                bands.widths_nm[order],
                None if good is None else good[order],
                tuple(names[place] for place in order),
            ),
            crs=grid.crs,
            transform=grid.transform,
            chunks=chunks,
            attrs={
                "hsrdiff_quantity": "reflectance",
                "masked_by": ", ".join(mask.name for mask in masks) or "nothing but nodata",
            },
        )
