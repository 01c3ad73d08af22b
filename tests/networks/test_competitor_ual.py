"""UAL: no base, gates, what is shared, the adaptor and its PSF."""

import pytest
import torch
from torch.nn import functional as F

from hsrdiff.networks.competitors.ual import UAL, Exchange, UALConfig
from hsrdiff.networks.competitors.ual_adaptor import Adaptor, LearnedPSF
from hsrdiff.observation import SpatialResponse


def conv(inside: int, outside: int) -> int:
    return 9 * inside * outside + outside


def test_parameter_count_by_hand() -> None:
    c = 128
    stems = sum(conv(inside, 64) + conv(64, c) for inside in (3, 34, 31))
    branches = 2 * 3 * 3 * conv(c, c)
    shared = conv(387, c) + 2 * conv(c, c)
    exchange = shared + 3 * (conv(387, c) + 2 * conv(c, c))
    tail = conv(384, 256) + conv(256, c) + conv(c, 31)
    assert sum(p.numel() for p in UAL(31, 3, 8).parameters()) == stems + branches + exchange + tail
    assert sum(p.numel() for p in Adaptor(31).parameters()) == 5 * conv(31, 31)
    assert sum(p.numel() for p in LearnedPSF(8).parameters()) == 32 * 32 + 1


def test_there_is_no_base_to_fall_back_on() -> None:
    network = UAL(2, 1, 4, UALConfig(channels=4, depth=1))
    for p in network.tail[-1].parameters():
        torch.nn.init.zeros_(p)
    assert not network(torch.rand(1, 1, 8, 8), torch.rand(1, 2, 2, 2)).any()


def test_open_gates_let_every_branch_pass_unchanged() -> None:
    exchange = Exchange(4)
    for gate in exchange.gate:
        torch.nn.init.constant_(gate.bias, 1e3)
    maps = [torch.rand(2, 4, 6, 5) for _ in range(3)]
    for own, out in zip(maps, exchange(maps), strict=True):
        torch.testing.assert_close(out, own)


def test_the_mask_tells_who_asks() -> None:
    exchange = Exchange(4)
    with torch.no_grad():
        for group in (exchange.gate, exchange.scale, exchange.shift):
            for one in group[1:]:
                one.load_state_dict(group[0].state_dict())
    same = [torch.rand(1, 4, 6, 6)] * 3
    first, second, _ = exchange(same)
    assert not torch.allclose(first, second)
    # without the masks' taps the three branches are one
    with torch.no_grad():
        for layer in (exchange.shared[0], *exchange.gate):
            layer.weight[:, 12:] = 0
    first, second, third = exchange(same)
    torch.testing.assert_close(first, second)
    torch.testing.assert_close(first, third)


def test_an_adaptor_of_zeros_changes_nothing() -> None:
    adaptor, Z = Adaptor(3), torch.rand(1, 3, 6, 6)
    for p in adaptor.parameters():
        torch.nn.init.zeros_(p)
    assert torch.equal(adaptor(Z), Z)


@pytest.mark.parametrize("factor", [2, 3, 8, 32, 40])
def test_the_psf_begins_as_the_gaussian_of_six_pixels_centred_on_its_block(factor: int) -> None:
    psf, Z = LearnedPSF(factor), torch.rand(1, 2, 2 * factor, 3 * factor)
    assert psf(Z).shape == (1, 2, 2, 3)
    torch.testing.assert_close(psf(torch.ones_like(Z)), torch.ones(1, 2, 2, 3))
    if factor == 32:
        # no pixel beyond the block: the package's own Gaussian PSF says the same
        line = torch.exp(-(torch.arange(32, dtype=torch.float64) - 15.5).square() / 72)
        kernel = line[:, None] * line
        want = SpatialResponse(kernel / kernel.sum(), 32).apply(Z)
        torch.testing.assert_close(psf(Z), want.float(), rtol=1e-5, atol=1e-6)


def test_the_bilinear_image_enters_without_aligned_corners() -> None:
    network, seen = UAL(2, 1, 4, UALConfig(channels=4, depth=1)), []
    network.stems[2].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    Y = torch.rand(1, 2, 2, 2)
    network(torch.rand(1, 1, 8, 8), Y)
    torch.testing.assert_close(seen[0], F.interpolate(Y, scale_factor=4, mode="bilinear"))
