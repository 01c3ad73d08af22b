"""R found from a pair: exact where it can be, in any unit, non-negative, masked; judged by R Z."""

import numpy as np
import pytest
import torch

from hsrdiff.errors import InputError, InvalidValueError, ShapeError
from hsrdiff.observation import Scene, SpatialResponse, SpectralResponse, estimate_response
from hsrdiff.observation.pair_estimate import BLUR_LR
from hsrdiff.observation.shared_pixels import FOLDS, fold_map

BANDS, SIZE, FACTOR = 6, 48, 4
R = torch.tensor([[0.1, 0.4, 0.4, 0.1, 0.0, 0.0], [0.0, 0.0, 0.1, 0.3, 0.4, 0.2]], dtype=torch.float64)
D = SpatialResponse.gaussian(FACTOR)


def truth(seed=0, size=SIZE):
    return torch.rand((1, BANDS, size, size), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def pair(spatial=D, **changes):
    Z = truth()
    return Scene(**({"X": SpectralResponse(R).apply(Z), "Y": spatial.apply(Z)} | changes))


@pytest.mark.parametrize("blur_lr", [0.0, BLUR_LR])
def test_an_exact_pair_gives_its_response(blur_lr):
    found = estimate_response(pair(), D, blur_lr=blur_lr)
    np.testing.assert_allclose(found.spectral.matrix, R, atol=1e-9)
    assert found.smoothness == 0.0
    assert found.directions == BANDS
    assert found.error.max() < 1e-9
    np.testing.assert_array_equal(found.offset, 0.0)


@pytest.mark.parametrize("unit", [1e4, 1e-4])
def test_units_change_nothing_but_the_gain(unit):
    noisy = pair().X + 0.02 * torch.randn(pair().X.shape, generator=torch.Generator().manual_seed(1))
    one = estimate_response(pair(X=noisy), D)
    both = estimate_response(pair(X=noisy * unit, Y=pair().Y * unit), D)
    np.testing.assert_allclose(both.spectral.matrix, one.spectral.matrix, atol=1e-8)
    np.testing.assert_allclose(both.error, one.error, rtol=1e-6)
    guide = estimate_response(pair(X=noisy * unit), D)
    np.testing.assert_allclose(guide.spectral.matrix / unit, one.spectral.matrix, atol=1e-8)
    assert one.smoothness == both.smoothness == guide.smoothness


def test_no_weight_is_negative_whatever_the_guide():
    wild = torch.randn(pair().X.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    assert (estimate_response(pair(X=wild), D).spectral.matrix >= 0).all()


def test_an_offset_is_found_where_it_is_asked_for():
    raised = pair(X=pair().X + torch.tensor([0.3, -0.2], dtype=torch.float64)[None, :, None, None])
    found = estimate_response(raised, D, offset=True)
    np.testing.assert_allclose(found.offset, [0.3, -0.2], atol=1e-8)
    np.testing.assert_allclose(found.spectral.matrix, R, atol=1e-8)
    assert estimate_response(raised, D).error.min() > 0.01


def test_values_under_masks_do_not_count():
    valid, valid_lr = torch.ones(1, 1, SIZE, SIZE, dtype=torch.bool), torch.ones(1, 1, 12, 12, dtype=torch.bool)
    valid[..., :10, 20:30], valid_lr[..., 8:, 3] = False, False
    masks = {"valid": valid, "valid_lr": valid_lr}
    nan = pair(X=pair().X.masked_fill(~valid, torch.nan), Y=pair().Y.masked_fill(~valid_lr, torch.nan), **masks)
    wild = pair(X=pair().X.masked_fill(~valid, 1e6), Y=pair().Y.masked_fill(~valid_lr, -1e6), **masks)
    for blur_lr in (0.0, BLUR_LR):
        found = estimate_response(nan, D, blur_lr=blur_lr)
        np.testing.assert_allclose(found.spectral.matrix, R, atol=1e-8)
        np.testing.assert_array_equal(
            found.spectral.matrix, estimate_response(wild, D, blur_lr=blur_lr).spectral.matrix
        )
    with pytest.raises(InvalidValueError, match="no coarse pixel"):
        estimate_response(pair(valid=~torch.ones_like(valid)), D)


def test_a_blur_makes_a_wrong_psf_matter_less():
    def off(blur_lr):
        smooth = torch.nn.functional.avg_pool2d(truth(size=SIZE + 6), 7, stride=1)
        made = Scene(X=SpectralResponse(R).apply(smooth), Y=SpatialResponse.gaussian(FACTOR, sigma=2.2).apply(smooth))
        found = estimate_response(made, D, blur_lr=blur_lr).spectral
        return float((found.apply(smooth) - made.X).norm())

    assert off(BLUR_LR) < 0.7 * off(0.0)


def test_only_allowed_bands_have_weight():
    allowed = np.array([[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]], dtype=bool)
    found = estimate_response(pair(), D, allowed=allowed).spectral.matrix.numpy()
    assert (found[~allowed] == 0).all()
    assert found[allowed].sum() > 1
    with pytest.raises(InputError, match="multispectral band 2"):
        estimate_response(pair(), D, allowed=allowed & [[True], [False]])
    with pytest.raises(ShapeError):
        estimate_response(pair(), D, allowed=allowed[:, :3])


def test_noise_asks_for_smoothness_and_leaves_directions_open():
    mixing = torch.rand((2, BANDS), generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    Z = torch.einsum("kb,kyx->byx", mixing, truth()[0, :2])[None]
    noise = 0.02 * torch.randn((1, 2, SIZE, SIZE), generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    mixed = Scene(X=SpectralResponse(R).apply(Z) + noise, Y=D.apply(Z))
    found = estimate_response(mixed, D)
    assert found.directions == 2
    assert "2 of the 6 directions" in found.describe()
    assert float((found.spectral.apply(Z) - SpectralResponse(R).apply(Z)).norm() / mixed.X.norm()) < 0.01


def test_smoothness_by_hand():
    # one band, R = (1, 0): |y - a y1 - b y2|^2 + lam (a - b)^2 with y1, y2 orthogonal of one energy E and lam = c E
    # gives a = (1 + c) / (1 + 2 c), b = c / (1 + 2 c)
    Y = torch.tensor([[1.0, 1.0], [1.0, -1.0]], dtype=torch.float64).repeat(1, 8).reshape(1, 2, 4, 4)
    X = Y[:, :1].repeat_interleave(2, -1).repeat_interleave(2, -2)
    found = estimate_response(Scene(X=X, Y=Y), SpatialResponse.block_mean(2), smoothness=0.5)
    np.testing.assert_allclose(found.spectral.matrix, [[0.75, 0.25]], atol=1e-12)


def test_folds_cover_all_sizes():
    for height, width in ((1, 1), (2, 7), (24, 30)):
        found = fold_map(height, width)
        assert found.shape == (height, width)
        assert set(np.unique(found)) <= set(range(FOLDS))
    assert np.unique(fold_map(3, 3)).size == FOLDS


def test_one_pixel_is_enough_for_an_answer():
    found = estimate_response(Scene(X=pair().X[..., :4, :4], Y=pair().Y[..., :1, :1]), D, blur_lr=BLUR_LR)
    assert torch.isfinite(found.spectral.matrix).all()
    assert (found.spectral.matrix >= 0).all()
