"""Bases without kriging, for an ablation: the projected regression, and Y upsampled."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from hsrdiff.fusers.base import require_observation
from hsrdiff.fusers.bicubic import upsample
from hsrdiff.fusers.kriging.learned import KrigingLearned
from hsrdiff.fusers.masking import fill_invalid, output_mask
from hsrdiff.fusers.regression import Regression
from hsrdiff.fusers.regression_projected import RegressionProjected
from hsrdiff.fusers.residual.coordinates import Coordinates
from hsrdiff.fusers.residual.evidence import Evidence
from hsrdiff.observation import Scene
from hsrdiff.observation.gram import LRGram

# a base's error over how badly it foretells LR pixels, medians over the 16 scenes of CAVE's split "fit" at x32
_REGRESSION, _UPSAMPLED = 1.0, 1.3


@dataclass(frozen=True)
class PlainEvidence(Evidence):
    """A base that knows of no other estimate and of no pixel's variance: what they would say is 0.

    Attributes:
        typical: Size of the base's errors over that of `left_out`.
    """

    typical: float = 1.0

    @classmethod
    def about(
        cls, scene: Scene, base: torch.Tensor, left_out: torch.Tensor, axis: tuple[float, float] | None, typical: float
    ) -> PlainEvidence:
        """Put a base where kriging's would stand.

        Args:
            scene: The pair, with its observation.
            base: Shape (1, B, H, W).
            left_out: Error of foretelling each LR pixel, shape (1, B, h, w).
            axis: Where the optical axis meets the image, if that is known.
            typical: As above.

        Returns:
            The evidence.
        """
        tiny = torch.finfo(torch.float32).tiny
        nothing = torch.zeros_like(base)
        rows = left_out[0].flatten(1).double()
        covariance = rows @ rows.T / rows.shape[1]
        level = covariance.diagonal().mean().clamp_min(tiny)
        precision = (1.0 / level).to(base).expand(1, 1, *left_out.shape[-2:])
        if scene.valid_lr is not None:
            precision = precision * scene.valid_lr
        size = (int(base.shape[-2]), int(base.shape[-1]))
        return cls(
            scene,
            base,
            nothing,
            nothing,
            left_out,
            precision,
            torch.ones_like(base[:, :1]),
            covariance / level,
            LRGram(require_observation(scene, cls.__name__).spatial, size),
            axis or ((size[0] - 1) / 2, (size[1] - 1) / 2),
            {},
            typical,
        )

    def doubt(self, Z: torch.Tensor) -> None:
        """Return None: there is no second estimate to tell by."""

    def scale(self, coordinates: Coordinates) -> float:
        """Return the expected size of the base's errors, from the LR pixels that it foretells badly.

        Args:
            coordinates: Residual coordinates.

        Returns:
            Root mean square in those coordinates.
        """
        found = coordinates.apply(self.left_out)
        used = max(1, int((coordinates.weights > 0).sum()))
        return self.typical * math.sqrt(float(found.double().square().mean()) * found.shape[1] / used)


@torch.no_grad()
def regression_evidence(
    scene: Scene,
    base: KrigingLearned,
    *,
    generator: torch.Generator,
    axis: tuple[float, float] | None = None,
    register: bool = False,
) -> Evidence:
    """Take the projected regression as base, and as LR errors what the guide does not explain of Y.

    Args:
        scene: The scene, with its observation.
        base: Not used.
        generator: Not used.
        axis: Where the optical axis meets the image, if that is known.
        register: Not used.

    Returns:
        The evidence.

    Raises:
        InputError: If the scene does not fit together or has no observation.
        InvalidValueError: If no LR pixel is valid in both images.
    """
    Z = RegressionProjected().fuse(scene, generator=generator).Z_hat
    Z = fill_invalid(Z, output_mask(scene))
    left_out = Regression().estimate(scene).residual.to(Z)
    return PlainEvidence.about(scene, Z, left_out, axis, _REGRESSION)


@torch.no_grad()
def upsampled_evidence(
    scene: Scene,
    base: KrigingLearned,
    *,
    generator: torch.Generator,
    axis: tuple[float, float] | None = None,
    register: bool = False,
) -> Evidence:
    """Take the upsampled Y as base, as the paper's network does, and foretell LR pixels by their four neighbours.

    Args:
        scene: The scene, with its observation.
        base: Not used.
        generator: Not used.
        axis: Where the optical axis meets the image, if that is known.
        register: Not used.

    Returns:
        The evidence.

    Raises:
        InputError: If the scene does not fit together or has no observation.
    """
    scene.check()
    Y = fill_invalid(scene.Y, scene.valid_lr)
    edges = F.pad(Y, (1, 1, 1, 1), mode="replicate")
    around = edges[..., 2:, 1:-1] + edges[..., :-2, 1:-1] + edges[..., 1:-1, 2:] + edges[..., 1:-1, :-2]
    Z = upsample(Y, (int(scene.X.shape[-2]), int(scene.X.shape[-1])))
    return PlainEvidence.about(scene, Z, Y - around / 4.0, axis, _UPSAMPLED)
