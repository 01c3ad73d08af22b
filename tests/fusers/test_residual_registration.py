"""Bands that do not lie on each other: shifts are found, noise is none, hot pixels move nothing, consistency stays."""

import dataclasses

import pytest
import torch
from fuser_scenes import BANDS, small_scene

from hsrdiff.fusers.kriging import KrigingLearned
from hsrdiff.fusers.residual import Evidence
from hsrdiff.fusers.residual import evidence as evidence_module
from hsrdiff.fusers.residual.registration import band_shifts, gradients, registered
from hsrdiff.observation import SpatialResponse

D = SpatialResponse.gaussian(4)
SIDE = 64


def texture(seed=0, bands=BANDS):
    g = torch.Generator().manual_seed(seed)
    rough = torch.randn((1, bands, SIDE + 8, SIDE + 8), generator=g, dtype=torch.float64)
    return torch.nn.functional.avg_pool2d(rough, 9, stride=1)


def errors(seed, size):
    g = torch.Generator().manual_seed(seed)
    return size * torch.randn((1, BANDS, SIDE // 4, SIDE // 4), generator=g, dtype=torch.float64)


def whole():
    return torch.ones((1, 1, SIDE // 4, SIDE // 4), dtype=torch.float64)


def true_shifts():
    g = torch.Generator().manual_seed(3)
    return 0.4 * torch.randn((BANDS, 2), generator=g, dtype=torch.float64)


def test_gradients_of_a_plane():
    rows, columns = torch.meshgrid(torch.arange(5.0), torch.arange(7.0), indexing="ij")
    down, right = gradients((2 * rows + 3 * columns)[None, None])
    assert (down[..., 1:-1, :] == 2).all()
    assert (right[..., :, 1:-1] == 3).all()


def test_shifts_are_found():
    base, shifts = texture(), true_shifts()
    seen = D.apply(registered(base, shifts))
    clean = band_shifts(base, seen, whole(), D)
    torch.testing.assert_close(clean.shifts, shifts, atol=0.02, rtol=0)
    assert min(clean.reliability) > 100
    noisy = band_shifts(base, seen + errors(1, 0.3 * float(seen.std())), whole(), D)
    torch.testing.assert_close(noisy.shifts, shifts, atol=0.15, rtol=0)


def test_what_is_added_is_what_a_shift_changes():
    """A smooth image moved by a small part of a pixel."""
    rows, columns = torch.meshgrid(torch.arange(16.0).double(), torch.arange(16.0).double(), indexing="ij")

    def image(dy, dx):
        return torch.sin((rows + dy) / 5)[None, None] * torch.cos((columns + dx) / 6)

    moved = registered(image(0, 0), torch.tensor([[0.1, -0.05]], dtype=torch.float64))
    inside = (..., slice(1, -1), slice(1, -1))
    torch.testing.assert_close((image(0.1, -0.05) - image(0, 0))[inside], moved[inside], atol=5e-4, rtol=0)


def test_noise_is_no_shift():
    base = texture()
    sizes = [float(band_shifts(base, errors(seed, 1.0), whole(), D).shifts.abs().mean()) for seed in range(6)]
    raw = 1.0 / (float(D.apply(gradients(base)[0]).std()) * SIDE / 4)  # standard error of one band's shift
    assert sum(sizes) / 6 < 0.3 * raw


def test_hot_pixels_and_missing_ones_do_not_move_a_band():
    base, shifts = texture(), true_shifts()
    seen = D.apply(registered(base, shifts))
    hot = seen.clone()
    hot[..., 3, 5] = 1e3 * float(seen.std())
    torch.testing.assert_close(band_shifts(base, hot, whole(), D).shifts, shifts, atol=0.05, rtol=0)
    some = whole()
    some[..., 3, 5] = 0.0
    hot[..., 3, 5] = 1e9
    torch.testing.assert_close(band_shifts(base, hot, some, D).shifts, shifts, atol=0.05, rtol=0)


def test_empty_bands_and_few_samples_have_none():
    base = texture()
    base[:, 2] = 0.25
    found = band_shifts(base, D.apply(registered(base, true_shifts())), whole(), D)
    assert torch.isfinite(found.shifts).all()
    assert not found.shifts[2].any()
    few = torch.zeros_like(whole())
    few[..., :4, :4] = 1.0
    assert not band_shifts(base, errors(1, 1.0), few, D).shifts.any()
    assert not band_shifts(0 * base, errors(1, 1.0), whole(), D).shifts.any()
    # a black pair, whose samples foretell each other without error
    assert not band_shifts(0 * base, errors(1, 0.0), torch.full_like(whole(), torch.inf), D).shifts.any()


@pytest.mark.parametrize("register", [False, True])
def test_a_registered_base_agrees_with_both_images(kernel_weights, register):
    scene = small_scene(2, 48, 48, dtype=torch.float64)
    moved = dataclasses.replace(scene, Z=None)
    base = KrigingLearned(weights=kernel_weights, std=False)
    evidence = Evidence.of(moved, base, generator=torch.Generator().manual_seed(1), register=register)
    X, Y = scene.observation.observe(evidence.base)
    torch.testing.assert_close(X, scene.X, atol=1e-6, rtol=0)
    torch.testing.assert_close(Y, scene.Y, atol=1e-6, rtol=0)
    assert ("band_registration" in evidence.notes) == register


def test_large_factors_are_left_alone(kernel_weights, monkeypatch):
    monkeypatch.setattr(evidence_module, "MOST_REGISTERED", 3)
    scene = small_scene(2, 48, 48)
    base = KrigingLearned(weights=kernel_weights, std=False)
    evidence = Evidence.of(scene, base, generator=torch.Generator().manual_seed(1), register=True)
    assert "registration" not in evidence.notes
