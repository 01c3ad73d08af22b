"""Images to start from, and a denoiser that is no Gaussian."""

import torch

from hsrdiff.rng import generator


def draw(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=generator(seed), dtype=dtype)


def bent_denoiser(Z_t, gamma):
    return torch.tanh(0.5 * Z_t + gamma[:, None, None, None] * 0.7)
