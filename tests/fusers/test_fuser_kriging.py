"""Kriging: interpolation, scaling, leave-one-out by brute force, limits of the landmarks, a dense solve as oracle."""

import dataclasses
import os

import numpy as np
import pytest
import torch
from fuser_scenes import curved_scene, small_scene

from hsrdiff.errors import InputError, InvalidValueError
from hsrdiff.fusers import Regression
from hsrdiff.fusers.kriging import AreaKriging, Kriging, KrigingPoint, PointKriging, SpectralKernel, area, fuser
from hsrdiff.fusers.kriging.kernel import Sites
from hsrdiff.fusers.kriging.samples import Samples
from hsrdiff.fusers.kriging.system import solve_features, solve_kernel, solve_noisy
from hsrdiff.observation import JointProjection, Observation, Scene, SpatialResponse, SpectralResponse, add_noise


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def draw(*shape, seed=0):
    return torch.rand(shape, generator=generator(seed), dtype=torch.float64)


def fuse(method, scene, seed=0):
    return method.fuse(scene, generator=generator(seed))


def rms(image):
    return float(image.square().mean().sqrt())


def random_sites(count, seed=0):
    return Sites(draw(count, 3, seed=seed) + 0.05, 8 * draw(count, 2, seed=seed + 1))


def test_kernel_by_its_formula():
    kernel = SpectralKernel(0.3, 2.0, 1.5, 0.7, 0.4, 0.2, 0.05)
    sites = random_sites(5)
    got = kernel.matrix(*[kernel.coordinates(sites)] * 2)
    for i in range(5):
        for j in range(5):
            x, y = sites.guide[i].numpy(), sites.guide[j].numpy()
            n, m = np.linalg.norm(x), np.linalg.norm(y)
            colour = ((x / (n + 0.05) - y / (m + 0.05)) ** 2).sum() / 0.3**2
            colour += (np.log(n + 0.05) - np.log(m + 0.05)) ** 2 / 2.0**2
            space = ((sites.place[i] - sites.place[j]) ** 2).sum().item() / 1.5**2
            expected = n * m * (0.7 / (1 + colour / 2) + 0.4 / (1 + colour / 2) / (1 + space / 2)) + 0.2 * x @ y
            assert float(got[i, j]) == pytest.approx(expected, rel=1e-12)
    torch.testing.assert_close(kernel.diagonal(kernel.coordinates(sites)), got.diagonal())
    assert float(torch.linalg.eigvalsh(kernel.matrix(*[kernel.coordinates(random_sites(60))] * 2))[0]) > -1e-10


def test_without_noise_the_samples_are_interpolated():
    kernel = SpectralKernel(noise=0.0, mixing=0.0)
    sites, Y = random_sites(30), draw(30, 4, seed=7)
    fitted = PointKriging.fit(kernel, sites, Y, torch.zeros(30).double(), sites)
    spectra, variance = fitted.predict()
    assert fitted.nugget == 0
    torch.testing.assert_close(spectra, Y, rtol=0, atol=1e-7)
    assert float(variance.max()) < 1e-7


def test_variance_grows_away_from_the_samples():
    kernel = SpectralKernel(nearby=1.0, linear=0.01)
    sites = random_sites(40)
    shifts = torch.tensor([0.0, 1.0, 3.0, 30.0]).double()
    x = sites.guide[0].expand(4, 3)
    probes = Sites(x, sites.place[0] + shifts[:, None] * torch.tensor([0.0, 1.0]).double() * 10)
    fitted = PointKriging.fit(kernel, sites, draw(40, 2), torch.zeros(40).double(), probes)
    _, variance = fitted.predict()
    assert float(variance.min()) >= 0
    assert torch.equal(variance.argsort(), torch.arange(4))
    odd = Sites(torch.tensor([[3.0, 0.0, 0.0]]).double(), sites.place[:1])
    seen, unseen = (
        float(PointKriging.fit(kernel, sites, draw(40, 2), torch.zeros(40).double(), p).predict()[1][0])
        for p in (Sites(3 * x[:1] / x[0].norm(), sites.place[:1]), odd)
    )
    assert unseen > 2 * seen


@pytest.mark.parametrize(("samples", "features"), [(12, 20), (20, 6)])
def test_leave_one_out_in_closed_form_is_what_refits_give(samples, features):
    F, Y = draw(samples, features) - 0.5, draw(samples, 3, seed=1)
    noise = 0.1 + draw(samples, seed=2)
    system = solve_features(F, noise, Y, directions=features)
    dual = solve_kernel(F @ F.T, noise, Y, directions=samples)
    for j in range(samples):
        rest = [i for i in range(samples) if i != j]
        refit = solve_kernel(F[rest] @ F[rest].T, noise[rest], Y[rest], directions=samples - 1)
        row = F[j] @ F[rest].T
        error = Y[j] - row @ refit.weights
        variance = F[j] @ F[j] - (row @ refit.explained).square().sum() + noise[j]
        for found in (system, dual):
            torch.testing.assert_close(found.left_out[j], error, rtol=1e-8, atol=1e-10)
            assert float(found.precision[j]) == pytest.approx(1 / float(variance), rel=1e-8)
    # both forms predict alike, mean and variance
    probe = draw(5, features, seed=4)
    rows = probe @ F.T
    torch.testing.assert_close(probe @ system.weights, rows @ dual.weights, rtol=1e-8, atol=1e-10)
    taken = (probe @ system.explained).square().sum(1)
    torch.testing.assert_close(taken, (rows @ dual.explained).square().sum(1), rtol=1e-8, atol=1e-10)
    # fewer directions take away less, and most of it
    for some in (solve_features(F, noise, Y, 5), solve_features(F, noise, Y, 0)):
        part = (probe @ some.explained).square().sum(1)
        assert bool((part <= taken + 1e-12).all())
    assert not part.any()


def test_known_noise_enters_in_the_units_of_the_bands():
    # weights of variance 4 make K = F F^T right with a factor of 4 for every band
    F, weights = draw(60, 40) - 0.5, 2 * torch.randn((40, 50), generator=generator(1), dtype=torch.float64)
    Y = F @ weights + 2 * torch.randn((60, 50), generator=generator(3), dtype=torch.float64)
    quiet = torch.full((60,), 1e-6).double()
    prior = F.square().sum(1)
    told = solve_noisy(lambda n: solve_features(F, n, Y), quiet, prior, Y, 2.0)
    untold = solve_noisy(lambda n: solve_features(F, n, Y), quiet, prior, Y, 0.0)
    assert float(told.scale().mean()) == pytest.approx(4.0, rel=0.3)
    assert rms(told.weights - weights) < 0.7 * rms(untold.weights - weights)
    assert told.own_variance(1.5, 2.0) == pytest.approx(1.5 - 4.0 / 4.0, rel=0.5)
    assert told.own_variance(0.3, 0.0) == 0.3


def dense_area(kernel, samples):
    """Area-to-point kriging with the kernel between all pixels."""
    P = kernel.coordinates(samples.pixels())
    K = kernel.matrix(P, P)
    KD = samples.block_means(K)  # (P, N)
    KLL = samples.block_means(KD.T.contiguous())
    noise = kernel.noise * KLL.diagonal().mean() + kernel.mixing * samples.spread
    alpha = torch.linalg.solve(KLL + torch.diag(noise), samples.spectra)
    taken = (KD * torch.linalg.solve(KLL + torch.diag(noise), KD.T).T).sum(1)
    return KD @ alpha, K.diagonal() - taken


def fit_area(kernel, samples, count):
    landmarks = samples.landmarks(count, generator())
    spread = samples.spread[samples.usable]
    return AreaKriging.fit(
        kernel, samples.pixels(), landmarks, samples.block_means, samples.spectra, spread, directions=500
    )


def test_landmarks_converge_to_the_kernel():
    scene = curved_scene(24, 24)
    samples = Samples.of(scene, scene.observation.spatial)
    kernel = SpectralKernel()
    expected, variance = dense_area(kernel, samples)
    errors = [rms(fit_area(kernel, samples, count).predict()[0] - expected) for count in (10, 40, 160, 576)]
    assert errors[0] > errors[1] > errors[2] > errors[3]
    assert errors[3] < 2e-3 * rms(expected)
    fitted = dataclasses.replace(fit_area(kernel, samples, 576), nugget=0.0)
    _, found = fitted.predict()
    torch.testing.assert_close(
        found, variance, rtol=0.02, atol=2e-4 * float(kernel.diagonal(kernel.coordinates(samples.pixels())).mean())
    )


def test_pieces_of_the_computation_do_not_change_the_result(monkeypatch):
    scene = curved_scene()
    whole = fuse(Kriging(landmarks=60), scene)
    monkeypatch.setattr(area, "_ELEMENTS", 777)
    pieces = fuse(Kriging(landmarks=60), scene)
    torch.testing.assert_close(pieces.Z_hat, whole.Z_hat, rtol=0, atol=1e-8)
    torch.testing.assert_close(pieces.std, whole.std, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("method", [Kriging(landmarks=60), Kriging(landmarks=60, tune=False), KrigingPoint()])
def test_result_scales_with_the_images(method):
    scene = curved_scene()
    reference = fuse(method, scene)
    scaled = fuse(method, dataclasses.replace(scene, X=50 * scene.X, Y=50 * scene.Y, Z=None))
    torch.testing.assert_close(scaled.Z_hat, 50 * reference.Z_hat, rtol=0, atol=1e-4)
    torch.testing.assert_close(scaled.std, 50 * reference.std, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("method", [Kriging(landmarks=200), KrigingPoint()])
@pytest.mark.parametrize("seed", [0, 1])
def test_better_than_regression_and_projection_where_spectra_are_curved(method, seed):
    scene = curved_scene(seed=seed)
    projection = JointProjection(scene.observation, (32, 32))
    linear = projection.project(fuse(Regression(), scene).Z_hat, scene.X, scene.Y)
    fusion = fuse(method, scene)
    assert rms(fusion.Z_hat - scene.Z) < 0.7 * rms(linear - scene.Z)
    assert max(scene.observation.residuals(fusion.Z_hat, scene.X, scene.Y)) < 1e-7
    assert float(fusion.std.min()) >= 0


def test_noise_brings_the_soft_form_in():
    clean = curved_scene()
    X, sigma_x = add_noise(clean.X, 25, generator(1))
    Y, sigma_y = add_noise(clean.Y, 25, generator(2))
    noisy = dataclasses.replace(clean, X=X, Y=Y)
    told = fuse(Kriging(landmarks=200), dataclasses.replace(noisy, sigma_x=sigma_x, sigma_y=sigma_y))
    untold = fuse(Kriging(landmarks=200), noisy)
    assert rms(told.Z_hat - clean.Z) < 0.9 * rms(untold.Z_hat - clean.Z)


def test_landmarks_are_spread_and_valid():
    scene = curved_scene()
    valid = torch.ones((1, 1, 32, 32), dtype=torch.bool)
    valid[..., :5] = False
    samples = Samples.of(dataclasses.replace(scene, valid=valid), scene.observation.spatial)
    chosen = samples.landmarks(128, generator())
    assert len(set(chosen.tolist())) == 128
    assert valid.flatten()[chosen].all()
    block = (chosen // 32 // 4) * 8 + chosen % 32 // 4
    assert set(torch.bincount(block, minlength=64).tolist()) <= {0, 1, 2, 3}
    assert len(samples.landmarks(10**6, generator())) == int(valid.sum())


def test_degenerate_guides_do_not_break_it():
    scene = small_scene()
    for X in (torch.zeros_like(scene.X), torch.ones_like(scene.X), -scene.X):
        for method in (Kriging(), KrigingPoint()):
            fusion = fuse(method, dataclasses.replace(scene, X=X))
            assert torch.isfinite(fusion.Z_hat).all()
            assert torch.isfinite(fusion.std).all()


def test_refusals(monkeypatch):
    with pytest.raises(InputError, match="landmarks 0"):
        Kriging(landmarks=0)
    with pytest.raises(InputError, match="scale -1"):
        KrigingPoint(scale=-1.0)
    scene = small_scene()
    monkeypatch.setattr(fuser, "MOST_POINTS", 5)
    with pytest.raises(InputError, match="use the method 'kriging'"):
        fuse(KrigingPoint(), scene)
    valid = torch.zeros((1, 1, 16, 24), dtype=torch.bool)
    valid[..., 0, 0] = True
    with pytest.raises(InvalidValueError, match="valid pixels of both"):
        fuse(Kriging(), dataclasses.replace(scene, valid=valid))


@pytest.mark.data
def test_not_above_regression_and_projection_on_samson():
    from scipy.io import loadmat

    path = os.path.join(os.environ["HSRDIFF_DATA"], "small", "Samson.mat")
    if not os.path.exists(path):
        pytest.skip("small/Samson.mat is not there")
    cube = loadmat(path)["Y"].reshape(156, 95, 95, order="F")[:, :64, :64]
    Z = torch.from_numpy(np.ascontiguousarray(cube, dtype=np.float64))[None]
    centres = 19.5 + 39 * torch.arange(4)[:, None]
    R = torch.exp(-0.5 * ((torch.arange(156) - centres) / 16.6).square()).double()
    observed = Observation(SpectralResponse(R / R.sum(1, keepdim=True)), SpatialResponse.gaussian(4))
    X, Y = observed.observe(Z)
    scene = Scene(X=X, Y=Y, observation=observed, Z=Z)
    linear = JointProjection(observed, (64, 64)).project(fuse(Regression(), scene).Z_hat, X, Y)
    for method in (Kriging(), KrigingPoint()):
        assert rms(fuse(method, scene).Z_hat - Z) <= rms(linear - Z)
