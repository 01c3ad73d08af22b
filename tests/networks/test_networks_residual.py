"""The residual CDFormer: its preconditioning, its cache, its padding, its errors."""

import pytest
import torch
from benchmarks.literal import literal

from hsrdiff.errors import ShapeError
from hsrdiff.networks.residual_cdformer import ResidualCDFormer, ResidualConfig


def make(patch=2, *, answer=True, dtype=torch.float64):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        config = ResidualConfig(coordinates=3, conditions=5, channels=8, layers=2, heads=2, window=4, patch=patch)
        network = ResidualCDFormer(config).to(dtype).eval()
        if answer:  # it starts at 0
            torch.nn.init.normal_(network.reconstruct.weight, std=0.3)
    return network.requires_grad_(False)


def draw(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.parametrize("patch", [1, 2])
@pytest.mark.parametrize("size", [(16, 16), (13, 22), (3, 5)])
def test_any_size_and_the_cache_changes_nothing(patch, size):
    network, condition, c_t = make(patch), draw(2, 5, *size), draw(2, 3, *size, seed=1)
    gamma = torch.tensor([0.2, 0.9], dtype=torch.float64)
    direct = network(condition, c_t, gamma)
    assert direct.shape == c_t.shape
    bound = network.bind(condition)
    for _ in range(2):
        torch.testing.assert_close(bound(c_t, gamma), direct, rtol=0, atol=0)


def every_weight_counts():
    """A network of float64 and its arguments."""
    network = make()
    for name, weight in network.named_parameters():
        if name.endswith(("table", "bias")):
            weight.copy_(draw(*weight.shape, seed=len(name)))
    gamma = torch.tensor([0.2, 0.9], dtype=torch.float64)
    return network, (draw(2, 5, 24, 16), draw(2, 3, 24, 16, seed=1), gamma)


def test_it_is_the_network_written_out_in_plain_operations_and_so_are_its_gradients():
    """Oracle: the same weights, softmax between two products with a mask for each window, images of (n, C, H, W)."""
    network, given = every_weight_counts()
    weights = list(network.requires_grad_(True).parameters())
    ours, plain = network(*given), literal(network, *given)
    torch.testing.assert_close(ours, plain)
    along = torch.linspace(-1, 1, ours.numel(), dtype=torch.float64).view(ours.shape)
    gradients = (torch.autograd.grad(out, weights, along) for out in (ours, plain))
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(("half", "tolerance"), [(False, 1e-5), (True, 3e-2)])
def test_float32_and_bfloat16_stay_near_the_plain_operations_in_float64(half, tolerance):
    network, (condition, c_t, gamma) = every_weight_counts()
    expected = literal(network, condition, c_t, gamma)
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        answer = network.float()(condition.float(), c_t.float(), gamma)
    assert answer.dtype == torch.float32
    assert (answer - expected).norm() < tolerance * expected.norm()


def test_pure_noise_does_not_reach_the_answer_and_no_noise_comes_out_as_it_is():
    network, condition = make(), draw(1, 5, 16, 16)
    none, all_of_it = torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    one, other = (network(condition, draw(1, 3, 16, 16, seed=s), none) for s in (1, 2))
    torch.testing.assert_close(one, other, rtol=0, atol=0)
    assert one.std() > 0.1
    clean = draw(1, 3, 16, 16, seed=1)
    torch.testing.assert_close(network(condition, clean, all_of_it), clean, rtol=0, atol=0)


def test_an_untrained_network_is_the_linear_denoiser_of_unit_variance():
    network, c_t = make(answer=False), draw(1, 3, 16, 16)
    gamma = torch.tensor([0.3], dtype=torch.float64)
    torch.testing.assert_close(network(draw(1, 5, 16, 16), c_t, gamma), gamma.sqrt() * c_t)


def test_the_noise_level_is_heard_between_levels_that_look_alike():
    network, condition, c_t = make(), draw(1, 5, 16, 16), draw(1, 3, 16, 16, seed=1)
    answers = []
    for gamma in (0.99, 0.999):
        level = torch.tensor([gamma], dtype=torch.float64)
        answer = network(condition, c_t, level)
        answers.append((answer - level.sqrt() * c_t) / (1 - level).sqrt())
    assert (answers[0] - answers[1]).square().mean().sqrt() > 0.01


def test_gradients_reach_every_weight():
    network = make().requires_grad_(True)
    gamma = torch.tensor([0.3], dtype=torch.float64)
    network(draw(1, 5, 16, 16), draw(1, 3, 16, 16, seed=1), gamma).square().sum().backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in network.parameters())


def test_optics_reach_the_answer_by_a_linear_map_of_their_own():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        config = ResidualConfig(coordinates=3, conditions=5, optics=4, channels=8, layers=1, heads=2, window=4)
        network = ResidualCDFormer(config).double().eval().requires_grad_(False)
    condition, optics, c_t = draw(1, 5, 9, 11), draw(1, 4, 9, 11, seed=2), draw(1, 3, 9, 11, seed=1)
    none = torch.zeros(1, dtype=torch.float64)
    assert not network(condition, c_t, none, optics).any()
    network.direct.weight[:] = draw(3, 4, 1, 1, seed=4)
    expected = torch.einsum("ro,nohw->nrhw", network.direct.weight[:, :, 0, 0], optics)
    torch.testing.assert_close(network(condition, c_t, none, optics), expected)
    with pytest.raises(ShapeError, match="optics of 0 channels for a network of 4"):
        network.encode(condition)


def test_another_number_of_channels_is_refused():
    with pytest.raises(ShapeError, match="4 channels for a network of 5"):
        make().encode(draw(1, 4, 8, 8))


def test_heads_must_divide_the_channels():
    with pytest.raises(ValueError, match="twice the heads"):
        ResidualConfig(conditions=1, channels=10, heads=4)
