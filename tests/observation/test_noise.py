"""Noise levels: limits, scaling, orders of bands, masks, the share that disagreement allows; real scenes."""

import math

import pytest
import torch

from hsrdiff.evaluation.protocol import simulate_scene
from hsrdiff.experiments.small_scenes import SmallScene
from hsrdiff.observation import (
    Observation,
    Scene,
    SpatialResponse,
    SpectralResponse,
    estimate_noise_hr,
    estimate_noise_lr,
    image_noise,
    pair_noise,
)
from hsrdiff.observation.image_noise import roughness

BANDS, SIZE = 12, 96


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def observation():
    R = torch.zeros(3, BANDS, dtype=torch.float64)
    for i in range(3):
        R[i, 4 * i : 4 * i + 4] = 1.0
    return Observation(SpectralResponse(R / R.sum(1, keepdim=True)), SpatialResponse.gaussian(4))


def truth():
    """Three materials with waves of five pixels and longer: detail at LR, little of it at the finest scale."""
    rows, columns = torch.meshgrid(torch.arange(SIZE) * 1.0, torch.arange(SIZE) * 1.0, indexing="ij")
    waves = [torch.sin(rows / 4 + columns / 7), torch.cos(columns / 5), torch.sin(rows / 9) * torch.cos(columns / 6)]
    abundances = torch.stack(waves).double() * 0.3 + 0.5
    position = torch.arange(BANDS).double() / BANDS
    spectra = torch.stack([0.3 + position, 1 - position, 0.5 + (3 * position).sin()])
    return torch.einsum("kb,kyx->byx", spectra, abundances)[None]


def pair(sigma_x=0.0, sigma_y=0.0, seen=None):
    X, Y = observation().observe(truth())
    X = X + sigma_x * draw(*X.shape, seed=1)
    Y = Y + sigma_y * draw(*Y.shape, seed=2)
    return Scene(X=X, Y=Y, observation=seen or observation())


@pytest.mark.parametrize("levels", [(0.01, 0.01), (0.03, 0.01), (0.01, 0.03), (0.1, 0.1)])
def test_levels_are_found(levels):
    found = pair_noise(pair(*levels))
    # X weighs little in the disagreement: its level is bought with the uncertainty of that of Y
    assert found.sigma_x == pytest.approx(levels[0], rel=0.33)
    assert found.sigma_y == pytest.approx(levels[1], rel=0.15)


def test_no_noise_is_none_at_all():
    found = pair_noise(pair())
    assert (found.sigma_x, found.sigma_y, found.model_error) == (0.0, 0.0, 0.0)
    assert found.disagreement < 1e-12
    assert found.describe().startswith("none")


def test_noise_common_to_both_images_is_no_disagreement():
    # detail of the scene that looks like noise: both images see it, so that both may be trusted
    Z = truth() + 0.05 * draw(1, BANDS, SIZE, SIZE)
    X, Y = observation().observe(Z)
    assert estimate_noise_lr(Y) > 0.005
    assert estimate_noise_hr(X) > 0.01
    found = pair_noise(Scene(X=X, Y=Y, observation=observation()))
    assert (found.sigma_x, found.sigma_y) == (0.0, 0.0)


def test_wrong_response_without_noise_is_not_trusted():
    found = pair_noise(pair(seen=observation_off()))
    assert found.model_error > 0.01
    assert found.sigma_x >= found.model_error


def observation_off():
    R = observation().spectral.matrix.roll(1, dims=1)
    return Observation(SpectralResponse(R), SpatialResponse.gaussian(4))


def test_variance_of_the_disagreement_is_never_passed():
    scene = pair(0.02, 0.02)
    found = pair_noise(scene)
    gain_y = float(scene.observation.spectral.matrix.square().sum(1).mean())
    gain_x = float(scene.observation.spatial.kernel.square().sum())
    R, D = scene.observation.spectral, scene.observation.spatial
    seen = float((R.apply(scene.Y) - D.apply(scene.X)).square().mean())
    assert gain_y * found.sigma_y**2 + gain_x * found.sigma_x**2 <= seen * (1 + 1e-9)


def test_scaling():
    one = pair(0.02, 0.01)
    other = pair_noise(Scene(X=one.X * 1e4, Y=one.Y * 1e4, observation=one.observation))
    found = pair_noise(one)
    assert other.sigma_x == pytest.approx(1e4 * found.sigma_x, rel=1e-6)
    assert other.sigma_y == pytest.approx(1e4 * found.sigma_y, rel=1e-6)


def test_order_of_bands():
    scene = pair(0.02, 0.01)
    # every band is regressed on all others here, so that their order cannot count
    order = torch.randperm(BANDS, generator=torch.Generator().manual_seed(3))
    assert estimate_noise_lr(scene.Y[:, order]) == pytest.approx(estimate_noise_lr(scene.Y), rel=1e-6)
    # the white noise that the blocks are held against is drawn band by band
    assert estimate_noise_hr(scene.X[:, [2, 0, 1]]) == pytest.approx(estimate_noise_hr(scene.X), rel=0.05)


def test_invalid_pixels_do_not_count():
    scene = pair(0.02, 0.01)
    valid, valid_lr = torch.ones(1, 1, SIZE, SIZE, dtype=torch.bool), torch.ones(1, 1, 24, 24, dtype=torch.bool)
    valid[..., :30, 11:40] = False
    valid_lr[..., 20:, 3:9] = False
    spoilt = Scene(
        X=torch.where(valid, scene.X, torch.nan),
        Y=torch.where(valid_lr, scene.Y, torch.nan),
        valid=valid,
        valid_lr=valid_lr,
        observation=scene.observation,
    )
    wild = Scene(
        X=torch.where(valid, scene.X, 1e6),
        Y=torch.where(valid_lr, scene.Y, -1e6),
        valid=valid,
        valid_lr=valid_lr,
        observation=scene.observation,
    )
    assert pair_noise(spoilt) == pair_noise(wild)
    assert pair_noise(spoilt).sigma_x == pytest.approx(0.02, rel=0.15)
    assert pair_noise(spoilt).sigma_y == pytest.approx(0.01, rel=0.15)


def test_levels_that_are_known_are_kept():
    scene = pair(0.02, 0.01)
    assert pair_noise(scene, 0.0, 0.0).sigma_x == pair_noise(scene, 0.0, 0.0).sigma_y == 0.0
    assert pair_noise(scene, sigma_y=0.01).sigma_y == 0.01
    assert pair_noise(scene, sigma_y=0.01).sigma_x == pytest.approx(0.02, rel=0.15)


def test_images_too_small_for_a_block_have_no_noise_to_show():
    assert estimate_noise_hr(draw(1, 3, 8, 8)) == 0.0
    assert estimate_noise_lr(draw(1, 2, 4, 4)) == 0.0
    assert estimate_noise_hr(draw(1, 3, 2, 9)) == 0.0


def test_white_noise_by_hand():
    # all bands independent: nothing explains anything, and the level is that of the draw
    assert estimate_noise_lr(0.5 * draw(1, 20, 40, 40)) == pytest.approx(0.5, rel=0.03)
    assert estimate_noise_hr(0.5 * draw(1, 4, 96, 96, seed=7)) == pytest.approx(0.5, rel=0.05)


def displaced(columns):
    """The clean pair, Y seen so many fine pixels to the right of where X is."""
    Z = truth()
    X, _ = observation().observe(Z)
    _, Y = observation().observe(Z.roll(-columns, dims=-1))
    inside = torch.ones(1, 1, SIZE, SIZE, dtype=torch.bool)
    inside[..., -8:] = False
    return Scene(X=X, Y=Y, valid=inside, observation=observation())


def test_a_shift_counts_as_noise_of_neither_and_a_wrong_response_as_noise_of_x():
    shifted = pair_noise(displaced(1))
    assert shifted.misplaced > 3 * shifted.model_error
    assert shifted.misplaced > 3 * max(shifted.sigma_x, shifted.sigma_y)
    assert "looks like a shift" in shifted.describe()
    R = observation().spectral.matrix
    other = Observation(SpectralResponse(0.9 * R + 0.1 * R.roll(1, dims=1)), observation().spatial)
    response = pair_noise(pair(seen=other))
    assert response.model_error > 3 * response.misplaced
    assert response.sigma_x > 3 * response.sigma_y


def test_another_psf_is_told_from_another_response():
    """On random texture: the waves of `truth` are eigenfunctions of the Laplacian, which looks like colour there."""
    X, Y = observation().observe(textured())
    sharp = Observation(observation().spectral, SpatialResponse.gaussian(4, sigma=1.2))
    found = pair_noise(Scene(X=X, Y=Y, observation=sharp))
    assert found.misplaced > 2 * found.model_error


def test_noise_alone_is_no_shift():
    found = pair_noise(pair(0.02, 0.01))
    assert found.misplaced < 0.2 * found.sigma_x


@pytest.mark.data
@pytest.mark.parametrize("decibels", [20.0, 30.0, 40.0])
@pytest.mark.parametrize(
    "scene",
    [
        SmallScene("jasper-ridge", "jasper-ridge", 4, "gaussian4", None, 9.5),
        SmallScene("jasper-ridge", "jasper-ridge", 8, "gaussian4", None, 9.5),
        SmallScene("samson", "samson", 4, "gaussian4", None, 3.15),
        SmallScene("aviris-la", "abu-airport-1", 4, "gaussian4", None, 9.5),
        SmallScene("cave", "flowers", 8, None, 256, 10.0),
        SmallScene("cave", "balloons", 4, None, 256, 10.0),
    ],
    ids=lambda scene: scene.label,
)
def test_levels_of_real_scenes_within_a_factor_of_one_and_a_half(scene, decibels):
    cube, seen = scene.load(None)
    made = simulate_scene(cube, seen, snr_x_db=decibels, snr_y_db=decibels, name=scene.label)
    found = pair_noise(made)
    assert 1 / 1.5 < found.sigma_x / made.sigma_x < 1.5
    assert 1 / 1.5 < found.sigma_y / made.sigma_y < 1.5
    clean = pair_noise(simulate_scene(cube, seen, name=scene.label))
    assert (clean.sigma_x, clean.sigma_y) == (0.0, 0.0)
    assert math.isfinite(clean.disagreement)


def textured():
    """Three materials in random texture, rough enough that its Laplacian is more than noise."""
    abundances = torch.nn.functional.avg_pool2d(draw(1, 3, SIZE + 4, SIZE + 4, seed=5), 5, stride=1)[0] + 3.0
    position = torch.arange(BANDS).double() / BANDS
    spectra = torch.stack([0.3 + position, 1 - position, 0.5 + (3 * position).sin()])
    return torch.einsum("kb,kyx->byx", spectra, abundances)[None]


def test_white_noise_of_x_that_its_bands_share_is_found_by_its_disagreement():
    """Seen through D it is small and its neighbours go together as the kernel overlaps: before D it was larger."""
    X, Y = observation().observe(textured())
    noisy = X + 0.05 * draw(1, 1, SIZE, SIZE, seed=3)
    assert estimate_noise_hr(noisy) < 0.02  # regression on the other bands takes it out
    found = pair_noise(Scene(X=noisy, Y=Y, observation=observation()))
    assert found.sigma_x == pytest.approx(0.05, rel=0.3)
    # an error of R, which follows the image, counts as it stands
    wrong = pair_noise(pair(seen=observation_off()))
    assert wrong.sigma_x == pytest.approx(wrong.model_error, rel=0.05)


def test_a_smooth_x_holds_no_white_noise_whatever_the_disagreement():
    """Y alone is off by white noise that it does not seem to have: X is too smooth to be blamed before D."""
    clean = pair()
    off = 0.01 * draw(1, 1, SIZE // 4, SIZE // 4, seed=4)
    found = pair_noise(Scene(X=clean.X, Y=clean.Y + off, observation=observation()))
    seen = 0.01 + 1e-3
    assert found.sigma_x < math.hypot(seen, roughness(clean.X) + 1e-3)


def test_in_strips_the_same_blocks_are_seen(monkeypatch):
    X = draw(1, 3, 130, 96, seed=3)
    valid = torch.ones_like(X[:, :1], dtype=torch.bool)
    valid[..., 90:95, 10:40] = False
    X = torch.where(valid, X, torch.nan)
    whole, seen, quiet = estimate_noise_hr(X, valid), [], image_noise._quiet
    monkeypatch.setattr(image_noise, "_quiet", lambda left: seen.append(left) or quiet(left))
    assert estimate_noise_hr(X, valid) == whole
    monkeypatch.setattr(image_noise, "_STRIP_PIXELS", 96 * 16)
    assert estimate_noise_hr(X, valid) == pytest.approx(whole, rel=0.1)  # held against other draws
    torch.testing.assert_close(seen[2], seen[0], rtol=0, atol=0)
