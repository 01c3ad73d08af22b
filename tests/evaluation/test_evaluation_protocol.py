"""From a cube to a scene: Eq. (1), cropping, masks, noise."""

import math

import numpy as np
import pytest
import torch

from hsrdiff.cubes import as_cube
from hsrdiff.errors import InputError, InvalidValueError, ShapeError
from hsrdiff.evaluation import Truth, dataset_scene, measured_scene, simulate_scene, truth_digest, truth_scene
from hsrdiff.fusers.masking import fill_invalid
from hsrdiff.observation import Observation, SpatialResponse, SpectralResponse

OBSERVATION = Observation(SpectralResponse(np.array([[0.5, 0.5, 0.0], [0.0, 0.25, 0.75]])), SpatialResponse.gaussian(4))
WAVELENGTHS_NM = np.array([500.0, 600.0, 700.0])


def cube_of(height=16, width=12, seed=0):
    values = np.random.default_rng(seed).random((3, height, width)).astype(np.float32)
    return as_cube(values, wavelengths_nm=WAVELENGTHS_NM)


def test_without_noise_the_pair_is_eq_1():
    scene = simulate_scene(cube_of(), OBSERVATION, name="made up")
    rms_x, rms_y = OBSERVATION.residuals(scene.Z, scene.X, scene.Y)
    assert max(rms_x, rms_y) < 1e-7
    assert scene.X.dtype == scene.Y.dtype == scene.Z.dtype == torch.float32
    assert (scene.sigma_x, scene.sigma_y) == (0.0, 0.0)
    assert scene.valid is None
    assert scene.valid_lr is None
    np.testing.assert_array_equal(scene.wavelengths_nm, WAVELENGTHS_NM)
    assert scene.name == "made up"


def test_incomplete_blocks_are_left_out_and_the_cube_is_untouched():
    cube = cube_of(19, 14)
    before = cube.values.copy()
    scene = simulate_scene(cube, OBSERVATION)
    assert scene.Z.shape == (1, 3, 16, 12)
    np.testing.assert_array_equal(scene.Z[0], before[:, :16, :12])
    np.testing.assert_array_equal(cube.values, before)


def test_dimension_order_does_not_matter():
    cube = cube_of()
    turned = simulate_scene(cube.transpose("y", "x", "band"), OBSERVATION)
    assert torch.equal(turned.X, simulate_scene(cube, OBSERVATION).X)


def test_an_invalid_band_makes_the_pixel_and_all_blocks_it_is_blurred_into_invalid():
    cube = cube_of()
    cube[1, 7, 2] = np.nan  # row 7 is in block row 1 and, two pixels of halo, in the PSF of block row 2
    scene = simulate_scene(cube, OBSERVATION)
    assert (~scene.valid).nonzero().tolist() == [[0, 0, 7, 2]]
    assert (~scene.valid_lr).nonzero().tolist() == [[0, 0, r, c] for r in (1, 2) for c in (0, 1)]
    assert torch.isnan(scene.X[0, :, 7, 2]).all()
    assert torch.isnan(scene.Y[~scene.valid_lr.expand_as(scene.Y)]).all()
    clean = simulate_scene(cube_of(), OBSERVATION)
    both = scene.valid_lr.expand_as(scene.Y)
    assert torch.equal(scene.Y[both], clean.Y[both])


@pytest.mark.parametrize("block", [1, 2**25])
def test_what_is_read_in_pieces_is_eq_1_of_the_whole(block, monkeypatch):
    monkeypatch.setattr("hsrdiff.evaluation.protocol.BLOCK_BYTES", block)
    Z = torch.rand((1, 7, 24, 20), generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    observation = Observation(SpectralResponse(torch.rand((2, 7)) / 7), SpatialResponse.gaussian(4))
    hidden = torch.zeros((1, 1, 24, 20), dtype=torch.bool)
    hidden[..., 3:9, 5:8] = True
    whole = fill_invalid(Z, ~hidden)
    X, Y = observation.observe(whole)
    scene = simulate_scene(as_cube(Z.masked_fill(hidden, torch.nan)[0].numpy().astype(np.float32)), observation)
    seen, seen_lr = ~hidden, scene.valid_lr
    torch.testing.assert_close(scene.X.double()[:, :, seen[0, 0]], X[:, :, seen[0, 0]], rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(scene.Y.double()[:, :, seen_lr[0, 0]], Y[:, :, seen_lr[0, 0]], rtol=1e-6, atol=1e-7)
    assert torch.isnan(scene.Z[:, :, hidden[0, 0]]).all()
    torch.testing.assert_close(scene.Z[:, :, seen[0, 0]], Z.float()[:, :, seen[0, 0]], rtol=0, atol=0)


def test_noise_has_the_snr_asked_for_and_its_own_seed():
    cube = cube_of(64, 64)
    clean = simulate_scene(cube, OBSERVATION, name="a")
    noisy = simulate_scene(cube, OBSERVATION, snr_x_db=30.0, snr_y_db=20.0, seed=1, name="a")
    for got, truth, sigma, snr_db in (
        (noisy.X, clean.X, noisy.sigma_x, 30.0),
        (noisy.Y, clean.Y, noisy.sigma_y, 20.0),
    ):
        noise = (got - truth).double()
        measured_db = 10 * math.log10(float(truth.double().square().mean() / noise.square().mean()))
        assert measured_db == pytest.approx(snr_db, abs=0.6)
        assert float(noise.std()) == pytest.approx(sigma, rel=0.07)
    again = simulate_scene(cube, OBSERVATION, snr_x_db=30.0, snr_y_db=20.0, seed=1, name="a")
    assert torch.equal(noisy.X, again.X)
    assert torch.equal(noisy.Y, again.Y)
    for other in ({"seed": 2, "name": "a"}, {"seed": 1, "name": "b"}):
        assert not torch.equal(noisy.X, simulate_scene(cube, OBSERVATION, snr_x_db=30.0, **other).X)
    only_y = simulate_scene(cube, OBSERVATION, snr_y_db=20.0, seed=1, name="a")
    assert torch.equal(only_y.Y, noisy.Y)
    assert torch.equal(only_y.X, clean.X)


def test_refusals():
    with pytest.raises(ShapeError, match="smaller than one block"):
        simulate_scene(cube_of(3, 12), OBSERVATION)
    hollow = cube_of()
    hollow[:, ::4, ::4] = np.nan
    with pytest.raises(InvalidValueError, match="reaches an invalid one"):
        simulate_scene(hollow, OBSERVATION)


def test_a_data_set_brings_its_own_protocol():
    pytest.importorskip("tensorly")
    from hsrdiff.datasets import IndianPines

    scene = dataset_scene(IndianPines(), "northeast")
    assert scene.name == "indian-pines/northeast"
    assert scene.X.shape == (1, 6, 72, 64)
    assert scene.Y.shape == (1, 176, 18, 16)
    assert max(scene.observation.residuals(scene.Z, scene.X, scene.Y)) < 1e-6


def test_digest_follows_what_decides_the_scene_and_nothing_else():
    cube = cube_of()
    known = truth_digest(cube, OBSERVATION)
    assert truth_digest(cube.copy(deep=True).rename("another name"), OBSERVATION) == known
    rounded = Observation(SpectralResponse(OBSERVATION.spectral.matrix * (1 + 1e-12)), OBSERVATION.spatial)
    assert truth_digest(cube, rounded) == known
    touched = cube.copy(deep=True)
    touched[2, 3, 4] += 1e-4
    moved = cube.assign_coords(wavelength=("band", WAVELENGTHS_NM + 1))
    other_r = Observation(SpectralResponse(np.array([[0.5, 0.4, 0.1], [0.0, 0.25, 0.75]])), OBSERVATION.spatial)
    other_d = Observation(OBSERVATION.spectral, SpatialResponse.block_mean(4))
    other_border = Observation(OBSERVATION.spectral, SpatialResponse.gaussian(4, border="circular"))
    others = [
        truth_digest(touched, OBSERVATION),
        truth_digest(moved, OBSERVATION),
        *(truth_digest(cube, observation) for observation in (other_r, other_d, other_border)),
    ]
    assert len({known, *others}) == 6


def guide_of(cube, gain=1.0):
    return as_cube(gain * np.einsum("bB,Byx->byx", OBSERVATION.spectral.matrix.numpy(), cube.values))


def test_a_guide_that_is_r_z_gives_the_simulated_scene():
    cube = cube_of(18, 13)
    scene = measured_scene(cube, guide_of(cube), OBSERVATION, name="a")
    simulated = simulate_scene(cube, OBSERVATION, name="a")
    torch.testing.assert_close(scene.X, simulated.X)
    assert torch.equal(scene.Y, simulated.Y)
    assert torch.equal(scene.Z, simulated.Z)
    assert scene.sigma_x < 1e-6
    assert scene.valid is None
    np.testing.assert_array_equal(scene.wavelengths_nm, WAVELENGTHS_NM)


def test_a_guide_that_disagrees_is_taken_as_it_is_and_known_to_be_noisy():
    cube = cube_of(64, 64)
    noise = 0.05 * np.random.default_rng(5).standard_normal((2, 64, 64)).astype(np.float32)
    guide = guide_of(cube) + noise
    scene = truth_scene(Truth(cube, OBSERVATION, guide), name="a")
    np.testing.assert_array_equal(scene.X[0], guide)
    assert torch.equal(scene.Y, simulate_scene(cube, OBSERVATION).Y)
    assert scene.sigma_y == 0.0
    assert scene.sigma_x > 0.0


def test_a_pixel_invalid_in_one_image_is_invalid_in_both():
    cube, turned = cube_of(), cube_of().transpose("y", "x", "band")
    guide = guide_of(cube)
    guide[1, 5, 5] = np.nan
    turned[3, 9, 0] = np.nan
    scene = measured_scene(turned, guide, OBSERVATION)
    assert (~scene.valid).nonzero().tolist() == [[0, 0, 3, 9], [0, 0, 5, 5]]
    for image in (scene.X, scene.Z):
        assert torch.equal(torch.isfinite(image).all(dim=1, keepdim=True), scene.valid)
    assert not scene.valid_lr[0, 0, 1, 1]


def test_a_guide_that_does_not_fit_is_refused():
    cube = cube_of()
    with pytest.raises(ShapeError, match="16 x 8 pixels; expected 16 x 12"):
        measured_scene(cube, guide_of(cube)[:, :, :8], OBSERVATION)
    with pytest.raises(ShapeError, match="1 multispectral"):
        measured_scene(cube, guide_of(cube)[:1], OBSERVATION)
    with pytest.raises(InputError, match="which was measured"):
        truth_scene(Truth(cube, OBSERVATION, guide_of(cube)), snr_x_db=30.0)


def test_a_measured_guide_is_part_of_the_digest():
    cube = cube_of()
    digests = {truth_digest(cube, OBSERVATION, guide) for guide in (None, guide_of(cube), guide_of(cube, 1.01))}
    assert len(digests) == 3
