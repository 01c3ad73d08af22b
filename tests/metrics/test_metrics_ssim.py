"""Structural similarity: symmetry and bounds, constants by hand, masks, scikit-image and torchmetrics."""

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from hsrdiff.errors import InvalidValueError, ShapeError
from hsrdiff.metrics import ssim


def pair(bands=3, height=25, width=31, noise=0.1):
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:height, :width]
    Z = np.stack([0.5 + 0.4 * np.sin(0.3 * y + 0.2 * b) * np.cos(0.2 * x) for b in range(bands)])
    return Z + rng.normal(0, noise, Z.shape), Z


def test_symmetric_bounded_and_falling_with_noise():
    Z_hat, Z = pair()
    assert ssim(Z_hat, Z) == pytest.approx(ssim(Z, Z_hat), rel=1e-14)
    scores = [ssim(pair(noise=s)[0], Z) for s in (0.0, 0.01, 0.1, 1.0)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 1.0
    assert -1 <= ssim(1 - Z, Z) < 0


def test_two_constants_by_hand():
    # no variance: only the luminance term (2 a b + C1) / (a^2 + b^2 + C1) is left, C1 = 1e-4
    Z_hat, Z = np.full((1, 12, 12), 0.2), np.full((1, 12, 12), 0.6)
    assert ssim(Z_hat, Z) == pytest.approx((2 * 0.12 + 1e-4) / (0.04 + 0.36 + 1e-4), rel=1e-10)


def test_the_peak_is_the_unit():
    Z_hat, Z = pair()
    assert ssim(255 * Z_hat, 255 * Z, peak=255) == pytest.approx(ssim(Z_hat, Z), rel=1e-12)
    assert ssim(255 * Z_hat, 255 * Z) != pytest.approx(ssim(Z_hat, Z), rel=1e-3)


def test_against_scikit_image():
    Z_hat, Z = pair()
    theirs = structural_similarity(
        Z_hat, Z, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, channel_axis=0
    )
    assert ssim(Z_hat, Z) == pytest.approx(theirs, rel=1e-10)


def test_against_torchmetrics():
    functional = pytest.importorskip("torchmetrics.functional.image")
    Z_hat, Z = (torch.from_numpy(z)[None] for z in pair())
    _, full = functional.structural_similarity_index_measure(
        Z_hat, Z, data_range=1.0, sigma=1.5, return_full_image=True
    )
    # torchmetrics also averages windows over mirrored borders; the rest must be the same
    assert ssim(Z_hat, Z) == pytest.approx(float(full[..., 5:-5, 5:-5].mean()), rel=1e-9)


def test_masked_windows_are_those_fully_valid():
    Z_hat, Z = pair(bands=1)
    _, full = structural_similarity(
        Z_hat[0], Z[0], data_range=1.0, gaussian_weights=True, use_sample_covariance=False, full=True
    )
    mask = np.ones(Z.shape[1:], dtype=bool)
    mask[12, 15] = False
    counted = np.zeros_like(mask)
    counted[5:-5, 5:-5] = True
    counted[12 - 5 : 12 + 6, 15 - 5 : 15 + 6] = False
    assert ssim(Z_hat, Z, mask=mask) == pytest.approx(full[counted].mean(), rel=1e-10)


def test_one_window_is_enough_and_less_is_refused():
    Z_hat, Z = pair(height=11, width=11)
    assert 0 < ssim(Z_hat, Z) < 1
    with pytest.raises(ShapeError, match="10 x 11"):
        ssim(Z_hat[:, 1:], Z[:, 1:])
    mask = np.ones((11, 11), dtype=bool)
    mask[0, 0] = False
    with pytest.raises(InvalidValueError, match="window"):
        ssim(Z_hat, Z, mask=mask)
