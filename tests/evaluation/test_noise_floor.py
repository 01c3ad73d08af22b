"""The noise of a truth: scale, a known noise level, a value by hand."""

import pytest
import torch

from hsrdiff.evaluation.noise_floor import noise_floor


def mixtures(bands=20, side=60, materials=4, seed=0):
    draw = torch.Generator().manual_seed(seed)
    spectra = torch.rand((bands, materials), generator=draw, dtype=torch.float64)
    shares = torch.rand((materials, side * side), generator=draw, dtype=torch.float64)
    return (spectra @ shares).reshape(1, bands, side, side), draw


@pytest.mark.parametrize("sigma", [1e-3, 1e-2])
def test_noise_on_mixtures_of_few_materials_is_found(sigma):
    Z, draw = mixtures()
    noisy = Z + sigma * torch.randn(Z.shape, generator=draw, dtype=torch.float64)
    # a regression on noisy bands leaves a little more than the noise of the band itself
    assert sigma < noise_floor(noisy) < 1.25 * sigma


def test_it_scales_with_the_image_and_is_nearly_nothing_without_noise():
    Z, draw = mixtures()
    noisy = Z + 0.01 * torch.randn(Z.shape, generator=draw, dtype=torch.float64)
    assert noise_floor(7.0 * noisy) == pytest.approx(7.0 * noise_floor(noisy), rel=1e-6)
    assert noise_floor(Z) < 1e-4


def test_two_bands_by_hand():
    a = torch.tensor([1.0, -1.0, 1.0, -1.0])
    b = torch.tensor([1.0, -1.0, -1.0, -1.0])
    Z = torch.stack([a, b]).reshape(1, 2, 2, 2)
    # centred: a.a = 4, b.b = 3, a.b = 2: what b leaves of a is 4 - 4/3, what a leaves of b is 3 - 1; 4 - 2 pixels free
    assert noise_floor(Z) == pytest.approx((((4 - 4 / 3) / 2 + (3 - 1) / 2) / 2) ** 0.5, rel=1e-6)


def test_only_valid_pixels_count_and_too_few_of_them_tell_nothing():
    Z, draw = mixtures()
    noisy = Z + 0.01 * torch.randn(Z.shape, generator=draw, dtype=torch.float64)
    spoilt = noisy.clone()
    spoilt[..., :10, :] = 100.0 * torch.rand((1, 20, 10, 60), generator=draw, dtype=torch.float64)
    valid = torch.ones((1, 1, 60, 60), dtype=torch.bool)
    valid[..., :10, :] = False
    assert noise_floor(spoilt, valid) == pytest.approx(noise_floor(noisy[..., 10:, :]), rel=1e-9)
    spoilt[..., :10, :] = float("nan")
    assert noise_floor(spoilt) == pytest.approx(noise_floor(noisy[..., 10:, :]), rel=1e-9)
    assert noise_floor(noisy[..., :4, :4]) == 0.0
    assert noise_floor(torch.ones(1, 3, 8, 8)) == 0.0
