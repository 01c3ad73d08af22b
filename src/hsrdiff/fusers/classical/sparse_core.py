"""The core of a Tucker model seen through two sets of factors, sparse: ADMM with exact steps."""

from __future__ import annotations

import torch

from hsrdiff.fusers.classical.cosine import soft
from hsrdiff.fusers.classical.tucker import Factors, transposed, tucker


class CoreStep:
    """Minimise over the core, with F_1 and F_2 the factors through which the images T_1 and T_2 see it.

        |T_1 - G x F_1|^2 + |T_2 - G x F_2|^2 + beta |G - G_old|^2 + lambda |G|_1

    ADMM with a copy S_i for each image and scaled multipliers W_i repeats

        S_i = [T_i x F_i^T + mu (G - W_i)] (F_i^T F_i (x) ... + mu I)^-1   (three small eigendecompositions)
        G   = soft((mu (S_1 + W_1 + S_2 + W_2) + beta G_old) / (2 mu + beta), lambda / (4 mu + 2 beta))
        W_i = W_i + S_i - G

    The multipliers are kept from one call to the next.

    Args:
        weight: lambda, at least 0.
        penalty: mu, above 0.
        proximal: beta, at least 0.
    """

    def __init__(self, weight: float, penalty: float, proximal: float) -> None:
        self.weight, self.penalty, self.proximal = weight, penalty, proximal
        self._W: list[torch.Tensor] | None = None

    def solve(
        self,
        G: torch.Tensor,
        images: tuple[torch.Tensor, torch.Tensor],
        factors: tuple[Factors, Factors],
        *,
        iterations: int,
        tolerance: float,
    ) -> torch.Tensor:
        """Return the minimiser, starting at G, which is also G_old.

        Args:
            G: Shape (n1, n2, n3).
            images: Two tensors.
            factors: Three matrices for each, of the image's sizes by n1, n2, n3.
            iterations: At most.
            tolerance: Stops where G changes, and differs from its copies, by no more than this, relatively.

        Returns:
            G, same shape.
        """
        mu, beta, G_old = self.penalty, self.proximal, G
        solvers = [_Shifted(each, mu) for each in factors]
        seen = [tucker(image, transposed(each)) for image, each in zip(images, factors, strict=True)]
        W = self._W if self._W is not None else [torch.zeros_like(G) for _ in images]
        for _ in range(iterations):
            S = [solver.solve(T + mu * (G - w)) for solver, T, w in zip(solvers, seen, W, strict=True)]
            mean = (mu * sum(s + w for s, w in zip(S, W, strict=True)) + beta * G_old) / (2.0 * mu + beta)
            previous, G = G, soft(mean, self.weight / (4.0 * mu + 2.0 * beta))
            W = [w + s - G for w, s in zip(W, S, strict=True)]
            # copies that still differ from a G that stands still, at 0 for instance, are not the end
            apart = max(float((s - G).norm()) for s in S)
            if max(apart, float((G - previous).norm())) <= tolerance * float(G.norm()):
                break
        self._W = W
        return G


class _Shifted:
    """``(F1^T F1 (x) F2^T F2 (x) F3^T F3 + mu I)^-1``."""

    def __init__(self, factors: Factors, shift: float) -> None:
        values, vectors = zip(*(torch.linalg.eigh(F.T @ F) for F in factors), strict=True)
        s1, s2, s3 = (each.clamp_min(0.0) for each in values)
        self._denominator = s1[:, None, None] * s2[:, None] * s3 + shift
        self._vectors: Factors = (vectors[0], vectors[1], vectors[2])

    def solve(self, T: torch.Tensor) -> torch.Tensor:
        return tucker(tucker(T, transposed(self._vectors)) / self._denominator, self._vectors)
