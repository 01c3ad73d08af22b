"""CMHF-Net: the linear limit, least squares, its blur and its upsampling against other ways to compute them."""

import pytest
import torch
from torch.nn import functional as F

from hsrdiff.errors import FactorError
from hsrdiff.networks.competitors.cmhf_net import CMHFNet, CMHFNetConfig
from hsrdiff.networks.competitors.cmhf_parts import Down, Residual, Up, steps_of

SMALL = CMHFNetConfig(stages=4, rank=2, adjust=1)


def residual(channels: int, guide: int = 0) -> int:
    inside = channels + guide
    wide = inside + 3
    return 9 * (inside * wide + wide * wide + wide * channels) + 2 * (2 * wide + channels)


def quiet(level: Residual) -> None:
    """Make a residual level the identity: ReLU of a norm of scale 0 is 0."""
    torch.nn.init.zeros_(level.layers[-2].weight)


@pytest.mark.parametrize(("factor", "doublings"), [(4, 2), (16, 4), (32, 5)])
def test_parameter_count_by_hand(factor: int, doublings: int) -> None:
    bands, msi_bands, rank, stages = 31, 3, 12, 20
    down = {4: 36, 16: 72, 32: 81}[factor]
    up = doublings * 9 * bands**2 + len(steps_of(factor)) * residual(bands, msi_bands) + 16 * bands
    by_hand = bands * (msi_bands + rank) + down + (stages - 1) * (up + residual(rank)) + 4 * residual(bands)
    assert sum(p.numel() for p in CMHFNet(bands, msi_bands, factor).parameters()) == by_hand


@pytest.mark.parametrize(
    ("factor", "steps"), [(2, (2,)), (4, (4,)), (8, (4, 2)), (16, (4, 4)), (32, (4, 4, 2)), (64, (4, 4, 4))]
)
def test_powers_of_two_are_split_and_images_come_back_in_size(factor: int, steps: tuple[int, ...]) -> None:
    assert steps_of(factor) == steps
    network = CMHFNet(3, 2, factor, SMALL)
    assert network(torch.rand(1, 2, 2 * factor, factor), torch.rand(1, 3, 2, 1)).shape == (1, 3, 2 * factor, factor)


@pytest.mark.parametrize("factor", [1, 3, 6, 12])
def test_other_factors_are_refused_in_a_sentence(factor: int) -> None:
    with pytest.raises(FactorError, match=f"the factor is {factor}; expected a power of two; use another method"):
        CMHFNet(3, 2, factor, SMALL)


def test_without_the_low_rank_part_the_answer_is_the_linear_prediction() -> None:
    network, X = CMHFNet(5, 2, 4, SMALL), torch.rand(2, 2, 8, 8)
    torch.nn.init.zeros_(network.B)
    for level in network.adjust:
        quiet(level)
    want = torch.einsum("lb,nbij->nlij", network.A, X)
    torch.testing.assert_close(network(X, torch.rand(2, 5, 2, 2)), want)


def test_with_quiet_networks_a_stage_is_one_gradient_step() -> None:
    """H_1 = -B^T Up(Down(A X) - Y), and a pair without misfit is left as it is."""
    network, X = CMHFNet(5, 2, 4, SMALL), torch.rand(1, 2, 8, 8)
    for part in (*network.adjust, *(level for prox in network.prox for level in prox)):
        quiet(part)
    for up in network.up:
        for level in up.adjust:
            quiet(level)
    linear = torch.einsum("lb,nbij->nlij", network.A, X)
    Y = network.down(linear)
    torch.testing.assert_close(network(X, Y), linear)
    Y = Y + 0.1
    error = network.up[0](network.down(linear) - Y, network.down.levels(X))
    want = linear - torch.einsum("lr,mr,nmij->nlij", network.B, network.B, error)
    torch.testing.assert_close(network.unroll(X, Y).images[0], want)


def test_a_begins_as_the_least_squares_fit_over_the_training_set() -> None:
    network, A = CMHFNet(4, 3, 4, SMALL), torch.rand(4, 3)
    scenes = [torch.rand(1, 3, 8, 8), torch.rand(1, 3, 4, 12)]
    network.prepare([(X, torch.einsum("lb,nbij->nlij", A, X)) for X in scenes])
    torch.testing.assert_close(network.A.detach(), A, rtol=1e-4, atol=1e-5)
    # a guide band given twice: the prediction is as good
    twice = [(torch.cat([X, X[:, :1]], dim=1), torch.einsum("lb,nbij->nlij", A, X)) for X in scenes]
    wider = CMHFNet(4, 4, 4, SMALL)
    wider.prepare(twice)
    torch.testing.assert_close(torch.einsum("lb,nbij->nlij", wider.A, twice[0][0]), twice[0][1], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("training", [True, False])
def test_batch_statistics_are_used_at_test_time_too(training: bool) -> None:
    torch.manual_seed(0)
    network = CMHFNet(3, 2, 2, SMALL)
    X, Y = torch.rand(2, 2, 8, 8), torch.rand(2, 3, 4, 4)
    both = network.train()(X, Y)
    assert torch.equal(network.train(training)(X, Y), both)
    assert not torch.allclose(network(X[:1], Y[:1]), both[:1], atol=1e-4)
    assert not list(network.buffers())


def test_down_is_a_padded_convolution_sampled_at_the_second_pixel_of_each_block() -> None:
    """By sampling a convolution at every pixel: 6 taps reach 2 before and 3 after, 3 taps one to each side."""
    down = Down((4, 2))
    for kernel in down.kernels:
        torch.nn.init.normal_(kernel)
    image = torch.rand(1, 2, 16, 8)
    four, two = down.kernels
    quarter = F.conv2d(F.pad(image, (2, 3, 2, 3)), four.expand(2, 1, 6, 6), groups=2)[..., 1::4, 1::4]
    eighth = F.conv2d(quarter, two.expand(2, 1, 3, 3), groups=2, padding=1)[..., ::2, ::2]
    full, first, second = down.levels(image)
    assert torch.equal(full, image)
    torch.testing.assert_close(first, quarter)
    torch.testing.assert_close(second, eighth)


def test_up_doubles_as_the_gradient_of_a_convolution_does() -> None:
    """Doubling is the adjoint of a convolution of stride 2 with one zero beyond the right and lower edge."""
    up = Up(3, 1, (2,))
    (doubler,) = up.doublers
    torch.nn.init.normal_(doubler.weight)
    quiet(up.adjust[0])
    with torch.no_grad():
        up.blur.zero_()
        up.blur[:, 0, 1, 1] = 1.0  # no blur: the taps reach one pixel before and two after
    error, image = torch.rand(1, 3, 3, 2), torch.rand(1, 3, 6, 4, requires_grad=True)
    forward = F.conv2d(F.pad(image, (0, 1, 0, 1)), doubler.weight, stride=2)
    (adjoint,) = torch.autograd.grad(forward, image, error)
    torch.testing.assert_close(up(error, [torch.rand(1, 1, 6, 4), torch.rand(1, 1, 3, 2)]), adjoint)


def test_doubling_begins_as_by_hand() -> None:
    up = Up(1, 1, (2,))
    (doubler,) = up.doublers
    # a pixel reaches 3 x 3 of the fine ones, a quarter to each
    want = torch.tensor([[1.0, 1, 1, 0], [1, 1, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0]]) / 4
    single = torch.tensor([[1.0, 0], [0, 0]])[None, None]
    torch.testing.assert_close(doubler(single)[0, 0, :-1, :-1].detach(), want)
