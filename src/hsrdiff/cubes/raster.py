"""Reading through rasterio, shared by GeoTIFF, JPEG 2000 and plain images."""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hsrdiff.cubes.cube import Chunks, build_cube
from hsrdiff.cubes.georeference import unused_place
from hsrdiff.cubes.packing import Packing
from hsrdiff.cubes.record import from_texts
from hsrdiff.cubes.spectral_axis import SpectralAxis, to_nanometres
from hsrdiff.errors import CubeFormatError

if TYPE_CHECKING:
    import numpy.typing as npt
    import xarray as xr

_OPENING = threading.Lock()  # warnings are filtered for the whole process, and Dask reads from many threads
_DESCRIBED = re.compile(r"\(\s*([0-9.]+(?:[eE][-+]?\d+)?)\s*([A-Za-zµμ]+)\s*\)\s*$")
_PAGE = re.compile(r"\((\d+)P x (\d+)L x \d+B\)")  # GDAL's description of a page
_GENERATED = re.compile(r"(?i)^band[ _]?\d+(\s*\(.*\))?$")


@contextmanager
def open_raster(path: Path, driver: str) -> Iterator[Any]:
    """Open a raster with one GDAL driver, turning its errors into one sentence.

    Args:
        path: The file.
        driver: The GDAL driver's name.

    Yields:
        The rasterio dataset.

    Raises:
        CubeFormatError: GDAL cannot open or read the file.
    """
    from rasterio.errors import RasterioError

    try:
        with open_quietly(path, profile={"driver": driver}) as dataset:
            yield dataset
    except RasterioError as error:
        reason = " ".join(str(error.__cause__ or error).split()).rstrip(".")
        raise CubeFormatError(
            f"{path} is damaged or cut short ({reason})", expected="a whole file", do="copy it again"
        ) from error


def open_quietly(path: Path, mode: str = "r", profile: Mapping[str, Any] | None = None) -> Any:
    """Open with rasterio, which warns of every image without a georeference; most cubes of a laboratory have none.

    Args:
        path: The file.
        mode: As `rasterio.open`.
        profile: The driver to read with, or the profile to write, by the names of `rasterio.open`.

    Returns:
        The dataset, a context manager.
    """
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning

    with _OPENING, warnings.catch_warnings(action="ignore", category=NotGeoreferencedWarning):
        return rasterio.open(path, mode, **(profile or {}))


_LEAST_ROWS = 64  # read at a time, where a file's blocks are lower


class RasterBands:
    """The raw bands of a raster, read window by window when sliced; pixels masked in the file become NaN.

    Args:
        path: The file.
        driver: The GDAL driver's name.
        indexes: The 1-based bands that hold data.
        height: Rows.
        width: Columns.
        dtype: The number type of the slices.
        masked: Whether the file has a mask or an alpha band beside its values.
        block_rows: Height of the file's blocks, which are decoded whole.
    """

    ndim = 3

    def __init__(
        self,
        path: Path,
        driver: str,
        indexes: tuple[int, ...],
        height: int,
        width: int,
        dtype: np.dtype[Any],
        masked: bool,
        block_rows: int = 1,
    ) -> None:
        self.path, self.driver, self.indexes, self.masked = path, driver, indexes, masked
        self.rows_together = block_rows * -(-_LEAST_ROWS // block_rows)
        self.shape = (len(indexes), height, width)
        self.dtype = dtype

    def __getitem__(self, key: tuple[slice, slice, slice]) -> npt.NDArray[Any]:
        from rasterio.windows import Window

        bands, rows, columns = key
        window = Window.from_slices(rows, columns, height=self.shape[1], width=self.shape[2])
        with open_raster(self.path, self.driver) as dataset:
            values = dataset.read(list(self.indexes[bands]), window=window).astype(self.dtype, copy=False)
            if self.masked:
                values[:, dataset.dataset_mask(window=window) == 0] = np.nan
        return np.asarray(values)


def read_raster(path: Path, driver: str, chunks: Chunks, attrs: dict[str, Any] | None = None) -> xr.DataArray:
    """Read a cube through rasterio, with all the metadata GDAL has of it.

    Args:
        path: The file.
        driver: The GDAL driver's name.
        chunks: As for `open_cube`.
        attrs: Attributes for the cube.

    Returns:
        The cube.

    Raises:
        CubeFormatError: The file is damaged, of complex numbers, of several pages, or an image of palette entries.
    """
    from rasterio.enums import ColorInterp, MaskFlags

    with open_raster(path, driver) as dataset:
        _check_pages(path, dataset)
        interpretation = dataset.colorinterp
        if ColorInterp.palette in interpretation:
            raise CubeFormatError(f"{path} holds palette entries, not values", do="convert it to grey or RGB first")
        indexes = tuple(i for i, kind in enumerate(interpretation, 1) if kind is not ColorInterp.alpha)
        # complex whole numbers have a name that NumPy does not know
        if any(str(name).startswith("complex") for name in dataset.dtypes):
            raise CubeFormatError(f"{path} holds complex numbers", expected="real numbers")
        dtypes = {np.dtype(dataset.dtypes[i - 1]) for i in indexes}
        dtype = np.result_type(*dtypes) if dtypes else np.dtype(np.float32)
        if dtype.kind not in "iuf" or not indexes:
            raise CubeFormatError(f"{path} holds {dtype} values", expected="real numbers")
        flags = dataset.mask_flag_enums[indexes[0] - 1]
        masked = MaskFlags.per_dataset in flags
        if masked:
            dtype = np.result_type(dtype, np.float32)
        packing = Packing.of(
            dtype,
            [dataset.scales[i - 1] for i in indexes],
            [dataset.offsets[i - 1] for i in indexes],
            dataset.nodatavals[indexes[0] - 1],
        )
        bands = RasterBands(
            path, driver, indexes, dataset.height, dataset.width, dtype, masked, dataset.block_shapes[0][0]
        )
        return build_cube(
            bands,
            packing,
            axis=_axis_of(dataset, indexes),
            crs=dataset.crs,
            transform=None if dataset.transform.is_identity else dataset.transform,
            chunks=chunks,
            attrs={**(attrs or {}), **unused_place_of(dataset), **from_texts(dataset.tags())},
        )


def unused_place_of(dataset: Any) -> dict[str, str]:
    """Say where a raster has no grid on the map but something to lay one by.

    Args:
        dataset: A rasterio dataset.

    Returns:
        From `unused_place`.
    """
    if not dataset.transform.is_identity:
        return {}
    return unused_place(points=bool(dataset.gcps[0]), polynomials=bool(dataset.rpcs))


def _check_pages(path: Path, dataset: Any) -> None:
    """Refuse a stack of pages, of which GDAL reads the first; smaller pages are previews."""
    sizes = [_PAGE.search(text) for text in dataset.tags(ns="SUBDATASETS").values()]
    alike = sum(size is not None and (int(size[1]), int(size[2])) == (dataset.width, dataset.height) for size in sizes)
    if alike > 1:
        raise CubeFormatError(
            f"{path} is a stack of {alike} pages of {dataset.height} x {dataset.width} pixels",
            expected="one image with all bands",
            do="put the pages together as bands, or take one out with gdal_translate GTIFF_DIR:1:FILE.tif PAGE.tif",
        )


def _axis_of(dataset: Any, indexes: tuple[int, ...]) -> SpectralAxis:
    """Collect what GDAL knows about the bands, from the most to the least explicit place."""
    items = [{k.lower(): v for k, v in dataset.tags(i).items()} for i in indexes]
    names = tuple(dataset.descriptions[i - 1] or "" for i in indexes)
    stated = names if all(names) and not all(_GENERATED.match(name) for name in names) else None
    good = [item.get("good_band", item.get("bbl")) for item in items]
    good_band = None if None in good else [str(flag).strip().lower() in {"1", "true"} for flag in good]

    centres = _numbers([item.get("wavelength") for item in items])
    units = [item.get("wavelength_units") for item in items]
    widths = _numbers([item.get("fwhm") for item in items])
    if centres is None:
        imagery = [dataset.tags(i, ns="IMAGERY") for i in indexes]
        centres = _numbers([item.get("CENTRAL_WAVELENGTH_UM") for item in imagery])
        widths = _numbers([item.get("FWHM_UM") for item in imagery])
        units = ["um"] * len(indexes)
    if centres is None:
        return _axis_of_file(dataset, indexes, good_band, stated)
    if len(set(units)) == 1:
        return SpectralAxis.of_units(centres, units[0], widths, good_band, stated)
    centres = np.concatenate([to_nanometres([c], unit)[0] for c, unit in zip(centres, units, strict=True)])
    return SpectralAxis.of_units(centres, "nm", None, good_band, stated)


def _axis_of_file(
    dataset: Any, indexes: tuple[int, ...], good_band: list[bool] | None, names: tuple[str, ...] | None
) -> SpectralAxis:
    """Look for lists of the whole file (as after a conversion from ENVI), then into the band descriptions."""
    for tags in (dataset.tags(), dataset.tags(ns="ENVI")):
        lists = {k.lower().replace(" ", "_"): v for k, v in tags.items()}
        centres = _listed(lists.get("wavelength", lists.get("wavelengths")), dataset.count, indexes)
        if centres is not None:
            bbl = _listed(lists.get("bbl"), dataset.count, indexes)
            fwhm = _listed(lists.get("fwhm"), dataset.count, indexes)
            return SpectralAxis.of_units(
                centres, lists.get("wavelength_units"), fwhm, good_band if bbl is None else bbl, names
            )
    found = [_DESCRIBED.search(dataset.descriptions[i - 1] or "") for i in indexes]
    matches = [match for match in found if match]
    units = {match[2] for match in matches}
    if len(matches) == len(indexes) and len(units) == 1:
        centres = np.array([float(match[1]) for match in matches])
        try:
            return SpectralAxis.of_units(centres, units.pop(), None, good_band, names)
        except CubeFormatError:  # a number in brackets that is no wavelength
            pass
    return SpectralAxis.of_units(None, None, None, good_band, names)


def _numbers(texts: list[str | None]) -> npt.NDArray[np.float64] | None:
    """Return the numbers, or None unless every band has one."""
    try:
        return np.array([float(text) for text in texts if text is not None]) if None not in texts else None
    except ValueError:
        return None


def _listed(text: str | None, count: int, indexes: tuple[int, ...]) -> npt.NDArray[np.float64] | None:
    """Return the entries of ``{400.0, 410.0, ...}`` for the bands read, or None where it has another length."""
    if text is None:
        return None
    numbers = _numbers([part for part in re.split(r"[,\s{}\[\]]+", text) if part])
    if numbers is None or numbers.size != count:
        return None
    return np.asarray(numbers[[i - 1 for i in indexes]], np.float64)
