"""Every sampler by name: the one table to add a line to."""

from __future__ import annotations

from hsrdiff.diffusion.multistep import multistep
from hsrdiff.diffusion.samplers import Sampler, ancestral, ancestral_posterior, ddim

SAMPLERS: dict[str, Sampler] = {
    "ancestral": ancestral,
    "ancestral-posterior": ancestral_posterior,
    "ddim": ddim,
    "multistep": multistep,
}
