"""Scene: crops agree with Eq. (1), and every misfit is one sentence."""

import dataclasses

import numpy as np
import pytest
import torch

from hsrdiff.errors import FactorError, HsrdiffError, InputError, InvalidValueError, ShapeError, WavelengthError
from hsrdiff.observation import Observation, Scene, SpatialResponse, SpectralResponse
from hsrdiff.rng import generator


@pytest.fixture
def scene():
    Z = torch.rand(1, 5, 12, 20, generator=generator(0), dtype=torch.float64)
    matrix = torch.rand(2, 5, generator=generator(1), dtype=torch.float64)
    observation = Observation(SpectralResponse(matrix), SpatialResponse.gaussian(4, size=4))
    X, Y = observation.observe(Z)
    return Scene(
        X,
        Y,
        observation,
        Z,
        valid=torch.ones(1, 1, 12, 20, dtype=torch.bool),
        valid_lr=torch.ones(1, 1, 3, 5, dtype=torch.bool),
        wavelengths_nm=np.arange(5.0) * 50 + 400,
        name="toy",
    )


def test_a_good_scene_passes_and_says_its_sizes(scene):
    assert scene.check() is scene
    assert (scene.factor, scene.bands, scene.msi_bands) == (4, 5, 2)
    assert Scene(scene.X, scene.Y).check().factor == 4


def test_crop_keeps_eq1(scene):
    part = scene.crop_lr(1, 2, 2, 3).check()
    assert part.X.shape == (1, 2, 8, 12)
    assert part.Y.shape == (1, 5, 2, 3)
    assert part.valid.shape == (1, 1, 8, 12)
    assert part.valid_lr.shape == (1, 1, 2, 3)
    assert part.observation.residuals(part.Z, part.X, part.Y) == (pytest.approx(0), pytest.approx(0, abs=1e-15))
    assert part.name == "toy"
    whole = scene.crop_lr(0, 0, 3, 5)
    assert torch.equal(whole.X, scene.X)
    assert torch.equal(whole.Z, scene.Z)


def test_crop_of_a_crop(scene):
    assert torch.equal(scene.crop_lr(1, 1, 2, 4).crop_lr(0, 2, 1, 1).X, scene.crop_lr(1, 3, 1, 1).X)


@pytest.mark.parametrize("box", [(-1, 0, 1, 1), (0, 0, 4, 1), (0, 3, 1, 3), (0, 0, 0, 1)])
def test_crop_outside(scene, box):
    with pytest.raises(ShapeError, match="inside 3 x 5"):
        scene.crop_lr(*box)


def test_to_moves_images_and_keeps_masks_boolean(scene):
    single = scene.to("cpu", torch.float32)
    assert single.X.dtype == single.Y.dtype == single.Z.dtype == torch.float32
    assert single.valid.dtype == single.valid_lr.dtype == torch.bool
    assert scene.X.dtype == torch.float64
    single.check()
    assert Scene(scene.X, scene.Y).to(dtype=torch.float32).Z is None


@pytest.mark.parametrize(("rows", "cols"), [(11, 20), (12, 10), (3, 5), (12, 19), (2, 5)])
def test_sizes_that_are_no_whole_ratio(scene, rows, cols):
    with pytest.raises(FactorError, match="whole ratio of at least 2"):
        Scene(scene.X[..., :rows, :cols], scene.Y).check()


def test_nan_is_allowed_only_outside_the_mask(scene):
    X, valid = scene.X.clone(), scene.valid.clone()
    X[0, 1, 2, 3] = torch.nan
    X[0, 0, 2, 4] = torch.inf
    with pytest.raises(InvalidValueError, match="X has NaN or infinite values in 2 pixels"):
        dataclasses.replace(scene, X=X, valid=None).check()
    with pytest.raises(InvalidValueError, match="X"):
        dataclasses.replace(scene, X=X).check()
    valid[0, 0, 2, 3:5] = False
    dataclasses.replace(scene, X=X, valid=valid).check()
    Y = scene.Y.clone()
    Y[0, 0, 0, 0] = torch.nan
    with pytest.raises(InvalidValueError, match="Y has NaN"):
        dataclasses.replace(scene, Y=Y).check()


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda s: {"X": s.X[0]}, ShapeError, r"X has shape \(2, 12, 20\)"),
        (lambda s: {"X": s.X.repeat(2, 1, 1, 1)}, ShapeError, r"\(1, bands"),
        (lambda s: {"Y": s.Y.long()}, ShapeError, "int64"),
        (lambda s: {"Z": s.Z[:, :4]}, ShapeError, r"Z has shape.*\(1, 5, 12, 20\)"),
        (lambda s: {"valid": s.valid_lr}, ShapeError, "the mask of X"),
        (lambda s: {"valid_lr": s.valid}, ShapeError, "the mask of Y"),
        (lambda s: {"valid": s.valid.double()}, InputError, "type torch.float64.*bool"),
        (lambda s: {"valid_lr": ~s.valid_lr}, InvalidValueError, "leaves no pixel"),
        (lambda s: {"X": s.X[:, :1]}, ShapeError, "1 multispectral and 5 hyperspectral.*2 and 5"),
        (
            lambda s: {"observation": Observation(s.observation.spectral, SpatialResponse.block_mean(2))},
            FactorError,
            "ratio 4.*expected 2",
        ),
        (lambda s: {"wavelengths_nm": np.arange(4.0)}, WavelengthError, "4 wavelengths"),
        (lambda s: {"sigma_x": -1.0}, InputError, "noise level of X is -1"),
        (lambda s: {"sigma_y": float("nan")}, InputError, "noise level of Y is nan"),
    ],
)
def test_misfits_are_one_sentence(scene, change, error, words):
    with pytest.raises(error, match=words) as caught:
        dataclasses.replace(scene, **change(scene)).check()
    assert isinstance(caught.value, HsrdiffError)
    assert "\n" not in str(caught.value)
