"""Coordinates, evidence and condition: null spaces, whitening, signs, units."""

import dataclasses

import pytest
import torch
from fuser_scenes import BANDS, small_scene

from hsrdiff.fusers.kriging import KrigingLearned
from hsrdiff.fusers.residual import (
    Coordinates,
    Evidence,
    ResidualModel,
    ResidualModelConfig,
    channel_count,
    condition,
)
from hsrdiff.fusers.residual.condition import NOISE
from hsrdiff.fusers.residual.evidence import REACH

MSI = 2


def covariance(seed=0):
    g = torch.Generator().manual_seed(seed)
    root = torch.randn((BANDS, BANDS), generator=g, dtype=torch.float64)
    return root @ root.T


@pytest.fixture
def scene():
    return small_scene(MSI, dtype=torch.float64)


@pytest.fixture
def evidence(scene, kernel_weights):
    return gather(scene, kernel_weights)


def gather(scene, kernel_weights):
    base = KrigingLearned(weights=kernel_weights, std=False)
    return Evidence.of(scene, base, generator=torch.Generator().manual_seed(1))


def test_what_is_added_in_coordinates_the_guide_does_not_see(scene):
    R = scene.observation.spectral.matrix
    coordinates = Coordinates.of(covariance(), R, 3)
    torch.testing.assert_close(R @ coordinates.out_of, torch.zeros(MSI, 3, dtype=torch.float64), atol=1e-12, rtol=0)
    torch.testing.assert_close(coordinates.into @ coordinates.out_of, torch.eye(3, dtype=torch.float64))


def test_coordinates_of_errors_have_unit_variance_and_all_of_them_lose_nothing(scene):
    R = scene.observation.spectral.matrix
    C = covariance()
    unseen = BANDS - MSI
    coordinates = Coordinates.of(C, R, unseen)
    hidden = torch.eye(BANDS, dtype=torch.float64) - torch.linalg.pinv(R) @ R
    errors = hidden @ C @ hidden
    spread = coordinates.into @ errors @ coordinates.into.T
    torch.testing.assert_close(spread, torch.eye(unseen, dtype=torch.float64), atol=1e-9, rtol=0)
    torch.testing.assert_close(coordinates.out_of @ coordinates.into @ hidden, hidden, atol=1e-9, rtol=0)
    assert float(coordinates.weights.mean()) == pytest.approx(1.0)
    assert (coordinates.weights.diff() <= 0).all()


def test_more_coordinates_than_are_unseen_are_zero(scene):
    coordinates = Coordinates.of(covariance(), scene.observation.spectral.matrix, BANDS)
    unseen = BANDS - MSI
    assert not coordinates.into[unseen:].any()
    assert not coordinates.out_of[:, unseen:].any()
    assert not coordinates.weights[unseen:].any()
    assert torch.isfinite(coordinates.into).all()


def test_coordinates_do_not_depend_on_the_signs_that_an_eigensolver_gives(scene, monkeypatch):
    R = scene.observation.spectral.matrix
    model = ResidualModel(ResidualModelConfig.of("scene", BANDS, MSI, coordinates=3, channels=8, layers=1, window=4))
    exact, solve = model.coordinates(covariance(), R), torch.linalg.eigh

    def turned(matrix):  # each sign by itself
        values, vectors = solve(matrix)
        return values, vectors * torch.tensor([1.0, -1.0]).repeat(BANDS)[:BANDS]

    monkeypatch.setattr(torch.linalg, "eigh", turned)
    other = model.coordinates(covariance(), R)
    torch.testing.assert_close(other.into, exact.into)
    torch.testing.assert_close(other.out_of, exact.out_of)


def test_directions_without_errors_are_left_to_the_base(scene):
    # two directions of errors, and rounding in all others
    R = scene.observation.spectral.matrix
    root = torch.randn((BANDS, 2), dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    C = root @ root.T
    rounded = C + 1e-12 * covariance()
    exact, found = Coordinates.of(C, R, 3), Coordinates.of(rounded, R, 3)
    assert found.weights[1] > 0
    for coordinates in (exact, found):
        assert not coordinates.weights[2]
        assert not coordinates.into[2].any()
        assert not coordinates.out_of[:, 2].any()
    # so that what else there is of spectra does not count as many times the errors
    hidden = torch.eye(BANDS, dtype=torch.float64) - torch.linalg.pinv(R) @ R
    levels = (hidden @ C @ hidden).diagonal().sqrt()
    assert float(found.into.norm() * levels.max()) < 1e3
    torch.testing.assert_close(found.out_of.abs(), exact.out_of.abs(), atol=1e-5, rtol=1e-4)


def test_an_image_goes_into_coordinates_and_back(scene):
    coordinates = Coordinates.of(covariance(), scene.observation.spectral.matrix, 2)
    c = torch.randn((1, 2, 3, 4), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(coordinates.apply(coordinates.spectra(c)), c)


def test_the_base_is_kriging_learned_and_its_companions_are_differences(scene, evidence, kernel_weights):
    generator = torch.Generator().manual_seed(1)
    fusion = KrigingLearned(weights=kernel_weights, std=False).fuse(scene, generator=generator)
    torch.testing.assert_close(evidence.base, fusion.Z_hat)
    X, Y = scene.observation.observe(evidence.base)
    torch.testing.assert_close(X, scene.X, atol=1e-6, rtol=0)
    torch.testing.assert_close(Y, scene.Y, atol=1e-6, rtol=0)
    assert evidence.plain.shape == evidence.regressed.shape == evidence.base.shape
    assert evidence.surprise.shape == scene.Y.shape
    # standardised leave-one-out errors have the size that their covariance says
    power = evidence.surprise.double().square().mean(dim=(0, 2, 3))
    torch.testing.assert_close(power, evidence.covariance.diagonal(), rtol=1e-4, atol=0)


def test_what_d_does_not_see_stays_and_the_rest_goes(scene, evidence):
    image = torch.randn((1, 3, *evidence.size), dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    unseen = evidence.unseen(image)
    assert scene.observation.spatial.apply(unseen).abs().max() < 1e-8
    torch.testing.assert_close(evidence.unseen(unseen), unseen, atol=1e-8, rtol=0)


@pytest.mark.parametrize(("spectrum", "noise"), [(False, False), (True, False), (False, True)])
def test_the_condition_has_the_promised_channels_of_moderate_size(scene, evidence, spectrum, noise):
    coordinates = Coordinates.of(evidence.covariance, scene.observation.spectral.matrix, 3)
    given = condition(evidence, coordinates, spectrum=spectrum, noise=noise)
    assert given.channels.shape == (1, channel_count(3, BANDS if spectrum else 0, noise=noise), *evidence.size)
    assert torch.isfinite(given.channels).all()
    assert given.channels.abs().max() < 20
    assert given.scale > 0


def test_brighter_images_give_the_same_condition_and_a_larger_unit(scene, evidence, kernel_weights):
    bright = dataclasses.replace(scene, X=8 * scene.X, Y=8 * scene.Y, Z=None)
    other = gather(bright, kernel_weights)
    R = scene.observation.spectral.matrix
    one, two = (condition(e, Coordinates.of(covariance(), R, 3)) for e in (evidence, other))
    # the coordinates are kept: their unit grows
    torch.testing.assert_close(two.scale, 8 * one.scale, rtol=1e-4, atol=0)
    # the surprise is in units of the bands' factors, which grow
    same = [i for i in range(one.channels.shape[1]) if not 6 <= i < 9]
    torch.testing.assert_close(two.channels[:, same], one.channels[:, same], rtol=0, atol=2e-3)


def noise_of(evidence, coordinates):
    """What the condition says of X and of Y, the same in all pixels."""
    channels = condition(evidence, coordinates, noise=True).channels[0, -NOISE:]
    torch.testing.assert_close(channels, channels[:, :1, :1].expand_as(channels))
    return channels[:, 0, 0].tolist()


def test_parts_of_noise_by_hand(scene, evidence):
    """Sigma over the guide's detail, what D does not see, and over the leave-one-out errors; at most 1."""
    coordinates = Coordinates.of(evidence.covariance, scene.observation.spectral.matrix, 3)
    assert noise_of(evidence, coordinates) == [0.0, 0.0]
    seen = scene.observation.spatial.apply(scene.X)
    # D+ by an independent road: the least image that D brings to the same
    D = scene.observation.spatial.apply(torch.eye(scene.X[0, 0].numel()).double().reshape(-1, 1, *evidence.size))
    least = torch.linalg.lstsq(D.flatten(1).T, seen.double().flatten(2)[0].T, driver="gelsd").solution
    plus = least.T.reshape(scene.X.shape)
    detail = float((scene.X.double() - plus).square().mean().sqrt())
    errors = float(evidence.left_out.double().square().mean().sqrt())
    for part, expected in ((0.25, 0.25), (5.0, 1.0)):
        noisy = dataclasses.replace(scene, sigma_x=part * detail, sigma_y=0.5 * part * errors)
        x, y = noise_of(dataclasses.replace(evidence, scene=noisy), coordinates)
        assert x == pytest.approx(expected, rel=1e-4)
        assert y == pytest.approx(min(1.0, 0.5 * part), rel=1e-4)


def test_a_flipped_coordinate_flips_its_five_channels(scene, evidence):
    coordinates = Coordinates.of(evidence.covariance, scene.observation.spectral.matrix, 3)
    sign = torch.tensor([1.0, -1.0, 1.0], dtype=torch.float64)
    flipped = dataclasses.replace(coordinates, into=sign[:, None] * coordinates.into, out_of=coordinates.out_of * sign)
    one, two = condition(evidence, coordinates), condition(evidence, flipped)
    expected = one.channels.clone()
    expected[:, 1:15:3] *= -1
    torch.testing.assert_close(two.channels, expected)


def test_optics_by_hand(evidence):
    """On a plane the Laplacian is 0 and the radial slope is the plane's slope times the distance from the axis."""
    rows, columns = torch.meshgrid(torch.arange(16.0), torch.arange(24.0), indexing="ij")
    plane = (2 * rows + 3 * columns + 1).expand(1, BANDS, -1, -1).double()
    optics = dataclasses.replace(evidence, base=plane, axis=(4.0, 10.0)).optics()
    expected = (2 * (rows - 4) + 3 * (columns - 10)) / REACH
    inside = (slice(None), slice(None), slice(1, -1), slice(1, -1))
    torch.testing.assert_close(optics[:, :BANDS][inside], expected.double().expand(1, BANDS, -1, -1)[inside])
    torch.testing.assert_close(optics[:, BANDS:][inside], torch.zeros(1, BANDS, 14, 22, dtype=torch.float64))


def test_optics_are_what_a_larger_picture_changes(evidence):
    """To first order, enlarging a smooth image about the axis by 1 + a changes it by -a times the radial slope."""
    a, axis = 0.01, (7.5, 11.5)
    rows, columns = torch.meshgrid(torch.arange(16.0).double(), torch.arange(24.0).double(), indexing="ij")

    def image(scale):
        y, x = axis[0] + (rows - axis[0]) / scale, axis[1] + (columns - axis[1]) / scale
        return (torch.sin(y / 5) * torch.cos(x / 7)).expand(1, BANDS, -1, -1)

    slopes = dataclasses.replace(evidence, base=image(1.0), axis=axis).optics()[:, :BANDS]
    change = image(1 + a) - image(1.0)
    inside = (slice(None), slice(None), slice(1, -1), slice(1, -1))
    torch.testing.assert_close(change[inside], (-a * REACH * slopes)[inside], atol=4e-4, rtol=0)
    assert change[inside].abs().max() > 5e-3


def test_only_networks_of_one_pair_of_sensors_see_the_optics(scene, evidence):
    coordinates = Coordinates.of(evidence.covariance, scene.observation.spectral.matrix, 3)
    assert condition(evidence, coordinates).optics.shape == (1, 0, *evidence.size)
    seen = condition(evidence, coordinates, spectrum=True)
    assert seen.optics.shape == (1, 2 * BANDS, *evidence.size)
    # in units of the bands' errors: levels of the coordinates times the scale
    levels = coordinates.out_of.square().sum(dim=1).sqrt()
    unit = seen.scale * torch.cat([levels, levels])[:, None, None]
    torch.testing.assert_close(seen.optics.double() * unit, evidence.optics(), rtol=1e-4, atol=1e-7)
