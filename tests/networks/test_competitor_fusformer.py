"""Fusformer: its base, no position, its size."""

import torch
from torch.nn import functional as F

from hsrdiff.networks.competitors.fusformer import Attention, Fusformer, FusformerConfig

SMALL = FusformerConfig(channels=6, heads=2, head_channels=3, encoder=1, decoder=1)


def test_parameter_count_by_hand() -> None:
    c = 48
    attention = 2 * c + 3 * c * c + c * c + c
    feed_forward = 2 * c + 2 * (c * c + c)
    ends = 34 * c + c + 9 * c * c + c + 9 * c * 31 + 31
    by_hand = 2 * (attention + feed_forward) + 2 * (2 * attention + feed_forward) + ends
    assert sum(p.numel() for p in Fusformer(31, 3, 4).parameters()) == by_hand == 111247


def test_a_refinement_of_zeros_leaves_the_cut_bicubic_base() -> None:
    network = Fusformer(2, 1, 4, SMALL)
    for p in network.refine_out.parameters():
        torch.nn.init.zeros_(p)
    Y = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).expand(1, 2, 2, 2)
    U = F.interpolate(Y, scale_factor=4, mode="bicubic")
    assert U.max() > 1  # it overshoots
    torch.testing.assert_close(network(torch.rand(1, 1, 8, 8), Y), U.clamp(0, 1))


def test_answers_stay_within_the_data_range() -> None:
    network = Fusformer(2, 1, 2, SMALL)
    torch.nn.init.normal_(network.refine_out.weight, std=10.0)
    Z_hat = network(torch.rand(1, 1, 8, 8), torch.rand(1, 2, 4, 4))
    assert 0 <= float(Z_hat.min()) <= float(Z_hat.max()) <= 1


def test_pixels_have_no_position() -> None:
    network, tokens = Fusformer(2, 1, 2, SMALL), torch.rand(1, 20, 6)
    order = torch.randperm(20)
    torch.testing.assert_close(network.layers(tokens[:, order]), network.layers(tokens)[:, order])


def test_attention_is_softmax_of_scaled_products() -> None:
    attention, tokens = Attention(SMALL), torch.rand(2, 5, 6)
    q, k, v = attention.qkv(attention.norm(tokens)).chunk(3, dim=-1)
    heads = []
    for part in (slice(0, 3), slice(3, 6)):
        weights = torch.softmax(q[..., part] @ k[..., part].transpose(1, 2) / 3**0.5, dim=-1)
        heads.append(weights @ v[..., part])
    torch.testing.assert_close(attention(tokens), tokens + attention.project(torch.cat(heads, dim=-1)))
