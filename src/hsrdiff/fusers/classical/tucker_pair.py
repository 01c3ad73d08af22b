"""X and Y as two views of one Tucker model: D and R act on its factors."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from hsrdiff.errors import InputError
from hsrdiff.fusers.classical.tucker import Factors, mode_product, unfold
from hsrdiff.fusers.classical.whole_pair import WholePair
from hsrdiff.observation import SpatialResponse

SEPARABLE = 1e-6  # second singular value of the kernel over the first


@dataclass(frozen=True)
class TuckerPair:
    """``Y = G x1 P1 U1 x2 P2 U2 x3 U3`` and ``X = G x1 U1 x2 U2 x3 R U3``.

    Attributes:
        Y: Shape (h, w, B), float64.
        X: Shape (H, W, b), float64.
        through: P1, P2 and R, shapes (h, H), (w, W) and (b, B).
    """

    Y: torch.Tensor
    X: torch.Tensor
    through: Factors

    @classmethod
    def of(cls, pair: WholePair) -> TuckerPair:
        """Take D apart and put the bands last.

        Args:
            pair: The pair.

        Returns:
            The two views.

        Raises:
            InputError: If the kernel of D is not separable.
        """
        size = (int(pair.X.shape[-2]), int(pair.X.shape[-1]))
        P1, P2 = separate(pair.observation.spatial, size)
        R = pair.observation.spectral.matrix
        through = (P1.to(pair.X), P2.to(pair.X), R.to(pair.X))
        return cls(pair.Y[0].movedim(0, 2).contiguous(), pair.X[0].movedim(0, 2).contiguous(), through)

    def views(self, U: Factors) -> tuple[Factors, Factors]:
        """Return the factors that Y and X show.

        Args:
            U: The factors of Z.

        Returns:
            (P1 U1, P2 U2, U3) and (U1, U2, R U3).
        """
        P1, P2, R = self.through
        return (P1 @ U[0], P2 @ U[1], U[2]), (U[0], U[1], R @ U[2])

    def equations(
        self, G: torch.Tensor, U: Factors, mode: int
    ) -> tuple[tuple[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]:
        """Return what the two images say of one factor, unfolded along it.

        Args:
            G: The core.
            U: The factors; that of `mode` is not used.
            mode: 0, 1 or 2.

        Returns:
            ``(T_s, A)`` and ``(T_d, B)`` with ``T_s = P U A`` for the image that sees the factor through P and
            ``T_d = U B`` for the other.
        """
        of_Y, of_X = self.views(U)
        rest = [other for other in range(3) if other != mode]

        def said(image: torch.Tensor, factors: Factors) -> tuple[torch.Tensor, torch.Tensor]:
            core = G
            for other in sorted(rest, key=lambda m: factors[m].shape[0] / factors[m].shape[1]):
                core = mode_product(core, factors[other], other)
            return unfold(image, mode), unfold(core, mode)

        Y, X = said(self.Y, of_Y), said(self.X, of_X)
        return (X, Y) if mode == 2 else (Y, X)


def separate(spatial: SpatialResponse, size: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return P1 and P2 with ``Z D = P1 Z P2^T`` for every border.

    Args:
        spatial: D.
        size: (H, W) of Z.

    Returns:
        Shapes (h, H) and (w, W), float64.

    Raises:
        InputError: If the kernel is not the product of two one-dimensional ones to 1e-6.
    """
    singular = torch.linalg.svdvals(spatial.kernel)
    rest = float(singular[1] / singular[0]) if len(singular) > 1 else 0.0
    if rest > SEPARABLE:
        raise InputError(
            f"the point spread function is not separable, its second singular value is {rest:.2g} of the first",
            expected=f"the product of a kernel along rows and one along columns, to {SEPARABLE:g}",
            do="use another method, such as hysure, or a separable kernel such as a Gaussian",
        )
    return spatial.axis_matrices(size)[0]
