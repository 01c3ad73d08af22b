"""How noisy a truth is itself: below that no method's error can be seen to fall."""

from __future__ import annotations

import torch

_RELATIVE = 1e-10  # of the mean of the diagonal: bands that are sums of others have no noise of their own


def noise_floor(Z: torch.Tensor, valid: torch.Tensor | None = None) -> float:
    """Return the root mean square of what no band's neighbours explain (Bioucas-Dias and Nascimento, 2008).

    Each band is regressed on all others. The variance left is one over the diagonal of the inverse covariance, and it
    counts as noise. Where few bands leave room for real spectral detail, as the 31 of CAVE do, it is an upper bound.

    Args:
        Z: The truth, shape (1, B, H, W), any units.
        valid: Pixels that count, shape (1, 1, H, W); those with a number in every band when None.

    Returns:
        In the units of Z, at least 0; 0 where there are no more pixels than bands.
    """
    finite = torch.isfinite(Z).all(dim=1).flatten()
    counted = finite if valid is None else finite & valid.flatten()
    spectra = Z[0].flatten(1)[:, counted].double()
    bands, pixels = spectra.shape
    free = pixels - bands
    if free < 1:
        return 0.0
    spectra = spectra - spectra.mean(dim=1, keepdim=True)
    scatter = spectra @ spectra.T
    ridge = _RELATIVE * float(scatter.diagonal().mean())
    if not ridge:
        return 0.0
    precision = torch.linalg.inv(scatter + ridge * torch.eye(bands, dtype=torch.float64))
    return float((1.0 / precision.diagonal() / free).mean().sqrt())
