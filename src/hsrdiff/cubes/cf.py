"""Cubes as CF-style datasets: the layout that NetCDF and Zarr files share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from hsrdiff.cubes.array_choice import Entry, choose_array
from hsrdiff.cubes.cube import DIMS, Chunks, build_cube
from hsrdiff.cubes.georeference import georeference_of, set_georeference
from hsrdiff.cubes.packed_cube import packing_of
from hsrdiff.cubes.packing import Packing
from hsrdiff.cubes.record import record_of
from hsrdiff.cubes.spectral_axis import SpectralAxis, axis_from_vectors
from hsrdiff.errors import CubeFormatError

if TYPE_CHECKING:
    from collections.abc import Hashable

_DIM_WORDS = {
    "band": {"band", "bands", "wavelength", "wavelengths", "wl", "lambda", "spectral", "channel", "channels"},
    "y": {"y", "lat", "latitude", "row", "rows", "line", "lines", "northing", "downtrack"},
    "x": {"x", "lon", "longitude", "col", "cols", "column", "columns", "sample", "samples", "easting", "crosstrack"},
}
_WHOLE_BYTES, _PART = 2**30, 256  # cubes above the first are written in parts of so many pixels a side
_WAVELENGTH_ATTRIBUTES = {"units": "nm", "standard_name": "radiation_wavelength", "long_name": "centre wavelength"}


def to_dataset(cube: xr.DataArray) -> xr.Dataset:
    """Return a dataset whose variable ``cube`` holds the packed numbers, with CF attributes and a grid mapping.

    Args:
        cube: A checked cube, Dask-backed or not.

    Returns:
        The dataset, to be written without any further packing by xarray.

    Raises:
        CubeFormatError: The packing asked for cannot hold the cube (for a Dask-backed cube only when it is written).
    """
    packing = packing_of(cube).one_scale()
    if cube.chunks is None and 4 * cube.size > _WHOLE_BYTES:
        cube = cube.chunk({"y": _PART, "x": _PART})  # packed part by part
    if cube.chunks is None:
        raw: Any = packing.encode(np.asarray(cube.values))
    else:
        # A packing of one scale treats every chunk alike.
        raw = cube.data.map_blocks(packing.encode, dtype=packing.dtype, meta=np.empty((0, 0, 0), packing.dtype))
    attributes: dict[str, Any] = dict(record_of(cube.attrs))
    if packing.fill_value is not None:
        attributes["_FillValue"] = packing.dtype.type(packing.fill_value)
    if not packing.is_plain:
        attributes["scale_factor"] = float(packing.scale_factor)
        attributes["add_offset"] = float(packing.add_offset)
    stored = xr.DataArray(raw, dims=DIMS, attrs=attributes)
    stored = stored.assign_coords(_band_coordinates(SpectralAxis.of_cube(cube)))
    crs, transform = georeference_of(cube)
    stored = set_georeference(stored, crs, transform)
    if crs is not None and "x" in stored.coords:
        stored = stored.rio.write_coordinate_system()
    dataset = stored.to_dataset(name="cube")
    for name in dataset.variables:
        if name != "cube" and dataset[name].dtype.kind == "f":
            dataset[name].encoding["_FillValue"] = None
    dataset.attrs["Conventions"] = "CF-1.11"
    return dataset


def _band_coordinates(axis: SpectralAxis) -> dict[Hashable, Any]:
    coordinates: dict[Hashable, Any] = {}
    if axis.wavelengths_nm is not None:
        coordinates["wavelength"] = ("band", axis.wavelengths_nm, _WAVELENGTH_ATTRIBUTES)
    if axis.fwhm_nm is not None:
        coordinates["fwhm"] = ("band", axis.fwhm_nm, {"units": "nm", "long_name": "full width at half maximum"})
    if axis.good_band is not None:
        flags = {"flag_values": np.array([0, 1], np.int8), "flag_meanings": "bad good", "long_name": "band is good"}
        coordinates["good_band"] = ("band", axis.good_band.astype(np.int8), flags)
    if axis.band_names is not None:
        coordinates["band_name"] = ("band", np.array(axis.band_names, object), {"long_name": "band name"})
    return coordinates


def from_dataset(path: Path, dataset: xr.Dataset, variable: str | None, chunks: Chunks) -> xr.DataArray:
    """Return the cube of a dataset that was opened with its numbers as stored.

    Args:
        path: The file, for messages.
        dataset: Opened with ``mask_and_scale=False, decode_coords="all"``.
        variable: The name of the variable where there are several cubes.
        chunks: As for `open_cube`.

    Returns:
        The cube.

    Raises:
        CubeFormatError: No variable or several would do, or its dims are not those of a cube.
    """
    entries = {
        str(name): Entry(array.shape, f"{array.dtype} {array.dims}", array.dtype.kind in "iuf")
        for name, array in dataset.data_vars.items()
    }
    array = dataset[choose_array(path, entries, variable)]
    names = _dims_of(array)
    if names is None:
        raise CubeFormatError(
            f"'{array.name}' in {path} has the dims {array.dims}", expected="band, y and x", do="rename them"
        )
    attributes = dict(array.attrs)
    array = array.rename({old: new for old, new in names.items() if old != new}).transpose(*DIMS)
    crs, transform = georeference_of(array)
    dtype, fills = _dtype_of(array), _fills_of(array)
    return build_cube(
        _with_one_fill(array.data if chunks is not None else np.asarray(array.values), dtype, fills),
        Packing.of(
            dtype,
            attributes.get("scale_factor", 1.0),
            attributes.get("add_offset", 0.0),
            float(fills[0]) if fills else None,
        ),
        axis=_axis_of(dataset, next(old for old, new in names.items() if new == "band"), array.sizes["band"]),
        crs=crs,
        transform=transform,
        chunks=chunks,
        attrs={"variable": str(array.name), **record_of(attributes)},
    )


def _dims_of(array: xr.DataArray) -> dict[Hashable, str] | None:
    """Return (band, y, x) by the dims of a variable: by their names, else in that order where no name says so."""
    named = {dim: role for dim in array.dims for role, words in _DIM_WORDS.items() if str(dim).lower() in words}
    if not named:
        return dict(zip(array.dims, DIMS, strict=True))
    rest_dims = [dim for dim in array.dims if dim not in named]
    rest_roles = [role for role in DIMS if role not in named.values()]
    if len(set(named.values())) < len(named) or (len(rest_dims) != 1 and rest_dims):
        return None
    return {**named, **dict(zip(rest_dims, rest_roles, strict=True))}


def _axis_of(dataset: xr.Dataset, dim: Hashable, bands: int) -> SpectralAxis:
    """Collect what the variables along the dim of the bands say."""
    along = {str(name): array for name, array in dataset.variables.items() if array.dims == (dim,)}
    numeric = {name: np.asarray(array.values) for name, array in along.items() if array.dtype.kind in "iufb"}
    units = next((array.attrs.get("units") for name, array in along.items() if "wave" in name.lower()), None)
    axis = axis_from_vectors(numeric, bands, units)
    if "band_name" not in along:
        return axis
    names = tuple(str(name) for name in along["band_name"].values)
    return SpectralAxis(axis.wavelengths_nm, axis.fwhm_nm, axis.good_band, names, axis.notes)


def _dtype_of(array: xr.DataArray) -> np.dtype[Any]:
    """Return the type that the numbers are of: the attribute ``_Unsigned`` stands above the file's own type."""
    other = {("i", "true"): "u", ("u", "false"): "i"}
    kind = other.get((array.dtype.kind, str(array.attrs.get("_Unsigned", "")).lower()))
    return array.dtype if kind is None else np.dtype(f"{kind}{array.dtype.itemsize}")


def _fills_of(array: xr.DataArray) -> list[Any]:
    """Return every number that stands for an invalid pixel, of the type that the numbers are of."""
    dtype, fills = _dtype_of(array), []
    for name in ("_FillValue", "missing_value"):
        for number in np.asarray(array.attrs.get(name, [])).reshape(-1):
            if number.dtype.kind not in "iuf":
                continue
            if dtype.kind == "f":
                fills.append(dtype.type(number))
            elif np.isfinite(number) and any(_holds(each, number) for each in (dtype, array.dtype)):
                # one of the file's own type is of the same bits
                fills.append(np.array(int(number)).astype(dtype)[()])
    return fills


def _holds(dtype: np.dtype[Any], number: Any) -> bool:
    limits = np.iinfo(dtype)
    return int(number) == number and limits.min <= int(number) <= limits.max


def _with_one_fill(raw: Any, dtype: np.dtype[Any], fills: list[Any]) -> Any:
    """Return the raw numbers, of the type that they are of, with the first fill in place of all."""
    raw = raw if raw.dtype == dtype else raw.astype(dtype)
    for other in dict.fromkeys(fills[1:]):
        if other != fills[0] and other == other:
            raw = np.where(raw == other, fills[0], raw)
    return raw
