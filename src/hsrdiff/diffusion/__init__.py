"""The diffusion core: schedules, forward process, samplers."""

from hsrdiff.diffusion.forward import diffuse, diffuse_step, posterior
from hsrdiff.diffusion.samplers import SAMPLERS, Sampler, ancestral, ancestral_posterior, ddim
from hsrdiff.diffusion.schedule import (
    Schedule,
    from_betas,
    inference_schedule,
    linear_schedule,
    respace,
    sample_gamma,
)

__all__ = [
    "SAMPLERS",
    "Sampler",
    "Schedule",
    "ancestral",
    "ancestral_posterior",
    "ddim",
    "diffuse",
    "diffuse_step",
    "from_betas",
    "inference_schedule",
    "linear_schedule",
    "posterior",
    "respace",
    "sample_gamma",
]
