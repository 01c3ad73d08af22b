"""Z made consistent with X = R Z and Z D = Y: exactly without noise, by the Sylvester form with it."""

from __future__ import annotations

import math

import torch

from hsrdiff.errors import InputError, ShapeError
from hsrdiff.observation.gram import LRGram
from hsrdiff.observation.model import Observation
from hsrdiff.typing import HRHSI, LRHSI, MSI

# an eigenvalue under this share of the largest is taken for 0
_NEGLIGIBLE = 1e-12


class JointProjection:
    """Orthogonal projection on ``{Z : R Z = X, Z D = Y}`` in one pass.

    R acts on bands and D on pixels, so the two projections commute and one of each is enough:

        Z'  = Z + R+ (X - R Z),          R+ = R^T (R R^T)^-1
        Z'' = Z' + (Y - Z' D) D+,        D+ = (D^T D)^-1 D^T   (Y = Z D)

    No Z satisfies both when R Y differs from X D, as in real or noisy pairs. The pair is therefore first moved to
    the nearest one that can be satisfied,

        min |X' - X|^2 / sigma_x^2 + |Y' - Y|^2 / sigma_y^2   subject to   R Y' = X' D,

    and the projection is on that pair: the limit of `SoftConsistency` where both noise levels vanish in the given
    proportion. A pair that agrees is left as it is.

    Args:
        observation: R and D.
        size: (H, W) of Z.
        sigma_x: Noise level of X; only its ratio to sigma_y counts.
        sigma_y: Noise level of Y.

    Raises:
        ShapeError: The size does not fit the factor.
        InputError: A level is negative or not finite, or both are 0.
    """

    def __init__(
        self, observation: Observation, size: tuple[int, int], sigma_x: float = 1.0, sigma_y: float = 1.0
    ) -> None:
        for letter, sigma in (("X", sigma_x), ("Y", sigma_y)):
            if not (math.isfinite(sigma) and sigma >= 0):
                raise InputError(f"the noise level of {letter} is {sigma}", expected="a number of at least 0")
        if not sigma_x + sigma_y:
            raise InputError(
                "both noise levels are 0, which leaves open which image gives way where they disagree",
                expected="at least one above 0",
                do="leave both out to trust the images alike",
            )
        self.observation = observation
        self.gram = LRGram(observation.spatial, size)
        R = observation.spectral.matrix
        self._pinv = torch.linalg.pinv(R)
        self._levels = (float(sigma_x) ** 2, float(sigma_y) ** 2)
        self._values, self._vectors = torch.linalg.eigh(R @ R.T)

    def reconcile(self, X: MSI, Y: LRHSI) -> tuple[MSI, LRHSI]:
        """Return the nearest pair with ``R Y = X D``, a Sylvester equation of the size of X D.

        Args:
            X: Shape (n, b, H, W).
            Y: Shape (n, B, h, w).

        Returns:
            X' and Y', shapes and types as given.

        Raises:
            ShapeError: X or Y does not fit R, D or the size.
        """
        spectral, spatial = self.observation.spectral, self.observation.spatial
        variance_x, variance_y = self._levels
        disagreement = spectral.apply(Y) - spatial.apply(X)  # (n, b, h, w)
        with torch.autocast(X.device.type, enabled=False):
            V = self._vectors.to(X)
            turned = torch.einsum("bl,nbhw->nlhw", V, disagreement)
            if variance_x:
                shift = self._values.clamp_min(0.0) * variance_y / variance_x
                multiplier = self.gram.solve(turned, shift) / variance_x
            else:
                inverse = torch.where(self._values > _NEGLIGIBLE * self._values[-1], 1.0 / self._values, 0.0)
                multiplier = turned * (inverse / variance_y).to(X)[:, None, None]
            multiplier = torch.einsum("bl,nlhw->nbhw", V, multiplier)
        X = X + variance_x * spatial.adjoint(multiplier) if variance_x else X
        Y = Y - variance_y * spectral.adjoint(multiplier) if variance_y else Y
        return X, Y

    def project(self, Z: HRHSI, X: MSI, Y: LRHSI) -> HRHSI:
        """Return the point nearest to Z that both images allow.

        Args:
            Z: Shape (n, B, H, W); n must be that of X and Y.
            X: Shape (n, b, H, W).
            Y: Shape (n, B, h, w).

        Returns:
            Shape (n, B, H, W), same type and device as Z; differentiable in all three.

        Raises:
            ShapeError: They do not fit R, D, the size or each other.
        """
        _check_sizes(Z, X, Y, self.gram)
        X, Y = self.reconcile(X.to(Z), Y.to(Z))
        spectral, spatial = self.observation.spectral, self.observation.spatial
        with torch.autocast(Z.device.type, enabled=False):
            Z = Z + torch.einsum("bc,nchw->nbhw", self._pinv.to(Z), X - spectral.apply(Z))
        return Z + spatial.adjoint(self.gram.solve(Y - spatial.apply(Z)))

    def variance_share(self, covariance: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Variance that the projection leaves, for errors alike in all pixels, as a product of two shares.

        Args:
            covariance: Of the errors across bands, shape (B, B), float64.

        Returns:
            The share left in each band, shape (B,), and the share left in each pixel, shape (H, W).
        """
        R = self.observation.spectral.matrix
        unseen = torch.eye(R.shape[1], dtype=torch.float64) - self._pinv @ R
        before, left = covariance.diagonal(), (unseen @ covariance @ unseen.T).diagonal()
        bands = torch.where(before > 0, left / torch.where(before > 0, before, 1.0), 0.0)
        pixels = 1.0 - self.gram.explained(torch.zeros(1))[0]
        # a projection across bands may add to one band what it takes from another
        return bands.clamp_min(0.0), pixels.clamp(0.0, 1.0)


class SoftConsistency:
    """Posterior mean under Gaussian noise: the Sylvester form of FUSE (Wei et al.), written as two updates.

    With a prior ``N(Z, T)`` on the bands of every pixel, T = tau^2 I unless given,

        argmin |X - R Z'|^2 / sigma_x^2 + |Y - Z' D|^2 / sigma_y^2 + |Z' - Z|^2 / T

    is the solution of ``C1 Z' + Z' D D^T / sigma_y^2 = C3``. X is seen first, then Y, as in a Kalman filter:

        Z1 = Z + K (X - R Z),   K = T R^T (R T R^T + sigma_x^2)^-1,   M = T - K R T
        Z2 = Z1 + Q mu [Q^T (Y - Z1 D)] (sigma_y^2 I + mu D^T D)^-1 D^T,   M = Q mu Q^T

    which stays exact where a noise level is 0. As both vanish it becomes `JointProjection`; as they grow, or as
    tau vanishes, Z stays as it is.

    Args:
        observation: R and D.
        size: (H, W) of Z.
        sigma_x: Noise level of X, one number or one per MSI band, shape (b,), at least 0.
        sigma_y: Noise level of Y, one number, at least 0, or one per band, shape (B,), above 0.
        prior: Error level tau of Z before: one number, one per band, shape (B,), or the covariance T, (B, B).
        gram: The operator's `LRGram` where it is already known, as in a loop over noise levels.

    Raises:
        ShapeError: The size does not fit the factor, or a level does not fit the bands.
        InputError: A level is out of range.
    """

    def __init__(
        self,
        observation: Observation,
        size: tuple[int, int],
        sigma_x: float | torch.Tensor,
        sigma_y: float | torch.Tensor,
        prior: float | torch.Tensor,
        gram: LRGram | None = None,
    ) -> None:
        self.observation = observation
        self.gram = LRGram(observation.spatial, size) if gram is None else gram
        R = observation.spectral.matrix
        b, B = R.shape
        noise_x = _levels("X", sigma_x, b)
        noise_y = _levels("Y", sigma_y, B)
        noisy = bool((noise_y > 0).all())
        if not noisy and bool((noise_y > 0).any()):
            raise InputError(
                "some bands of Y have noise level 0 and others do not",
                expected="levels above 0 for all bands, or 0 for all",
                do="give the silent bands a small level",
            )
        T = _covariance(prior, B)
        RT = R @ T
        self._gain = torch.linalg.lstsq(
            _guarded(RT @ R.T + torch.diag(noise_x.square())), RT, driver="gelsd"
        ).solution.T  # (B, b)
        M = T - self._gain @ RT
        # a level for each band of Y: in units of its noise every band has level 1
        unit = noise_y if noisy else torch.ones_like(noise_y)
        mu, Q = torch.linalg.eigh((M + M.T) / 2 / unit[:, None] / unit)
        before = torch.linalg.eigvalsh(T / unit[:, None] / unit)[-1]
        negligible = mu <= _NEGLIGIBLE * before
        self._mu = torch.where(negligible, 0.0, mu)
        # (sigma^2 + mu G)^-1 mu = (sigma^2 / mu + G)^-1, which is 0 for mu = 0
        self._shift = torch.where(negligible, math.inf, float(noisy) / torch.where(negligible, 1.0, mu))
        self._into, self._out_of = Q.T / unit, unit[:, None] * Q
        self._prior = T.diagonal()

    def project(self, Z: HRHSI, X: MSI, Y: LRHSI) -> HRHSI:
        """Return the minimiser, the proximal point of the two observations at Z.

        Args:
            Z: Shape (n, B, H, W).
            X: Shape (n, b, H, W).
            Y: Shape (n, B, h, w).

        Returns:
            Shape (n, B, H, W), same type and device as Z; differentiable in all three.

        Raises:
            ShapeError: They do not fit R, D, the size or each other.
        """
        _check_sizes(Z, X, Y, self.gram)
        spectral, spatial = self.observation.spectral, self.observation.spatial
        X, Y = X.to(Z), Y.to(Z)
        with torch.autocast(Z.device.type, enabled=False):
            Z = Z + torch.einsum("bc,nchw->nbhw", self._gain.to(Z), X - spectral.apply(Z))
            residual = torch.einsum("lb,nbhw->nlhw", self._into.to(Z), Y - spatial.apply(Z))
            residual = self.gram.solve(residual, self._shift)
            residual = torch.einsum("bl,nlhw->nbhw", self._out_of.to(Z), residual)
        return Z + spatial.adjoint(residual)

    def variance_share(self) -> torch.Tensor:
        """Posterior over prior variance of each band and pixel, for a prior that is alike in all pixels.

        Returns:
            Shape (B, H, W), float64, in [0, 1]; 1 where the prior variance is 0.
        """
        explained = self.gram.explained(self._shift)  # (B modes, H, W)
        left = self._mu[:, None, None] * (1.0 - explained)
        posterior = torch.einsum("bl,lhw->bhw", self._out_of.square(), left)
        prior = self._prior[:, None, None]
        share = torch.where(prior > 0, posterior / torch.where(prior > 0, prior, 1.0), 1.0)
        return share.clamp(0.0, 1.0)


def _check_sizes(Z: torch.Tensor, X: torch.Tensor, Y: torch.Tensor, gram: LRGram) -> None:
    for letter, image, size in (("Z", Z, gram.size), ("X", X, gram.size), ("Y", Y, gram.lr_size)):
        if image.ndim != 4 or tuple(image.shape[-2:]) != size or image.shape[0] != Z.shape[0]:
            raise ShapeError(
                f"{letter} has shape {tuple(image.shape)}",
                expected=f"({Z.shape[0]}, bands, {size[0]}, {size[1]})",
            )


def _levels(letter: str, sigma: float | torch.Tensor, bands: int) -> torch.Tensor:
    levels = torch.as_tensor(sigma, dtype=torch.float64)
    if levels.ndim and tuple(levels.shape) != (bands,):
        raise ShapeError(f"the noise levels of {letter} have shape {tuple(levels.shape)}", expected=f"({bands},)")
    if not bool((torch.isfinite(levels) & (levels >= 0)).all()):
        raise InputError(f"the noise level of {letter} is {sigma}", expected="finite numbers of at least 0")
    return levels.expand(bands)


def _covariance(prior: float | torch.Tensor, bands: int) -> torch.Tensor:
    given = torch.as_tensor(prior, dtype=torch.float64)
    if given.ndim == 2:
        if tuple(given.shape) != (bands, bands) or not bool(torch.isfinite(given).all()):
            raise ShapeError(
                f"the prior covariance has shape {tuple(given.shape)} or holds NaN",
                expected=f"a finite ({bands}, {bands})",
            )
        return (given + given.T) / 2
    return torch.diag(_levels("the estimate", given, bands).square())


def _guarded(matrix: torch.Tensor) -> torch.Tensor:
    """The matrix itself, or the identity where all of it is 0, so that a gain of 0 comes out."""
    return matrix if bool(matrix.any()) else torch.eye(len(matrix), dtype=matrix.dtype)
