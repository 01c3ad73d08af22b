"""Each variant leaves out what it says: laws of the kernels, and projection brings the whole method back."""

import dataclasses

import pytest
import torch

from hsrdiff.experiments.cost_probe import made_up_scene
from hsrdiff.experiments.kriging_ablation import (
    VARIANTS,
    HeldKernel,
    Unprojected,
    WithoutBrightness,
    WithoutColour,
    WithoutEverywhere,
    WithoutLinear,
    WithoutMixing,
    WithoutPlace,
    WithoutScaling,
)
from hsrdiff.fusers.kriging import Kriging
from hsrdiff.fusers.kriging.kernel import Sites, SpectralKernel
from hsrdiff.fusers.kriging.samples import Samples
from hsrdiff.fusers.kriging.tuning import TUNED, TuningProblem, tune
from hsrdiff.observation import JointProjection

HELD = (WithoutColour, WithoutBrightness, WithoutPlace, WithoutEverywhere, WithoutLinear, WithoutMixing)


def likeness(kernel, guide, place=None):
    """k between two sites, without the linear term, over the product of their brightness."""
    guide = torch.tensor(guide, dtype=torch.float64)
    place = torch.zeros((2, 2), dtype=torch.float64) if place is None else torch.tensor(place, dtype=torch.float64)
    P = dataclasses.replace(kernel, linear=0.0).coordinates(Sites(guide, place))
    return float(dataclasses.replace(kernel, linear=0.0).matrix(P, P)[0, 1] / (P.brightness[0] * P.brightness[1]))


RED_BLUE, DARK_BRIGHT, ALIKE = [[1.0, 0.1], [0.1, 1.0]], [[0.1, 0.1], [1.0, 1.0]], [[1.0, 0.5], [1.0, 0.5]]
NEAR_FAR = [[0.0, 0.0], [9.0, 9.0]]


def test_a_term_left_out_makes_no_difference_and_the_others_do():
    whole = SpectralKernel()
    most = likeness(whole, ALIKE)
    assert likeness(whole, RED_BLUE) < 0.5 * most
    assert likeness(whole, DARK_BRIGHT) < 0.9 * most
    assert likeness(whole, ALIKE, NEAR_FAR) < 0.9 * most
    assert likeness(WithoutColour(), RED_BLUE) == pytest.approx(most, rel=1e-3)
    assert likeness(WithoutColour(), DARK_BRIGHT) < 0.9 * most
    # dark pixels have a slightly different colour, as it fades
    assert likeness(WithoutBrightness(), DARK_BRIGHT) == pytest.approx(most, rel=0.2)
    assert likeness(WithoutBrightness(), RED_BLUE) < 0.5 * most
    near = likeness(WithoutPlace(), ALIKE)
    assert likeness(WithoutPlace(), ALIKE, NEAR_FAR) == pytest.approx(near)
    assert likeness(WithoutEverywhere(), ALIKE, NEAR_FAR) < 0.2 * likeness(WithoutEverywhere(), ALIKE)
    P = WithoutScaling().coordinates(Sites(torch.tensor(DARK_BRIGHT), torch.zeros((2, 2))))
    assert torch.equal(P.brightness, torch.ones((2, 1)))


def test_tuning_keeps_what_is_held_and_moves_the_rest():
    scene = made_up_scene(32, 0)
    samples = Samples.of(scene, scene.observation.spatial)
    problem = TuningProblem.draw(samples, torch.Generator().manual_seed(0))
    for kind in HELD:
        tuned = tune(kind(), problem, steps=3)
        assert isinstance(tuned, HeldKernel)
        for name in TUNED:
            value = float(getattr(tuned, name))
            assert value == value, (kind, name)
            assert (value == kind.held.get(name)) == (name in kind.held), (kind, name)


def test_projection_makes_the_unprojected_variant_the_whole_method():
    scene = made_up_scene(32, 1)
    raw, whole = (
        fuser.fuse(scene, generator=torch.Generator().manual_seed(4)).Z_hat
        for fuser in (Unprojected(std=False, landmarks=200), Kriging(std=False, landmarks=200))
    )
    projected = JointProjection(scene.observation, (32, 32)).project(raw, scene.X, scene.Y)
    torch.testing.assert_close(projected, whole, rtol=0, atol=1e-4)
    assert float((raw - whole).abs().max()) > 1e-3


@pytest.fixture(scope="module")
def whole():
    """The whole method's result on a small scene."""
    return variant("kriging")


def variant(name):
    fuser = VARIANTS[name]()
    if isinstance(fuser, Kriging):
        fuser.landmarks = 200
    return fuser.fuse(made_up_scene(24, 2), generator=torch.Generator().manual_seed(4)).Z_hat


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_fuses_and_differs_from_the_whole_method(name, whole):
    result = variant(name)
    assert torch.isfinite(result).all()
    assert torch.equal(result, whole) == (name == "kriging")
