"""Convolutions of feature maps: each fast way equals the plain one, and so do its gradients."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from hsrdiff.networks.convolutions import Pointwise, depthwise, folded, pointwise, whole_lanes


def draw(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype).requires_grad_()


def assert_same(ways, inputs, **tolerances):
    """Compare two ways and their gradients."""
    one, other = (way() for way in ways)
    torch.testing.assert_close(one, other, **tolerances)
    weight = torch.linspace(-1, 1, one.numel(), dtype=one.dtype).view(one.shape)
    gradients = [torch.autograd.grad(out, inputs, weight) for out in (one, other)]
    torch.testing.assert_close(*gradients, **tolerances)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(2, 5, 7), (2, 3, 4, 7), (2, 3, 2, 4, 7)])
def test_pointwise_is_a_matrix_product_at_each_position(shape, dtype):
    x, w, b = (draw(*s, seed=k, dtype=dtype) for k, s in enumerate((shape, (6, 7), (6,))))
    assert_same((lambda: pointwise(x, w, b), lambda: x @ w.T + b), (x, w, b), rtol=1e-5, atol=1e-4)


def test_pointwise_takes_a_part_of_a_map():
    x, w = draw(2, 3, 4, 9, dtype=torch.float32), draw(6, 7, seed=1, dtype=torch.float32)
    torch.testing.assert_close(pointwise(x[..., 1:8], w), x[..., 1:8] @ w.T)


def test_pointwise_layers_have_the_weights_of_linear_ones():
    layer, linear = Pointwise(7, 6), nn.Linear(7, 6)
    linear.load_state_dict(layer.state_dict())
    x = draw(2, 3, 7, dtype=torch.float32)
    torch.testing.assert_close(layer(x), linear(x))
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(layer(x), linear(x))


def test_depthwise_by_hand():
    """A kernel of ones counts the neighbours that lie inside."""
    out = depthwise(torch.ones(1, 3, 3, 2), torch.ones(2, 1, 3, 3))
    assert out[0, :, :, 1].tolist() == [[4, 6, 4], [6, 9, 6], [4, 6, 4]]


@pytest.mark.parametrize(
    ("shape", "dim", "padded"), [((5, 3), 0, (16, 3)), ((5, 3), 1, (5, 16)), ((17, 1, 3, 3), 0, None)]
)
def test_whole_lanes_appends_zeros(shape, dim, padded):
    weight = draw(*shape)
    out = whole_lanes(weight, dim)
    assert out.shape == (padded or (32, 1, 3, 3))
    own = out.narrow(dim, 0, shape[dim])
    torch.testing.assert_close(own, weight, rtol=0, atol=0)
    assert out.abs().sum() == own.abs().sum()
    assert whole_lanes(out, dim) is out


@pytest.mark.parametrize("patch", [1, 2, 3])
def test_folded_is_a_convolution_of_folded_pixels(patch):
    convolution = nn.Conv2d(5 * patch**2, 4, 3, padding=1).double()
    image = draw(2, 5, 12, 18)
    assert_same(
        (
            lambda: folded(image, convolution, patch),
            lambda: convolution(F.pixel_unshuffle(image, patch)).permute(0, 2, 3, 1),
        ),
        (image, *convolution.parameters()),
    )
