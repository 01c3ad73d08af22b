"""The degraded pair is consistent where the pair is, and knows nothing of what is masked."""

import dataclasses

import pytest
import torch

import hsrdiff.choice.degraded as module
from hsrdiff.choice.degraded import LEAST_PIXELS, _scaled, degrade
from hsrdiff.errors import InputError
from hsrdiff.observation import Observation, Scene, SpatialResponse, SpectralResponse


def scene(size=64, factor=2, *, spatial=None, bands=5, msi_bands=2, seed=0):
    g = torch.Generator().manual_seed(seed)
    Z = torch.rand((1, bands, size, size), generator=g, dtype=torch.float64)
    matrix = torch.rand((msi_bands, bands), generator=g, dtype=torch.float64)
    observation = Observation(SpectralResponse(matrix), spatial or SpatialResponse.gaussian(factor))
    X, Y = observation.observe(Z)
    return Scene(X=X, Y=Y, observation=observation)


def assert_consistent(made):
    torch.testing.assert_close(made.observation.spectral.apply(made.Y), made.observation.spatial.apply(made.X))


def test_a_consistent_pair_stays_consistent():
    given = scene(128, 4)
    degraded = degrade(given)
    made = degraded.scene
    assert made.factor == 4
    assert degraded.pixels == 64 == LEAST_PIXELS
    assert degraded.remarks == ()
    assert torch.equal(made.Z, given.Y)
    assert bool(degraded.counted.all())
    # the oracle: both images as the instruments see a world that is Y
    X, Y = given.observation.observe(given.Y)
    torch.testing.assert_close(made.X, X)
    torch.testing.assert_close(made.Y, Y)
    assert_consistent(made)


def test_sizes_that_are_no_multiple_lose_their_last_rows():
    degraded = degrade(scene(38, 2))
    assert degraded.scene.Z.shape[-2:] == (18, 18)
    assert degraded.scene.X.shape[-2:] == (18, 18)
    assert degraded.scene.Y.shape[-2:] == (9, 9)


def test_too_few_pixels_take_a_smaller_factor_and_say_so_then_none():
    degraded = degrade(scene(96, 4))  # Y is 24 x 24: 6 x 6 by four, 8 x 8 by three
    assert degraded.scene.factor == 3
    assert degraded.remarks == ("by 3 rather than 4, which would leave too few pixels",)
    assert_consistent(degraded.scene)
    assert degrade(scene(32, 2)) is not None
    assert degrade(scene(30, 2)) is None


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_a_scaled_gaussian_is_as_wide_in_its_own_pixels(factor):
    # the eight-fold one is cut at twice its width at half maximum
    torch.testing.assert_close(
        _scaled(SpatialResponse.gaussian(8), factor).kernel, SpatialResponse.gaussian(factor).kernel, rtol=0, atol=0.02
    )
    assert _scaled(SpatialResponse.block_mean(8), factor).offset == 0


def masked(given):
    X, Y = given.X.clone(), given.Y.clone()
    valid, valid_lr = torch.ones_like(X[:, :1], dtype=torch.bool), torch.ones_like(Y[:, :1], dtype=torch.bool)
    valid[..., :20, :30] = False
    valid_lr[..., -1, :] = False
    return dataclasses.replace(given, X=X, Y=Y, valid=valid, valid_lr=valid_lr)


def test_masked_values_do_not_matter_and_the_rest_stays_consistent():
    given = masked(scene())
    one = degrade(given)
    given.X[:, :, :20, :30] = torch.nan
    given.Y[..., -1, :] = 900.0
    two = degrade(given)
    for a, b in ((one.scene.X, two.scene.X), (one.scene.Y, two.scene.Y), (one.scene.Z, two.scene.Z)):
        assert torch.equal(a, b)
    assert_consistent(one.scene)
    assert not one.counted[..., -1, :].any()
    assert not one.counted[..., :10, :15].any()
    # the PSF of row 10 reaches one fine row into the hole
    assert not one.counted[..., 10, :15].any()
    assert bool(one.counted[..., 11:-1, :].all())
    # a block without any measured pixel is no sample
    assert not one.scene.valid_lr[..., 1, 1]
    assert bool(one.scene.valid_lr[..., 8, 8])


def test_scattered_gaps_count_the_pixels_that_mostly_see():
    given = scene(seed=3)
    holes = torch.rand(given.X[:, :1].shape, generator=torch.Generator().manual_seed(1)) < 0.1
    degraded = degrade(dataclasses.replace(given, valid=~holes))
    assert float(degraded.counted.double().mean()) > 0.9
    whole = SpatialResponse.gaussian(2).apply((~holes).double()) > 1 - 1e-9
    assert float(whole.double().mean()) < 0.5  # of 16 fine pixels each, few have all


def test_a_large_scene_is_compared_on_the_part_that_is_seen_most(monkeypatch):
    monkeypatch.setattr(module, "WINDOW", 16)
    given = scene(96, 2)
    middle = degrade(given)
    assert middle.remarks == ("on a part of 16 x 16 coarse pixels",)
    assert torch.equal(middle.scene.Z, given.Y[..., 16:32, 16:32])
    # the guide is degraded before it is cut: no mirrored border inside the image
    torch.testing.assert_close(middle.scene.X, given.observation.spatial.apply(given.X)[..., 16:32, 16:32])
    seen = torch.zeros_like(given.Y[:, :1], dtype=torch.bool)
    seen[..., 30:, :20] = True
    corner = degrade(dataclasses.replace(given, valid_lr=seen))
    assert torch.equal(corner.scene.Z, given.Y[..., 30:46, 4:20])  # full, and nearest to the middle


def test_noise_shrinks_by_the_kernel_and_errors_of_the_model_do_not():
    given = dataclasses.replace(scene(spatial=SpatialResponse.block_mean(2)), sigma_x=0.5, sigma_y=0.2)
    made = degrade(given, model_error=0.3).scene
    assert made.sigma_y == pytest.approx(0.2 / 2)
    assert made.sigma_x == pytest.approx((0.3**2 + (0.4 / 2) ** 2) ** 0.5)
    assert degrade(scene()).scene.sigma_x == 0.0
    # white noise through D, drawn
    white = torch.randn((1, 1, 512, 512), generator=torch.Generator().manual_seed(0))
    made = degrade(dataclasses.replace(scene(), sigma_x=1.0)).scene
    assert float(SpatialResponse.gaussian(2).apply(white).std()) == pytest.approx(made.sigma_x, rel=0.02)


def test_a_fitted_response_is_fitted_again():
    again = SpectralResponse(torch.full((2, 5), 0.2))
    seen = []

    def fit(pair, spatial):
        seen.append((pair.Y.shape, spatial.factor))
        return again

    degraded = degrade(scene(), fit_response=fit)
    assert seen == [((1, 5, 16, 16), 2)]
    assert degraded.scene.observation.spectral is again


def test_a_scene_without_observation_is_refused():
    with pytest.raises(InputError, match="no observation"):
        degrade(dataclasses.replace(scene(), observation=None))
