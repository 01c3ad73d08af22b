"""Negative values cut: at least 0, what both images see kept better than by a clip; the exact point as oracle."""

import pytest
import torch

from hsrdiff.observation import Observation, SpatialResponse, SpectralResponse, non_negative

SIZE, BANDS = (16, 24), 6


def observation(spatial=None):
    R = torch.rand((2, BANDS), generator=torch.Generator().manual_seed(3), dtype=torch.float64) + 0.1
    return Observation(SpectralResponse(R / R.sum(1, keepdim=True)), spatial or SpatialResponse.gaussian(4))


def estimate(shift=0.25, dtype=torch.float64):
    values = torch.randn((1, BANDS, *SIZE), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return (0.2 * values + shift).to(dtype)


def moved(observed, Z, before):
    return [
        float((a - b).square().mean().sqrt())
        for a, b in zip(observed.observe(Z), observed.observe(before), strict=True)
    ]


@pytest.mark.parametrize("shift", [0.05, 0.25, 0.5])
@pytest.mark.parametrize("spatial", [None, SpatialResponse.block_mean(4)])
def test_nothing_is_negative_and_both_images_are_kept_better_than_by_a_clip(shift, spatial):
    observed, Z = observation(spatial), estimate(shift)
    cut = non_negative(observed, Z)
    assert (cut.Z >= 0).all()
    assert cut.share == pytest.approx(float((Z < 0).double().mean()))
    assert cut.lowest == float(Z.min())
    by_clip = moved(observed, Z.clamp_min(0), Z)
    for ours, plain in zip(moved(observed, cut.Z, Z), by_clip, strict=True):
        assert ours < (0.5 if shift > 0.1 else 0.7) * plain  # the darkest: no cube at all shows what it shows


def test_where_a_non_negative_cube_shows_the_same_the_images_are_all_but_kept():
    observed, Z = observation(), estimate(0.5)
    cut = non_negative(observed, Z)
    assert cut.rounds
    assert max(cut.moved_x, cut.moved_y) < 1e-5
    assert max(non_negative(observed, Z, rounds=200).moved_x, 0) <= 1e-6


def test_the_changes_that_are_told_are_those_of_the_cube():
    observed, Z = observation(), estimate(0.1)
    cut = non_negative(observed, Z)
    of_x, of_y = (float(image.square().mean().sqrt()) for image in observed.observe(Z))
    x, y = moved(observed, cut.Z, Z)
    assert cut.moved_x == pytest.approx(x / of_x)
    assert cut.moved_y == pytest.approx(y / of_y)


def test_more_rounds_are_never_worse():
    observed, Z = observation(), estimate(0.1)
    plain = non_negative(observed, Z, rounds=0)
    torch.testing.assert_close(plain.Z, Z.clamp_min(0), rtol=0, atol=0)
    worst = [1.0]
    for rounds in (1, 2, 5, 10, 20):
        cut = non_negative(observed, Z, rounds=rounds)
        worst.append(max(cut.moved_x / plain.moved_x, cut.moved_y / plain.moved_y))
    assert worst == sorted(worst, reverse=True)
    assert worst[-1] < worst[1]


def test_unchanged_where_nothing_is_negative_and_inputs_untouched():
    observed, Z = observation(), estimate().abs()
    cut = non_negative(observed, Z)
    assert cut.Z is Z
    assert (cut.share, cut.lowest, cut.rounds, cut.moved_x, cut.moved_y) == (0, 0, 0, 0, 0)
    mixed = estimate(dtype=torch.float32)
    kept = mixed.clone()
    assert non_negative(observed, mixed).Z.dtype == torch.float32
    torch.testing.assert_close(mixed, kept, rtol=0, atol=0)


def test_by_hand_the_only_cube_that_both_images_allow():
    # One block of four pixels, R the mean of two bands: X is 1 everywhere and Y is (2, 0), so every pixel is (2, 0).
    observed = Observation(
        SpectralResponse(torch.tensor([[0.5, 0.5]], dtype=torch.float64)), SpatialResponse.block_mean(2)
    )
    one, others = (-1.0, 3.0), (3.0, -1.0)
    Z = torch.tensor([one, others, others, others], dtype=torch.float64).T.reshape(1, 2, 2, 2)
    cut = non_negative(observed, Z, rounds=500)
    assert cut.share == 0.5
    assert cut.lowest == -1
    expected = torch.tensor([2.0, 0.0], dtype=torch.float64).reshape(1, 2, 1, 1).expand(1, 2, 2, 2)
    torch.testing.assert_close(cut.Z, expected, rtol=0, atol=0.02)
    assert (cut.Z - expected).abs().max() < 0.1 * (Z.clamp_min(0) - expected).abs().max()
