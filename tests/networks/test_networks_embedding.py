"""Eq. (7)."""

import math

import pytest
import torch

from hsrdiff.networks.embedding import NoiseInjection, noise_level_embedding


def test_eq7_by_hand() -> None:
    gamma, channels = 0.7, 8
    embedded = noise_level_embedding(torch.tensor([gamma], dtype=torch.float64), channels)[0]
    for i in range(channels // 2):
        angle = gamma / 10000 ** (2 * i / channels)
        assert embedded[2 * i].item() == pytest.approx(math.sin(angle), abs=1e-15)
        assert embedded[2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-15)


def test_eq7_pairs_lie_on_the_unit_circle() -> None:
    gamma = torch.rand(5, dtype=torch.float64)
    embedded = noise_level_embedding(gamma, 32, scale=5000.0).unflatten(1, (16, 2))
    torch.testing.assert_close(embedded.square().sum(-1), torch.ones(5, 16, dtype=torch.float64))


def test_eq7_literal_scale_barely_tells_high_levels_apart_and_a_large_one_does() -> None:
    levels = torch.tensor([0.99, 0.999, 0.9999], dtype=torch.float64)

    def smallest_gap(scale: float) -> float:
        embedded = noise_level_embedding(levels, 64, scale=scale)
        return float(torch.cdist(embedded, embedded)[[0, 0, 1], [1, 2, 2]].min())

    assert smallest_gap(1.0) < 2e-3
    assert smallest_gap(5000.0) > 1.0


def test_injection_adds_the_same_vector_to_every_pixel() -> None:
    inject = NoiseInjection(8)
    features = torch.randn(2, 3, 4, 8)
    added = inject(features, torch.tensor([0.2, 0.9])) - features
    torch.testing.assert_close(added, added[:, :1, :1].expand_as(added), atol=1e-6, rtol=0)
    assert not torch.allclose(added[0], added[1])


def test_injection_tells_high_levels_apart_in_mixed_precision() -> None:
    inject = NoiseInjection(8, scale=5000.0)
    gamma = torch.tensor([0.9990, 0.9992])
    features = torch.zeros(2, 1, 1, 8)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = inject(features, gamma)
    torch.testing.assert_close(mixed, inject(features, gamma))
    assert not torch.allclose(mixed[0], mixed[1])
