"""Projected regression: exactly consistent, no further from the truth, soft where there is noise."""

import dataclasses

import pytest
import torch
from fuser_scenes import small_scene

from hsrdiff.fusers import Regression, RegressionProjected
from hsrdiff.observation import JointProjection, SpectralResponse, add_noise


def fuse(fuser, scene):
    return fuser.fuse(scene, generator=torch.Generator()).Z_hat


def error(image, scene):
    return float((image - scene.Z).square().mean().sqrt())


@pytest.mark.parametrize("msi_bands", [1, 3])
def test_both_images_come_back_exactly_and_the_error_shrinks(msi_bands):
    scene = small_scene(msi_bands, dtype=torch.float64)
    projected = fuse(RegressionProjected(), scene)
    rms_x, rms_y = scene.observation.residuals(projected, scene.X, scene.Y)
    assert max(rms_x, rms_y) < 1e-6
    # a projection on a set that holds the truth
    assert error(projected, scene) < error(fuse(Regression(), scene), scene)


def test_it_is_the_regression_projected():
    scene = small_scene(dtype=torch.float64)
    joint = JointProjection(scene.observation, (16, 24))
    expected = joint.project(fuse(Regression(1e-3), scene), scene.X, scene.Y)
    torch.testing.assert_close(fuse(RegressionProjected(1e-3), scene), expected, rtol=0, atol=1e-9)


def test_valid_pixels_are_met_under_masks():
    scene = small_scene(dtype=torch.float64)
    valid = torch.ones((1, 1, 16, 24), dtype=torch.bool)
    valid[..., 5, 7] = False
    valid_lr = torch.ones((1, 1, 4, 6), dtype=torch.bool)
    valid_lr[..., 3, 5] = False
    nan = torch.full((), torch.nan).double()
    masked = dataclasses.replace(
        scene,
        X=torch.where(valid, scene.X, nan),
        Y=torch.where(valid_lr, scene.Y, nan),
        valid=valid,
        valid_lr=valid_lr,
    )
    result = fuse(RegressionProjected(), masked)
    inside = torch.isfinite(result).all(dim=1, keepdim=True)
    assert inside.sum() == 16 * 24 - 1 - 16
    seen = scene.observation.spectral.apply(torch.where(inside, result, 0.0))
    torch.testing.assert_close(seen[inside.expand_as(seen)], scene.X[inside.expand_as(scene.X)], rtol=0, atol=1e-6)


def linear_scene(height=16, width=24):
    """A scene whose Z is exactly linear in X."""
    scene = small_scene(2, height, width, dtype=torch.float64)
    A = torch.randn((6, 2), dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    Z = torch.einsum("cb,nbhw->nchw", A, scene.X)
    observation = dataclasses.replace(scene.observation, spectral=SpectralResponse(torch.linalg.pinv(A)))
    X, Y = observation.observe(Z)
    return dataclasses.replace(scene, X=X, Y=Y, Z=Z, observation=observation)


def test_noise_levels_bring_the_soft_form_in_and_it_is_nearer():
    scene = linear_scene(32, 48)
    Y, sigma_y = add_noise(scene.Y, 20.0, torch.Generator().manual_seed(3))
    noisy = dataclasses.replace(scene, Y=Y)
    told = dataclasses.replace(noisy, sigma_y=sigma_y)
    hard, soft = (fuse(RegressionProjected(), s) for s in (noisy, told))
    assert error(soft, scene) < 0.5 * error(hard, scene)
    assert error(soft, scene) < 0.5 * error(fuse(Regression(), noisy), scene)
    # the noise is left where it belongs
    assert scene.observation.residuals(soft, scene.X, Y)[1] > 0.5 * sigma_y


def test_vanishing_noise_is_the_exact_form():
    scene = small_scene(dtype=torch.float64)
    quiet = dataclasses.replace(scene, sigma_x=1e-9, sigma_y=1e-9)
    hard, soft = (scene.observation.residuals(fuse(RegressionProjected(), s), s.X, s.Y) for s in (scene, quiet))
    assert max(hard + soft) < 1e-6


def test_a_truth_linear_in_the_guide_stays_exact_with_noise_levels():
    scene = dataclasses.replace(linear_scene(), sigma_x=0.01, sigma_y=0.01)
    torch.testing.assert_close(fuse(RegressionProjected(), scene), scene.Z, rtol=0, atol=1e-4)
