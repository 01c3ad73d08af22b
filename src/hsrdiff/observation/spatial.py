"""D of Eq. (1), Y = Z D: blur with the point spread function, keep one pixel of every block."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from hsrdiff.errors import FactorError, InputError, InvalidValueError, ShapeError, did_you_mean
from hsrdiff.typing import HRHSI, LRHSI

BORDERS = ("symmetric", "circular", "replicate")
FWHM_PER_SIGMA = 2.0 * math.sqrt(2.0 * math.log(2.0))  # 2.35482


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
        if border not in BORDERS:
            raise InputError(f"the border rule is '{border}'", do=did_you_mean(str(border), BORDERS))
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
        return (self.size - self.factor) // 2

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
            windows = self._windows(Z, -2)  # (n, B, h, K, W)
            tall = self._columns.T.to(Z) @ windows  # (n, B, h, r, W)
            windows = self._windows(tall, -1)  # (n, B, h, r, w, K)
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
            tall = self._fold(windows, -1, width)  # (n, B, h, r, W)
            windows = self._columns.to(Y) @ tall  # (n, B, h, K, W)
            return self._fold(windows, -2, height)

    def dense(self, Z: HRHSI) -> HRHSI:
        """Return ``F[p, q] = sum_uv k[u, v] Z[p + u - o, q + v - o]``, what D sees from every HR pixel; Z is 0 outside.

        ``F[s i, s j]`` is Y[i, j] of Eq. (1) wherever the kernel lies inside Z; other p are other phases of the grid.

        Args:
            Z: HR image, shape (n, B, H, W), floating point.

        Returns:
            The image F, same shape, dtype and device.
        """
        n, bands, height, width = Z.shape
        before, after = self.offset, self.size - 1 - self.offset
        with torch.autocast(Z.device.type, enabled=False):
            images = F.pad(Z.reshape(n * bands, 1, height, width), (before, after, before, after))
            tall = F.conv2d(images, self._columns.T.to(Z)[:, None, :, None])  # (n B, r, H, W + K - 1)
            return F.conv2d(tall, self._rows.T.to(Z)[None, :, None, :]).reshape(Z.shape)

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
        room = math.floor(max(abs(rows), abs(columns))) + 2
        place = torch.arange(self.size + 2 * room, dtype=torch.float64)[:, None] - room - torch.arange(self.size)
        kernel = _keys(place - rows) @ self.kernel @ _keys(place - columns).T
        while len(kernel) > self.factor:  # rings of zeros at the edge need no work
            edge = torch.ones_like(kernel)
            edge[1:-1, 1:-1] = 0
            if bool((kernel * edge).any()):
                break
            kernel = kernel[1:-1, 1:-1]
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
                pair.append(self._fold(windows, -1, blocks * self.factor))
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
        if self.offset > 0:
            where = f"{self.border} border, block-centred"
        else:
            where = "block-aligned, no border"
        return f"{self.name}, {self.size} x {self.size} px, {where}, factor {self.factor}"

    def __repr__(self) -> str:
        return f"SpatialResponse({self.describe()})"

    def _index(self, length: int, device: torch.device) -> torch.Tensor:
        """Source pixel s i + u - o of each window element along an axis, shape (length / s * K,)."""
        blocks = torch.arange(length // self.factor, device=device)[:, None] * self.factor
        index = (blocks + torch.arange(self.size, device=device) - self.offset).flatten()
        if self.border == "circular":
            return index.remainder(length)
        if self.border == "replicate":
            return index.clamp(0, length - 1)
        index = index.remainder(2 * length)  # the mirrored image repeats after 2 lengths
        return torch.minimum(index, 2 * length - 1 - index)

    def _windows(self, image: torch.Tensor, axis: int) -> torch.Tensor:
        """Split `axis` into (blocks, K), reading beyond the border by the border rule."""
        length = image.shape[axis]
        if self.size != self.factor:
            image = image.index_select(axis, self._index(length, image.device))
        shape = list(image.shape)
        shape[axis : axis + 1 or None] = [length // self.factor, self.size]
        return image.reshape(shape)

    def _fold(self, windows: torch.Tensor, axis: int, length: int) -> torch.Tensor:
        """Adjoint of `_windows`: add each window element to the pixel it was read from."""
        image = windows.flatten(axis - 1, axis)
        if self.size == self.factor:
            return image
        shape = list(image.shape)
        shape[axis] = length
        folded = torch.zeros(shape, dtype=image.dtype, device=image.device)
        return folded.index_add(axis, self._index(length, image.device), image)

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
        if not (math.isfinite(width) and width > 0):
            raise InputError(f"the PSF's sigma is {width}", expected="a positive number of HR pixels")
        # P17: the PSF of PaviaU and Chikusei, which the paper leaves open: one LR pixel wide at half maximum.
        side = s + 2 * math.ceil(s / 2) if size is None else int(size)
        if side < 1:
            raise InputError(f"the PSF's size is {side}", expected="at least 1 HR pixel")
        u = np.arange(side, dtype=np.float64) - (side - 1) / 2
        profile = np.exp(-0.5 * (u / width) ** 2)
        profile /= profile.sum()
        return cls(np.outer(profile, profile), s, border, name=f"Gaussian sigma {width:.4g} px")

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
        """Operator with a measured or estimated PSF, normalised to sum 1.

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
        return cls(kernel if not math.isfinite(total) else kernel / total, factor, border)


def check_factor(factor: Any) -> int:
    """Return `factor` as an int of at least 2.

    Args:
        factor: s = H / h.

    Returns:
        The same number.

    Raises:
        FactorError: It is not a whole number of at least 2.
    """
    try:
        whole = operator.index(factor)
    except TypeError:
        whole = int(factor) if isinstance(factor, float) and factor.is_integer() else 0
    if whole < 2:
        raise FactorError(f"the factor is {factor}", expected="a whole number of at least 2")
    return whole


def _keys(x: torch.Tensor) -> torch.Tensor:
    """Cubic convolution kernel of Keys with a = -1/2: it reproduces parabolas."""
    x = x.abs()
    near, far = (1.5 * x - 2.5) * x.square() + 1.0, ((2.5 - 0.5 * x) * x - 4.0) * x + 2.0
    return torch.where(x <= 1.0, near, torch.where(x < 2.0, far, torch.zeros_like(x)))
