"""Kriging with a learned kernel as a fuser: likeness from experience, spectra from the scene."""

from __future__ import annotations

from copy import deepcopy

import torch

from hsrdiff.fusers.base import Fusion, Needs, require_observation
from hsrdiff.fusers.kriging.estimator import estimator
from hsrdiff.fusers.kriging.finish import finish
from hsrdiff.fusers.kriging.fuser import DIRECTIONS
from hsrdiff.fusers.kriging.learned_weights import SHIPPED, load_kernel
from hsrdiff.fusers.kriging.left_out_band import FEWEST, share_at_pixels
from hsrdiff.fusers.kriging.samples import Samples
from hsrdiff.fusers.kriging.stacking import Estimate, average, leave_one_out_share
from hsrdiff.fusers.kriging.start import kernels_on_scene, starting_points
from hsrdiff.fusers.kriging.system import KrigingSystem
from hsrdiff.fusers.kriging.windows import Kriged, krige_windows
from hsrdiff.fusers.options import count
from hsrdiff.observation import Scene
from hsrdiff.typing import PathLike

JUDGED = 300  # landmarks in a window where the share is found


class KrigingLearned:
    """Area-to-point kriging whose kernel was learned over many scenes and sensors, then consistency with X and Y.

    The learned part (`LearnedKernel`) says which pixels are alike, from colour, surroundings and place; the spectra
    are solved for in closed form from the scene's own Y, so that any number of bands of either image is served. The
    estimate is averaged with that of the plain kernel, and where experience does not fit a scene, little of it is
    used: its share follows from guide bands that are left out (`share_at_pixels`), with a guide of few bands from
    the LR pixels that are (`leave_one_out_share`).

    Args:
        weights: Weights of the kernel: a path, or the name of shipped ones.
        landmarks: Pixels that span the process in a window, at least 1: more are finer and slower.
        std: Return the standard deviation, for a third more time.

    Raises:
        InputError: An option is out of range.
        WeightsError: The weights cannot be read.
    """

    name = "kriging-learned"
    needs = Needs(response=True, psf=True, weights=True, tuning=True)

    def __init__(self, *, weights: PathLike = SHIPPED, landmarks: int = 1000, std: bool = True) -> None:
        self.kernel, self.card = load_kernel(weights)
        self.landmarks, self.std = count("landmarks", landmarks), bool(std)

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
        kriged, notes = self.krige(scene, generator=generator)
        return finish(scene, require_observation(scene, self.name), kriged, self.std, notes)

    @torch.no_grad()
    def krige(self, scene: Scene, *, generator: torch.Generator, apart: bool = False) -> tuple[Kriged, dict[str, str]]:
        """Krige every pixel, without making the result consistent.

        Args:
            scene: The scene, with its observation.
            generator: Source of the landmarks.
            apart: Put the difference between the two kernels' estimates behind the bands.

        Returns:
            The estimate, with B columns or 2 B, and what the user should know about it.

        Raises:
            InputError: If the scene does not fit together or has no observation.
            InvalidValueError: If no LR pixel is valid in both images.
        """
        scene.check()
        observation = require_observation(scene, self.name)
        samples = Samples.of(scene, observation.spatial).with_context()
        R = observation.spectral.matrix.double()
        hidden = torch.eye(R.shape[1], dtype=R.dtype, device=R.device) - torch.linalg.pinv(R) @ R
        hidden = hidden.to(samples.X.device)
        directions = DIRECTIONS if self.std or scene.sigma_x > 0 or scene.sigma_y > 0 else 0
        plain = kernels_on_scene(starting_points(scene.msi_bands), samples, generator, scene.sigma_y)
        likeness = deepcopy(self.kernel).to(samples.X.dtype)
        shares: list[float] = []

        def estimates(
            part: Samples, landmarks: torch.Tensor, unseen: torch.Tensor, sigma_y: float, directions: int
        ) -> tuple[Estimate, Estimate]:
            estimate = estimator(part, landmarks, sigma_y, directions)
            return estimate(likeness, unseen), plain.estimate(lambda kernel: estimate(kernel, None))

        share = None
        if scene.msi_bands >= FEWEST:
            one = torch.ones((1, 1), dtype=R.dtype, device=hidden.device)
            draws = generator.clone_state()  # what is drawn to judge leaves the landmarks those of `kriging`
            judged = min(self.landmarks, JUDGED)
            share = share_at_pixels(
                samples, lambda part: estimates(part, part.landmarks(judged, draws), one, sigma_y=0.0, directions=0)
            )

        def predict(part: Samples) -> tuple[torch.Tensor, torch.Tensor, KrigingSystem]:
            landmarks = part.landmarks(self.landmarks, generator)
            first, second = estimates(part, landmarks, hidden, scene.sigma_y, directions)
            w = leave_one_out_share(first, second, part.spread[part.usable], hidden) if share is None else share
            shares.append(w)
            both = average(first, second, w)
            spectra = torch.cat([both.spectra, second.spectra - first.spectra], dim=1) if apart else both.spectra
            return spectra, both.variance, both.system

        kriged = krige_windows(samples, predict)
        learned = f"learned: {self.card.name}, trained on {self.card.data}"
        percent = 100 * sum(shares) / len(shares)
        return kriged, {"kernel": f"{learned}; {percent:.0f} % of the estimate, the rest from the plain kernel"}
