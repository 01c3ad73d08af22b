"""Where the kernel's constants start on a scene, how far the scene may move them, and what two starts count for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from hsrdiff.fusers.kriging.kernel import SpectralKernel
from hsrdiff.fusers.kriging.samples import Samples
from hsrdiff.fusers.kriging.stacking import Estimate, average
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
# those chosen on the scene, with eight worse, and a mean of both estimates is better than either on most scenes.
MULTISPECTRAL = (Start(SpectralKernel()), Start(SpectralKernel(), prior=math.inf))
# One band has no colour, and brightness may tell a material or may not. Leave-one-out errors of block means say little
# of which: on training scenes of CAVE with one band the longer length of brightness is up to 40 % better for pixels
# where they prefer the shorter one. So the scene may move the constants little, and the two estimates are averaged.
PANCHROMATIC = (
    Start(SpectralKernel(brightness=4.0, reach_lr=2.5), prior=1.0),
    Start(SpectralKernel(), prior=1.0),
)
FEW = 50  # LR pixels with which the constants as shipped have half of their share
NOISY = 0.003  # noise of Y over its root mean square, 50 dB, with which half of that is left
LEAST = 0.01  # share under which the second is not worth its time


@dataclass(frozen=True)
class Chosen:
    """Kernels for a scene, whose estimates are put together.

    Attributes:
        kernels: One or two.
        share: Of the second one's estimate, in [0, 1].
    """

    kernels: tuple[SpectralKernel, ...]
    share: float = 0.5

    def estimate(self, by: Callable[[SpectralKernel], Estimate]) -> Estimate:
        """Return the one estimate, or the mean of both.

        Args:
            by: What a kernel makes of a part of the scene.

        Returns:
            What all of them make of it.
        """
        first, *others = (by(kernel) for kernel in self.kernels)
        return average(first, others[0], 1.0 - self.share) if others else first


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


def second_share(msi_bands: int, lr_pixels: int, noise: float = 0.0) -> float:
    """Return what the second of two starting points counts for.

    With one band a half. With more ``(2 / b) N / (N + FEW) / (1 + (noise / NOISY)^2)``: the shipped constants were
    found on guides of three bands, and the more bands a guide has, the more a scene's own differ from them. On few LR
    pixels a half makes the bands worse that are foretold best, those that the guide nearly shows. And they were found
    without noise: where there is some, the scene's own constants look further around for what is alike.

    Args:
        msi_bands: b.
        lr_pixels: N, samples of the whole scene.
        noise: Standard deviation of the noise of Y over the root mean square of Y.

    Returns:
        The share, from 0 to a half.
    """
    if msi_bands == 1:
        return 0.5
    return min(0.5, 2.0 / msi_bands) * lr_pixels / (lr_pixels + FEW) / (1.0 + (noise / NOISY) ** 2)


def kernels_on_scene(
    starts: tuple[Start, ...], samples: Samples, generator: torch.Generator, sigma_y: float = 0.0
) -> Chosen:
    """Return the kernels whose constants are chosen on the scene by leave-one-out, all by the same samples.

    Args:
        starts: Where to start.
        samples: The scene's samples.
        generator: Source of the samples that are judged by.
        sigma_y: Standard deviation of the noise of Y.

    Returns:
        One kernel for each start, and the share of the second.
    """
    problem = TuningProblem.draw(samples, generator)
    kernels = tuple(
        start.kernel if start.prior == math.inf else tune(start.kernel, problem, prior=start.prior) for start in starts
    )
    level = float(samples.spectra.square().mean().sqrt())
    noise = sigma_y / level if level > 0 else 0.0
    share = second_share(int(samples.X.shape[1]), int(samples.usable.sum()), noise)
    return Chosen(kernels, share) if share >= LEAST else Chosen(kernels[:1])


def kernels_as_shipped(starts: tuple[Start, ...], samples: Samples) -> Chosen:
    """Return the kernels of the starts as they are, each once.

    Args:
        starts: Where to start.
        samples: The scene's samples.

    Returns:
        The kernels, and the share of the second.
    """
    kernels = tuple(dict.fromkeys(start.kernel for start in starts))
    return Chosen(kernels, second_share(int(samples.X.shape[1]), int(samples.usable.sum())))
