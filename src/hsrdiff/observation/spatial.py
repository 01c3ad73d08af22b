"""D of Eq. (1), Y = Z D: blur with the point spread function, keep one pixel of every block."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch

from hsrdiff.errors import InputError, InvalidValueError, ShapeError
from hsrdiff.observation.kernel_windows import BORDERS, KernelWindows, check_factor, correlated
from hsrdiff.observation.kernels import FWHM_PER_SIGMA, gaussian_kernel, moved_kernel
from hsrdiff.typing import HRHSI, LRHSI

__all__ = ["BORDERS", "FWHM_PER_SIGMA", "SpatialResponse", "check_factor"]

_ROUNDED = 1e-3  # by which the sum of weights that were written down may miss 1 without a word


class SpatialResponse:
    """D of Eq. (1): ``Y[i, j] = sum_uv k[u, v] Z[s i + u - o, s j + v - o]`` with ``o = (K - s) / 2``.

    The kernel is centred on the centre of each s x s block. ``K = s`` gives disjoint blocks and no border.
    A kernel is applied as a sum of rank(k) products of two 1-D kernels; a Gaussian has rank 1.

    Args:
        kernel: Point spread function k, shape (K, K), sum 1, K - factor even.
        factor: s = H / h, a whole number of at least 2.
        border: How Z continues outside the image: "symmetric" (mirror, the edge pixel repeated), "circular"
            or "replicate".
        name: The kernel's name in tables.

    Raises:
        FactorError: The factor is not a whole number of at least 2.
        InputError: The kernel or the border rule is not usable.
    """

    def __init__(
        self,
        kernel: torch.Tensor | npt.ArrayLike,
        factor: int,
        border: str = "symmetric",
        name: str = "given kernel",
    ) -> None:
        self.factor = check_factor(factor)
        self.kernel = torch.as_tensor(kernel).detach().to("cpu", torch.float64, copy=True)
        self.border = border
        self.name = name
        if self.kernel.ndim != 2 or self.kernel.shape[0] != self.kernel.shape[1] or not self.kernel.numel():
            raise ShapeError(f"the kernel has shape {tuple(self.kernel.shape)}", expected="a square (K, K)")
        if not torch.isfinite(self.kernel).all():
            raise InvalidValueError("the kernel contains NaN or infinite values", expected="finite weights")
        if (self.size - self.factor) % 2:
            raise InputError(
                f"a {self.size} x {self.size} kernel cannot be centred on blocks of factor {self.factor}",
                expected="kernel size minus factor to be even",
                do=f"use a kernel of size {self.size + 1}, for instance padded with zeros",
            )
        if abs(float(self.kernel.sum()) - 1.0) > 1e-6:
            raise InputError(
                f"the kernel sums to {float(self.kernel.sum()):.6g}",
                expected="1",
                do="use SpatialResponse.from_kernel, which normalises it",
            )
        self._axis = KernelWindows(self.size, self.factor, border)
        # k = sum_r columns[:, r] rows[:, r]^T, exact to float64 rounding.
        u, singular, vt = torch.linalg.svd(self.kernel)
        rank = int((singular > singular[0] * self.size * torch.finfo(torch.float64).eps).sum())
        self._columns = u[:, :rank] * singular[:rank]
        self._rows = vt[:rank].T.contiguous()

    @property
    def size(self) -> int:
        """K, the side of the kernel in HR pixels."""
        return int(self.kernel.shape[0])

    @property
    def rank(self) -> int:
        """Number of 1-D kernel pairs; 1 when the kernel is separable."""
        return int(self._columns.shape[1])

    @property
    def offset(self) -> int:
        """Offset o = (K - s) / 2, HR pixels that the kernel reaches beyond its block."""
        return self._axis.offset

    def apply(self, Z: HRHSI) -> LRHSI:
        """Return Y = Z D, Eq. (1).

        Args:
            Z: HR image, shape (n, B, H, W), H and W multiples of the factor, floating point.

        Returns:
            Y, shape (n, B, H / factor, W / factor), same dtype and device.

        Raises:
            ShapeError: Z has another shape.
        """
        if Z.ndim != 4 or not Z.is_floating_point():
            raise ShapeError(f"Z has shape {tuple(Z.shape)} and type {Z.dtype}", expected="a floating (n, B, H, W)")
        self.lr_size((Z.shape[-2], Z.shape[-1]))
        # Numerics: under autocast einsum would drop to half precision; D stays in the precision of Z.
        with torch.autocast(Z.device.type, enabled=False):
            windows = self._axis.split(Z, -2)  # (n, B, h, K, W)
            tall = self._columns.T.to(Z) @ windows  # (n, B, h, r, W)
            windows = self._axis.split(tall, -1)  # (n, B, h, r, w, K)
            Y: LRHSI = torch.einsum("nbhrwk,kr->nbhw", windows, self._rows.to(Z))
        return Y

    def adjoint(self, Y: LRHSI, size: tuple[int, int] | None = None) -> HRHSI:
        """Return Z = Y D^T, the exact adjoint: <Z D, Y> = <Z, Y D^T> for every border rule.

        Args:
            Y: LR image, shape (n, B, h, w), floating point.
            size: (H, W) of the result; it can only be (h factor, w factor).

        Returns:
            Z, shape (n, B, H, W), same dtype and device.

        Raises:
            ShapeError: Y has another shape, or `size` does not fit it.
        """
        if Y.ndim != 4 or not Y.is_floating_point():
            raise ShapeError(f"Y has shape {tuple(Y.shape)} and type {Y.dtype}", expected="a floating (n, B, h, w)")
        height, width = Y.shape[-2] * self.factor, Y.shape[-1] * self.factor
        if size is not None and tuple(size) != (height, width):
            raise ShapeError(
                f"the HR size asked for is {size[0]} x {size[1]}",
                expected=f"{height} x {width}, {self.factor} times the LR image's {Y.shape[-2]} x {Y.shape[-1]}",
            )
        with torch.autocast(Y.device.type, enabled=False):
            windows = torch.einsum("nbhw,kr->nbhrwk", Y, self._rows.to(Y))
            tall = self._axis.fold(windows, -1, width)  # (n, B, h, r, W)
            windows = self._columns.to(Y) @ tall  # (n, B, h, K, W)
            return self._axis.fold(windows, -2, height)

    def dense(self, Z: HRHSI) -> HRHSI:
        """Return ``F[p, q] = sum_uv k[u, v] Z[p + u - o, q + v - o]``, what D sees from every HR pixel; Z is 0 outside.

        ``F[s i, s j]`` is Y[i, j] of Eq. (1) wherever the kernel lies inside Z; other p are other phases of the grid.

        Args:
            Z: HR image, shape (n, B, H, W), floating point.

        Returns:
            The image F, same shape, dtype and device.
        """
        n, bands, height, width = Z.shape
        with torch.autocast(Z.device.type, enabled=False):
            images = Z.reshape(n * bands, 1, height, width)
            return correlated(images, self._columns.to(Z), self._rows.to(Z), self.offset).reshape(Z.shape)

    def moved(self, rows: float, columns: float) -> SpatialResponse:
        """Return D with its kernel off the centre of the block: Y that lies elsewhere on the grid of Z.

        The kernel is interpolated by cubic convolution (Keys, a = -1/2), which keeps its sum and its width, and moves
        its centre of mass by exactly as much; whole pixels are moved as they are.

        Args:
            rows: How far down, HR pixels.
            columns: How far to the right, HR pixels.

        Returns:
            The operator; this one where nothing moves.
        """
        if not rows and not columns:
            return self
        kernel = moved_kernel(self.kernel, rows, columns, self.factor)
        name = f"{self.name} moved by {rows:.3g} rows and {columns:.3g} columns"
        return SpatialResponse(kernel, self.factor, self.border, name)

    def axis_matrices(self, size: tuple[int, int]) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Return D as products of 1-D operators: ``Y = sum_r A_r Z C_r^T`` for every border rule.

        Args:
            size: (H, W) of Z, multiples of the factor.

        Returns:
            rank pairs (A, C), float64, A of shape (H / factor, H) for rows, C of shape (W / factor, W) for columns.

        Raises:
            ShapeError: The size does not fit the factor.
        """
        height, width = self.lr_size(size)
        operators = []
        for column, row in zip(self._columns.T, self._rows.T, strict=True):
            pair = []
            for profile, blocks in ((column, height), (row, width)):
                windows = torch.eye(blocks, dtype=torch.float64)[:, :, None] * profile
                pair.append(self._axis.fold(windows, -1, blocks * self.factor))
            operators.append((pair[0], pair[1]))
        return operators

    def lr_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return (h, w) for an HR image of (H, W).

        Args:
            size: (H, W), multiples of the factor.

        Returns:
            (H / factor, W / factor).

        Raises:
            ShapeError: The size does not fit the factor.
        """
        height, width = size
        s = self.factor
        if height % s or width % s or height < s or width < s:
            raise ShapeError(
                f"Z is {height} x {width} pixels",
                expected=f"multiples of the factor {s}",
                do=f"crop it to {height - height % s} x {width - width % s}"
                if min(height, width) >= s
                else "use a larger image or a smaller factor",
            )
        return height // s, width // s

    def describe(self) -> str:
        """Return one line for tables: kernel, size, border, phase, factor."""
        where = f"{self.border} border, block-centred" if self.offset > 0 else "block-aligned, no border"
        return f"{self.name}, {self.size} x {self.size} px, {where}, factor {self.factor}"

    def __repr__(self) -> str:
        return f"SpatialResponse({self.describe()})"

    @classmethod
    def gaussian(
        cls, factor: int, sigma: float | None = None, size: int | None = None, border: str = "symmetric"
    ) -> SpatialResponse:
        """Gaussian PSF, by default with its full width at half maximum equal to one LR pixel.

        Args:
            factor: s, whole number of at least 2.
            sigma: Standard deviation in HR pixels, > 0; default s / 2.35482.
            size: K; default s + 2 ceil(s / 2).
            border: Border rule.

        Returns:
            The operator.

        Raises:
            FactorError: The factor is not a whole number of at least 2.
            InputError: sigma or size is not usable.
        """
        s = check_factor(factor)
        width = s / FWHM_PER_SIGMA if sigma is None else float(sigma)
        # P17: the PSF of PaviaU and Chikusei, which the paper leaves open: one LR pixel wide at half maximum.
        side = s + 2 * math.ceil(s / 2) if size is None else int(size)
        return cls(gaussian_kernel(width, side), s, border, name=f"Gaussian sigma {width:.4g} px")

    @classmethod
    def cave_x32(cls) -> SpatialResponse:
        """The CAVE kernel of MHF-net: 32 x 32 Gaussian, sigma 10, centred at 15.5, one block per LR pixel."""
        return cls.gaussian(32, sigma=10.0, size=32)

    @classmethod
    def block_mean(cls, factor: int) -> SpatialResponse:
        """Mean of each factor x factor block.

        Args:
            factor: s, whole number of at least 2.

        Returns:
            The operator, K = s.
        """
        s = check_factor(factor)
        return cls(np.full((s, s), 1.0 / s**2), s, name="block mean")

    @classmethod
    def from_kernel(
        cls, array: torch.Tensor | npt.ArrayLike, factor: int, border: str = "symmetric"
    ) -> SpatialResponse:
        """Operator with a measured or estimated PSF, normalised to sum 1; its name says so where the sum was another.

        Args:
            array: PSF, shape (K, K), positive sum, K - factor even.
            factor: s, whole number of at least 2.
            border: Border rule.

        Returns:
            The operator.

        Raises:
            InputError: The kernel is not usable.
        """
        kernel = torch.as_tensor(array).detach().to(torch.float64)
        total = float(kernel.sum())
        if math.isfinite(total) and total <= 0:
            raise InputError(f"the kernel sums to {total:.6g}", expected="a positive sum")
        if not math.isfinite(total):
            return cls(kernel, factor, border)  # which says what is wrong
        name = "given kernel"
        if abs(total - 1.0) > _ROUNDED:
            name += f" (its weights, whose sum was {total:.4g}, divided by that)"
        return cls(kernel / total, factor, border, name)
