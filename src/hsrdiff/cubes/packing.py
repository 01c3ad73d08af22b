"""Packed numbers in a file and physical values in a cube: ``physical = raw * scale_factor + add_offset``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hsrdiff.errors import CubeFormatError

if TYPE_CHECKING:
    import numpy.typing as npt

    from hsrdiff.typing import FloatArray


@dataclass(frozen=True)
class Packing:
    """How the numbers of a file become physical values, and back.

    Args:
        dtype: The file's own number type.
        scale_factor: What a raw number is multiplied by: shape () or (bands,).
        add_offset: What is added after that: shape () or (bands,).
        fill_value: The raw number of an invalid pixel; None where the file has none.
    """

    dtype: np.dtype[Any]
    scale_factor: FloatArray
    add_offset: FloatArray
    fill_value: float | None = None

    @classmethod
    def of(
        cls,
        dtype: npt.DTypeLike,
        scale_factor: npt.ArrayLike = 1.0,
        add_offset: npt.ArrayLike = 0.0,
        fill_value: float | None = None,
    ) -> Packing:
        """Build a packing; per-band numbers that are all equal become one number.

        Args:
            dtype: The file's number type, of either byte order.
            scale_factor: One number, or one per band.
            add_offset: One number, or one per band.
            fill_value: The raw number of an invalid pixel; one that an integer type cannot hold is left out.

        Returns:
            The packing.

        Raises:
            CubeFormatError: A scale is zero or not finite, or an offset is not finite.
        """
        scale, offset = _one_if_equal(scale_factor), _one_if_equal(add_offset)
        if not np.isfinite(scale).all() or not np.all(scale) or not np.isfinite(offset).all():
            raise CubeFormatError(
                f"the scale factors ({scale}) or offsets ({offset}) of the file are zero or not finite",
                expected="finite numbers",
                do="correct the file's scale and offset",
            )
        if fill_value is not None and not _holds(np.dtype(dtype), fill_value):
            fill_value = None  # no number of the file can be it
        return cls(np.dtype(dtype).newbyteorder("="), scale, offset, fill_value)

    @classmethod
    def from_encoding(cls, encoding: Mapping[Any, Any], bands: int) -> Packing:
        """Read what a cube's `.encoding` asks for; float32 with NaN where it asks for nothing.

        Args:
            encoding: ``dtype``, ``scale_factor``, ``add_offset`` and ``_FillValue``, each optional.
            bands: The number of bands of the cube; per-band scales that no longer fit it are dropped with the type.

        Returns:
            The packing to write with.

        Raises:
            CubeFormatError: The number type is neither integer nor real.
        """
        plain = cls.of(np.float32, fill_value=np.nan)
        scale, offset = encoding.get("scale_factor", 1.0), encoding.get("add_offset", 0.0)
        if any(np.ndim(each) and np.size(each) != bands for each in (scale, offset)):
            return plain  # bands were picked since the file was opened
        dtype = np.dtype(encoding.get("dtype") or np.float32)
        if dtype.kind not in "iuf":
            raise CubeFormatError(f"encoding['dtype'] is {dtype}", expected="an integer or a real type")
        fill = encoding.get("_FillValue")
        if fill is None and dtype.kind == "f":
            fill = np.nan
        return cls.of(dtype, scale, offset, None if fill is None else float(fill))

    @property
    def per_band(self) -> bool:
        """Whether bands differ in scale or offset."""
        return bool(self.scale_factor.ndim or self.add_offset.ndim)

    @property
    def is_plain(self) -> bool:
        """Whether raw numbers are physical values as they stand."""
        return not self.per_band and self.scale_factor == 1 and self.add_offset == 0

    def reach(self) -> tuple[float, float]:
        """Return the least and the greatest physical value of a band that its integers hold without clipping."""
        if self.dtype.kind == "f":
            return -np.inf, np.inf
        limits = np.iinfo(self.dtype)
        raw = limits.min + (self.fill_value == limits.min) - 0.5, limits.max - (self.fill_value == limits.max) + 0.5
        low, high = sorted(float(end * self.scale_factor + self.add_offset) for end in raw)
        return low, high

    def one_scale(self) -> Packing:
        """Return this packing, or plain float32 where a format holds one scale and this one has many."""
        return Packing.of(np.float32, fill_value=np.nan) if self.per_band else self

    def encoding(self) -> dict[str, Any]:
        """Return the entries of a cube's `.encoding` that restore this packing."""
        entries: dict[str, Any] = {"dtype": self.dtype}
        if not self.is_plain:
            entries["scale_factor"] = _plain_number(self.scale_factor)
            entries["add_offset"] = _plain_number(self.add_offset)
        fill = np.nan if self.fill_value is None and self.dtype.kind == "f" else self.fill_value
        if fill is not None:
            entries["_FillValue"] = fill
        return entries

    def decode(self, raw: Any, *, in_place: bool = False) -> Any:
        """Return float32 physical values, invalid pixels NaN: ``raw * scale_factor + add_offset``.

        Args:
            raw: ``(bands, y, x)`` NumPy or Dask array of `dtype` or wider.
            in_place: Write the values over a float32 NumPy array that may be written to.

        Returns:
            An array of the same kind and shape, float32.
        """
        if isinstance(raw, np.ndarray):
            own = in_place and raw.dtype == np.float32 and raw.flags.writeable
            out = raw if own else np.empty(raw.shape, np.float32)
            for band in range(raw.shape[0]):  # Numerics: float64 inside, one band of it at a time
                out[band] = self.of_band(band)._decode(raw[band])
            return out
        return self._decode(raw)

    def of_band(self, band: int) -> Packing:
        """Return the packing of one band.

        Args:
            band: Its number, from 0.
        """
        scale, offset = (each[band] if each.ndim else each for each in (self.scale_factor, self.add_offset))
        return replace(self, scale_factor=np.asarray(scale), add_offset=np.asarray(offset))

    def _decode(self, raw: Any) -> Any:
        values = raw.astype(np.float32)
        if not self.is_plain:
            scale, offset = (_along_bands(each) for each in (self.scale_factor, self.add_offset))
            values = (raw.astype(np.float64) * scale + offset).astype(np.float32)
        fill = self.fill_value
        if fill is None or np.isnan(fill) or not _holds(raw.dtype, fill):
            return values
        invalid = raw == raw.dtype.type(fill)
        if isinstance(values, np.ndarray):
            values[invalid] = np.nan
            return values
        import dask.array as da

        return da.where(invalid, np.float32(np.nan), values)

    def encode(self, values: FloatArray) -> npt.NDArray[Any]:
        """Return raw numbers: ``(physical - add_offset) / scale_factor``, rounded and clipped to the type.

        A valid value never becomes the fill value: it takes the nearest other number.

        Args:
            values: ``(bands, y, x)`` physical values, NaN where invalid.

        Returns:
            An array of the same shape and of `dtype`.

        Raises:
            CubeFormatError: There are invalid pixels and an integer type without a fill value to mark them.
        """
        out = np.empty(values.shape, self.dtype)
        for band in range(values.shape[0]):
            out[band] = self.of_band(band)._encode(values[band])
        return out

    def _encode(self, values: FloatArray) -> npt.NDArray[Any]:
        invalid = np.isnan(values)
        scaled = values if self.is_plain else (values.astype(np.float64) - self.add_offset) / self.scale_factor
        if self.dtype.kind == "f":
            raw = scaled.astype(self.dtype)
            if self.fill_value is not None and not np.isnan(self.fill_value):
                raw[invalid] = self.fill_value
            return raw
        if invalid.any() and (self.fill_value is None or not _holds(self.dtype, self.fill_value)):
            raise CubeFormatError(
                f"the cube has invalid pixels (NaN) and its encoding asks for {self.dtype} with no value for them",
                expected="encoding['_FillValue'] that the type holds",
                do="set it, or write float32 by setting cube.encoding = {}",
            )
        limits = np.iinfo(self.dtype)
        low, high = limits.min + (self.fill_value == limits.min), limits.max - (self.fill_value == limits.max)
        rounded = np.rint(np.nan_to_num(scaled.astype(np.float64), nan=0.0, posinf=np.inf, neginf=-np.inf))
        # Numerics: float64 cannot hold the largest 64-bit integers, so the ends are set after the cast
        raw = np.clip(rounded, float(low), np.nextafter(float(high), 0) if high > 2**53 else float(high))
        packed = raw.astype(self.dtype)
        packed[rounded >= float(high)] = high
        if self.fill_value is not None:
            fill = int(self.fill_value)
            taken = packed == fill
            if taken.any():  # only inside the type: at its ends clipping has spared it
                packed[taken] = np.where(scaled[taken] < fill, fill - 1, fill + 1).astype(self.dtype)
            packed[invalid] = fill
        return packed


def _one_if_equal(numbers: npt.ArrayLike) -> FloatArray:
    array = np.asarray(numbers, np.float64)
    return array.reshape(-1)[0].reshape(()) if array.size and (array == array.reshape(-1)[0]).all() else array


def _along_bands(numbers: FloatArray) -> FloatArray:
    return numbers[:, None, None] if numbers.ndim else numbers


def _plain_number(numbers: FloatArray) -> Any:
    return numbers if numbers.ndim else float(numbers)


def _holds(dtype: np.dtype[Any], number: float) -> bool:
    """Return whether an integer type can hold `number` exactly; real types hold any."""
    if dtype.kind not in "iu":
        return True
    limits = np.iinfo(dtype)
    return float(number).is_integer() and limits.min <= int(number) <= limits.max
