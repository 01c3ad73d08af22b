"""BRResNet: its base, its block, its size."""

import pytest
import torch
from torch.nn import functional as F

from hsrdiff.networks.competitors.brresnet import BilateralBlock, BRResNet, BRResNetConfig


def conv(inside: int, outside: int) -> int:
    return 9 * inside * outside + outside


def test_parameter_count_is_the_published_one() -> None:
    c = 64
    by_hand = conv(34, c) + 5 * (conv(c, c) + 2 * conv(c, c // 2)) + conv(c, 31)
    count = sum(p.numel() for p in BRResNet(31, 3, 32).parameters())
    assert count == by_hand
    assert round(count / 1e6, 2) == 0.41


def test_a_tail_of_zeros_leaves_the_bilinear_base_with_aligned_corners() -> None:
    network = BRResNet(2, 1, 4, BRResNetConfig(channels=4, blocks=1))
    for p in network.tail.parameters():
        torch.nn.init.zeros_(p)
    Y = torch.rand(1, 2, 3, 3)
    Z_hat = network(torch.rand(1, 1, 12, 12), Y)
    torch.testing.assert_close(Z_hat, F.interpolate(Y, scale_factor=4, mode="bilinear", align_corners=True))
    # by hand: corners are kept, and a row of the result is linear between coarse pixels 11 / 2 fine ones apart
    torch.testing.assert_close(Z_hat[..., 0, 0], Y[..., 0, 0])
    torch.testing.assert_close(Z_hat[..., -1, -1], Y[..., -1, -1])
    torch.testing.assert_close(Z_hat[..., 0, 1], Y[..., 0, 0] + (Y[..., 0, 1] - Y[..., 0, 0]) * 2 / 11)


def test_both_signs_of_the_activation_pass_the_block() -> None:
    block = BilateralBlock(2)
    with torch.no_grad():
        for p in block.parameters():
            p.zero_()
        block.mix.weight[0, 0, 1, 1] = 1.0  # r = (x_0, 0)
        block.positive.weight[0, 0, 1, 1] = 1.0
        block.negative.weight[0, 0, 1, 1] = 1.0
        x = torch.tensor([-2.0, 3.0]).view(1, 1, 1, 2).repeat(1, 2, 1, 1)
        out = block(x)
    # x + [relu(x); relu(-x)]
    torch.testing.assert_close(out[0, 0, 0], torch.tensor([-2.0, 6.0]))
    torch.testing.assert_close(out[0, 1, 0], torch.tensor([0.0, 3.0]))


def test_images_of_a_batch_do_not_influence_each_other() -> None:
    network = BRResNet(3, 2, 2, BRResNetConfig(channels=4, blocks=1))
    X, Y = torch.rand(2, 2, 8, 8), torch.rand(2, 3, 4, 4)
    torch.testing.assert_close(network(X, Y)[1:], network(X[1:], Y[1:]))


def test_odd_widths_are_refused() -> None:
    with pytest.raises(ValueError, match="even number"):
        BRResNetConfig(channels=7)
