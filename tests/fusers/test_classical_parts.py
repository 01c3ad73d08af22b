"""What the classical methods share: VCA, free-end differences, a pair without holes."""

import dataclasses

import pytest
import torch
from fuser_scenes import small_scene

from hsrdiff.errors import InputError, ShapeError
from hsrdiff.fusers.classical.cosine import cosine, difference, difference_adjoint, path_spectrum, soft
from hsrdiff.fusers.classical.vca import largest_vca, vca
from hsrdiff.fusers.classical.whole_pair import WholePair


def random(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def mixture(bands=12, count=4, pixels=300, seed=0):
    """Return endmembers, and pixels of which exactly one for each endmember is pure."""
    E = random(bands, count, seed=seed) + 0.1
    shares = -torch.log(random(count, pixels, seed=seed + 1))
    shares = 0.95 * shares / shares.sum(dim=0) + 0.05 / count
    places = torch.arange(count) * 7 + 3
    shares[:, places] = torch.eye(count, dtype=torch.float64)
    return E, E @ shares, places


@pytest.mark.parametrize("seed", range(4))
def test_vca_finds_the_pure_pixels_whatever_the_directions(seed):
    E, M, _ = mixture()
    found = vca(M, 4, generator=torch.Generator().manual_seed(seed))
    nearest = torch.cdist(E.T, found.T).min(dim=1)
    assert float(nearest.values.max()) < 1e-9
    assert sorted(nearest.indices.tolist()) == [0, 1, 2, 3]


def test_vca_does_not_mind_brightness_and_black_pixels():
    E, M, _ = mixture()
    lit = M * (0.2 + random(1, 300, seed=5))
    lit[:, 100:110] = 0.0
    found = vca(lit, 4, generator=torch.Generator().manual_seed(1))
    unit = torch.nn.functional.normalize
    nearest = torch.cdist(unit(E.T), unit(found.T)).min(dim=1)
    assert float(nearest.values.max()) < 1e-7
    assert sorted(nearest.indices.tolist()) == [0, 1, 2, 3]


def test_vca_under_noise_comes_near_the_pure_spectra():
    E, M, _ = mixture()
    noisy = M + 0.1 * torch.randn(M.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    found = largest_vca(noisy, 4, runs=5, generator=torch.Generator().manual_seed(0))
    assert float(torch.cdist(E.T, found.T).min(dim=1).values.max()) < 0.6
    assert torch.isfinite(found).all()


def test_largest_vca_has_at_least_the_volume_of_each_run():
    M = random(8, 200, seed=9)
    best = largest_vca(M, 5, runs=6, generator=torch.Generator().manual_seed(2))
    g = torch.Generator().manual_seed(2)
    volumes = [torch.linalg.slogdet(E.T @ E).logabsdet for E in (vca(M, 5, generator=g) for _ in range(6))]
    assert torch.linalg.slogdet(best.T @ best).logabsdet == max(volumes)
    assert min(volumes) < max(volumes)


def test_vca_of_one_spectrum_and_of_as_many_as_bands():
    M = random(5, 40)
    assert vca(M, 1, generator=torch.Generator()).shape == (5, 1)
    full = vca(M, 5, generator=torch.Generator())
    # no subspace to project on: the columns are pixels
    assert float(torch.cdist(full.T, M.T).min(dim=1).values.max()) < 1e-7
    assert torch.isfinite(vca(torch.zeros((4, 9)), 2, generator=torch.Generator())).all()


def test_vca_refuses_what_it_cannot_do():
    with pytest.raises(InputError, match="from 1 to 3"):
        vca(random(5, 3), 4, generator=torch.Generator())
    with pytest.raises(ShapeError):
        vca(random(5), 1, generator=torch.Generator())


@pytest.mark.parametrize("axis", [-1, -2])
def test_difference_adjoint_and_spectrum(axis):
    u, v = random(2, 3, 5, 7, seed=1), random(2, 3, 5, 7, seed=2)
    assert float((difference(u, axis) * v).sum()) == pytest.approx(float((u * difference_adjoint(v, axis)).sum()))
    spectrum = path_spectrum(u.shape[axis])
    spectrum = spectrum if axis == -1 else spectrum[:, None]
    by_cosine = cosine(cosine(u, (axis,)) * spectrum, (axis,), inverse=True)
    torch.testing.assert_close(difference_adjoint(difference(u, axis), axis), by_cosine)


def test_difference_and_soft_by_hand():
    u = torch.tensor([1.0, 4.0, 2.0])
    assert difference(u, 0).tolist() == [3.0, -2.0, 0.0]
    assert difference_adjoint(u, 0).tolist() == [-1.0, -3.0, 4.0]
    assert soft(torch.tensor([3.0, -2.0, 0.5]), 1.0).tolist() == [2.0, -1.0, 0.0]


def test_a_whole_pair_is_the_pair_in_units_of_its_peak():
    scene = small_scene()
    pair = WholePair.of(dataclasses.replace(scene, X=1000 * scene.X, Y=1000 * scene.Y), "any")
    assert pair.peak == pytest.approx(1000 * float(max(scene.X.max(), scene.Y.max())))
    torch.testing.assert_close(pair.peak * pair.X, 1000 * scene.X.double())
    back = pair.fusion(pair.Y.repeat_interleave(4, -1).repeat_interleave(4, -2), {}).Z_hat
    torch.testing.assert_close(back[..., ::4, ::4], 1000 * scene.Y)


def test_a_masked_pair_is_filled_so_that_it_agrees():
    scene = small_scene(dtype=torch.float64)
    valid = torch.ones((1, 1, 16, 24), dtype=torch.bool)
    valid[..., 5, 6:9] = False
    pair = WholePair.of(dataclasses.replace(scene, X=scene.X.masked_fill(~valid, torch.nan), valid=valid), "any")
    spectral, spatial = pair.observation.spectral, pair.observation.spatial
    torch.testing.assert_close(spectral.apply(pair.Y), spatial.apply(pair.X), rtol=0, atol=1e-4)
