import itertools
import math

import pytest
import torch
from denoisers import bent_denoiser, draw

from hsrdiff.diffusion import (
    SAMPLERS,
    ancestral,
    ancestral_posterior,
    ddim,
    inference_schedule,
    linear_schedule,
    log_snr_schedule,
    multistep,
    posterior,
    respace,
    samplers,
)
from hsrdiff.errors import InputError, ShapeError
from hsrdiff.rng import generator, normal_like

DATA_MEAN, DATA_STD = 0.3, 0.1


def gaussian_denoiser(schedule):
    """E[Z_0 | Z_t] for data N(DATA_MEAN, DATA_STD^2)."""
    noise_of = dict(zip(schedule.gammas.tolist(), schedule.one_minus_gammas.tolist(), strict=True))

    def denoise(Z_t, gamma):
        g = float(gamma[0])
        gain = math.sqrt(g) * DATA_STD**2 / (g * DATA_STD**2 + noise_of[g])
        return DATA_MEAN + gain * (Z_t - math.sqrt(g) * DATA_MEAN)

    return denoise


def measured_moments(sampler, schedule, monkeypatch):
    """Mean and variance of the sampler's result, exactly: it is affine in Z_T and the noises.

    Row 0 is given zeros for everything, row 1 an impulse in Z_T, row k an impulse in the (k-1)-th noise drawn.
    """
    rows = schedule.steps + 1
    drawn = []

    def impulse(reference, generator):
        drawn.append(1)
        noise = torch.zeros_like(reference)
        noise[len(drawn) + 1] = 1.0
        return noise

    Z_T = torch.zeros(rows, 1, 1, 1, dtype=torch.float64)
    Z_T[1] = 1.0
    with monkeypatch.context() as patch:
        patch.setattr(samplers, "normal_like", impulse)
        out = sampler(gaussian_denoiser(schedule), Z_T, schedule, generator=generator(0)).flatten()
    return float(out[0]), float(((out[1:] - out[0]) ** 2).sum()), len(drawn)


DETERMINISTIC = ("ddim", "multistep")


def recursion(schedule, kind):
    """Mean and variance after each step written out from the equations in gamma alone."""
    if kind == "multistep":
        return multistep_recursion(schedule)
    mean, variance = 0.0, 1.0
    g, noise = schedule.gammas.tolist(), schedule.one_minus_gammas.tolist()
    for t in range(schedule.steps, 0, -1):
        beta = float(schedule.one_minus_alphas[t])
        gain = math.sqrt(g[t]) * DATA_STD**2 / (g[t] * DATA_STD**2 + noise[t])
        offset = DATA_MEAN * (1 - gain * math.sqrt(g[t]))
        if kind == "ddim":
            ratio = math.sqrt(noise[t - 1] / noise[t])
            slope = math.sqrt(g[t - 1]) * gain + ratio * (1 - math.sqrt(g[t]) * gain)
            shift = (math.sqrt(g[t - 1]) - ratio * math.sqrt(g[t])) * offset
            added = 0.0
        else:
            on_Z_0 = math.sqrt(g[t - 1]) * beta / noise[t]
            slope = on_Z_0 * gain + math.sqrt(1 - beta) * noise[t - 1] / noise[t]
            shift = on_Z_0 * offset
            added = beta if kind == "ancestral" else noise[t - 1] * beta / noise[t]
        mean, variance = slope * mean + shift, slope**2 * variance + (added if t > 1 else 0.0)
    return mean, variance


def multistep_recursion(schedule):
    """Z_t = slope Z_T + shift after each step of DPM-Solver++(2M), in log(sqrt(gamma) / sqrt(1 - gamma))."""
    g, noise = schedule.gammas.tolist(), schedule.one_minus_gammas.tolist()
    level = [math.inf] + [0.5 * math.log(a / b) for a, b in zip(g[1:], noise[1:], strict=True)]
    slope, shift, before = 1.0, 0.0, None
    for t in range(schedule.steps, 0, -1):
        gain = math.sqrt(g[t]) * DATA_STD**2 / (g[t] * DATA_STD**2 + noise[t])
        hat = (gain * slope, gain * shift + DATA_MEAN * (1 - gain * math.sqrt(g[t])))
        h = level[t - 1] - level[t]
        share = 0.0 if before is None or t == 1 else h / (2 * (level[t] - level[t + 1]))
        bent = [(1 + share) * new - share * old for new, old in zip(hat, before or hat, strict=True)]
        ratio, weight = math.sqrt(noise[t - 1] / noise[t]), math.sqrt(g[t - 1]) * (1 - math.exp(-h))
        slope, shift, before = ratio * slope + weight * bent[0], ratio * shift + weight * bent[1], hat
    return shift, slope**2


@pytest.mark.parametrize("kind", SAMPLERS)
@pytest.mark.parametrize(
    "schedule", [inference_schedule(), inference_schedule(1), inference_schedule(13), respace(linear_schedule(), 100)]
)
def test_eq5_on_gaussian_data_every_sampler_matches_its_recursion(kind, schedule, monkeypatch):
    mean, variance, drawn = measured_moments(SAMPLERS[kind], schedule, monkeypatch)
    expected_mean, expected_variance = recursion(schedule, kind)
    assert mean == pytest.approx(expected_mean, abs=1e-10)
    assert variance == pytest.approx(expected_variance, abs=1e-10)
    assert drawn == (0 if kind in DETERMINISTIC else schedule.steps - 1)


@pytest.mark.parametrize("kind", SAMPLERS)
def test_gaussian_data_the_recursion_approaches_the_data_as_steps_grow(kind):
    errors = []
    for steps in (100, 400, 1600, 6400):
        mean, variance = recursion(inference_schedule(steps), kind)
        assert mean == pytest.approx(DATA_MEAN, abs=3e-4)  # Z_T has mean 0, not sqrt(gamma_T) times the data's
        errors.append(abs(math.sqrt(variance) / DATA_STD - 1))
    assert errors[-1] < 0.006
    for coarse, fine in itertools.pairwise(errors):
        assert fine < coarse / 2.5  # first order would be 4


@pytest.mark.parametrize(("kind", "excess"), [("ancestral", 0.14), ("ancestral-posterior", -0.21), ("ddim", -0.14)])
def test_gaussian_data_100_steps_miss_the_spread_by_this_much(kind, excess):
    _, variance = recursion(inference_schedule(100), kind)
    assert math.sqrt(variance) / DATA_STD - 1 == pytest.approx(excess, abs=0.005)


def test_eq6_one_step_is_the_mean_of_eq4_plus_the_papers_noise():
    schedule, Z_T = inference_schedule(2), draw(2, 1, 2, 2)
    seen = []
    ancestral(bent_denoiser, Z_T, schedule, generator=generator(3), on_step=lambda t, Z: seen.append(Z.clone()))
    Z_0_hat = bent_denoiser(Z_T, schedule.gammas[2].expand(2))
    mean, _ = posterior(Z_0_hat, Z_T, schedule, 2)
    noise = normal_like(Z_T, generator(3))
    torch.testing.assert_close(seen[0], mean + schedule.one_minus_alphas[2].sqrt() * noise)
    torch.testing.assert_close(seen[1], bent_denoiser(seen[0], schedule.gammas[1].expand(2)))


@pytest.mark.parametrize("kind", SAMPLERS)
def test_the_last_step_returns_the_estimate_without_noise(kind):
    truth = draw(1, 2, 3, 3, seed=5)
    out = SAMPLERS[kind](lambda Z, gamma: truth, draw(1, 2, 3, 3), inference_schedule(9), generator=generator(0))
    torch.testing.assert_close(out, truth, rtol=0, atol=0)


def test_ddim_with_all_of_the_noise_is_ancestral_posterior():
    Z_T, schedule = draw(2, 2, 3, 3), inference_schedule(30)
    one = ddim(bent_denoiser, Z_T, schedule, generator=generator(1), eta=1.0)
    # t = 1 adds nothing in either, so both draw the same noises
    other = ancestral_posterior(bent_denoiser, Z_T, schedule, generator=generator(1))
    torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", SAMPLERS)
def test_float32_follows_float64_and_inputs_stay(kind):
    Z_T = draw(1, 2, 4, 4, dtype=torch.float32)
    before = Z_T.clone()
    schedule = inference_schedule(20)
    levels = []

    def denoise(Z_t, gamma):
        levels.append(gamma)
        return bent_denoiser(Z_t, gamma)

    noises = [draw(1, 2, 4, 4, seed=s) for s in range(20)]

    def sample(start, patch):
        queue = iter(noises)
        patch.setattr(samplers, "normal_like", lambda reference, generator: next(queue).to(reference.dtype))
        return SAMPLERS[kind](denoise, start, schedule, generator=generator(0))

    with pytest.MonkeyPatch.context() as patch:
        single, double = sample(Z_T, patch), sample(Z_T.double(), patch)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), double, rtol=0, atol=1e-5)
    torch.testing.assert_close(Z_T, before, rtol=0, atol=0)
    assert all(level.shape == (1,) and level.dtype == torch.float64 for level in levels)
    torch.testing.assert_close(torch.cat(levels[:20]), schedule.gammas[1:].flip(0), rtol=0, atol=0)


@pytest.mark.parametrize("kind", SAMPLERS)
def test_same_seed_same_image_and_progress_counts_down(kind):
    steps = []
    Z_T = draw(1, 1, 3, 3)
    sampler = SAMPLERS[kind]
    first = sampler(bent_denoiser, Z_T, inference_schedule(6), generator=generator(4))
    again = sampler(
        bent_denoiser, Z_T, inference_schedule(6), generator=generator(4), on_step=lambda t, Z: steps.append(t)
    )
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    assert steps == [5, 4, 3, 2, 1, 0]
    other = sampler(bent_denoiser, Z_T, inference_schedule(6), generator=generator(5))
    assert torch.equal(first, other) == (kind in DETERMINISTIC)


@pytest.mark.parametrize("kind", SAMPLERS)
def test_clamp_bounds_the_estimate_at_every_step(kind):
    far = SAMPLERS[kind](
        lambda Z, gamma: Z + 100.0, draw(1, 1, 3, 3), inference_schedule(6), generator=generator(4), clamp=(-1.0, 1.0)
    )
    same = SAMPLERS[kind](
        lambda Z, gamma: torch.ones_like(Z), draw(1, 1, 3, 3), inference_schedule(6), generator=generator(4)
    )
    torch.testing.assert_close(far, same, rtol=0, atol=0)


def test_bad_options_and_denoisers_are_refused():
    Z_T, schedule = draw(1, 1, 3, 3), inference_schedule(3)
    with pytest.raises(InputError, match="noise"):
        ancestral(bent_denoiser, Z_T, schedule, generator=generator(0), noise="none")
    with pytest.raises(InputError, match="eta"):
        ddim(bent_denoiser, Z_T, schedule, generator=generator(0), eta=1.5)
    for sampler in SAMPLERS.values():
        with pytest.raises(ShapeError, match="denoiser"):
            sampler(lambda Z, gamma: Z[:, :, :2], Z_T, schedule, generator=generator(0))


def test_multistep_is_of_second_order_where_ddim_is_of_first():
    """On Gaussian data the exact path keeps (Z - mean) over its own spread; the error falls as h^2 against h."""

    def errors(sampler):
        found = []
        for steps in (20, 40, 80):
            schedule = log_snr_schedule(steps, 1e-3, 0.9)
            seen = {}
            # the walk to t = 1 only: the last step is an estimate, not a step of the path
            sampler(
                gaussian_denoiser(schedule),
                torch.ones((1, 1, 1, 1), dtype=torch.float64),
                schedule,
                generator=generator(0),
                on_step=lambda t, Z, seen=seen: seen.update({t: float(Z)}),
            )
            first, last = schedule.gammas[-1], schedule.gammas[1]
            spread = [float((g * DATA_STD**2 + 1 - g).sqrt()) for g in (first, last)]
            middle = [float(g.sqrt()) * DATA_MEAN for g in (first, last)]
            exact = middle[1] + (1.0 - middle[0]) * spread[1] / spread[0]
            found.append(abs(seen[1] - exact))
        return found

    for sampler, order in ((ddim, 1), (multistep, 2)):
        coarse, middle, fine = errors(sampler)
        assert math.log2(coarse / middle) == pytest.approx(order, abs=0.35)
        assert math.log2(middle / fine) == pytest.approx(order, abs=0.25)
