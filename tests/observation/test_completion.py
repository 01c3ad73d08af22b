"""Masked pairs: after completion and projection the valid pixels of both images are met, whatever the mask hides."""

import pytest
import torch

from hsrdiff.errors import ShapeError
from hsrdiff.observation import JointProjection, Observation, SpatialResponse, SpectralResponse
from hsrdiff.observation.completion import complete_pair

BANDS, SIZE = 5, (16, 24)


def draw(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def masked(kind):
    R = draw(2, BANDS, seed=3) + 0.1
    spatial = SpatialResponse.gaussian(4) if kind == "overlapping" else SpatialResponse.block_mean(4)
    observed = Observation(SpectralResponse(R / R.sum(1, keepdim=True)), spatial)
    truth, start = draw(1, BANDS, *SIZE), draw(1, BANDS, *SIZE, seed=1)
    X, Y = observed.observe(truth)
    valid = draw(1, 1, *SIZE, seed=4) > 0.1
    valid[..., 8:12, 12:16] = False  # a whole LR pixel without a guide
    valid_lr = torch.ones((1, 1, 4, 6), dtype=torch.bool)
    valid_lr[..., 1, 1] = valid_lr[..., 3, 5] = False
    return observed, truth, start, X, Y, valid, valid_lr


@pytest.mark.parametrize("kind", ["overlapping", "disjoint"])
def test_valid_pixels_are_met_exactly(kind):
    observed, truth, start, X, Y, valid, valid_lr = masked(kind)
    full_x, full_y = complete_pair(observed, start, X, Y, valid, valid_lr)
    Z = JointProjection(observed, SIZE).project(start, full_x, full_y)
    RZ, ZD = observed.observe(Z)
    assert float(((RZ - X) * valid).abs().max()) < 1e-5
    assert float(((ZD - Y) * valid_lr).abs().max()) < 1e-5
    assert float((Z - truth).norm()) < float((start - truth).norm())


@pytest.mark.parametrize("hidden", [float("nan"), 1e6])
def test_values_under_the_masks_have_no_influence(hidden):
    observed, _, start, X, Y, valid, valid_lr = masked("overlapping")
    expected = complete_pair(observed, start, X, Y, valid, valid_lr)
    value = torch.full((), hidden, dtype=torch.float64)
    got = complete_pair(observed, start, torch.where(valid, X, value), torch.where(valid_lr, Y, value), valid, valid_lr)
    for left, right in zip(got, expected, strict=True):
        torch.testing.assert_close(left, right, rtol=0, atol=0)


def test_a_right_estimate_fills_with_the_truth():
    observed, truth, _, X, Y, valid, valid_lr = masked("overlapping")
    full_x, full_y = complete_pair(observed, truth, X, Y, valid, valid_lr)
    torch.testing.assert_close(full_x, X, rtol=0, atol=1e-9)
    torch.testing.assert_close(full_y, Y, rtol=0, atol=1e-9)


def test_whole_images_are_returned_as_they_are():
    observed, _, start, X, Y, valid, valid_lr = masked("overlapping")
    assert complete_pair(observed, start, X, Y, None, None) == (X, Y)
    same_x, same_y = complete_pair(observed, start, X, Y, torch.ones_like(valid), torch.ones_like(valid_lr))
    assert same_x is X
    assert same_y is Y
    with pytest.raises(ShapeError, match="mask of X"):
        complete_pair(observed, start, X, Y, valid[..., 1:], None)
