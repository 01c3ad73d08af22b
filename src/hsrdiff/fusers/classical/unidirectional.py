"""One factor of a Tucker model under total variation along its rows: a Sylvester equation inside ADMM."""

from __future__ import annotations

import torch

from hsrdiff.fusers.classical.cosine import difference, difference_adjoint, soft

_PRODUCTS = 200  # of conjugate gradients at most
_PRECISION = 1e-10  # of its residual, relative to the right-hand side


class FactorStep:
    """Minimise over one factor U, of shape (m, n), with one image seen through P and the other directly.

        |T_s - P U A|^2 + |T_d - U B|^2 + beta |U - U_old|^2 + lambda |E U|_1

    with E the first difference along the rows of U. ADMM with V = E U and scaled multiplier W repeats

        V = soft(E U - W, lambda / (2 mu)),
        U (B B^T + beta I) + P^T P U A A^T + mu E^T E U = P^T T_s A^T + T_d B^T + beta U_old + mu E^T (V + W),
        W = W + V - E U.

    Without its third term the equation is solved exactly by diagonalising ``P^T P`` on the left and
    ``(A A^T, B B^T + beta I)`` together on the right; in those coordinates conjugate gradients with a diagonal
    preconditioner solve the whole to 1e-10. V and W are kept from one call to the next.

    Args:
        P: Shape (q, m), float64.
        weight: lambda, at least 0; at 0 the exact solution is taken and ADMM is not needed.
        penalty: mu, above 0.
        proximal: beta, above 0.
    """

    def __init__(self, P: torch.Tensor, weight: float, penalty: float, proximal: float) -> None:
        self.P, self.weight, self.penalty, self.proximal = P, weight, penalty, proximal
        values, self._left = torch.linalg.eigh(P.T @ P)
        self._values = values.clamp_min(0.0)
        stiffness = difference_adjoint(difference(self._left, 0), 0)
        self._stiffness = self._left.T @ stiffness
        self._W: torch.Tensor | None = None

    def solve(
        self,
        U: torch.Tensor,
        seen: tuple[torch.Tensor, torch.Tensor],
        direct: tuple[torch.Tensor, torch.Tensor],
        *,
        iterations: int,
        tolerance: float,
    ) -> torch.Tensor:
        """Return the minimiser, starting at U, which is also U_old.

        Args:
            U: Shape (m, n).
            seen: T_s, shape (q, N), and A, shape (n, N).
            direct: T_d, shape (m, M), and B, shape (n, M).
            iterations: Of ADMM at most.
            tolerance: ADMM stops where U changes, and E U differs from V, by no more than this share of U.

        Returns:
            U, shape (m, n).
        """
        (T_s, A), (T_d, B) = seen, direct
        eye = torch.eye(U.shape[1]).to(U)
        M = B @ B.T + self.proximal * eye
        C = torch.linalg.cholesky(M)
        half = torch.linalg.inv(C)
        d, Q = torch.linalg.eigh(half @ (A @ A.T) @ half.T)
        right = half.T @ Q  # (n, n): right^T M right = I, right^T A A^T right = diag(d)
        back = Q.T @ C.T  # its inverse
        diagonal = 1.0 + self._values[:, None] * d.clamp_min(0.0)
        constant = self.P.T @ (T_s @ A.T) + T_d @ B.T + self.proximal * U
        if not self.weight:
            exact: torch.Tensor = self._left @ (self._left.T @ constant @ right / diagonal) @ right.T
            return exact
        mass = right.T @ right
        coordinates = self._left.T @ U @ back.T
        W = self._W if self._W is not None else torch.zeros_like(U)
        for _ in range(iterations):
            EU = difference(U, 0)
            V = soft(EU - W, self.weight / (2.0 * self.penalty))
            goal = constant + self.penalty * difference_adjoint(V + W, 0)
            goal = self._left.T @ goal @ right
            coordinates = self._gradients(coordinates, goal, diagonal, mass)
            previous, U = U, self._left @ coordinates @ right.T
            apart = V - difference(U, 0)
            W = W + apart
            if max(float(apart.norm()), float((U - previous).norm())) <= tolerance * float(U.norm()):
                break
        self._W = W
        return U

    def _gradients(
        self, start: torch.Tensor, goal: torch.Tensor, diagonal: torch.Tensor, mass: torch.Tensor
    ) -> torch.Tensor:
        """Conjugate gradients on ``diagonal * S + mu (Q^T E^T E Q) S (right^T right) = goal``."""

        def product(S: torch.Tensor) -> torch.Tensor:
            moved: torch.Tensor = diagonal * S + self.penalty * self._stiffness @ S @ mass
            return moved

        scale = diagonal + self.penalty * self._stiffness.diagonal()[:, None] * mass.diagonal()
        solution = start
        residual = goal - product(start)
        least = (_PRECISION * float(goal.norm())) ** 2
        scaled = residual / scale
        direction, energy = scaled, float((residual * scaled).sum())
        for _ in range(_PRODUCTS):
            if float(residual.square().sum()) <= least:
                break
            image = product(direction)
            step = energy / float((direction * image).sum())
            solution = solution + step * direction
            residual = residual - step * image
            scaled = residual / scale
            previous, energy = energy, float((residual * scaled).sum())
            direction = scaled + energy / previous * direction
        return solution
