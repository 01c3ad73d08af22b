"""Parts that an ablation puts in the place of residual mode's: all bands, the image, plain bases, gamma."""

import pytest
import torch
from fuser_scenes import BANDS, small_scene

from hsrdiff.fusers import Bicubic, RegressionProjected
from hsrdiff.fusers.residual import Coordinates, condition
from hsrdiff.fusers.residual.diffused import ITSELF, UnseenResidual, WholeImage, image_ratio
from hsrdiff.fusers.residual.parts import EVIDENCE
from hsrdiff.networks.ablations.literal_level import LiteralLevelCDFormer
from hsrdiff.networks.residual_cdformer import ResidualCDFormer, ResidualConfig


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def evidence_of(kind, scene):
    return EVIDENCE[kind](scene, None, generator=generator())


def covariance():
    A = torch.randn((BANDS, BANDS), generator=generator(), dtype=torch.float64)
    return A @ A.T


def test_all_bands_cut_nothing_off_and_a_subspace_does():
    R = small_scene().observation.spectral.matrix
    spectra = torch.randn((1, BANDS, 4, 5), generator=generator(1), dtype=torch.float64)
    every = Coordinates.of_bands(covariance())
    torch.testing.assert_close(every.spectra(every.apply(spectra)), spectra)
    few = Coordinates.of(covariance(), R, 2)
    assert (few.spectra(few.apply(spectra)) - spectra).abs().max() > 0.1
    # bands are seen by the guide, directions of the subspace are not
    assert (R @ every.out_of).abs().max() > 0.1
    assert (R @ few.out_of).abs().max() < 1e-12


def test_a_band_counts_in_units_of_its_errors():
    every = Coordinates.of_bands(torch.tensor([[4.0, 0.3], [0.3, 0.25]]))
    c = every.apply(torch.tensor([6.0, 1.0], dtype=torch.float64)[None, :, None, None])
    assert c.flatten().tolist() == [3.0, 2.0]
    assert every.weights.tolist() == [1.0, 1.0]
    assert not Coordinates.of_bands(torch.zeros(3, 3)).into.any()


def test_the_whole_image_is_z_whitened_by_the_base():
    scene = small_scene()
    evidence = evidence_of("regression", scene)
    coordinates = Coordinates.of_bands(covariance())
    given = condition(evidence, coordinates)
    image = WholeImage.about(evidence, coordinates, given)
    c = coordinates.apply(scene.Z - evidence.base) / given.scale
    mean = evidence.base.mean(dim=(2, 3), keepdim=True)
    deviation = (evidence.base - mean).square().mean(dim=(2, 3), keepdim=True).sqrt()
    torch.testing.assert_close(image.of(c), (scene.Z - mean) / deviation, atol=1e-4, rtol=0)
    torch.testing.assert_close(image.residual(image.of(c)), c, atol=1e-4, rtol=0)
    assert torch.equal(image.of(torch.zeros_like(c)), image.base)


def test_noise_hides_of_the_residual_what_a_gaussian_has_left():
    """z = e + a c and noise of variance 1 - gamma: one number each way by the formula of two Gaussians."""
    gamma = torch.tensor([0.5, 0.99], dtype=torch.float64)
    whole = WholeImage(torch.zeros((2, 2, 3, 3)), torch.tensor([0.1, 1.0])[None, :, None, None].double())
    left = whole.hidden(gamma)[..., 0, 0]
    for n, g in enumerate((0.5, 0.99)):
        for r, a in enumerate((0.1, 1.0)):
            precision = 1.0 + g * a**2 / (1.0 - g)
            assert float(left[n, r]) == pytest.approx(precision**-0.5)
    torch.testing.assert_close(left[:, 1], ITSELF.hidden(gamma)[:, 0, 0, 0])


def test_a_band_without_light_is_no_larger_than_its_errors():
    scene = small_scene()
    evidence = evidence_of("upsampled", scene)
    evidence.base[:, 2] = 0.25
    ratio = image_ratio(evidence, Coordinates.of_bands(covariance()), 1e-3)
    assert ratio.shape == (BANDS, 1, 1)
    assert float(ratio[2]) == 1.0
    assert float(ratio.max()) <= 1.0


def test_what_y_has_said_is_taken_from_one_and_left_to_the_other():
    scene = small_scene()
    evidence = evidence_of("regression", scene)
    c = torch.randn((1, 2, *scene.X.shape[-2:]), generator=generator())
    D = scene.observation.spatial
    assert D.apply(UnseenResidual(evidence).of(c)).abs().max() < 1e-5
    assert D.apply(ITSELF.of(c)).abs().max() > 0.1
    assert torch.equal(ITSELF.residual(c), c)


@pytest.mark.parametrize(("kind", "fuser"), [("regression", RegressionProjected()), ("upsampled", Bicubic())])
def test_bases_without_kriging_are_those_of_the_methods(kind, fuser):
    scene = small_scene()
    evidence = evidence_of(kind, scene)
    torch.testing.assert_close(evidence.base, fuser.fuse(scene, generator=generator()).Z_hat)
    assert not evidence.plain.any()
    assert not evidence.regressed.any()
    surprise = evidence.surprise.double().square().mean(dim=(2, 3)).flatten()
    torch.testing.assert_close(surprise, evidence.covariance.diagonal(), rtol=1e-4, atol=0)


@pytest.mark.parametrize("kind", ["regression", "upsampled"])
def test_their_errors_are_expected_in_units_of_the_scene(kind):
    one, thrice = small_scene(), small_scene()
    thrice.X.mul_(3.0)
    thrice.Y.mul_(3.0)
    coordinates = Coordinates.of_bands(covariance())
    sizes = [evidence_of(kind, scene).scale(coordinates) for scene in (one, thrice)]
    assert sizes[1] == pytest.approx(3.0 * sizes[0], rel=1e-3)
    channels = [condition(evidence_of(kind, scene), coordinates).channels for scene in (one, thrice)]
    torch.testing.assert_close(*channels, atol=1e-3, rtol=1e-3)


def test_invalid_pixels_are_filled_and_say_nothing():
    scene = small_scene()
    valid_lr = torch.ones((1, 1, *scene.Y.shape[-2:]), dtype=torch.bool)
    valid_lr[..., 1, 1] = False
    scene.Y[..., 1, 1] = torch.nan
    for kind in ("regression", "upsampled"):
        evidence = EVIDENCE[kind](type(scene)(**{**vars(scene), "valid_lr": valid_lr}), None, generator=generator())
        assert torch.isfinite(evidence.base).all()
        assert torch.isfinite(evidence.surprise).all()
        assert float(evidence.precision[0, 0, 1, 1]) == 0.0


def test_lr_pixels_are_foretold_by_their_four_neighbours():
    scene = small_scene()
    Y, left_out = scene.Y, evidence_of("upsampled", scene).left_out
    expected = Y[0, 3, 1, 2] - (Y[0, 3, 0, 2] + Y[0, 3, 2, 2] + Y[0, 3, 1, 1] + Y[0, 3, 1, 3]) / 4
    assert float(left_out[0, 3, 1, 2]) == pytest.approx(float(expected), abs=1e-6)


def test_the_literal_network_reads_noise_and_gamma_as_they_are():
    config = ResidualConfig(coordinates=2, conditions=5, channels=8, layers=1, window=4)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        usual, literal = ResidualCDFormer(config).eval(), LiteralLevelCDFormer(config).eval()
    literal.load_state_dict(usual.state_dict())
    for network in (usual, literal):
        torch.nn.init.normal_(network.reconstruct.weight, generator=generator())
    channels = torch.randn((1, 5, 8, 8), generator=generator())
    one, other = (torch.randn((1, 2, 8, 8), generator=generator(k)) for k in (1, 2))

    def apart(network, gamma):
        level = torch.tensor([gamma], dtype=torch.float64)
        with torch.no_grad():
            return float((network(channels, one, level) - network(channels, other, level)).abs().max())

    # pure noise does not reach the usual network, and a clean image is its own estimate
    assert apart(usual, 1e-12) < 1e-4
    assert apart(literal, 1e-12) > 1e-2
    with torch.no_grad():
        clean = torch.tensor([1.0], dtype=torch.float64)
        torch.testing.assert_close(usual(channels, one, clean), one)
        assert (literal(channels, one, clean) - one).abs().max() > 1e-2
    assert [network.ds[0].inject.scale for network in (usual, literal)] == [50.0, 1.0]
    # an answer of the stream alone: with nothing to reconstruct the estimate is 0
    torch.nn.init.zeros_(literal.reconstruct.weight)
    torch.nn.init.zeros_(literal.reconstruct.bias)
    assert not literal(channels, one, clean).any()
