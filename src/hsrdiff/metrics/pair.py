"""Two images of one place, checked once and read in float64 pieces, so that no metric copies a whole cube."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
import xarray as xr

from hsrdiff.errors import InputError, InvalidValueError, ShapeError

Image: TypeAlias = npt.NDArray[Any] | torch.Tensor | xr.DataArray  # (band, y, x) or (1, band, y, x)
Mask: TypeAlias = npt.NDArray[np.bool_] | torch.Tensor | xr.DataArray  # (y, x), leading axes of length 1 allowed
Float64: TypeAlias = npt.NDArray[np.float64]

# the largest piece of one image held in float64 at a time
BLOCK_BYTES = 32 * 2**20


class Pair:
    """A prediction, the truth and where both are valid.

    Args:
        Z_hat: The prediction, (band, y, x) or (1, band, y, x); NumPy, torch or xarray.
        Z: The truth, the same shape.
        mask: True where a pixel counts, (y, x); every pixel when None.
        clip: Range the prediction is cut to before anything is measured; None leaves it.

    Attributes:
        shape: (band, y, x).
        valid: The mask, (y, x).
        pixels: Number of valid pixels.

    Raises:
        ShapeError: If the shapes do not fit together.
        InputError: If the arrays are not of numbers, or the mask is not of booleans.
        InvalidValueError: If no pixel is valid.
    """

    def __init__(
        self, Z_hat: Image, Z: Image, mask: Mask | None = None, *, clip: tuple[float, float] | None = None
    ) -> None:
        self._Z_hat, self._Z = image_array(Z_hat, "the prediction"), image_array(Z, "the truth")
        if self._Z_hat.shape != self._Z.shape:
            raise ShapeError(
                f"a prediction of shape {self._Z_hat.shape} and a truth of shape {self._Z.shape}",
                expected="the same (band, y, x)",
            )
        self.shape: tuple[int, int, int] = self._Z.shape
        self.valid = np.ones(self.shape[1:], dtype=np.bool_) if mask is None else mask_array(mask, self.shape[1:])
        self.pixels = int(self.valid.sum())
        if self.pixels == 0:
            raise InvalidValueError(
                "no valid pixel to score", expected="at least one pixel where both images have data"
            )
        self._clip = clip

    def bands(self) -> Iterator[tuple[Float64, Float64]]:
        """Read both images one band at a time.

        Yields:
            Prediction and truth of a band, each (y, x) float64, 0 where the mask is False.

        Raises:
            InvalidValueError: If a valid pixel is NaN or infinite.
        """
        for b in range(self.shape[0]):
            yield (
                self._read(self._Z_hat[b], self.valid, "the prediction", predicted=True),
                self._read(self._Z[b], self.valid, "the truth"),
            )

    def rows(self) -> Iterator[tuple[slice, Float64, Float64]]:
        """Read both images a few rows at a time, all bands of each pixel together.

        Yields:
            Which rows, and prediction and truth there, each (band, rows, x) float64, 0 where the mask is False.

        Raises:
            InvalidValueError: If a valid pixel is NaN or infinite.
        """
        bands, height, width = self.shape
        step = max(1, BLOCK_BYTES // (8 * bands * width))
        for first in range(0, height, step):
            where = slice(first, min(first + step, height))
            yield (
                where,
                self._read(self._Z_hat[:, where], self.valid[where], "the prediction", predicted=True),
                self._read(self._Z[:, where], self.valid[where], "the truth"),
            )

    def window(self, rows: slice, columns: slice) -> tuple[Float64, Float64]:
        """Read all bands of the valid pixels of one window.

        Args:
            rows: Which rows.
            columns: Which columns.

        Returns:
            Prediction and truth there, each (band, pixels) float64.

        Raises:
            InvalidValueError: If a valid pixel is NaN or infinite.
        """
        valid = self.valid[rows, columns]
        return (
            self._read(self._Z_hat[:, rows, columns], valid, "the prediction", predicted=True)[:, valid],
            self._read(self._Z[:, rows, columns], valid, "the truth")[:, valid],
        )

    def _read(self, piece: Any, valid: npt.NDArray[np.bool_], name: str, *, predicted: bool = False) -> Float64:
        values = np.where(valid, np.asarray(piece, dtype=np.float64), 0.0)
        if not np.isfinite(values).all():
            raise InvalidValueError(
                f"{name} has NaN or infinite values in pixels that count",
                expected="numbers wherever the mask is True",
                do="pass a mask that is False there",
            )
        if predicted and self._clip is not None:
            np.clip(values, *self._clip, out=values)
        return values


def image_array(image: Image, name: str) -> Any:
    """Check one image without copying it.

    Args:
        image: (band, y, x) or (1, band, y, x); NumPy, torch or xarray.
        name: What messages call it.

    Returns:
        An array (band, y, x) of real numbers, lazy where xarray's was.

    Raises:
        ShapeError: It has another shape.
        InputError: It is not of real numbers.
    """
    array: Any = image
    if isinstance(image, torch.Tensor):
        tensor = image.detach().cpu()
        # NumPy has no bfloat16
        array = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
    elif isinstance(image, xr.DataArray):
        named = {"band", "y", "x"} <= set(image.dims)
        # .data keeps a dask array lazy: it is read piece by piece
        array = (image.transpose(..., "band", "y", "x") if named else image).data
    else:
        array = np.asarray(image)
    if array.ndim == 4 and array.shape[0] == 1:
        array = array[0]
    if array.ndim != 3 or 0 in array.shape:
        raise ShapeError(
            f"{name} has shape {tuple(array.shape)}",
            expected="(band, y, x), or (1, band, y, x)",
            do="score one image at a time",
        )
    if array.dtype.kind not in "fiu":
        raise InputError(f"{name} is of type {array.dtype}", expected="real numbers")
    return array


def mask_array(mask: Mask, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Check a mask.

    Args:
        mask: True where a pixel counts.
        shape: (y, x) that it must have.

    Returns:
        Bool (y, x).

    Raises:
        ShapeError: It has another shape.
        InputError: It is not of booleans.
    """
    array = np.asarray(mask.detach().cpu() if isinstance(mask, torch.Tensor) else mask)
    if array.dtype != np.bool_:
        raise InputError(f"a mask of type {array.dtype}", expected="booleans, True where a pixel counts")
    if array.shape[-2:] != shape or array.size != shape[0] * shape[1]:
        raise ShapeError(f"a mask of shape {array.shape} for images of {shape[0]} x {shape[1]} pixels")
    return array.reshape(shape)
