"""UTV-TD: every step of the alternation is a minimum, the whole goes down, and the limits are right."""

import dataclasses
from itertools import pairwise

import pytest
import torch
from fuser_scenes import small_scene

from hsrdiff.errors import InputError
from hsrdiff.fusers import UtvTd, make_fuser
from hsrdiff.fusers.classical.cosine import difference
from hsrdiff.fusers.classical.sparse_core import CoreStep
from hsrdiff.fusers.classical.tucker import leading_vectors, mode_product, tucker, unfold
from hsrdiff.fusers.classical.tucker_pair import TuckerPair, separate
from hsrdiff.fusers.classical.unidirectional import FactorStep
from hsrdiff.fusers.classical.utv_td import core_length
from hsrdiff.fusers.classical.whole_pair import WholePair
from hsrdiff.observation import SpatialResponse

EXACT = {"iterations": 3000, "tolerance": 1e-9}


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def fuse(fuser, scene):
    return fuser.fuse(scene, generator=torch.Generator().manual_seed(0)).Z_hat


def test_tucker_products_agree_with_one_sum():
    G, A, B, C = random(3, 4, 2), random(5, 3), random(6, 4), random(7, 2)
    torch.testing.assert_close(tucker(G, (A, B, C)), torch.einsum("abc,ia,jb,kc->ijk", G, A, B, C))
    for mode, matrix in enumerate((A, B, C)):
        moved = mode_product(G, matrix, mode)
        torch.testing.assert_close(unfold(moved, mode), matrix @ unfold(G, mode))


def test_tucker_products_and_the_start_agree_with_tensorly():
    tensorly = pytest.importorskip("tensorly")
    from tensorly.decomposition import tucker as decompose
    from tensorly.tenalg import multi_mode_dot

    tensorly.set_backend("numpy")
    G, factors = random(3, 4, 2), (random(5, 3), random(6, 4), random(7, 2))
    whole = tucker(G, factors)
    theirs = multi_mode_dot(G.numpy(), [factor.numpy() for factor in factors])
    torch.testing.assert_close(whole, torch.from_numpy(theirs))
    # a tensor of these ranks: its decomposition spans, along each mode, what the factors start from
    _, found = decompose(whole.numpy(), rank=(3, 4, 2))
    for mode, rank in enumerate((3, 4, 2)):
        start, other = leading_vectors(unfold(whole, mode), rank), torch.from_numpy(found[mode].copy())
        torch.testing.assert_close(start @ start.T, other @ other.T, atol=1e-8, rtol=0)


def test_leading_vectors_span_what_is_largest():
    matrix = torch.diag(torch.tensor([1.0, 3.0, 2.0])).double()
    assert leading_vectors(matrix, 2).abs().tolist() == [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize("border", ["symmetric", "circular", "replicate"])
def test_a_separable_kernel_falls_apart_for_every_border(border):
    spatial = SpatialResponse.gaussian(4, border=border)
    Z = random(1, 2, 16, 24)
    P1, P2 = separate(spatial, (16, 24))
    torch.testing.assert_close(P1 @ Z @ P2.T, spatial.apply(Z))


def test_a_kernel_that_is_not_separable_is_refused_unless_by_rounding():
    kernel = SpatialResponse.gaussian(4).kernel.clone()
    kernel[0, 0] += 1e-9
    kernel[1, 1] -= 1e-9
    separate(SpatialResponse(kernel, 4), (16, 24))
    kernel[0, 0] += 1e-3
    kernel[1, 1] -= 1e-3
    scene = small_scene(spatial=SpatialResponse(kernel, 4))
    with pytest.raises(InputError, match="not separable"):
        fuse(UtvTd(), scene)


def factor_problem():
    """A small factor equation: P, U, (T_s, A), (T_d, B)."""
    return random(4, 9), random(9, 5, seed=1), (random(4, 7, seed=2), random(5, 7, seed=3)), (
        random(9, 3, seed=4), random(5, 3, seed=5))  # fmt: skip


def factor_loss(U, U_old, P, seen, direct, weight, proximal):
    (T_s, A), (T_d, B) = seen, direct
    fit = (T_s - P @ U @ A).square().sum() + (T_d - U @ B).square().sum()
    return fit + proximal * (U - U_old).square().sum() + weight * difference(U, 0).abs().sum()


def test_the_factor_step_without_variation_has_gradient_zero():
    P, U_old, seen, direct = factor_problem()
    step = FactorStep(P, 0.0, 0.3, 0.1)
    U = step.solve(U_old, seen, direct, **EXACT).requires_grad_()
    (slope,) = torch.autograd.grad(factor_loss(U, U_old, P, seen, direct, 0.0, 0.1), U)
    assert float(slope.abs().max()) < 1e-9


def test_the_equation_inside_admm_is_solved_to_the_stated_precision():
    """After one repetition from V = E U: the Sylvester equation with all three terms."""
    P, U_old, seen, direct = factor_problem()
    (T_s, A), (T_d, B) = seen, direct
    step = FactorStep(P, 1e-300, 0.3, 0.1)
    U = step.solve(U_old, seen, direct, iterations=1, tolerance=0.0).requires_grad_()
    V = difference(U_old, 0)
    loss = factor_loss(U, U_old, P, seen, direct, 0.0, 0.1) + 0.3 * (V - difference(U, 0)).square().sum()
    (slope,) = torch.autograd.grad(loss, U)
    assert float(slope.abs().max()) < 1e-7 * float((P.T @ T_s @ A.T + T_d @ B.T).abs().max())


def test_the_factor_step_is_a_minimum_and_its_subgradient_fits():
    P, U_old, seen, direct = factor_problem()
    weight = 2.0
    U = FactorStep(P, weight, 0.3, 0.1).solve(U_old, seen, direct, **EXACT)
    free = U.clone().requires_grad_()
    (slope,) = torch.autograd.grad(factor_loss(free, U_old, P, seen, direct, 0.0, 0.1), free)
    # slope + weight E^T q = 0 with q = sign(E U) where that is not 0, and |q| <= 1
    q = torch.cumsum(slope, dim=0)[:-1] / weight
    steps = difference(U, 0)[:-1]
    moving = steps.abs() > 1e-6
    assert 0 < int(moving.sum()) < moving.numel()
    torch.testing.assert_close(q[moving], steps[moving].sign(), rtol=0, atol=1e-5)
    assert float(q.abs().max()) < 1 + 1e-5
    torch.testing.assert_close(slope.sum(dim=0), torch.zeros(5).double(), rtol=0, atol=1e-6)


def test_a_large_weight_makes_the_factor_constant_along_its_rows():
    P, U_old, seen, direct = factor_problem()
    U = FactorStep(P, 1e3, 10.0, 0.1).solve(U_old, seen, direct, iterations=600, tolerance=1e-9)
    assert float(difference(U, 0).abs().max()) < 1e-4 * float(U_old.abs().max())


def core_problem():
    images = (random(3, 4, 5), random(6, 7, 2, seed=1))
    factors = tuple(
        tuple(random(m, n, seed=10 * i + mode) for mode, (m, n) in enumerate(zip(image.shape, (4, 3, 2), strict=True)))
        for i, image in enumerate(images)
    )
    return images, factors


def core_loss(G, G_old, images, factors, proximal):
    fit = sum((image - tucker(G, each)).square().sum() for image, each in zip(images, factors, strict=True))
    return fit + proximal * (G - G_old).square().sum()


@pytest.mark.parametrize("weight", [0.0, 20.0])
def test_the_core_step_is_a_minimum(weight):
    images, factors = core_problem()
    G_old = random(4, 3, 2, seed=7)
    G = CoreStep(weight, 5.0, 0.1).solve(G_old, images, factors, **EXACT).requires_grad_()
    (slope,) = torch.autograd.grad(core_loss(G, G_old, images, factors, 0.1), G)
    kept = G.detach() != 0
    assert bool(kept.all()) == (weight == 0)
    assert kept.any()
    torch.testing.assert_close(slope[kept], -weight * G.detach()[kept].sign(), rtol=0, atol=1e-4)
    assert float(slope.abs().max()) <= weight + 1e-4


@pytest.mark.parametrize("weights", [(1e-7, 1e-12, 1e-8, 1e-2), (1e-3, 1e-3, 1e-3, 1e-3)])
def test_the_objective_goes_down_round_by_round(weights):
    scene = small_scene(dtype=torch.float64)
    fuser = UtvTd(rows=8, columns=8, weights=weights, inner=200, tolerance=1e-8)
    problem = TuckerPair.of(WholePair.of(scene, "utv-td"))
    G, U = fuser.start(problem, torch.Generator().manual_seed(0))
    steps = fuser.steps(problem)
    losses = []
    for _ in range(4):
        G, U = fuser.round(problem, steps, G, U)
        losses.append(fuser.objective(problem, G, U))
    assert all(later <= earlier * (1 + 1e-6) for earlier, later in pairwise(losses))
    assert losses[-1] < 0.99 * losses[0]


def test_the_equations_of_each_mode_say_the_same_of_the_images():
    scene = small_scene(dtype=torch.float64)
    problem = TuckerPair.of(WholePair.of(scene, "utv-td"))
    G, U = random(5, 4, 3), (random(16, 5), random(24, 4), random(6, 3))
    Y, X = (tucker(G, view) for view in problem.views(U))
    for mode, P in enumerate(problem.through):
        (T_s, A), (T_d, B) = problem.equations(G, U, mode)
        through, direct = (X, Y) if mode == 2 else (Y, X)
        torch.testing.assert_close(P @ U[mode] @ A, unfold(through, mode))
        torch.testing.assert_close(U[mode] @ B, unfold(direct, mode))
        assert T_s.shape == (P @ U[mode] @ A).shape
        assert T_d.shape == (U[mode] @ B).shape


def test_a_model_that_holds_gives_the_truth_back_without_penalties():
    """As many spectra as guide bands."""
    scene = small_scene(dtype=torch.float64)
    E = torch.rand((6, 3), generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    Z = torch.einsum("bp,nphw->nbhw", E, scene.X)
    X, Y = scene.observation.observe(Z)
    scene = dataclasses.replace(scene, X=X, Y=Y, Z=Z)
    fuser = UtvTd(spectra=3, rows=16, columns=24, weights=(0.0, 0.0, 0.0, 0.0), penalty=1e-5, proximal=1e-5,
                  tolerance=1e-6, inner=50, iterations=20, outer_tolerance=0.0)  # fmt: skip
    assert float((fuse(fuser, scene) - Z).abs().max()) < 5e-3


def test_core_lengths():
    assert core_length(512) == 290
    assert core_length(128) == 115
    assert core_length(1) == 1
    assert all(core_length(n) <= n for n in range(1, 40))
    fusion = UtvTd(rows=400, columns=2, spectra=99, iterations=2).fuse(small_scene(), generator=torch.Generator())
    assert fusion.notes["tucker"] == "core 3 x 2 x 5, 2 rounds"


def test_units_do_not_matter():
    scene = small_scene(dtype=torch.float64)
    other = dataclasses.replace(scene, X=1e4 * scene.X, Y=1e4 * scene.Y)
    torch.testing.assert_close(fuse(UtvTd(), other), 1e4 * fuse(UtvTd(), scene), rtol=1e-6, atol=1e-3)


@pytest.mark.parametrize(
    "options",
    [
        {"rows": 0}, {"columns": 2.5}, {"spectra": 0}, {"iterations": 0}, {"inner": 0}, {"basis": "pca"},
        {"penalty": 0.0}, {"proximal": -1.0}, {"tolerance": -1.0}, {"outer_tolerance": float("nan")},
        {"weights": (1.0, 1.0)}, {"weights": (1.0, 1.0, 1.0, -1.0)},
    ],
)  # fmt: skip
def test_options_out_of_range_are_refused(options):
    with pytest.raises(InputError):
        make_fuser("utv-td", **options)
