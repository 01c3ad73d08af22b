"""Windows: cutting, position bias, and what a shifted window may see."""

import pytest
import torch
from torch.nn import functional as F

from hsrdiff.networks.windows import (
    RelativePositionBias,
    _fused,
    attend,
    attend_shifted,
    distance_bias,
    merge,
    partition,
    relative_index,
    shift_mask,
)


def test_merge_undoes_partition() -> None:
    features = torch.randn(2, 8, 12, 6)
    tokens = partition(features, 4)
    assert tokens.shape == (2, 2, 3, 16, 6)
    torch.testing.assert_close(merge(tokens, 4), features, atol=0, rtol=0)


def test_partition_keeps_neighbours_in_one_window() -> None:
    row = torch.arange(8.0)[None, :, None, None].expand(1, 8, 8, 1)
    tokens = partition(row, 4)[0, :, :, :, 0]
    assert tokens[0].max() < 4 <= tokens[1].min()


def test_relative_index_by_hand() -> None:
    index = relative_index(2)
    # tokens (0,0) (0,1) (1,0) (1,1); displacement 0 is row 4 of a table of 3 x 3
    assert index.diagonal().tolist() == [4, 4, 4, 4]
    assert index[0].tolist() == [4, 3, 1, 0]
    assert index[3].tolist() == [8, 7, 5, 4]


def test_bias_depends_on_the_displacement_only() -> None:
    bias = RelativePositionBias(3, 2)
    torch.nn.init.normal_(bias.table)
    b = bias()
    assert b.shape == (2, 9, 9)
    torch.testing.assert_close(b[:, 0, 1], b[:, 1, 2])  # one to the right
    torch.testing.assert_close(b[:, 0, 3], b[:, 4, 7])  # one down


def test_distance_bias_by_hand() -> None:
    bias = distance_bias(3, 2)
    assert bias[0, 0].tolist() == pytest.approx([-4 * d for d in (0, 1, 2, 1, 2**0.5, 5**0.5, 2, 5**0.5, 8**0.5)])
    torch.testing.assert_close(bias[1], bias[0] / 4)
    torch.testing.assert_close(bias, bias.transpose(1, 2))


def test_distance_bias_lets_a_query_without_content_find_its_own_pixel() -> None:
    v = torch.arange(64.0).view(1, 1, 1, 64, 1)
    blank = torch.zeros_like(v)
    out = attend(blank, blank, v, distance_bias(8, 1)).flatten()
    assert (out - v.flatten()).abs().max() < 1.5
    assert attend(blank, blank, v, torch.zeros(1, 64, 64)).std() < 1e-5


def test_attention_by_hand() -> None:
    q = torch.tensor([[1.0], [0.0]]).view(1, 1, 1, 2, 1)
    v = torch.tensor([[2.0], [6.0]]).view(1, 1, 1, 2, 1)
    bias = torch.tensor([[[0.0, 1.0], [0.0, 0.0]]])
    out = attend(q, q, v, bias).flatten()
    # first token: logits (1*1, 1*0 + 1) are equal, second: (0, 0) are equal
    assert out.tolist() == pytest.approx([4.0, 4.0])


@pytest.mark.parametrize("rows", [3, 15])  # 15 x 10 windows do not attend all at a time
def test_attention_equals_the_fused_kernel_and_so_do_its_gradients(rows: int) -> None:
    generator = torch.Generator().manual_seed(0)
    draws = [torch.randn(1, rows, 10, 16, 12, dtype=torch.float64, generator=generator) for _ in range(4)]
    q, k, v = (t.requires_grad_() for t in draws[:3])
    bias = torch.randn(3, 16, 16, dtype=torch.float64, generator=generator, requires_grad=True)
    tokens = [t[0].flatten(0, 1) for t in (q, k, v)]
    heads = (t.unflatten(-1, (3, 4)).transpose(1, 2) for t in tokens)
    expected = F.scaled_dot_product_attention(*heads, attn_mask=bias).transpose(1, 2).reshape(q.shape)
    out = attend(q, k, v, bias)
    torch.testing.assert_close(out, expected)
    torch.testing.assert_close(_fused(*tokens, bias).view(q.shape), expected)  # what other devices do
    inputs = (q, k, v, bias)
    torch.testing.assert_close(
        torch.autograd.grad(out, inputs, draws[3]), torch.autograd.grad(expected, inputs, draws[3])
    )


def test_shift_mask_by_hand() -> None:
    mask = shift_mask(2, last_row=True, last_column=False)
    assert mask.tolist() == [[True, True, False, False]] * 2 + [[False, False, True, True]] * 2
    assert shift_mask(4, last_row=False, last_column=False).all()


def test_shifted_attention_never_mixes_opposite_sides() -> None:
    """Changing the bottom rows must not reach the top rows, which share windows with them only through the roll."""
    torch.manual_seed(0)
    window, heads = 4, 2
    bias = torch.randn(heads, 16, 16, dtype=torch.float64)
    image = torch.randn(1, 12, 12, 4, dtype=torch.float64)

    def run(x: torch.Tensor) -> torch.Tensor:
        t = partition(x.roll((-2, -2), (1, 2)), window)
        return merge(attend_shifted(t, t, t, bias, window), window).roll((2, 2), (1, 2))

    changed = image.clone()
    changed[:, -2:] += 1.0
    torch.testing.assert_close(run(image)[:, :2], run(changed)[:, :2], atol=0, rtol=0)
    assert not torch.allclose(run(image)[:, -2:], run(changed)[:, -2:])
    changed = image.clone()
    changed[:, :, -2:] += 1.0
    torch.testing.assert_close(run(image)[:, :, :2], run(changed)[:, :, :2], atol=0, rtol=0)


@pytest.mark.parametrize("size", [(8, 8), (4, 12), (4, 4)])
def test_shifted_attention_equals_one_mask_per_window(size: tuple[int, int]) -> None:
    """Oracle: label the pixels by region on the rolled grid, mask every window on its own."""
    torch.manual_seed(1)
    window, heads = 4, 2
    height, width = size
    t = partition(torch.randn(2, height, width, 4, dtype=torch.float64), window)
    bias = torch.randn(heads, 16, 16, dtype=torch.float64)

    def labels(side: int) -> torch.Tensor:
        place = torch.arange(side)
        return (place >= side - window).long() + (place >= side - window // 2).long()

    region = (3 * labels(height)[:, None] + labels(width)[None, :]).double()[None, ..., None]
    cut = partition(region, window)[..., 0]
    allowed = cut[..., :, None] == cut[..., None, :]
    split = t.unflatten(-1, (heads, 2)).transpose(-2, -3)
    logits = split @ split.transpose(-1, -2) / 2**0.5 + bias
    logits = logits.masked_fill(~allowed[:, :, :, None], float("-inf"))
    expected = (logits.softmax(-1) @ split).transpose(-2, -3).flatten(-2)
    torch.testing.assert_close(attend_shifted(t, t, t, bias, window), expected)
