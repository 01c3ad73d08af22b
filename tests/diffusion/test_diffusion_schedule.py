from fractions import Fraction

import numpy as np
import pytest
import torch
from scipy import stats

from hsrdiff.diffusion import Schedule, inference_schedule, linear_schedule, log_snr_schedule, respace, sample_gamma
from hsrdiff.errors import InputError
from hsrdiff.rng import generator


@pytest.mark.parametrize("schedule", [linear_schedule(), inference_schedule(), inference_schedule(7)])
def test_gammas_fall_from_one_and_are_products_of_alphas(schedule):
    assert schedule.gammas.dtype == torch.float64
    assert schedule.gammas[0] == 1
    assert schedule.alphas[0] == 1
    assert (schedule.gammas.diff() < 0).all()
    torch.testing.assert_close(schedule.gammas, torch.cumprod(schedule.alphas, 0), rtol=1e-12, atol=0)
    torch.testing.assert_close(schedule.gammas + schedule.one_minus_gammas, torch.ones(schedule.steps + 1).double())
    torch.testing.assert_close(schedule.alphas + schedule.one_minus_alphas, torch.ones(schedule.steps + 1).double())


def test_one_minus_gamma_is_exact_to_rounding_near_one():
    schedule = linear_schedule()
    betas = torch.linspace(1e-6, 1e-2, 2000, dtype=torch.float64).tolist()
    gamma = Fraction(1)
    for t in range(1, 20):
        gamma *= 1 - Fraction(betas[t - 1])
        assert float(schedule.one_minus_gammas[t]) == pytest.approx(float(1 - gamma), rel=1e-14)
        assert float(schedule.one_minus_alphas[t]) == pytest.approx(betas[t - 1], rel=1e-12)


def test_three_steps_worked_by_hand():
    schedule = linear_schedule(3, 0.1, 0.5)  # alphas 0.9, 0.7, 0.5
    np.testing.assert_allclose(schedule.gammas, [1, 0.9, 0.63, 0.315], rtol=1e-14)
    np.testing.assert_allclose(schedule.alphas, [1, 0.9, 0.7, 0.5], rtol=1e-14)


def test_defaults_are_the_papers_and_both_end_in_noise():
    training, inference = linear_schedule(), inference_schedule()
    assert (training.steps, inference.steps) == (2000, 100)
    assert float(training.one_minus_alphas[1]) == pytest.approx(1e-6)
    assert float(training.one_minus_alphas[-1]) == pytest.approx(1e-2)
    assert float(inference.one_minus_alphas[-1]) == pytest.approx(0.2)
    for schedule in (training, inference, inference_schedule(3), inference_schedule(1000)):
        assert 0 < float(schedule.gammas[-1]) < 5e-5


def test_respace_keeps_entries_of_the_sequence_with_both_ends():
    schedule = linear_schedule()
    thin = respace(schedule, 7)
    assert thin.steps == 7
    assert thin.gammas[0] == 1
    assert thin.gammas[-1] == schedule.gammas[-1]
    kept = [int((schedule.gammas == gamma).nonzero()) for gamma in thin.gammas]
    assert max(np.diff(kept)) - min(np.diff(kept)) <= 1
    torch.testing.assert_close(thin.one_minus_gammas, schedule.one_minus_gammas[kept], rtol=0, atol=0)


def test_respace_to_the_same_length_changes_nothing():
    schedule = inference_schedule()
    same = respace(schedule, schedule.steps)
    torch.testing.assert_close(same.gammas, schedule.gammas, rtol=0, atol=0)
    torch.testing.assert_close(same.one_minus_alphas, schedule.one_minus_alphas, rtol=0, atol=0)


def test_a_schedule_from_gammas_alone_has_the_same_tables():
    schedule = inference_schedule()
    again = Schedule(schedule.gammas)
    torch.testing.assert_close(again.one_minus_gammas, schedule.one_minus_gammas, rtol=1e-9, atol=0)
    torch.testing.assert_close(again.alphas, schedule.alphas)


def test_section_3_2_3_gamma_is_uniform_inside_uniform_steps():
    schedule = linear_schedule(4, 0.05, 0.6)
    n = 40_000
    gamma = sample_gamma(schedule, n, generator(1, "gamma"))
    assert gamma.shape == (n,)
    assert gamma.dtype == torch.float64
    # the distribution function of the mixture maps its own draws to U(0, 1)
    edges = schedule.gammas.flip(0).numpy()
    placed = np.interp(gamma.numpy(), edges, np.linspace(0, 1, 5))
    assert stats.kstest(placed, "uniform").pvalue > 1e-3
    # the square root of gamma is not uniform inside a step: the choice P6 makes a difference here
    placed = np.interp(gamma.sqrt().numpy(), np.sqrt(edges), np.linspace(0, 1, 5))
    assert stats.kstest(placed, "uniform").pvalue < 1e-3


def test_section_3_2_3_every_image_draws_its_own_level_and_repeats_with_the_seed():
    schedule = linear_schedule()
    gamma = sample_gamma(schedule, 64, generator(2))
    assert len(gamma.unique()) == 64
    torch.testing.assert_close(gamma, sample_gamma(schedule, 64, generator(2)), rtol=0, atol=0)
    assert bool(((gamma > schedule.gammas[-1]) & (gamma <= 1)).all())


@pytest.mark.parametrize(
    "build",
    [
        lambda: linear_schedule(0),
        lambda: linear_schedule(2.5),
        lambda: linear_schedule(10, 0.0, 0.1),
        lambda: linear_schedule(10, 0.1, 1.0),
        lambda: inference_schedule(0),
        lambda: respace(inference_schedule(), 101),
        lambda: Schedule(torch.tensor([1.0, 0.5, 0.5])),
        lambda: Schedule(torch.tensor([0.9, 0.5])),
        lambda: Schedule(torch.tensor([1.0, 0.0])),
        lambda: Schedule(torch.tensor([1.0, float("nan")])),
        lambda: Schedule(torch.tensor([1.0])),
        lambda: Schedule.from_betas(torch.tensor([0.1, 1.2])),
    ],
)
def test_impossible_schedules_are_refused(build):
    with pytest.raises(InputError):
        build()


@pytest.mark.parametrize("steps", [2, 3, 10])
def test_log_snr_steps_are_even_between_their_ends(steps):
    schedule = log_snr_schedule(steps, 0.1, 0.99)
    assert schedule.steps == steps
    assert schedule.gammas[0] == 1
    assert float(schedule.gammas[-1]) == pytest.approx(0.1)
    assert float(schedule.gammas[1]) == pytest.approx(0.99)
    ratios = schedule.log_gammas[1:] - schedule.one_minus_gammas[1:].log()
    torch.testing.assert_close(ratios.diff(), ratios.diff()[:1].expand(steps - 1))


def test_one_log_snr_step_goes_from_the_start_to_the_image():
    schedule = log_snr_schedule(1, 1e-4)
    assert schedule.gammas.tolist() == pytest.approx([1.0, 1e-4])


@pytest.mark.parametrize(("start", "end"), [(0.0, 0.9), (0.9, 0.9), (0.5, 1.0), (-0.1, 0.5)])
def test_log_snr_ends_out_of_range_are_refused(start, end):
    with pytest.raises(InputError, match="start < end"):
        log_snr_schedule(3, start, end)
