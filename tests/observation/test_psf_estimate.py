"""D found from a pair: exact where it can be, the displacement, any unit, masks, and what too few pixels allow."""

import math

import numpy as np
import pytest
import torch

from hsrdiff.errors import InvalidValueError, ShapeError
from hsrdiff.observation import Scene, SpatialResponse, SpectralResponse, estimate_pair, estimate_psf
from hsrdiff.observation.gaussian_psf import gaussian_kernel
from hsrdiff.observation.psf_estimate import FREE, GAUSSIAN, spread
from hsrdiff.observation.spatial import FWHM_PER_SIGMA

BANDS, FACTOR = 5, 3
R = SpectralResponse([[0.5, 0.3, 0.2, 0.0, 0.0], [0.0, 0.1, 0.2, 0.3, 0.4]])


def truth(lr=24, seed=0):
    """Random materials with patches of a few pixels."""
    draw = torch.rand((1, BANDS, lr * FACTOR + 2, lr * FACTOR + 2), generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.avg_pool2d(draw.double(), 3, stride=1) + 0.2


def pair(spatial, lr=24, **changes):
    Z = truth(lr)
    return Scene(**({"X": R.apply(Z), "Y": spatial.apply(Z)} | changes))


def displaced(sigma=1.4, shift=(0.35, -0.6), size=9):
    return SpatialResponse(gaussian_kernel(sigma, shift, size), FACTOR)


def lopsided():
    """Two points of unlike weight: no Gaussian."""
    kernel = torch.zeros(5, 5, dtype=torch.float64)
    kernel[1, 1], kernel[3, 3], kernel[2, 1] = 0.6, 0.3, 0.1
    return SpatialResponse(kernel, FACTOR)


def padded(kernel, size):
    return torch.nn.functional.pad(kernel, [(size - len(kernel)) // 2] * 4)


def apart(found, wanted):
    size = max(len(found), len(wanted))
    return float((padded(found, size) - padded(wanted, size)).norm() / wanted.norm())


def test_kernel_without_displacement_is_the_models_own():
    for factor, sigma in ((4, 1.7), (3, 1.2)):
        mine = SpatialResponse.gaussian(factor, sigma=sigma)
        torch.testing.assert_close(gaussian_kernel(sigma, (0.0, 0.0), mine.size), mine.kernel)


def test_the_assumed_psf_is_found_where_it_is_true():
    wanted = SpatialResponse.gaussian(FACTOR)
    found = estimate_psf(pair(wanted), R)
    assert found.kind == GAUSSIAN
    assert found.known
    assert apart(found.spatial.kernel, wanted.kernel) < 1e-5
    assert found.fwhm_lr == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_allclose(found.shift_lr, 0.0, atol=1e-5)
    assert found.left < 1e-10


def test_width_and_displacement_below_a_pixel_are_found():
    found = estimate_psf(pair(displaced()), R)
    assert found.gaussian.sigma == pytest.approx(1.4, rel=0.01)
    np.testing.assert_allclose(found.gaussian.shift, (0.35, -0.6), atol=0.01)
    assert apart(found.spatial.kernel, displaced().kernel) < 0.02


def test_phase_a_displacement_is_where_the_hyperspectral_pixel_looks():
    # Y[i, j] = X of the pixel one row below the middle of its block: the centre of the kernel is one row down
    kernel = torch.zeros(3, 3, dtype=torch.float64)
    kernel[2, 1] = 1.0
    found = estimate_psf(pair(SpatialResponse(kernel, FACTOR)), R)
    np.testing.assert_allclose(found.shift_lr, (1 / 3, 0.0), atol=0.01)


def test_a_kernel_that_is_no_gaussian_is_found_free():
    found = estimate_psf(pair(lopsided()), R)
    assert found.kind == FREE
    assert found.known
    assert apart(found.spatial.kernel, lopsided().kernel) < 1e-6
    assert (found.spatial.kernel >= 0).all()
    assert found.kernel_uncertainty < 1e-6
    assert "free kernel" in found.describe()


def test_noise_is_told_in_the_uncertainty():
    noise = 0.02 * torch.randn((1, BANDS, 24, 24), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    clean = pair(displaced())
    found = estimate_psf(pair(displaced(), Y=clean.Y + noise), R)
    assert (found.spatial.kernel >= 0).all()
    assert abs(found.gaussian.sigma - 1.4) < 4 * found.gaussian.sigma_error + 0.02
    assert 1e-3 < found.uncertainty_lr < 0.1


def test_too_few_pixels_for_a_free_kernel_give_the_gaussian():
    found = estimate_psf(pair(lopsided(), lr=9), R)
    assert found.kind == GAUSSIAN
    assert estimate_psf(pair(lopsided()), R, free=False).kind == GAUSSIAN


@pytest.mark.parametrize("unit", [1e4, 1e-4])
def test_units_and_hazes_change_nothing(unit):
    one = pair(lopsided())
    found = estimate_psf(one, R)
    haze = torch.tensor([0.5, -0.1], dtype=torch.float64)[None, :, None, None]
    for other in (pair(lopsided(), X=one.X * unit, Y=one.Y * unit), pair(lopsided(), X=(one.X + haze) * unit)):
        torch.testing.assert_close(estimate_psf(other, R).spatial.kernel, found.spatial.kernel, atol=1e-6, rtol=0)


def test_values_under_masks_do_not_count():
    valid, valid_lr = torch.ones(1, 1, 72, 72, dtype=torch.bool), torch.ones(1, 1, 24, 24, dtype=torch.bool)
    valid[..., 30:34, 40:44], valid_lr[..., 5:7, 9] = False, False
    one = pair(lopsided())
    masks = {"valid": valid, "valid_lr": valid_lr}
    X, Y = one.X.masked_fill(~valid, torch.nan), one.Y.masked_fill(~valid_lr, torch.nan)
    found = estimate_psf(pair(lopsided(), X=X, Y=Y, **masks), R, free=False)
    X, Y = one.X.masked_fill(~valid, 1e6), one.Y.masked_fill(~valid_lr, -1e6)
    torch.testing.assert_close(
        estimate_psf(pair(lopsided(), X=X, Y=Y, **masks), R, free=False).spatial.kernel, found.spatial.kernel
    )
    assert found.pixels < 400
    np.testing.assert_allclose(found.shift_lr, estimate_psf(one, R, free=False).shift_lr, atol=0.02)


def test_nothing_to_find_it_from_is_said():
    flat = pair(displaced(), X=torch.ones(1, 2, 72, 72).double(), Y=torch.ones(1, BANDS, 24, 24).double())
    with pytest.raises(InvalidValueError, match="cannot be estimated"):
        estimate_psf(flat, R)
    with pytest.raises(ShapeError):
        estimate_psf(flat, SpectralResponse(torch.eye(3)))
    assumed = SpatialResponse.gaussian(FACTOR, sigma=2.0)
    found = estimate_pair(flat, assumed=assumed)
    assert found.psf is None
    assert found.observation.spatial is assumed


def test_images_that_share_nothing_do_not_fix_it():
    noise = torch.randn((1, 2, 72, 72), generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    found = estimate_pair(pair(displaced(), X=noise), spectral=R)
    assert not found.psf.known
    assert found.psf.describe().startswith("not fixed by this pair")
    torch.testing.assert_close(found.observation.spatial.kernel, SpatialResponse.gaussian(FACTOR).kernel)


def test_both_are_found_in_turn():
    found = estimate_pair(pair(displaced()))
    Z = truth()
    assert float((found.observation.spectral.apply(Z) - R.apply(Z)).norm() / R.apply(Z).norm()) < 2e-3
    assert found.psf.gaussian.sigma == pytest.approx(1.4, rel=0.02)
    np.testing.assert_allclose(found.psf.gaussian.shift, (0.35, -0.6), atol=0.02)
    big = pair(displaced())
    other = estimate_pair(pair(displaced(), X=big.X * 1e4, Y=big.Y * 1e4))
    torch.testing.assert_close(
        other.observation.spectral.matrix, found.observation.spectral.matrix, atol=1e-5, rtol=1e-4
    )
    torch.testing.assert_close(other.observation.spatial.kernel, found.observation.spatial.kernel, atol=1e-6, rtol=0)


def test_spread_of_a_block():
    # a block of s pixels has variance (s^2 - 1) / 12
    width, centre = spread(SpatialResponse.block_mean(5).kernel)
    assert width == pytest.approx(FWHM_PER_SIGMA * math.sqrt(2.0))
    assert centre == pytest.approx((0.0, 0.0))
