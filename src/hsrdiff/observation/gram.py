"""D^T D on the LR grid, and its shifted inverse: what every exact consistency with Y comes down to."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from hsrdiff.errors import ShapeError
from hsrdiff.observation.spatial import SpatialResponse
from hsrdiff.typing import LRHSI

Linear = Callable[[torch.Tensor], torch.Tensor]

# conjugate gradients stop at this many times the rounding of the type, or after this many products
_CG_ROUNDINGS = 50.0
_CG_PRODUCTS = 2000


class LRGram:
    """The Gram matrix ``G = D^T D`` of Y = Z D, an operator on LR images.

    One of three exact forms is chosen by the kernel:

    - K <= s: the columns of D do not overlap, ``G = ||k||^2 I``;
    - a separable kernel, any border: ``G = G_rows (x) G_cols``, two small eigendecompositions;
    - any other kernel: conjugate gradients, differentiated through the solution, not through the steps.

    Directions that D never sees (a PSF much wider than the image) get a pseudo-inverse.

    Args:
        spatial: D.
        size: (H, W) of Z.

    Raises:
        ShapeError: The size does not fit the factor.
    """

    def __init__(self, spatial: SpatialResponse, size: tuple[int, int]) -> None:
        self.spatial = spatial
        self.size = (int(size[0]), int(size[1]))
        self.lr_size = spatial.lr_size(self.size)
        self.form = "iterative"
        self._norm = float(spatial.kernel.square().sum())
        if spatial.size <= spatial.factor:
            self.form = "scalar"
        elif spatial.rank == 1:
            self.form = "separable"
            self._axes: list[torch.Tensor] = []
            self._vectors: list[torch.Tensor] = []
            values = []
            for axis in spatial.axis_matrices(self.size)[0]:
                eigenvalues, vectors = torch.linalg.eigh(axis @ axis.T)
                values.append(eigenvalues.clamp_min(0.0))
                self._vectors.append(vectors)
                self._axes.append(axis)
            self._values = values[0][:, None] * values[1]  # (h, w)

    def apply(self, T: LRHSI) -> LRHSI:
        """Return ``T D^T D``.

        Args:
            T: Shape (n, C, h, w), floating point.

        Returns:
            Same shape, type and device.
        """
        self._check(T)
        return self.spatial.apply(self.spatial.adjoint(T))

    def solve(self, T: LRHSI, shift: float | torch.Tensor = 0.0) -> LRHSI:
        """Return ``T (shift I + D^T D)^-1``, differentiable in T.

        Args:
            T: Shape (n, C, h, w), floating point.
            shift: At least 0, one number or one for each channel, shape (C,); infinity gives 0.

        Returns:
            Same shape, type and device.
        """
        self._check(T)
        shifts = torch.as_tensor(shift, dtype=torch.float64)
        if shifts.ndim:
            shifts = shifts[:, None, None]
        with torch.autocast(T.device.type, enabled=False):
            if self.form == "scalar":
                return T * (1.0 / (shifts + self._norm)).to(T)
            if self.form == "separable":
                rows, columns = (vectors.to(T) for vectors in self._vectors)
                inverse = _inverse(shifts + self._values)
                return rows @ ((rows.T @ T @ columns) * inverse.to(T)) @ columns.T
            seen = torch.isfinite(shifts).to(T)
            finite = torch.where(torch.isfinite(shifts), shifts, torch.ones_like(shifts)).to(T)

            def product(image: torch.Tensor) -> torch.Tensor:
                return finite * image + self.apply(image)

            solution: LRHSI = _Solve.apply(T * seen, product)  # type: ignore[no-untyped-call]
            return seen * solution

    def explained(self, shift: torch.Tensor) -> torch.Tensor:
        """Diagonal of ``D (shift I + D^T D)^-1 D^T``: the share of each HR pixel's variance that Y takes away.

        Exact for the scalar and the separable form. For a kernel that is neither, the mean over all pixels
        is returned in every pixel, from the trace with G taken as ``||k||^2 I``.

        Args:
            shift: At least 0, shape (C,).

        Returns:
            Shape (C, H, W), float64, in [0, 1].
        """
        shifts = torch.as_tensor(shift, dtype=torch.float64)[:, None, None]
        if self.form == "separable":
            inverse = _inverse(shifts + self._values)
            left, right = ((axis.T @ vectors).square() for axis, vectors in zip(self._axes, self._vectors, strict=True))
            return left @ inverse @ right.T
        if self.form == "scalar":
            squares = torch.full((1, 1, *self.lr_size), 1.0, dtype=torch.float64)
            squares = self.spatial.adjoint(squares).square()[0]
            return squares / (shifts + self._norm)
        share = self._norm / (shifts + self._norm) / self.spatial.factor**2
        return share.expand(-1, *self.size).clone()

    def _check(self, T: torch.Tensor) -> None:
        if T.ndim != 4 or tuple(T.shape[-2:]) != self.lr_size or not T.is_floating_point():
            raise ShapeError(
                f"the LR image has shape {tuple(T.shape)} and type {T.dtype}",
                expected=f"a floating (n, channels, {self.lr_size[0]}, {self.lr_size[1]})",
            )


def _inverse(values: torch.Tensor) -> torch.Tensor:
    """Reciprocals, 0 where a value is rounding beside the largest finite one."""
    finite = torch.where(torch.isfinite(values), values, torch.zeros_like(values))
    largest = finite.amax(dim=(-2, -1), keepdim=True)
    floor = largest * values.shape[-1] * values.shape[-2] * torch.finfo(torch.float64).eps
    return torch.where(values > floor, 1.0 / values.clamp_min(torch.finfo(torch.float64).tiny), 0.0)


class _Solve(torch.autograd.Function):
    """Solution of a symmetric positive definite system; its gradient is the same system's solution."""

    @staticmethod
    def forward(ctx: Any, T: torch.Tensor, product: Linear) -> torch.Tensor:
        ctx.product = product
        return conjugate_gradients(T, product)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        return _Solve.apply(gradients[0], ctx.product), None  # type: ignore[no-untyped-call]


def conjugate_gradients(T: torch.Tensor, product: Linear) -> torch.Tensor:
    """Solve ``product(S) = T`` for each (n, C) image by itself, S starting at 0."""
    with torch.no_grad():
        solution = torch.zeros_like(T)
        residual = T.clone()
        direction = residual.clone()
        energy = residual.square().sum(dim=(-2, -1), keepdim=True)
        goal = (_CG_ROUNDINGS * torch.finfo(T.dtype).eps) ** 2 * energy
        for _ in range(_CG_PRODUCTS):
            running = energy > goal
            if not running.any():
                break
            image = product(direction)
            curvature = (direction * image).sum(dim=(-2, -1), keepdim=True)
            running = running & (curvature > 0)
            step = torch.where(running, energy / torch.where(running, curvature, 1.0), 0.0)
            solution = solution + step * direction
            residual = residual - step * image
            previous, energy = energy, residual.square().sum(dim=(-2, -1), keepdim=True)
            # Numerics: an image that has arrived, or cannot get nearer, stands still
            energy = torch.where(running, energy, torch.zeros_like(energy))
            direction = residual + torch.where(previous > 0, energy / previous.clamp_min(_tiny(T)), 0.0) * direction
        return solution


def _tiny(T: torch.Tensor) -> float:
    return math.sqrt(torch.finfo(T.dtype).tiny)


def unseen(image: torch.Tensor, gram: LRGram) -> torch.Tensor:
    """Return the part of an image that D does not see, ``v (I - D D+)``.

    Args:
        image: v, shape (n, C, H, W).
        gram: D^T D.

    Returns:
        Same shape.
    """
    return image - gram.spatial.adjoint(gram.solve(gram.spatial.apply(image)))
