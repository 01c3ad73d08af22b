"""UAL-DMI: each half of the splitting is a minimum; limits, and an independent solution."""

import dataclasses

import pytest
import torch
from fuser_scenes import small_scene

from hsrdiff.errors import InputError, WeightsError
from hsrdiff.fusers import Needs, Regression, UalDmi, make_fuser
from hsrdiff.fusers.base import Fusion
from hsrdiff.fusers.classical.ual_dmi import gradient_step
from hsrdiff.observation import Observation, SpatialResponse, SpectralResponse


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def laplacian(image):
    """4 times a pixel less its four neighbours, those beyond the border repeating it."""
    padded = torch.nn.functional.pad(image, (1, 1, 1, 1), mode="replicate")
    around = padded[..., 1:-1, 2:] + padded[..., 1:-1, :-2] + padded[..., 2:, 1:-1] + padded[..., :-2, 1:-1]
    return 4 * image - around


def gradients(deviation, mu, nu):
    return mu * laplacian(deviation).square().sum() + nu * torch.diff(deviation, dim=1).square().sum()


class Given:
    """A method that returns a fixed image."""

    name = "given"
    needs = Needs(tuning=True)

    def __init__(self, Z):
        self.Z = Z

    def fuse(self, scene, *, generator):
        return Fusion(self.Z, notes={"from": "a shelf"})


def fuse(fuser, scene):
    return fuser.fuse(scene, generator=torch.Generator()).Z_hat


def test_the_gradient_step_has_gradient_zero():
    Z, Z_d = random(1, 5, 8, 6), random(1, 5, 8, 6, seed=1)
    V = gradient_step(Z, Z_d, 2.0, 3.0).requires_grad_()
    loss = (V - Z).square().sum() + gradients(V - Z_d, 2.0, 3.0)
    (slope,) = torch.autograd.grad(loss, V)
    assert float(slope.abs().max()) < 1e-9


def test_the_gradient_step_keeps_what_has_no_gradient():
    Z_d = random(1, 4, 8, 8)
    torch.testing.assert_close(gradient_step(Z_d + 0.25, Z_d, 1e6, 1e6), Z_d + 0.25)
    torch.testing.assert_close(
        gradient_step(Z_d + random(1, 4, 8, 8, seed=1), Z_d, 0.0, 0.0) - Z_d, random(1, 4, 8, 8, seed=1)
    )


def test_many_iterations_reach_the_minimum_over_both_cubes():
    scene = small_scene(2, 8, 8, dtype=torch.float64)
    Z_d = scene.Z + 0.1 * random(*scene.Z.shape)
    Z = fuse(UalDmi(Given(Z_d), mu=0.05, nu=0.02, rho=0.5, iterations=300), scene).requires_grad_()
    V = gradient_step(Z.detach(), Z_d, 0.1, 0.04)  # the best V for this Z: then only Z may have a slope
    X, Y = scene.observation.observe(Z)
    loss = (scene.Y - Y).square().sum() + (scene.X - X).square().sum() + 0.5 * (Z - V).square().sum()
    (slope,) = torch.autograd.grad(loss, Z)
    assert float(slope.abs().max()) < 1e-7


def test_the_truth_stays_the_truth():
    scene = small_scene(dtype=torch.float64)
    torch.testing.assert_close(fuse(UalDmi(Given(scene.Z)), scene), scene.Z)


@pytest.mark.parametrize("border", ["symmetric", "circular"])
def test_both_images_are_nearly_met_and_the_error_shrinks(border):
    scene = small_scene(dtype=torch.float64, spatial=SpatialResponse.gaussian(4, border=border))
    before = fuse(Regression(), scene)
    after = fuse(make_fuser("ual-dmi"), scene)
    assert (after - scene.Z).square().sum() < (before - scene.Z).square().sum()
    assert max(scene.observation.residuals(after, scene.X, scene.Y)) < 1e-3


def test_one_pixel_by_hand():
    """Two equal bands in one block of four equal pixels: only the level is open."""
    observation = Observation(SpectralResponse(torch.tensor([[0.5, 0.5]])), SpatialResponse.block_mean(2))
    scene = small_scene(1, 8, 8, dtype=torch.float64)
    one = torch.ones((1, 1, 2, 2), dtype=torch.float64)
    Z_d = torch.zeros((1, 2, 2, 2), dtype=torch.float64)
    scene = dataclasses.replace(
        scene, X=one, Y=torch.ones((1, 2, 1, 1), dtype=torch.float64), Z=None, observation=observation,
        wavelengths_nm=None,
    )  # fmt: skip
    # with z in every value: min 2 (1 - z)^2 + 4 (1 - z)^2 + 8 rho z^2, so z = 6 / (6 + 8 rho)
    result = fuse(UalDmi(Given(Z_d), rho=0.25, iterations=1), scene)
    torch.testing.assert_close(result, torch.full_like(result, 0.75))


def test_it_needs_what_the_deep_method_needs_and_keeps_its_notes():
    scene = small_scene()
    fuser = UalDmi(Given(scene.Z))
    assert fuser.needs == Needs(response=True, psf=True, tuning=True)
    notes = fuser.fuse(scene, generator=torch.Generator()).notes
    assert notes["from"] == "a shelf"
    assert "'given'" in notes["deep"]


def test_the_deep_method_is_one_of_the_catalog(weights):
    assert make_fuser("ual-dmi").deep.name == "regression"
    assert make_fuser("ual-dmi", deep="bicubic").deep.name == "bicubic"
    with pytest.raises(WeightsError, match="hsrdiff-ual"):  # weights are those of UAL unless another method is named
        make_fuser("ual-dmi", weights=weights())
    assert make_fuser("ual-dmi", deep="hsr-diff", weights=weights()).needs.weights
    assert make_fuser("ual-dmi", deep="hsr-diff", weights=weights(), steps=7).deep.steps == 7
    with pytest.raises(InputError, match="'bicubic' has no option 'steps'"):
        make_fuser("ual-dmi", deep="bicubic", steps=7)
    with pytest.raises(InputError, match="unknown method 'regresion'"):
        make_fuser("ual-dmi", deep="regresion")
    with pytest.raises(InputError, match="has no option 'weights'"):
        make_fuser("ual-dmi", deep="bicubic", weights="some.safetensors")


@pytest.mark.parametrize("options", [{"mu": -1.0}, {"nu": float("nan")}, {"rho": 0.0}, {"iterations": 0}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(InputError):
        make_fuser("ual-dmi", **options)
