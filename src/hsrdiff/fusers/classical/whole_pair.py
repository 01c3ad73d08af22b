"""X and Y as model-based methods want them: float64, no holes, largest value 1."""

from __future__ import annotations

from dataclasses import dataclass

from hsrdiff.fusers.base import Fusion, require_observation
from hsrdiff.fusers.masking import mask_output, output_mask
from hsrdiff.fusers.regression import Regression
from hsrdiff.observation import Observation, Scene
from hsrdiff.observation.completion import complete_pair
from hsrdiff.typing import HRHSI, LRHSI, MSI


@dataclass(frozen=True)
class WholePair:
    """A pair without masks, in units of its largest magnitude, so that published weights mean the same everywhere.

    Attributes:
        scene: Where it comes from.
        observation: R and D.
        X: Shape (1, b, H, W), float64.
        Y: Shape (1, B, h, w), float64.
        peak: Units of the scene in one unit of X and Y.
    """

    scene: Scene
    observation: Observation
    X: MSI
    Y: LRHSI
    peak: float

    @classmethod
    def of(cls, scene: Scene, method: str) -> WholePair:
        """Fill what is masked from a spectral regression, so that the pair still agrees, and scale.

        Args:
            scene: The scene, with its observation.
            method: Name of the method, for messages.

        Returns:
            The pair.

        Raises:
            InputError: If the scene does not fit together or has no observation.
            InvalidValueError: If something is masked and no LR pixel is valid in both images.
        """
        scene.check()
        observation = require_observation(scene, method)
        X, Y = scene.X.double(), scene.Y.double()
        if any(mask is not None and not bool(mask.all()) for mask in (scene.valid, scene.valid_lr)):
            guess = Regression().estimate(scene).Z_hat
            X, Y = complete_pair(observation, guess, X, Y, scene.valid, scene.valid_lr)
        peak = max(float(X.abs().max()), float(Y.abs().max())) or 1.0
        return cls(scene, observation, X / peak, Y / peak, peak)

    def fusion(self, Z: HRHSI, notes: dict[str, str]) -> Fusion:
        """Return a result in the units and type of the scene, NaN where it is masked.

        Args:
            Z: Shape (1, B, H, W), float64, in the units of the pair.
            notes: What the user should know.

        Returns:
            The fusion.
        """
        return Fusion(mask_output((self.peak * Z).to(self.scene.Y), output_mask(self.scene)), None, notes)
