"""The samplers beside the ones of diffusers, an independent implementation."""

import pytest
import torch
from denoisers import bent_denoiser, draw

from hsrdiff.diffusion import (
    ancestral,
    ddim,
    inference_schedule,
    linear_schedule,
)
from hsrdiff.rng import generator


def diffusers_tables(scheduler, schedule):
    scheduler.alphas_cumprod = schedule.gammas[1:].clone()
    scheduler.alphas = schedule.alphas[1:].clone()
    scheduler.betas = schedule.one_minus_alphas[1:].clone()
    scheduler.one = scheduler.final_alpha_cumprod = torch.tensor(1.0, dtype=torch.float64)
    scheduler.set_timesteps(schedule.steps)
    return scheduler


def run_diffusers(scheduler, schedule, Z, **step_options):
    for t in scheduler.timesteps:
        gamma = schedule.gammas[int(t) + 1].expand(len(Z))
        Z = scheduler.step(bent_denoiser(Z, gamma), int(t), Z, **step_options).prev_sample
    return Z


@pytest.mark.parametrize(("noise", "variance_type"), [("paper", "fixed_large"), ("posterior", "fixed_small")])
@pytest.mark.parametrize("schedule", [inference_schedule(), linear_schedule(200, 1e-6, 0.1)])
def test_eq6_agrees_with_diffusers_ddpm(noise, variance_type, schedule):
    diffusers = pytest.importorskip("diffusers")
    theirs = diffusers.DDPMScheduler(
        num_train_timesteps=schedule.steps,
        trained_betas=schedule.one_minus_alphas[1:].tolist(),
        prediction_type="sample",
        variance_type=variance_type,
        clip_sample=False,
    )
    Z_T = draw(2, 3, 4, 5)
    expected = run_diffusers(diffusers_tables(theirs, schedule), schedule, Z_T, generator=generator(7))
    ours = ancestral(bent_denoiser, Z_T, schedule, generator=generator(7), noise=noise)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
def test_ddim_agrees_with_diffusers(eta):
    diffusers = pytest.importorskip("diffusers")
    schedule = inference_schedule()
    theirs = diffusers.DDIMScheduler(
        num_train_timesteps=schedule.steps,
        trained_betas=schedule.one_minus_alphas[1:].tolist(),
        prediction_type="sample",
        clip_sample=False,
    )
    Z_T = draw(2, 3, 4, 5)
    expected = run_diffusers(diffusers_tables(theirs, schedule), schedule, Z_T, eta=eta, generator=generator(7))
    ours = ddim(bent_denoiser, Z_T, schedule, generator=generator(7), eta=eta)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-6)
