"""What a kernel makes of a part of a scene, for kernels that are put together: same pixels, landmarks and samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from hsrdiff.fusers.kriging.area import AreaKriging
from hsrdiff.fusers.kriging.kernel import Kernel
from hsrdiff.fusers.kriging.samples import Samples
from hsrdiff.fusers.kriging.stacking import Estimate


def estimator(
    part: Samples, landmarks: torch.Tensor, sigma_y: float, directions: int
) -> Callable[[Kernel[Any], torch.Tensor | None], Estimate]:
    """Return what kriges a part by a kernel.

    Args:
        part: A part of the scene.
        landmarks: Positions of those of its pixels that span the process.
        sigma_y: Standard deviation of the noise of Y.
        directions: Directions of the explained variance to keep, 0 for none.

    Returns:
        The kernel, and what the guide does not see of a spectrum where the samples' noise is to be chosen by it
        (`AreaKriging.fit`), -> the estimate.
    """
    pixels, spread = part.pixels(), part.spread[part.usable]
    averaging = float(part.spatial.kernel.square().sum())

    def estimate(kernel: Kernel[Any], hidden: torch.Tensor | None = None) -> Estimate:
        fitted = AreaKriging.fit(
            kernel,
            pixels,
            landmarks,
            part.block_means,
            part.spectra,
            spread,
            part.unseen,
            sigma_y,
            averaging,
            directions,
            hidden,
        )
        return Estimate(*fitted.predict(), fitted.system)

    return estimate
