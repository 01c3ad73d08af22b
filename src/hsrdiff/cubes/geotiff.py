"""GeoTIFF and cloud-optimised GeoTIFF, with wavelengths where QGIS, ENVI and EnMAP-Box look for them."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hsrdiff.cubes.formats import FIELDS, CreationOptions, no_variables
from hsrdiff.cubes.georeference import georeference_of
from hsrdiff.cubes.packed_cube import packed_bands, packed_strips, packing_of
from hsrdiff.cubes.packing import Packing
from hsrdiff.cubes.raster import open_quietly, read_raster
from hsrdiff.cubes.record import record_of, to_texts
from hsrdiff.cubes.spectral_axis import SpectralAxis
from hsrdiff.errors import CubeFormatError

if TYPE_CHECKING:
    import xarray as xr

    from hsrdiff.cubes.cube import Chunks

title = "GeoTIFF"
suffixes: tuple[str, ...] = (".tif", ".tiff", ".gtiff")
options: dict[str, tuple[object, ...]] = {
    "cog": (True, False),
    "compress": ("deflate", "zstd", "lzw", "none"),
    "interleave": ("band", "pixel"),
}
can_write = True
can_keep: frozenset[str] = FIELDS

_TILE, _COG_TILE = 256, 512
_MAGIC = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")


def sniff(path: Path, head: bytes) -> bool:
    """Return whether the file begins as a TIFF or BigTIFF of either byte order."""
    return head[:4] in _MAGIC


def read(path: Path, *, chunks: Chunks, variable: str | None) -> xr.DataArray:
    """Read a GeoTIFF; an alpha band or an internal mask gives invalid pixels, not values.

    Args:
        path: The file.
        chunks: As for `open_cube`.
        variable: Must be None.

    Returns:
        The cube; a plain RGB or grey TIFF has no wavelengths.

    Raises:
        CubeFormatError: The file is damaged or holds no real values.
    """
    no_variables(path, variable)
    return read_raster(path, "GTiff", chunks)


def write(cube: xr.DataArray, path: Path, options: CreationOptions) -> None:
    """Write a tiled, compressed GeoTIFF, BigTIFF where it may pass 4 GB.

    Args:
        cube: A checked cube.
        path: A file that does not exist yet.
        options: ``cog``, ``compress``, ``interleave``.

    Raises:
        CubeFormatError: The packing asked for cannot hold the cube.
    """
    try:
        _write(cube, path, options)
    except Exception as error:
        # rasterio's classes for GDAL's own errors have no public name
        if not type(error).__module__.startswith("rasterio."):
            raise
        # libtiff prints the system's reason and hands on no more than that writing failed: a full disk as a rule
        full = "write error" in f"{error} {error.__cause__}".lower()
        raise OSError(errno.ENOSPC if full else errno.EIO, str(error)) from error


def _write(cube: xr.DataArray, path: Path, options: CreationOptions) -> None:
    """Choose the packing and the driver."""
    import rasterio.shutil

    packing = packing_of(cube)
    if packing.dtype == np.float16:
        packing = Packing.of(np.float32, packing.scale_factor, packing.add_offset, packing.fill_value)
    if packing.dtype.kind in "iu" and abs(packing.fill_value or 0) > 2**53:
        # rasterio writes such a number with an exponent, of which GDAL reads the first digit
        packing = replace(packing, fill_value=-(2.0**53) if packing.dtype.kind == "i" else 2.0**53)
    compress = options.compress or "deflate"
    predictor = {"f": 3}.get(packing.dtype.kind, 2)
    if not options.cog:
        _write_tiff(cube, path, packing, compress, predictor, options.interleave or "band")
    else:
        if options.interleave is not None:
            raise CubeFormatError("a cloud-optimised GeoTIFF takes no interleave", do="leave out one of the two")
        plain = path.with_name(path.name + ".plain.tif")
        _write_tiff(cube, plain, packing, "none", 1, "band")
        driver_options: dict[str, Any] = {"compress": compress.upper(), "bigtiff": "IF_SAFER"}
        side = max(cube.sizes["y"], cube.sizes["x"])
        driver_options["blocksize"] = min(_COG_TILE, max(128, 1 << (side - 1).bit_length()))  # small images stay small
        if compress != "none":
            driver_options["predictor"] = "YES"
        rasterio.shutil.copy(plain, path, driver="COG", overview_resampling="AVERAGE", **driver_options)
        plain.unlink()
    _check_complete(path)


def _write_tiff(
    cube: xr.DataArray, path: Path, packing: Packing, compress: str, predictor: int, interleave: str
) -> None:
    """Write the values in strips of whole tiles, and every tag."""
    bands, height, width = cube.shape
    tile = min(_TILE, -(-max(height, width) // 16) * 16)
    profile: dict[str, Any] = {
        "driver": "GTiff", "count": bands, "height": height, "width": width, "dtype": packing.dtype.name,
        "nodata": packing.fill_value, "tiled": True, "blockxsize": tile, "blockysize": tile,
        "interleave": interleave, "bigtiff": "IF_SAFER", "compress": compress.upper(),
    }  # fmt: skip
    if compress in {"deflate", "zstd", "lzw"} and not (predictor == 2 and packing.dtype.itemsize == 8):
        profile["predictor"] = predictor
    profile["crs"], transform = georeference_of(cube)
    if transform is not None:
        profile["transform"] = transform
    with open_quietly(path, "w", profile) as dataset:
        # Tags first: the directory then stands before the values, where a reader over a network wants it.
        if not packing.is_plain:
            dataset.scales = tuple(np.broadcast_to(packing.scale_factor, bands).tolist())
            dataset.offsets = tuple(np.broadcast_to(packing.add_offset, bands).tolist())
        _write_axis(dataset, SpectralAxis.of_cube(cube))
        dataset.update_tags(**to_texts(record_of(cube.attrs)))
        if interleave == "band" and cube.chunks is None:
            for band, rows, raw in packed_bands(cube, packing, multiple=tile):
                dataset.write(raw, band + 1, window=((rows.start, rows.stop), (0, width)))
            return
        for rows, raw in packed_strips(cube, packing, multiple=tile):
            dataset.write(raw, window=((rows.start, rows.stop), (0, width)))


def _write_axis(dataset: Any, axis: SpectralAxis) -> None:
    """Write names, wavelengths and widths as band items, in the IMAGERY domain and in the descriptions."""
    for band in range(dataset.count):
        items: dict[str, str] = {}
        imagery: dict[str, str] = {}
        name = f"band {band + 1}"
        if axis.wavelengths_nm is not None:
            centre = float(axis.wavelengths_nm[band])
            name = f"band {band + 1} ({centre:g} Nanometers)"
            items.update(wavelength=repr(centre), wavelength_units="Nanometers")
            imagery["CENTRAL_WAVELENGTH_UM"] = repr(round(centre / 1000, 12))
        if axis.fwhm_nm is not None:
            width = float(axis.fwhm_nm[band])
            items["fwhm"] = repr(width)
            imagery["FWHM_UM"] = repr(round(width / 1000, 12))
        if axis.good_band is not None:
            items["good_band"] = str(int(axis.good_band[band]))
        dataset.set_band_description(band + 1, axis.band_names[band] if axis.band_names else name)
        if items:
            dataset.update_tags(band + 1, **items)
        if imagery:
            dataset.update_tags(band + 1, ns="IMAGERY", **imagery)


def _check_complete(path: Path) -> None:
    """Raise OSError unless every block lies within the file: GDAL may keep silent when a disk fills up as it closes."""
    size = path.stat().st_size
    with open_quietly(path) as dataset:
        shared = dataset.interleaving is not None and dataset.interleaving.value.lower() == "pixel"
        rows, columns = dataset.block_shapes[0]
        for band in [1] if shared else dataset.indexes:
            for y in range(-(-dataset.height // rows)):
                for x in range(-(-dataset.width // columns)):
                    block = [
                        dataset.get_tag_item(f"BLOCK_{part}_{x}_{y}", "TIFF", bidx=band) for part in ("OFFSET", "SIZE")
                    ]
                    if None in block or sum(int(number) for number in block) > size:
                        raise OSError(errno.ENOSPC, "a block of the TIFF was not written")
