"""Where the kernel's constants start on a scene, and how far the scene may move them: by the bands of the guide."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from hsrdiff.fusers.kriging.kernel import SpectralKernel
from hsrdiff.fusers.kriging.samples import Samples
from hsrdiff.fusers.kriging.tuning import TuningProblem, tune


@dataclass(frozen=True)
class Start:
    """Constants before the scene has been looked at.

    Attributes:
        kernel: The constants.
        prior: Weight of the squared distance of their logarithms from these in `tune`; None for its own, infinity
            where they are to stay.
    """

    kernel: SpectralKernel
    prior: float | None = None


COLOURED = (Start(SpectralKernel()),)
# What foretells block means best is not what pixels need: with four bands the constants as shipped are better than
# those chosen on the scene, with eight worse, and the mean of both estimates is better than either on most scenes.
MULTISPECTRAL = (Start(SpectralKernel()), Start(SpectralKernel(), prior=math.inf))
# One band has no colour, and brightness may tell a material or may not. Leave-one-out errors of block means say little
# of which: on training scenes of CAVE with one band the longer length of brightness is up to 40 % better for pixels
# where they prefer the shorter one. So the scene may move the constants little, and the two estimates are averaged.
PANCHROMATIC = (
    Start(SpectralKernel(brightness=4.0, reach_lr=2.5), prior=1.0),
    Start(SpectralKernel(), prior=1.0),
)


def starting_points(msi_bands: int) -> tuple[Start, ...]:
    """Return where to start for a guide: one kernel, or two whose estimates are averaged.

    Args:
        msi_bands: b.

    Returns:
        `PANCHROMATIC` for one band, `COLOURED` for two and three, `MULTISPECTRAL` for more.
    """
    if msi_bands >= 4:
        return MULTISPECTRAL
    return PANCHROMATIC if msi_bands == 1 else COLOURED


def kernels_on_scene(
    starts: tuple[Start, ...], samples: Samples, generator: torch.Generator
) -> tuple[SpectralKernel, ...]:
    """Return the kernels whose constants are chosen on the scene by leave-one-out, all by the same samples.

    Args:
        starts: Where to start.
        samples: The scene's samples.
        generator: Source of the samples that are judged by.

    Returns:
        One kernel for each start.
    """
    problem = TuningProblem.draw(samples, generator)
    return tuple(
        start.kernel if start.prior == math.inf else tune(start.kernel, problem, prior=start.prior) for start in starts
    )
