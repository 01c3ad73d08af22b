"""A result judged by its pair: the truth is without fault, and so is every cube that both images could come from."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from hsrdiff.errors import InputError, InvalidValueError, ShapeError
from hsrdiff.evaluation import judge
from hsrdiff.fusers import make_fuser
from hsrdiff.observation import Observation, Scene, SpatialResponse, SpectralResponse
from hsrdiff.observation.band_places import centres_nm
from hsrdiff.sensors import Sensor

NM = np.linspace(450.0, 900.0, 10)


def scene(size=32):
    g = torch.Generator().manual_seed(0)
    Z = 0.2 + torch.rand((1, 10, size, size), generator=g, dtype=torch.float64)
    observation = Observation(
        SpectralResponse.from_table(_sensor()),
        SpatialResponse.gaussian(4),
    )
    X, Y = observation.observe(Z)
    return Scene(X=X, Y=Y, Z=Z, observation=observation, wavelengths_nm=NM)


def _sensor():
    response = np.exp(-0.5 * ((NM - np.array([[500.0], [660.0], [840.0]])) / 30) ** 2)
    return Sensor("three", ("blue", "red", "nir"), NM, response)


def fused(method, given):
    return make_fuser(method).fuse(dataclasses.replace(given, Z=None), generator=torch.Generator()).Z_hat


def test_the_truth_is_without_fault():
    given = scene()
    found = judge(given.Z, given)
    assert found.hqnr == pytest.approx(1.0, abs=1e-9)
    assert found.spectral.mean_relative_rmse < 1e-12
    assert found.spatial.mean_relative_rmse < 1e-12
    assert found.valid_share == found.valid_share_lr == 1
    assert any("HQNR does not tell such cubes apart" in remark for remark in found.remarks)
    assert found.ndvi.guide_nm == pytest.approx((660, 840), abs=15)


def test_so_is_a_consistent_result_however_wrong():
    given = scene()
    Z_hat = fused("regression-projected", given)
    assert (Z_hat - given.Z).square().mean().sqrt() > 0.1
    assert judge(Z_hat, given).hqnr == pytest.approx(1.0, abs=1e-6)


def test_others_are_told_apart():
    given = scene()
    bicubic = judge(fused("bicubic", given), given)
    assert 0.5 < bicubic.d_s <= 1  # random fine pixels, of which the coarse image knows next to nothing
    assert bicubic.hqnr < 0.5
    assert not any("HQNR" in remark for remark in bicubic.remarks)
    # an error of one band in both images: 10 % of the band seen by D, and its share of X by R
    wrong = given.Z.clone()
    wrong[:, 3] *= 1.1
    found = judge(wrong, given)
    np.testing.assert_allclose(found.spatial.relative_rmse, np.where(np.arange(10) == 3, 0.1, 0.0), atol=1e-12)
    np.testing.assert_allclose(found.spatial.correlation, 1.0)
    share = given.observation.spectral.matrix[:, 3].numpy() * 0.1 * given.Z[0, 3].square().mean().sqrt().item()
    rms = given.X[0].square().mean(dim=(1, 2)).sqrt().numpy()
    np.testing.assert_allclose(found.spectral.relative_rmse, share / rms, rtol=1e-9, atol=1e-12)


def test_what_is_invalid_does_not_count():
    given = scene()
    valid, valid_lr = torch.ones((1, 1, 32, 32), dtype=torch.bool), torch.ones((1, 1, 8, 8), dtype=torch.bool)
    valid[..., :4, :8], valid_lr[..., 7, :] = False, False
    given = dataclasses.replace(given, valid=valid, valid_lr=valid_lr)
    given.X[:, :, :4, :8], given.Y[:, :, 7] = torch.nan, torch.nan
    Z_hat = given.Z.clone()
    Z_hat[:, :, :4, :8], Z_hat[:, 2, 20, 20] = torch.nan, torch.nan
    found = judge(Z_hat, given)
    assert found.hqnr == pytest.approx(1.0, abs=1e-9)
    assert found.valid_share == (28 * 32 - 4 * 8 - 1) / 32**2
    # of 56 coarse pixels seen, the PSF of 8 fine pixels reaches invalid ones from 2 x 3 and from 2 x 2 blocks
    assert found.valid_share_lr == (56 - 6 - 4) / 64
    assert math.isfinite(found.ndvi.rmse)


def test_a_scene_and_a_result_that_do_not_fit():
    given = scene()
    with pytest.raises(InputError, match="R and D"):
        judge(given.Z, dataclasses.replace(given, observation=None))
    with pytest.raises(ShapeError, match="as the pair has it"):
        judge(given.Z[:, :5], given)
    with pytest.raises(InvalidValueError, match="no pixel"):
        judge(torch.full_like(given.Z, torch.nan), given)


def test_centres_by_hand():
    R = np.array([[1.0, 3.0], [0.0, 0.0]])
    np.testing.assert_allclose(centres_nm(R, np.array([400.0, 800.0])), [700.0, np.nan])
