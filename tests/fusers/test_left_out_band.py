"""The share of two kernels by guide bands that are left out: what is known of pixels, not of block means."""

import dataclasses

import pytest
import torch
from fuser_scenes import FACTOR, small_scene

from hsrdiff.fusers.kriging import left_out_band
from hsrdiff.fusers.kriging.left_out_band import FEW, MOST, middle, share_at_pixels, without_band
from hsrdiff.fusers.kriging.samples import Samples
from hsrdiff.fusers.kriging.stacking import Estimate
from hsrdiff.fusers.kriging.system import solve_features
from hsrdiff.observation import LRGram, SpatialResponse
from hsrdiff.observation.gram import unseen


def samples(bands=4, **options):
    scene = small_scene(bands, **options)
    return Samples.of(scene, scene.observation.spatial)


def certain(whole, share):
    """A share before it is made smaller for the number of LR pixels."""
    found = int(whole.usable.sum())
    return share * (found + FEW) / found


def noise(scene, seed):
    """Of size 1, not seen by D."""
    size = tuple(scene.X.shape[-2:])
    image = torch.randn((1, 1, *size), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    image = unseen(image, LRGram(scene.spatial, size))
    return (image / image.square().mean().sqrt()).flatten()


def foretelling(whole, first, second):
    """Both kernels foretell a left-out band: its truth, found by its LR means, and an error of their own."""
    truths = [(without_band(whole, band).Y, whole.X[0, band].flatten().double()) for band in range(whole.X.shape[1])]

    def estimates(part):
        (truth,) = (x for Y, x in truths if torch.equal(Y, part.Y))
        count = len(part.spectra)
        F = torch.eye(count, dtype=torch.float64)
        system = solve_features(F, torch.ones(count, dtype=torch.float64), part.spectra)
        variance = torch.ones(len(truth), dtype=torch.float64)
        return tuple(Estimate((truth + error)[:, None], variance, system) for error in (first, second))

    return estimates


def test_share_is_that_of_errors_at_pixels_by_hand():
    # errors of 3 and 1 that have nothing in common: 1 / (9 + 1)
    whole = samples()
    one, two = noise(whole, 0), noise(whole, 1)
    two = two - (two @ one) / (one @ one) * one
    two = two / two.square().mean().sqrt()
    assert share_at_pixels(whole, foretelling(whole, 3 * one, two)) == pytest.approx(
        0.1 * 24 / 124, rel=1e-6
    )  # 4 x 6 LR pixels


def test_share_is_the_best_of_all():
    whole = samples()
    first, second = 2.0 * noise(whole, 0), noise(whole, 1) + 0.3 * noise(whole, 0)
    share = certain(whole, share_at_pixels(whole, foretelling(whole, first, second)))

    def energy(w):
        return float((w * first + (1 - w) * second).square().mean())

    assert 0 < share < MOST
    assert energy(share) <= min(energy(w / 100) for w in range(34)) + 1e-9


def test_share_is_0_where_the_second_is_exact_and_the_largest_where_the_first_is_or_both_are_alike():
    whole = samples()
    none, some = torch.zeros_like(noise(whole, 0)), noise(whole, 0)
    assert share_at_pixels(whole, foretelling(whole, some, none)) == pytest.approx(0.0, abs=1e-12)
    assert certain(whole, share_at_pixels(whole, foretelling(whole, none, some))) == pytest.approx(MOST)
    assert certain(whole, share_at_pixels(whole, foretelling(whole, some, some))) == pytest.approx(MOST)


def test_what_consistency_with_Y_mends_does_not_count():
    whole = samples()
    first, second = 2.0 * noise(whole, 0), noise(whole, 1) + 0.3 * noise(whole, 0)
    size = tuple(whole.X.shape[-2:])
    offsets = torch.rand((1, 1, *whole.Y.shape[-2:]), generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    seen = whole.spatial.adjoint(offsets, size).flatten()
    share = share_at_pixels(whole, foretelling(whole, first, second))
    assert share_at_pixels(whole, foretelling(whole, first + 5 * seen, second)) == pytest.approx(share, rel=1e-6)


def test_of_many_bands_some_spread_evenly_are_left_out(monkeypatch):
    asked = []
    monkeypatch.setattr(
        left_out_band, "without_band", lambda whole, band: asked.append(band) or without_band(whole, band)
    )
    whole = samples(9)
    error = noise(whole, 0)
    share_at_pixels(whole, foretelling(whole, error, error))
    assert asked == [0, 3, 5, 8]


def test_a_band_left_out_is_known_by_its_means_and_the_others_are_the_guide():
    whole = samples(5)
    part = without_band(whole.with_context(), 2)
    assert torch.equal(part.X, whole.X[:, [0, 1, 3, 4]])
    torch.testing.assert_close(part.Y, whole.spatial.apply(whole.X[:, 2:3].double()).float())
    assert part.context.shape[1] == Samples.of(small_scene(4), whole.spatial).with_context().context.shape[1]
    assert without_band(whole, 2).context is None


def test_pixels_that_are_not_valid_do_not_count():
    scene = small_scene(4, spatial=SpatialResponse.block_mean(FACTOR))
    valid = torch.ones_like(scene.X[:, :1], dtype=torch.bool)
    valid[..., :FACTOR, :FACTOR] = False
    X = torch.where(valid, scene.X, float("nan"))
    whole = Samples.of(dataclasses.replace(scene, X=X, valid=valid), scene.observation.spatial)
    part = without_band(whole, 1)
    assert torch.equal(part.usable, whole.usable)
    assert not part.usable[0]
    assert torch.isfinite(part.Y).all()
    first, second = 2.0 * noise(whole, 0), noise(whole, 1) + 0.3 * noise(whole, 0)
    share = share_at_pixels(whole, foretelling(whole, first, second))
    wild = torch.where(valid.flatten(), first, 100 * first)  # a block's own mean is all that D sees of it
    assert share_at_pixels(whole, foretelling(whole, wild, second)) == pytest.approx(share, rel=1e-9)
    assert 0 < share < MOST


def test_of_a_large_scene_the_middle_of_what_is_usable_is_judged():
    scene = small_scene(4, 80, 72 * FACTOR)
    whole = Samples.of(scene, scene.observation.spatial)
    part, inside = middle(whole)
    assert int(part.usable.sum()) == 20 * 64
    # columns 4 to 68, and what their PSFs reach beyond
    reach = whole.reach_lr * FACTOR
    assert torch.equal(part.X, whole.X[..., 4 * FACTOR - reach : 68 * FACTOR + reach])
    assert torch.equal(part.X[..., *inside], whole.X[..., 4 * FACTOR : 68 * FACTOR])
    valid = torch.zeros_like(scene.X[:, :1], dtype=torch.bool)
    valid[..., -30 * FACTOR :] = True
    some = Samples.of(dataclasses.replace(scene, valid=valid), scene.observation.spatial)
    assert int(middle(some)[0].usable.sum()) == int(some.usable.sum())


def test_a_small_scene_is_judged_whole():
    whole = samples()
    assert middle(whole) == (whole, (slice(None), slice(None)))
