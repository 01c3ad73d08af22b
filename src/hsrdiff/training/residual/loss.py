"""The loss of a residual denoiser."""

from __future__ import annotations

import math

import torch

from hsrdiff.diffusion import diffuse
from hsrdiff.networks.residual_cdformer import ResidualCDFormer
from hsrdiff.training.residual.patches import PatchBatch

_LEAST = math.sqrt(0.02)  # of what the noise hides, under which errors are not weighed up further


def residual_loss(network: ResidualCDFormer, batch: PatchBatch) -> torch.Tensor:
    """Diffuse what belongs to the target by Eq. (3), estimate the target, and weigh the error.

    With e the error of the coordinates over what the noise hides of them, ``sqrt(1 - gamma)``, so that all levels
    count alike, and u^2 = |L^T e|^2 the mean over bands of its square over the base's,

        loss = mean of 2 (sqrt(1 + u^2) - 1),

    which is u^2 where the estimate is as good as the base or better, and grows linearly where a pixel is far off.

    Args:
        network: The denoiser.
        batch: Patches and noise.

    Returns:
        A scalar.
    """
    z_t = diffuse(batch.diffused.of(batch.target), batch.gamma, batch.noise)
    c_hat = network(batch.channels, z_t, batch.gamma, batch.optics)
    hidden = batch.diffused.hidden(batch.gamma).clamp_min(_LEAST).to(c_hat)
    error = (c_hat - batch.target) / hidden
    energy = torch.einsum("nij,njhw->nihw", batch.root.to(error), error).square().sum(dim=1)
    return 2.0 * ((1.0 + energy).sqrt() - 1.0).mean()
