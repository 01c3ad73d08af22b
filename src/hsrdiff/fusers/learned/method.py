"""Which learned method a weights file is for."""

from __future__ import annotations

from hsrdiff.networks import denoiser_of
from hsrdiff.networks.competitors import competitor_of
from hsrdiff.typing import PathLike

_REGRESSION = "regression-cdformer"


def learned_method(weights: PathLike) -> str | None:
    """Return the name of the learned one-pass method that a weights file is for.

    Args:
        weights: A safetensors file.

    Returns:
        A name in `hsrdiff.fusers.FUSERS`, or None where the file is for none of them.
    """
    if denoiser_of(weights) == _REGRESSION:
        return _REGRESSION
    return competitor_of(weights)
