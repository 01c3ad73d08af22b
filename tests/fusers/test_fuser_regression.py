"""Spectral regression: exact where the truth is linear, equivariant, by hand, and against NumPy."""

import dataclasses

import numpy as np
import pytest
import torch
from fuser_scenes import small_scene

from hsrdiff.errors import InputError, InvalidValueError
from hsrdiff.fusers import Regression
from hsrdiff.fusers.bicubic import upsample
from hsrdiff.observation import Observation, Scene, SpatialResponse, SpectralResponse


def fuse(scene, ridge=0.0):
    return Regression(ridge).fuse(scene, generator=torch.Generator()).Z_hat


def linear_scene(msi_bands=2):
    """A scene whose Z is exactly linear in X."""
    scene = small_scene(msi_bands, dtype=torch.float64)
    A = torch.randn((6, msi_bands), dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    Z = torch.einsum("cb,nbhw->nchw", A, scene.X) + 0.3
    return dataclasses.replace(scene, Z=Z, Y=scene.observation.spatial.apply(Z))


@pytest.mark.parametrize("msi_bands", [1, 2])
def test_exact_where_the_truth_is_linear_in_the_guide(msi_bands):
    scene = linear_scene(msi_bands)
    torch.testing.assert_close(fuse(scene), scene.Z, rtol=0, atol=1e-9)


def test_exact_under_masks_too():
    scene = linear_scene()
    valid = torch.ones((1, 1, 16, 24), dtype=torch.bool)
    valid[..., 1, 1] = False
    valid_lr = torch.ones((1, 1, 4, 6), dtype=torch.bool)
    valid_lr[..., 3, 5] = False
    hidden = torch.full((), 50.0, dtype=torch.float64)
    scene = dataclasses.replace(
        scene,
        X=torch.where(valid, scene.X, hidden),
        Y=torch.where(valid_lr, scene.Y, hidden),
        valid=valid,
        valid_lr=valid_lr,
    )
    result = fuse(scene)
    inside = torch.isfinite(result)
    assert inside[0, 0].sum() == 16 * 24 - 1 - 16
    torch.testing.assert_close(result[inside], scene.Z[inside], rtol=0, atol=1e-9)


def test_equivariant_in_the_cube_and_invariant_to_mixing_the_guide():
    scene = small_scene(2, dtype=torch.float64)
    reference = fuse(scene)
    scaled = dataclasses.replace(scene, Y=3 * scene.Y - 2)
    torch.testing.assert_close(fuse(scaled), 3 * reference - 2, rtol=0, atol=1e-9)
    mixing = torch.tensor([[2.0, 1.0], [-1.0, 3.0]], dtype=torch.float64)
    mixed = dataclasses.replace(scene, X=torch.einsum("cb,nbhw->nchw", mixing, scene.X) + 5)
    torch.testing.assert_close(fuse(mixed), reference, rtol=0, atol=1e-8)


def test_by_hand():
    # block means of X are 0 and 2, Y is 1 and 5: slope 2, intercept 1, no residual
    X = torch.tensor([[[[-1.0, 1, 1, 3], [2, -2, 4, 0]]]], dtype=torch.float64)
    Y = torch.tensor([[[[1.0, 5.0]]]], dtype=torch.float64)
    observation = Observation(SpectralResponse(torch.ones((1, 1))), SpatialResponse.block_mean(2))
    result = fuse(Scene(X=X, Y=Y, observation=observation))
    torch.testing.assert_close(result, 2 * X + 1, rtol=0, atol=1e-12)


def test_against_numpy_least_squares():
    scene = small_scene(3, dtype=torch.float64)
    X_lr = scene.observation.spatial.apply(scene.X)[0].flatten(1).numpy().T
    A = np.column_stack([X_lr, np.ones(len(X_lr))])
    Y = scene.Y[0].flatten(1).numpy().T
    coefficients = np.linalg.lstsq(A, Y, rcond=None)[0]
    P = np.einsum("bc,bhw->chw", coefficients[:3], scene.X[0].numpy()) + coefficients[3][:, None, None]
    residual = torch.from_numpy((Y - A @ coefficients).T.reshape(scene.Y[0].shape).copy())[None]
    expected = torch.from_numpy(P)[None] + upsample(residual, (16, 24))
    torch.testing.assert_close(fuse(scene), expected, rtol=0, atol=1e-9)


def test_large_ridge_and_flat_guide_fall_back_to_upsampling():
    scene = small_scene(2, dtype=torch.float64)
    U = upsample(scene.Y, (16, 24))
    torch.testing.assert_close(fuse(scene, ridge=1e12), U, rtol=0, atol=1e-9)
    flat = dataclasses.replace(scene, X=torch.full_like(scene.X, 0.25))
    torch.testing.assert_close(fuse(flat), U, rtol=0, atol=1e-9)


def test_a_striped_guide_leaves_no_whole_block_and_still_helps():
    scene = linear_scene()
    valid = torch.ones((1, 1, 16, 24), dtype=torch.bool)
    valid[..., 1::4] = False
    striped = dataclasses.replace(scene, X=torch.where(valid, scene.X, torch.full((), torch.nan).double()), valid=valid)
    result = fuse(striped)
    inside = torch.isfinite(result)
    assert torch.equal(inside, valid.expand_as(result))
    U = upsample(scene.Y, (16, 24))
    error, floor = (float((image - scene.Z)[inside].square().mean()) for image in (result, U))
    assert error < floor / 4


def test_refusals():
    with pytest.raises(InputError, match="ridge -1"):
        Regression(-1)
    scene = small_scene()
    valid = torch.zeros((1, 1, 16, 24), dtype=torch.bool)
    valid[..., 0, 0] = True
    with pytest.raises(InvalidValueError, match="valid pixels of both"):
        fuse(dataclasses.replace(scene, valid=valid))
