"""The three parts of an S2TL (Figure 4)."""

import pytest
import torch
from torch.nn import functional as F

from hsrdiff.networks.initialise import kaiming
from hsrdiff.networks.layers import S2TL, GatedFeedForward, SpatialAttention, SpectralAttention


@pytest.fixture(autouse=True)
def _double() -> None:
    torch.manual_seed(0)


def test_spectral_attention_equals_the_formula() -> None:
    """Oracle: q, k of unit length along the pixels, softmax over channels, then the projection, written out."""
    layer = SpectralAttention(12, 3).double()
    kaiming(layer)
    torch.nn.init.uniform_(layer.temperature, 0.5, 3.0)
    x = torch.randn(2, 5, 7, 12, dtype=torch.float64)
    mixed = F.conv2d(layer.qkv(x).permute(0, 3, 1, 2), layer.depthwise.weight, padding=1, groups=36)
    q, k, v = (t.reshape(2, 3, 4, 35) for t in mixed.chunk(3, dim=1))
    a = F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-1, -2) * layer.temperature[:, None, None]
    want = layer.project((a.softmax(-1) @ v).reshape(2, 12, 5, 7).permute(0, 2, 3, 1))
    torch.testing.assert_close(layer(x), want, atol=1e-6, rtol=1e-6)


def test_spectral_attention_weights_ignore_brightness() -> None:
    layer = SpectralAttention(4, 1)
    q, k = torch.randn(1, 9, 4), torch.randn(1, 9, 4)
    torch.testing.assert_close(layer.weights(q, k), layer.weights(5 * q, 0.1 * k), atol=1e-6, rtol=1e-5)


def test_feed_forward_equals_the_formula() -> None:
    layer = GatedFeedForward(4, 2.66).double()
    kaiming(layer)
    assert layer.expand.weight.shape == (20, 4)  # 2 * int(2.66 * 4)
    x = torch.randn(1, 6, 6, 4, dtype=torch.float64)
    h = F.conv2d(layer.expand(x).permute(0, 3, 1, 2), layer.depthwise.weight, padding=1, groups=20)
    a, b = h[:, :10], h[:, 10:]
    want = layer.project((0.5 * a * (1 + torch.erf(a / 2**0.5)) * b).permute(0, 2, 3, 1))
    torch.testing.assert_close(layer(x), want)


@pytest.mark.parametrize("shift", [False, True])
def test_spatial_attention_stays_in_its_window(shift: bool) -> None:
    layer = SpatialAttention(4, 2, 4, shift=shift)
    kaiming(layer)
    x = torch.randn(1, 8, 8, 4)
    changed = x.clone()
    changed[:, 0, 0] += 1
    moved = (layer(changed) - layer(x)).abs().sum(-1)[0] > 1e-6
    reach = 2 if shift else 4
    assert moved[:reach, :reach].all()
    assert not moved[reach:].any()
    assert not moved[:, reach:].any()


def test_s2tl_without_projections_is_the_identity() -> None:
    layer = S2TL(8, 2, 4, 2.0, shift=True)
    kaiming(layer)
    for part in (layer.spatial.project, layer.spectral.project, layer.ffn.project):
        torch.nn.init.zeros_(part.weight)
    x = torch.randn(1, 8, 8, 8)
    torch.testing.assert_close(layer(x), x, atol=0, rtol=0)
