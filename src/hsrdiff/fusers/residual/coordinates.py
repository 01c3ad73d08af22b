"""Residual coordinates: the leading directions in which a base errs and the guide does not see, whitened."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

_LEAST = 1e-3  # of the largest band's level: no band is blown up further
# Numerics: of the largest eigenvalue: a direction with less error, under 0.3 % of the leading one's size, is left to
# the base. In units of so little rounding would be large and set the scale of all coordinates. The least of eight in
# measured scenes is 0.04.
_NO_ERROR = 1e-5


@dataclass(frozen=True)
class Coordinates:
    """Maps between spectra and r coordinates of about equal variance.

    With the error covariance of the unseen part, ``C = H E H``, ``H = I - R+ R``, and its bands' levels
    ``s_b = sqrt(C_bb)``, the correlation ``C_bc / (s_b s_c)`` has leading eigenvalues l and vectors U:

        c = l^-1/2 U^T S^-1 H (Z - base)        Z - base ~ S U l^1/2 c

    Columns of ``S U`` lie in the null space of R, so that nothing added there is seen by the guide.

    Attributes:
        into: Spectra to coordinates, shape (r, B), float64.
        out_of: Coordinates to spectra, shape (B, r), float64.
        weights: What an error of each coordinate adds to the bands' relative errors, mean 1, shape (r,), float64.
    """

    into: torch.Tensor
    out_of: torch.Tensor
    weights: torch.Tensor

    @classmethod
    def of(cls, covariance: torch.Tensor, R: torch.Tensor, count: int, *, upright: bool = False) -> Coordinates:
        """Find the coordinates of a sensor pair.

        Args:
            covariance: Of the errors across bands, shape (B, B).
            R: Spectral response, shape (b, B).
            count: r; where fewer directions are unseen, or have errors, the rest of the coordinates are 0.
            upright: Give each column of U the sign that makes the sum of its entries' cubes positive, so that signs do
                not hang on the eigensolver, but where that sum is near 0; else as they come.

        Returns:
            The coordinates.
        """
        R = R.double()
        bands = R.shape[1]
        hidden = torch.eye(bands, dtype=torch.float64) - torch.linalg.pinv(R) @ R
        C = hidden @ covariance.double() @ hidden
        into, out_of = torch.zeros(count, bands, dtype=torch.float64), torch.zeros(bands, count, dtype=torch.float64)
        levels = C.diagonal().clamp_min(0.0).sqrt()
        largest = float(levels.max())
        if largest <= torch.finfo(torch.float32).tiny:  # a scene without light, or a guide that sees every band
            return cls(into, out_of, torch.zeros(count, dtype=torch.float64))
        levels = levels.clamp_min(_LEAST * largest)
        values, vectors = torch.linalg.eigh(C / levels[:, None] / levels)
        erring = int((values > _NO_ERROR * values[-1]).sum())
        kept = min(count, bands - int(torch.linalg.matrix_rank(R)), erring)
        values, vectors = values.flip(0)[:kept], vectors.flip(1)[:, :kept]
        if upright:
            vectors = torch.where(vectors.pow(3).sum(dim=0) < 0, -vectors, vectors)
        into[:kept] = (vectors / values.sqrt()).T / levels @ hidden
        out_of[:, :kept] = levels[:, None] * vectors * values.sqrt()
        weights = torch.zeros(count, dtype=torch.float64)
        weights[:kept] = values / values.mean()
        return cls(into, out_of, weights)

    @classmethod
    def of_bands(cls, covariance: torch.Tensor) -> Coordinates:
        """Take every band for a coordinate, in units of its errors: no subspace, and nothing hidden from the guide.

        Args:
            covariance: Of the errors across bands, shape (B, B).

        Returns:
            ``c = S^-1 (Z - base)``.
        """
        levels = covariance.double().diagonal().clamp_min(0.0).sqrt()
        largest = float(levels.max())
        if largest <= torch.finfo(torch.float32).tiny:
            nothing = torch.zeros_like(covariance, dtype=torch.float64)
            return cls(nothing, nothing, torch.zeros_like(levels))
        levels = levels.clamp_min(_LEAST * largest)
        return cls(torch.diag(1.0 / levels), torch.diag(levels), torch.ones_like(levels))

    def within(self, R: torch.Tensor) -> Coordinates:
        """Return the same with spectra that another guide does not see either.

        Args:
            R: Its spectral response, shape (b, B).

        Returns:
            Coordinates whose spectra lie in the null space of R.
        """
        return replace(self, out_of=self.out_of - torch.linalg.pinv(R.double()) @ (R.double() @ self.out_of))

    def apply(self, spectra: torch.Tensor) -> torch.Tensor:
        """Return the coordinates of an image of spectra: (n, B, H, W) to (n, r, H, W)."""
        return torch.einsum("rb,nbhw->nrhw", self.into.to(spectra), spectra)

    def spectra(self, c: torch.Tensor) -> torch.Tensor:
        """Return the spectra of an image of coordinates: (n, r, H, W) to (n, B, H, W)."""
        return torch.einsum("br,nrhw->nbhw", self.out_of.to(c), c)
