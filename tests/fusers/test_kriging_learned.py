"""The learned kernel: laws whatever is learnt, its formula by hand, its limit, weights in and out."""

import dataclasses
import math

import pytest
import torch
from fuser_scenes import small_scene

from hsrdiff.errors import InputError, ShapeError, WeightsError
from hsrdiff.fusers.kriging import Kriging, KrigingLearned, LearnedKernel, LearnedKernelConfig
from hsrdiff.fusers.kriging.context import RADII, SCALES, TEXTURES, channels, guide_context, local_mean
from hsrdiff.fusers.kriging.finish import agree
from hsrdiff.fusers.kriging.kernel import Sites, SpectralKernel
from hsrdiff.fusers.kriging.learned_weights import KernelCard, load_kernel, save_kernel, shipped_kernels
from hsrdiff.fusers.kriging.noise import FACTORS, noise_factor
from hsrdiff.fusers.kriging.stacking import Estimate, average, leave_one_out_share, stack_weight
from hsrdiff.fusers.kriging.system import solve_features


def draw(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def sites(bands=3, side=12, seed=0):
    X = draw(1, bands, side, side, seed=seed) + 0.05
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    place = torch.stack([rows, columns], dim=-1).reshape(-1, 2).double() / 4
    return Sites(X[0].flatten(1).T, place, guide_context(X, 1.0)[0].flatten(1).T)


def any_kernel(seed=3, **config):
    """A kernel with learnt-looking numbers in every parameter."""
    torch.manual_seed(seed)
    kernel = LearnedKernel(LearnedKernelConfig(**config))
    with torch.no_grad():
        for p in kernel.parameters():
            p.add_(0.5 * torch.randn_like(p))
    return kernel.double()


def square(kernel, where):
    return kernel.matrix(*[kernel.coordinates(where)] * 2)


@pytest.mark.parametrize("bands", [1, 3, 8])
def test_positive_definite_whatever_is_learnt(bands):
    K = square(any_kernel(), sites(bands)).detach()
    torch.testing.assert_close(K, K.T)
    assert float(torch.linalg.eigvalsh(K)[0]) > -1e-10 * float(K.diagonal().max())
    kernel = any_kernel()
    torch.testing.assert_close(kernel.diagonal(kernel.coordinates(sites(bands))).detach(), K.diagonal())


def test_order_of_the_guides_bands_does_not_matter():
    X = draw(1, 4, 9, 9) + 0.05
    place = torch.zeros((81, 2), dtype=torch.float64)
    kernel = any_kernel()

    def matrix(image):
        return square(kernel, Sites(image[0].flatten(1).T, place, guide_context(image, 1.0)[0].flatten(1).T))

    torch.testing.assert_close(matrix(X), matrix(X[:, [2, 0, 3, 1]]))
    assert not torch.allclose(matrix(X), matrix(draw(1, 4, 9, 9, seed=5) + 0.05))


def test_formula_by_hand():
    kernel, where = any_kernel(terms=2, embedding=2, hidden=4), sites(side=5)
    got = square(kernel, where).detach()
    colours = where.context[:, : 3 * SCALES].reshape(-1, SCALES, 3)
    levels, textures = where.context[:, 3 * SCALES : 4 * SCALES], where.context[:, 4 * SCALES :]
    e = kernel.embed(colours, levels, textures).detach()
    rates = kernel.rates.detach().exp()
    weights, linear = kernel.log_weights.detach().exp(), float(kernel.log_linear.detach().exp())
    for i, j in ((0, 0), (3, 17), (24, 8)):
        n, m = where.guide[i].norm(), where.guide[j].norm()
        total = 0.0
        for rate, weight in zip(rates, weights, strict=True):
            q = sum(float(rate[s]) ** 2 * float((colours[i, s] - colours[j, s]).square().sum()) for s in range(SCALES))
            flat = torch.cat([levels, textures, e], dim=1)
            q += float((rate[SCALES:-1].square() * (flat[i] - flat[j]).square()).sum())
            q += float(rate[-1]) ** 2 * float((where.place[i] - where.place[j]).square().sum())
            total += float(weight) / (1 + q / 2)
        expected = float(n * m) * total + linear * float(where.guide[i] @ where.guide[j])
        assert float(got[i, j]) == pytest.approx(expected, rel=1e-9)


def test_brightness_scales_a_prediction():
    """K of a scene whose guide is twice as bright, colour and surroundings kept, is four times K."""
    kernel, where = any_kernel(), sites()
    brighter = Sites(2 * where.guide, where.place, where.context)
    torch.testing.assert_close(square(kernel, brighter), 4 * square(kernel, where))


def test_sites_without_their_context_are_refused():
    where = sites()
    with pytest.raises(ShapeError, match=f"{channels(3)}"):
        any_kernel().coordinates(Sites(where.guide, where.place))


def test_local_mean_against_a_loop_and_context_of_an_even_guide():
    image = draw(1, 1, 7, 9)
    got = local_mean(image, 2)
    padded = torch.nn.functional.pad(image, (2, 2, 2, 2), mode="reflect")
    for row, column in ((0, 0), (3, 4), (6, 8)):
        assert float(got[0, 0, row, column]) == pytest.approx(
            float(padded[0, 0, row : row + 5, column : column + 5].mean())
        )
    context = guide_context(torch.full((1, 2, 30, 30), 0.5, dtype=torch.float64), 1.0)[0]
    assert context.shape[0] == channels(2) == 2 * SCALES + SCALES + TEXTURES
    n = 0.5 * math.sqrt(2)
    torch.testing.assert_close(context[0], torch.full((30, 30), 0.5 / (n + 0.02), dtype=torch.float64))
    torch.testing.assert_close(context[2 * SCALES], torch.full((30, 30), math.log(n + 0.02), dtype=torch.float64))
    assert float(context[-TEXTURES:].max()) == pytest.approx(math.log(0.01), abs=1e-5)
    assert len(RADII) == SCALES - 1


def test_context_of_a_small_image_is_finite():
    assert torch.isfinite(guide_context(draw(1, 3, 2, 3).float(), 0.5)).all()


def test_noise_factor_is_the_one_that_foretells_best_and_ignores_what_the_guide_sees():
    F = draw(40, 12, seed=1)
    truth = F @ draw(12, 5, seed=2)
    noise = 5.0 * torch.randn((40, 5), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    spread = torch.zeros(40, dtype=torch.float64)
    levels = torch.full((40,), 1.0, dtype=torch.float64)
    eye = torch.eye(5, dtype=torch.float64)
    noisy, clean = noise_factor(F, levels, truth + noise, spread, eye), noise_factor(F, levels, truth, spread, eye)
    assert clean == FACTORS[0]
    assert noisy > 1.0

    def left_out(factor):
        return float(solve_features(F, factor * levels, truth + noise).left_out.square().mean())

    assert left_out(noisy) < left_out(1.0) < left_out(clean)
    # noise in a band that the guide sees is not looked at
    seen = truth.clone()
    seen[:, 0] += noise[:, 0]
    hidden = eye.clone()
    hidden[0, 0] = 0
    assert noise_factor(F, levels, seen, spread, hidden) == FACTORS[0]


def test_weights_come_back_as_they_were(tmp_path):
    kernel = any_kernel().float()
    path = save_kernel(tmp_path / "mine.safetensors", kernel, KernelCard(name="mine", data="made up"))
    again, card = load_kernel(path)
    assert card.data == "made up"
    where = sites().to(torch.float32)
    assert torch.equal(square(kernel, where), square(again, where))
    assert not any(p.requires_grad for p in again.parameters())


def test_files_that_are_not_a_learned_kernel_are_refused(tmp_path, weights):
    with pytest.raises(WeightsError, match="learned kernel"):
        load_kernel(weights(3))
    with pytest.raises(WeightsError, match="could not be read"):
        load_kernel(tmp_path / "nothing.safetensors")
    torn = tmp_path / "torn.safetensors"
    torn.write_bytes(save_kernel(tmp_path / "a.safetensors", any_kernel(), KernelCard()).read_bytes()[:500])
    with pytest.raises(WeightsError, match="could not be read"):
        load_kernel(torn)


def test_shipped_kernel_has_a_card_beside_it():
    for name, path in shipped_kernels().items():
        kernel, card = load_kernel(name)
        assert card.name == name
        assert card.steps > 0
        assert all(torch.isfinite(p).all() for p in kernel.parameters())
        assert path.with_suffix(".md").is_file()


def test_a_guide_that_tells_all_is_answered_exactly_and_options_are_checked(tmp_path):
    path = save_kernel(tmp_path / "k.safetensors", any_kernel(), KernelCard(name="k"))
    scene = small_scene(6)  # as many guide bands as there are: consistency leaves nothing open
    fusion = KrigingLearned(weights=path).fuse(scene, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(fusion.Z_hat, scene.Z.float(), rtol=0, atol=2e-4)
    with pytest.raises(InputError, match="landmarks"):
        KrigingLearned(weights=path, landmarks=0)


def test_stack_weight_is_the_best_of_all():
    first, second = draw(30, 4, seed=1) - 0.5, draw(30, 4, seed=2) - 0.5
    first = 0.7 * first + 0.2 * second
    weights = torch.full((30,), 1 / 30, dtype=torch.float64)
    w = stack_weight(first, second, weights)
    size = (first.square() + second.square()).mean(dim=0).sqrt()

    def energy(share):
        return float(((share * first + (1 - share) * second) / size).square().sum())

    assert 0 < w < 1
    assert energy(w) <= min(energy(s / 100) for s in range(101)) + 1e-12
    assert stack_weight(first, first, weights) == 0.5
    assert stack_weight(10 * second, second, weights) == 0.0
    assert stack_weight(second, 10 * second, weights) == 1.0


def test_samples_that_are_foretold_exactly_by_one_kernel_give_it_the_whole_share():
    F, Y = draw(40, 12, seed=1), draw(40, 5, seed=2)
    good = solve_features(F, torch.full((40,), 0.1, dtype=torch.float64), Y)
    spread, seen = torch.zeros(40, dtype=torch.float64), torch.eye(5, dtype=torch.float64)
    exact = dataclasses.replace(good, left_out=torch.zeros_like(good.left_out))
    one, two = (Estimate(draw(7, 5, seed=3), draw(7, seed=4), system) for system in (exact, good))
    assert leave_one_out_share(one, two, spread, seen) == 1.0
    assert leave_one_out_share(two, one, spread, seen) == 0.0
    assert leave_one_out_share(two, two, spread, seen) == 0.5


def test_average_of_an_estimate_with_itself_is_itself():
    F, Y = draw(40, 12, seed=1), draw(40, 5, seed=2)
    system = solve_features(F, torch.full((40,), 0.1, dtype=torch.float64), Y)
    one = Estimate(draw(7, 5, seed=3), draw(7, seed=4), system)
    both = average(one, one, 0.2)
    torch.testing.assert_close(both.spectra, one.spectra)
    torch.testing.assert_close(both.system.left_out, system.left_out)
    # the same variance in absolute units
    level = system.scale().mean()
    torch.testing.assert_close(both.variance * both.system.scale().mean(), one.variance * level)


def test_kernel_is_the_same_in_place():
    for kernel in (any_kernel(), SpectralKernel()):
        P = kernel.coordinates(sites())
        with torch.no_grad():
            quick = kernel.matrix(P, P.at(slice(0, 7)))
        torch.testing.assert_close(quick, kernel.matrix(P, P.at(slice(0, 7))).detach(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("bands", [3, 4])
def test_where_experience_does_not_fit_little_of_it_is_used(tmp_path, bands):
    kernel = LearnedKernel()
    with torch.no_grad():
        kernel.rates.fill_(8.0)  # no pixel is like another
        kernel.log_linear.fill_(-20.0)
    path = save_kernel(tmp_path / "k.safetensors", kernel, KernelCard(name="useless"))
    fusion = KrigingLearned(weights=path).fuse(small_scene(bands, 32, 32), generator=torch.Generator().manual_seed(0))
    assert int(fusion.notes["kernel"].split("; ")[1].split(" ")[0]) < 20


@pytest.mark.parametrize("bands", [3, 5])
def test_the_plain_kernel_s_part_is_what_kriging_makes_of_the_same_draws(tmp_path, bands):
    path = save_kernel(tmp_path / "k.safetensors", any_kernel().float(), KernelCard(name="k"))
    scene = small_scene(bands, 32, 32)
    fuser = KrigingLearned(weights=path, landmarks=60, std=False)
    kriged, notes = fuser.krige(scene, generator=torch.Generator().manual_seed(0), apart=True)
    both, apart = kriged.spectra.chunk(2, dim=1)
    share = float(notes["kernel"].split("; ")[1].split(" ")[0]) / 100
    plain = agree(scene, scene.observation, dataclasses.replace(kriged, spectra=both + share * apart))[0]
    alone = Kriging(landmarks=60, std=False).fuse(scene, generator=torch.Generator().manual_seed(0)).Z_hat
    # the share is told as a whole number of per cents
    torch.testing.assert_close(plain.float(), alone, rtol=0, atol=0.006 * float(apart.abs().max()))
