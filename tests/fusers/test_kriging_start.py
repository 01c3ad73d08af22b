"""Where the constants start: one kernel for two and three guide bands, the mean of two for one band and for more."""

import dataclasses
import math

import pytest
import torch
from fuser_scenes import small_scene

from hsrdiff.fusers.kriging import Kriging, SpectralKernel
from hsrdiff.fusers.kriging.stacking import Estimate, average
from hsrdiff.fusers.kriging.start import COLOURED, PANCHROMATIC, Start, second_share, starting_points
from hsrdiff.fusers.kriging.system import solve_features
from hsrdiff.observation import Observation, SpectralResponse


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def panchromatic(scene):
    R = scene.observation.spectral.matrix.mean(dim=0, keepdim=True)
    observation = Observation(SpectralResponse(R), scene.observation.spatial)
    X, Y = observation.observe(scene.Z)
    return dataclasses.replace(scene, X=X, Y=Y, observation=observation)


def fuse(scene, starts=None, **options):
    method = Kriging(landmarks=60, std=False, **options)
    method.starts = starts
    return method.fuse(scene, generator=generator())


@pytest.mark.parametrize("bands", [2, 3])
def test_a_guide_of_two_or_three_bands_has_one_kernel_as_shipped(bands):
    assert starting_points(bands) == (Start(SpectralKernel()),)


def test_with_more_bands_the_constants_as_shipped_are_averaged_with_those_of_the_scene():
    scene = small_scene(4)
    tuned = fuse(scene, COLOURED)
    shipped = fuse(scene, tune=False)
    assert "averaged" not in shipped.notes["kernel"]  # the same twice is one
    assert float((tuned.Z_hat - shipped.Z_hat).abs().max()) > 1e-5
    both = fuse(scene)
    # all draw the same landmarks after the tuning's samples, which the untuned one does not draw
    alone = fuse(scene, (Start(SpectralKernel(), prior=math.inf),))
    assert alone.notes["kernel"].split(": ")[1] == shipped.notes["kernel"].split(": ")[1]
    share = second_share(4, scene.Y[0, 0].numel())
    assert 0.1 < share < 0.5
    torch.testing.assert_close(both.Z_hat, (1 - share) * tuned.Z_hat + share * alone.Z_hat, rtol=0, atol=1e-6)
    assert f"averaged with {100 * share:.0f} % of colour" in both.notes["kernel"]


def test_the_shipped_constants_count_for_less_with_more_bands_and_on_fewer_pixels():
    assert second_share(1, 10) == second_share(1, 10**6) == 0.5
    assert second_share(4, 50) == pytest.approx(0.25)  # half of 2/4
    assert second_share(8, 150) == pytest.approx(0.25 * 0.75)
    assert second_share(4, 50, noise=0.003) == pytest.approx(0.125)
    assert second_share(4, 10**9, noise=0.03) < 0.005
    assert second_share(1, 50, noise=0.03) == 0.5
    shares = [[second_share(bands, pixels) for pixels in (1, 64, 10**3, 10**9)] for bands in (4, 6, 8, 100)]
    assert all(row == sorted(row) and row[0] > 0 and row[-1] <= 0.5 for row in shares)
    assert all(list(column) == sorted(column, reverse=True) for column in zip(*shares, strict=True))


def test_the_noise_that_is_told_takes_the_shipped_constants_away():
    scene = dataclasses.replace(small_scene(4), sigma_y=0.1)
    assert "averaged" in fuse(small_scene(4)).notes["kernel"]
    assert "averaged" not in fuse(scene).notes["kernel"]


@pytest.mark.parametrize("tune", [False, True])
def test_a_panchromatic_result_is_the_mean_of_both_kernels(tune):
    scene = panchromatic(small_scene())
    both = fuse(scene, tune=tune)
    each = [fuse(scene, (start,), tune=tune).Z_hat for start in PANCHROMATIC]
    assert float((each[0] - each[1]).abs().max()) > 1e-5
    # the projection is affine, so the mean of consistent estimates is the consistent mean
    torch.testing.assert_close(both.Z_hat, (each[0] + each[1]) / 2, rtol=0, atol=1e-6)
    assert "averaged with" in both.notes["kernel"]


def test_errors_of_a_mean_are_the_mean_of_errors_and_of_an_estimate_with_itself_the_same():
    F = torch.rand((20, 6), generator=generator(), dtype=torch.float64) - 0.5
    Y = torch.rand((20, 3), generator=generator(1), dtype=torch.float64)
    estimates = []
    for noise in (0.1, 1.0):
        system = solve_features(F, torch.full((20,), noise).double(), Y)
        estimates.append(Estimate(F @ system.weights, torch.full((20,), 0.2).double(), system))
    mean = average(*estimates)
    torch.testing.assert_close(mean.spectra, (estimates[0].spectra + estimates[1].spectra) / 2)
    errors = [estimate.system.left_out for estimate in estimates]
    torch.testing.assert_close(mean.system.left_out, (errors[0] + errors[1]) / 2)
    same = average(estimates[0], estimates[0])
    level = float(estimates[0].system.scale().mean())
    torch.testing.assert_close(same.variance * same.system.scale().mean(), estimates[0].variance * level)
