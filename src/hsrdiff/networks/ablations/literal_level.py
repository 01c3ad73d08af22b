"""Ablation of residual mode: the noise level as the paper's text has it."""

from __future__ import annotations

import torch

from hsrdiff.networks.residual_cdformer import ResidualCDFormer, ResidualCondition, ResidualConfig

_TEXT = 1.0  # scale of gamma in Eq. (7)


class LiteralLevelCDFormer(ResidualCDFormer):
    """ResidualCDFormer that is told gamma itself, Eq. (7) unscaled, and answers with the estimate itself.

    Neither the log signal-to-noise ratio nor the preconditioning is there: ``c_hat = F(z_t, condition, gamma)``.

    Args:
        config: Widths and depths; its `embedding_scale` is not used.
    """

    def __init__(self, config: ResidualConfig) -> None:
        super().__init__(config.model_copy(update={"embedding_scale": _TEXT}))

    def denoise(self, condition: ResidualCondition, c_t: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
        """Estimate the coordinates from what is diffused.

        Args:
            condition: From `encode`.
            c_t: Noisy coordinates, or a noisy image, shape (n, r, H, W).
            gamma: Signal power left, shape (n,), in [0, 1].

        Returns:
            c_hat, shape and type of `c_t`.
        """
        return self.answer(condition, c_t, gamma.double())
