"""HySure: the data step is a minimum, ADMM reaches one, and the limits are right."""

import dataclasses

import pytest
import torch
from fuser_scenes import small_scene

from hsrdiff.errors import InputError
from hsrdiff.fusers import HySure, make_fuser
from hsrdiff.fusers.classical.cosine import difference
from hsrdiff.fusers.classical.hysure import DataStep, shrink, total_variation
from hsrdiff.observation import SpatialResponse


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def oblong_kernel():
    """A kernel that is not separable and not symmetric."""
    u = torch.arange(8, dtype=torch.float64) - 3.5
    kernel = torch.exp(-((u[:, None] + 0.8 * u) ** 2) / 6 - (u[:, None] - u - 1) ** 2 / 20)
    return kernel / kernel.sum()


KERNELS = {
    "separable": SpatialResponse.gaussian(4),
    "circular": SpatialResponse.gaussian(4, border="circular"),
    "blocks": SpatialResponse.block_mean(4),
    "any": SpatialResponse(oblong_kernel(), 4),
}


def data_loss(scene, E, V, guide_weight):
    Z = torch.einsum("bp,nphw->nbhw", E, V)
    X, Y = scene.observation.observe(Z)
    return 0.5 * (scene.Y - Y).square().sum() + 0.5 * guide_weight * (scene.X - X).square().sum()


def norm_of_gradients(V):
    return (difference(V, -1).square() + difference(V, -2).square()).sum(dim=1).sqrt().sum()


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("count", [3, 8])
def test_the_data_step_has_gradient_zero(kernel, count):
    scene = small_scene(dtype=torch.float64, spatial=KERNELS[kernel])
    E, N = random(6, count), random(1, count, 16, 24, seed=1)
    V = DataStep(scene.observation, E, scene.X, scene.Y, 0.7, 0.05).solve(N).requires_grad_()
    loss = data_loss(scene, E, V, 0.7) + 0.025 * (V - N).square().sum()
    (gradient,) = torch.autograd.grad(loss, V)
    assert float(gradient.abs().max()) < 1e-8


def test_shrink_by_hand():
    down, across = torch.zeros((1, 2, 1, 2)), torch.zeros((1, 2, 1, 2))
    down[0, 0, 0, 0], across[0, 1, 0, 0] = 3.0, 4.0  # norm 5
    down[0, 1, 0, 1] = 0.5
    short = shrink(down, across, 1.0)
    assert short[0].flatten().tolist() == pytest.approx([2.4, 0.0, 0.0, 0.0])
    assert short[1].flatten().tolist() == pytest.approx([0.0, 0.0, 3.2, 0.0])


def test_admm_reaches_a_minimum_from_which_nothing_leads_down():
    scene = small_scene(dtype=torch.float64)
    E = torch.linalg.svd(scene.Y[0].flatten(1), full_matrices=False).U[:, :4]
    data = DataStep(scene.observation, E, scene.X, scene.Y, 1.0, 0.05)
    losses = []
    for iterations in (1, 10, 100, 400):
        V = total_variation(data, 1e-2, 0.05, iterations)
        losses.append(float(data_loss(scene, E, V, 1.0) + 1e-2 * norm_of_gradients(V)))
    assert losses == sorted(losses, reverse=True)
    assert losses[0] > 1.01 * losses[-1]
    for seed in range(5):
        other = V + 1e-3 * random(*V.shape, seed=seed)
        assert float(data_loss(scene, E, other, 1.0) + 1e-2 * norm_of_gradients(other)) > losses[-1]


def test_the_penalty_decides_the_way_and_not_the_end():
    scene = small_scene(dtype=torch.float64)
    results = [fuse(HySure(penalty=penalty, tv_weight=1e-2, iterations=500), scene) for penalty in (0.02, 0.2)]
    torch.testing.assert_close(*results, rtol=0, atol=2e-4)


def fuse(fuser, scene, seed=0):
    return fuser.fuse(scene, generator=torch.Generator().manual_seed(seed)).Z_hat


def few_spectra(count=3):
    """A scene whose Z is mixed from as many spectra as the guide has bands."""
    scene = small_scene(dtype=torch.float64)
    E = torch.rand((6, count), generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    Z = torch.einsum("bp,nphw->nbhw", E, scene.X[:, :count])
    X, Y = scene.observation.observe(Z)
    return dataclasses.replace(scene, X=X, Y=Y, Z=Z)


@pytest.mark.parametrize("basis", ["vca", "svd"])
def test_a_model_that_holds_gives_the_truth_back_as_the_prior_vanishes(basis):
    scene = few_spectra()
    errors = [
        float((fuse(HySure(endmembers=3, basis=basis, tv_weight=w, penalty=1e-6), scene) - scene.Z).abs().max())
        for w in (1e-2, 1e-10)
    ]
    assert errors[1] < 3e-3
    assert errors[1] < 0.1 * errors[0]


def test_a_strong_prior_makes_each_map_constant():
    scene = small_scene(dtype=torch.float64)
    Z = fuse(HySure(tv_weight=1e3, penalty=10.0, iterations=400), scene)
    assert float(Z.std(dim=(-2, -1)).max()) < 1e-3 * float(scene.Z.std())


def test_units_do_not_matter():
    scene = small_scene(dtype=torch.float64)
    other = dataclasses.replace(scene, X=1e4 * scene.X, Y=1e4 * scene.Y)
    torch.testing.assert_close(fuse(HySure(), other), 1e4 * fuse(HySure(), scene))


@pytest.mark.parametrize(
    "options",
    [{"endmembers": 0}, {"iterations": 1.5}, {"tv_weight": -1.0}, {"penalty": 0.0}, {"basis": "pca"}],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(InputError):
        make_fuser("hysure", **options)
