"""The share of a disagreement that is white noise before D: its limits, a value by hand, masks."""

import pytest
import torch

from hsrdiff.observation import SpatialResponse
from hsrdiff.observation.white_share import overlap, white_share

SIDE = 64


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def spatial(sigma=1.7):
    return SpatialResponse.gaussian(4, sigma=sigma)


def smooth(seed=5):
    kernel = torch.ones(1, 1, 7, 7, dtype=torch.float64) / 49
    return torch.nn.functional.conv2d(draw(1, 1, SIDE + 6, SIDE + 6, seed=seed), kernel)[0].expand(3, -1, -1)


def everywhere():
    return torch.ones(SIDE, SIDE, dtype=torch.bool)


def test_white_noise_through_d_is_white_and_a_part_of_the_image_is_not():
    D = spatial()
    noise = D.apply(draw(1, 3, 4 * SIDE, 4 * SIDE))[0]
    assert white_share(noise, smooth(), everywhere(), D) > 0.9
    assert white_share(0.1 * smooth(), smooth(), everywhere(), D) == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_a_mixture_has_the_share_of_its_variance(share):
    D = spatial()
    noise = D.apply(draw(1, 3, 4 * SIDE, 4 * SIDE))[0]
    error = smooth(seed=9)
    mixed = share**0.5 * noise / noise.std() + (1 - share) ** 0.5 * error / error.std()
    assert white_share(mixed, smooth(), everywhere(), D) == pytest.approx(share, abs=0.1)


def test_overlap_by_hand():
    """A box of one LR pixel does not overlap its neighbour; a flat kernel of two does by half along its axis."""
    assert overlap(SpatialResponse(torch.ones(4, 4, dtype=torch.float64) / 16, 4), 0) == 0.0
    assert overlap(SpatialResponse(torch.ones(8, 8, dtype=torch.float64) / 64, 4), 1) == pytest.approx(0.5)


def test_overlap_is_what_white_noise_shows():
    D = spatial(2.5)
    seen = D.apply(draw(1, 1, 800, 800))[0, 0]
    shown = float((seen[1:] * seen[:-1]).mean() / seen.square().mean())
    assert overlap(D, 0) == pytest.approx(shown, abs=0.02)


def test_what_is_not_usable_does_not_count():
    D = spatial()
    noise = D.apply(draw(1, 3, 4 * SIDE, 4 * SIDE))[0]
    usable = everywhere()
    usable[10:30, 5:50] = False
    spoiled = torch.where(usable, noise, 1e6)
    image = torch.where(usable, smooth(), -1e6)
    kept = white_share(spoiled, image, usable, D)
    assert kept > 0.9
    assert kept == white_share(torch.where(usable, noise, 0.0), torch.where(usable, smooth(), 0.0), usable, D)


def test_nothing_is_said_of_few_pixels_or_of_an_image_as_rough_as_noise():
    D = spatial()
    noise = D.apply(draw(1, 3, 4 * SIDE, 4 * SIDE))[0]
    few = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    few[:7, :9] = True
    assert white_share(noise, smooth(), few, D) == 0.0
    assert white_share(noise, draw(3, SIDE, SIDE, seed=2), everywhere(), D) == 0.0
