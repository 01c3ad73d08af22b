"""Diffusion: schedules, the forward process and samplers, Eqs. (2) to (6)."""

from hsrdiff.diffusion.catalog import SAMPLERS
from hsrdiff.diffusion.forward import diffuse, diffuse_step, posterior, posterior_coefficients
from hsrdiff.diffusion.multistep import multistep
from hsrdiff.diffusion.samplers import OnStep, Sampler, ancestral, ancestral_posterior, ddim
from hsrdiff.diffusion.schedule import (
    Schedule,
    inference_schedule,
    linear_schedule,
    log_snr_schedule,
    respace,
    sample_gamma,
)

__all__ = [
    "SAMPLERS",
    "OnStep",
    "Sampler",
    "Schedule",
    "ancestral",
    "ancestral_posterior",
    "ddim",
    "diffuse",
    "diffuse_step",
    "inference_schedule",
    "linear_schedule",
    "log_snr_schedule",
    "multistep",
    "posterior",
    "posterior_coefficients",
    "respace",
    "sample_gamma",
]
