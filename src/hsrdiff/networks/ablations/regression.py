"""The ablation "Regression": CDFormer in one pass, without diffusion."""

from __future__ import annotations

import torch

from hsrdiff.networks.cdformer import CDFormer, Condition
from hsrdiff.typing import HRHSI

_GAMMA = 1.0


class RegressionCDFormer(CDFormer):
    """Z_hat = f_theta(X, Y, U, 1): whatever Z_t and gamma it is asked about, it sees the upsampled Y and no noise.

    Training, Eq. (8) and sampling are those of CDFormer; since nothing depends on the noise, one step is all.
    Arguments are those of `CDFormer`.
    """

    # P62: the denoising stream is given U in place of Z_t and the constant level of a clean image.
    def denoise(self, condition: Condition, Z_t: HRHSI, gamma: torch.Tensor) -> HRHSI:
        """Return the estimate, which depends on the condition alone.

        Args:
            condition: From `encode`.
            Z_t: Not looked at.
            gamma: Not looked at but for its shape (n,).

        Returns:
            The estimate of Z_0, shape (n, B, H, W).
        """
        return super().denoise(condition, condition.base, torch.full_like(gamma, _GAMMA))
