"""Spectral kriging as fusers: area-to-point for any size, and the formula between points for small scenes."""

from __future__ import annotations

import math

import torch

from hsrdiff.errors import InputError
from hsrdiff.fusers.base import Fusion, Needs, require_observation
from hsrdiff.fusers.kriging.estimator import estimator
from hsrdiff.fusers.kriging.finish import finish
from hsrdiff.fusers.kriging.kernel import SpectralKernel
from hsrdiff.fusers.kriging.point import PointKriging
from hsrdiff.fusers.kriging.samples import Samples
from hsrdiff.fusers.kriging.start import Chosen, Start, kernels_as_shipped, kernels_on_scene, starting_points
from hsrdiff.fusers.kriging.system import KrigingSystem
from hsrdiff.fusers.kriging.tuning import TuningProblem, tune
from hsrdiff.fusers.kriging.windows import Kriged, krige_windows
from hsrdiff.fusers.options import count
from hsrdiff.observation import Scene

# constants of the formula between points, chosen on five training scenes of CAVE with 0..1 data
POINT_KERNEL = SpectralKernel(
    colour=0.3,
    brightness=2.0,
    reach_lr=1.28,
    everywhere=0.3,
    nearby=0.1,
    linear=0.1,
    dark=0.02,
    noise=1e-5,
    mixing=0.03,
)
MOST_POINTS = 4096
DIRECTIONS = 256  # of the variance that the samples explain, kept for the standard deviation


class Kriging:
    """Area-to-point spectral kriging, then consistency with X and Y.

    The spectrum of a pixel is a Gaussian process of what X shows there and of where it is (`SpectralKernel`); the
    LR pixels are weighted means of it and are treated as such (`AreaKriging`). No training data; work linear in
    pixels, in overlapping windows that belong to the image, so that the result does not depend on the machine.

    Args:
        landmarks: Pixels that span the process in a window, at least 1: more are finer and slower.
        tune: Choose the kernel's constants on the scene by leave-one-out, else keep those of `starting_points`.
        std: Return the standard deviation, for a third more time.

    Raises:
        InputError: An option is out of range.
    """

    name = "kriging"
    needs = Needs(response=True, psf=True, tuning=True)

    def __init__(self, *, landmarks: int = 1000, tune: bool = True, std: bool = True) -> None:
        self.landmarks, self.tune, self.std = count("landmarks", landmarks), bool(tune), bool(std)
        self.starts: tuple[Start, ...] | None = None

    def chosen(self, samples: Samples, generator: torch.Generator, sigma_y: float = 0.0) -> Chosen:
        """Return the kernels for a scene.

        Args:
            samples: The scene's samples.
            generator: Source of the samples that constants are judged by.
            sigma_y: Standard deviation of the noise of Y.

        Returns:
            One or two kernels, their constants chosen on the scene, or as shipped where `tune` is off.
        """
        starts = self.starts or starting_points(int(samples.X.shape[1]))
        if self.tune:
            return kernels_on_scene(starts, samples, generator, sigma_y)
        return kernels_as_shipped(starts, samples)

    @torch.no_grad()
    def fuse(self, scene: Scene, *, generator: torch.Generator) -> Fusion:
        """Krige every pixel of X from the LR pixels of Y, then make it consistent with both.

        Args:
            scene: The scene, with its observation; noise levels enter the system and choose the soft consistency.
            generator: Source of the landmarks.

        Returns:
            The estimate and its standard deviation, in the type of Y, NaN where X or Y is invalid.

        Raises:
            InputError: If the scene does not fit together or has no observation.
            InvalidValueError: If no LR pixel is valid in both images.
        """
        scene.check()
        observation = require_observation(scene, self.name)
        samples = Samples.of(scene, observation.spatial)
        chosen = self.chosen(samples, generator, scene.sigma_y)
        # the soft consistency weighs the estimate by its variance
        directions = DIRECTIONS if self.std or scene.sigma_x > 0 or scene.sigma_y > 0 else 0

        def predict(part: Samples) -> tuple[torch.Tensor, torch.Tensor, KrigingSystem]:
            estimate = estimator(part, part.landmarks(self.landmarks, generator), scene.sigma_y, directions)
            found = chosen.estimate(lambda kernel: estimate(kernel, None))
            return found.spectra, found.variance, found.system

        return finish(scene, observation, krige_windows(samples, predict), self.std, _notes(chosen, self.tune))


class KrigingPoint:
    """Spectral kriging with every LR pixel taken for a point at its centre, then consistency with X and Y.

    ``Z = k(., L) (K_LL + diag(noise))^-1 Y``: simpler than `Kriging`, coarser where LR pixels are mixed, and with
    work that grows with the cube of their number.

    Args:
        tune: Choose the kernel's constants on the scene by leave-one-out, else keep `POINT_KERNEL`.
        scale: Brightness that means 1, in the units of X; the root mean square of the scene when None.
        std: Return the standard deviation.

    Raises:
        InputError: An option is out of range.
    """

    name = "kriging-point"
    needs = Needs(response=True, psf=True, tuning=True)

    def __init__(self, *, tune: bool = True, scale: float | None = None, std: bool = True) -> None:
        if scale is not None and not (math.isfinite(scale) and scale > 0):
            raise InputError(f"scale {scale}", expected="a positive number", do="change the option scale")
        self.tune, self.scale, self.std = bool(tune), scale, bool(std)
        self.kernel = POINT_KERNEL

    @torch.no_grad()
    def fuse(self, scene: Scene, *, generator: torch.Generator) -> Fusion:
        """Krige every pixel of X from the LR pixels of Y, then make it consistent with both.

        Args:
            scene: The scene, with its observation.
            generator: Source of the samples that the constants are chosen by, where there are many.

        Returns:
            The estimate and its standard deviation, in the type of Y, NaN where X or Y is invalid.

        Raises:
            InputError: If the scene does not fit together, has no observation, or has too many LR pixels.
            InvalidValueError: If no LR pixel is valid in both images.
        """
        scene.check()
        observation = require_observation(scene, self.name)
        samples = Samples.of(scene, observation.spatial, self.scale)
        if int(samples.usable.sum()) > MOST_POINTS:
            raise InputError(
                f"the hyperspectral image has {int(samples.usable.sum())} pixels",
                expected=f"at most {MOST_POINTS} for kriging between points",
                do="use the method 'kriging', whose work grows with the pixels only",
            )
        kernel = self.kernel
        if self.tune:
            kernel = tune(kernel, TuningProblem.draw(samples, generator, points=1))
        fitted = PointKriging.fit(
            kernel,
            samples.sites(),
            samples.spectra,
            samples.spread[samples.usable],
            samples.pixels(),
            scene.sigma_y,
            float(observation.spatial.kernel.square().sum()),
        )
        spectra, variance = fitted.predict()
        # what each LR pixel says of the others, 0 where there is no sample
        known = fitted.system.precision.new_zeros((len(samples.usable), scene.bands + 1))
        known[samples.usable] = torch.cat([fitted.system.left_out, fitted.system.precision[:, None]], dim=1)
        kriged = Kriged(spectra, variance, fitted.system.covariance(), known[:, :-1], known[:, -1])
        return finish(scene, observation, kriged, self.std, _notes(Chosen((kernel,)), self.tune))


def _notes(found: Chosen, tuned: bool) -> dict[str, str]:
    """Say which kernels were used, and what the second counts for."""
    origin = "chosen on the scene by leave-one-out" if tuned else "as shipped"
    words = [
        (
            f"colour {kernel.colour:.3g}, brightness {kernel.brightness:.3g}, "
            f"reach {kernel.reach_lr:.3g} LR pixels, weights {kernel.everywhere:.3g} everywhere, "
            f"{kernel.nearby:.3g} nearby, {kernel.linear:.3g} linear, noise {kernel.noise:.2g}, "
            f"mixing {kernel.mixing:.2g}"
        )
        for kernel in found.kernels
    ]
    return {"kernel": f"{origin}: {f'; averaged with {100 * found.share:.0f} % of '.join(words)}"}
