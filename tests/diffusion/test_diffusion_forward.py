import numpy as np
import pytest
import torch

from hsrdiff.diffusion import diffuse, diffuse_step, inference_schedule, linear_schedule, posterior
from hsrdiff.errors import InputError, ShapeError
from hsrdiff.rng import generator


def image(*shape, seed=0):
    return torch.randn(shape, generator=generator(seed), dtype=torch.float64)


def test_eq2_one_step_worked_by_hand():
    Z = torch.tensor([[[[1.0]]], [[[2.0]]]])
    noise = torch.tensor([[[[1.0]]], [[[-1.0]]]])
    torch.testing.assert_close(diffuse_step(Z, 0.64, noise).flatten(), torch.tensor([1.4, 1.0]))
    torch.testing.assert_close(diffuse_step(Z, torch.tensor([0.64, 0.36]), noise).flatten(), torch.tensor([1.4, 0.4]))


@pytest.mark.parametrize("t", [1, 2, 17, 100])
def test_eq2_taken_t_times_has_mean_and_variance_of_eq3(t):
    schedule = inference_schedule()
    # row 0 carries the image without noise, row k an impulse in the k-th noise alone: the chain is linear
    Z = torch.zeros(t + 1, 1, 1, 1, dtype=torch.float64)
    Z[0] = 1.0
    for step in range(1, t + 1):
        impulse = torch.zeros_like(Z)
        impulse[step] = 1.0
        Z = diffuse_step(Z, schedule.alphas[step], impulse)
    one, zero = torch.ones(1, 1, 1, 1, dtype=torch.float64), torch.zeros(1, 1, 1, 1, dtype=torch.float64)
    assert float(Z[0]) == pytest.approx(float(diffuse(one, schedule.gammas[t], zero)), rel=1e-12)
    variance = float(diffuse(zero, schedule.gammas[t], one)) ** 2
    assert float((Z[1:] ** 2).sum()) == pytest.approx(variance, rel=1e-9)


def test_eq3_keeps_unit_variance_and_its_two_limits():
    Z, noise = image(2, 3, 8, 8), image(2, 3, 8, 8, seed=1)
    torch.testing.assert_close(diffuse(Z, 1.0, noise), Z)
    torch.testing.assert_close(diffuse(Z, 0.0, noise), noise)
    big = diffuse(image(1, 1, 300, 300), 0.3, image(1, 1, 300, 300, seed=1))
    assert float(big.var()) == pytest.approx(1.0, abs=0.03)  # 4.5 standard errors


def test_eq3_takes_one_gamma_for_each_image_and_leaves_the_input_alone():
    Z, noise = image(2, 3, 4, 4).float(), image(2, 3, 4, 4, seed=1).float()
    before = Z.clone()
    out = diffuse(Z, torch.tensor([0.25, 0.81], dtype=torch.float64), noise)
    assert out.dtype == torch.float32
    torch.testing.assert_close(out[0], 0.5 * Z[0] + 0.75**0.5 * noise[0])
    torch.testing.assert_close(out[1], 0.9 * Z[1] + 0.19**0.5 * noise[1])
    torch.testing.assert_close(Z, before, rtol=0, atol=0)


@pytest.mark.parametrize("schedule", [inference_schedule(), linear_schedule(), inference_schedule(4)])
def test_eq4_is_bayes_rule_on_scalars(schedule):
    z_0, z_t = torch.tensor([0.7], dtype=torch.float64), torch.tensor([-0.4], dtype=torch.float64)
    for t in {2, 3, schedule.steps // 2, schedule.steps}:
        mean, variance = posterior(z_0, z_t, schedule, t)
        # prior N(sqrt(g) z_0, 1 - g) from Eq. (3), likelihood N(z_t; sqrt(a) z, 1 - a) from Eq. (2)
        g, a = float(schedule.gammas[t - 1]), float(schedule.alphas[t])
        precision = 1 / (1 - g) + a / (1 - a)
        expected = (g**0.5 * 0.7 / (1 - g) + a**0.5 * -0.4 / (1 - a)) / precision
        assert variance == pytest.approx(1 / precision, rel=1e-7)  # 1 - g in plain float64 is what limits this
        assert float(mean) == pytest.approx(expected, rel=1e-7)


def test_eq4_is_the_normalised_product_of_densities():
    schedule, t = inference_schedule(), 40
    z_0, z_t = 0.9, 0.1
    g, a = float(schedule.gammas[t - 1]), float(schedule.alphas[t])
    z = np.linspace(-8, 8, 20_001)
    density = np.exp(-((z - g**0.5 * z_0) ** 2) / (2 * (1 - g)) - (z_t - a**0.5 * z) ** 2 / (2 * (1 - a)))
    density /= density.sum()
    mean, variance = posterior(
        torch.tensor([z_0], dtype=torch.float64), torch.tensor([z_t], dtype=torch.float64), schedule, t
    )
    assert float(mean) == pytest.approx((density * z).sum(), rel=1e-9)
    assert variance == pytest.approx((density * (z - float(mean)) ** 2).sum(), rel=1e-9)


def test_eq4_at_the_first_step_is_the_clean_image_exactly():
    Z_0, Z_1 = image(1, 2, 3, 3), image(1, 2, 3, 3, seed=1)
    mean, variance = posterior(Z_0, Z_1, linear_schedule(), 1)
    torch.testing.assert_close(mean, Z_0, rtol=0, atol=0)
    assert variance == 0


def test_eq4_averaged_over_eq3_gives_eq3_one_step_earlier():
    schedule, z_0 = inference_schedule(), torch.ones(1, dtype=torch.float64)
    for t in range(1, schedule.steps + 1):
        centre = schedule.gammas[t].sqrt() * z_0
        mean, variance = posterior(z_0, centre, schedule, t)
        slope = posterior(z_0, centre + 1, schedule, t)[0] - mean
        assert float(mean) == pytest.approx(float(schedule.gammas[t - 1].sqrt()), rel=1e-12)
        total = float(slope**2 * schedule.one_minus_gammas[t]) + variance
        assert total == pytest.approx(float(schedule.one_minus_gammas[t - 1]), rel=1e-11, abs=1e-16)


def test_misfits_are_refused():
    Z = image(2, 3, 4, 4)
    with pytest.raises(ShapeError, match="noise"):
        diffuse(Z, 0.5, Z[:1])
    with pytest.raises(ShapeError, match="gamma of shape"):
        diffuse(Z, torch.tensor([0.1, 0.2, 0.3]), Z)
    with pytest.raises(InputError, match="alpha outside"):
        diffuse_step(Z, 1.5, Z)
    with pytest.raises(InputError, match="gamma outside"):
        diffuse(Z, torch.tensor([0.5, float("nan")]), Z)
    with pytest.raises(ShapeError):
        posterior(Z, Z[:1], inference_schedule(), 3)
    for t in (0, 101):
        with pytest.raises(InputError, match="step"):
            posterior(Z, Z, inference_schedule(), t)
