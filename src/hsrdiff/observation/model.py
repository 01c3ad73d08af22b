"""The observation model, Eq. (1): X = R Z and Y = Z D, and noise of a given SNR."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from hsrdiff.errors import InputError, InvalidValueError, ShapeError
from hsrdiff.observation.spatial import SpatialResponse
from hsrdiff.observation.spectral import SpectralResponse
from hsrdiff.rng import normal_like
from hsrdiff.typing import HRHSI, LRHSI, MSI


@dataclass(frozen=True)
class Observation:
    """Eq. (1): what the two instruments see of Z.

    Args:
        spectral: R.
        spatial: D.
    """

    spectral: SpectralResponse
    spatial: SpatialResponse

    def observe(self, Z: HRHSI) -> tuple[MSI, LRHSI]:
        """Return (X, Y) = (R Z, Z D), Eq. (1), without noise.

        Args:
            Z: Shape (n, B, H, W).

        Returns:
            X, shape (n, b, H, W), and Y, shape (n, B, H / factor, W / factor).

        Raises:
            ShapeError: Z does not fit R or D.
        """
        return self.spectral.apply(Z), self.spatial.apply(Z)

    def residuals(self, Z: HRHSI, X: MSI, Y: LRHSI) -> tuple[float, float]:
        """Root mean squares of X - R Z and Y - Z D, float64; pixels that are NaN on either side are left out.

        Args:
            Z: Estimate, shape (n, B, H, W).
            X: Shape (n, b, H, W).
            Y: Shape (n, B, h, w).

        Returns:
            (rms_x, rms_y) in the units of X and Y.

        Raises:
            ShapeError: The three do not fit together.
            InvalidValueError: No finite pixel is left.
        """
        RZ, ZD = self.observe(Z.double())
        return _rms(RZ, X, "X"), _rms(ZD, Y, "Y")


def _rms(modelled: torch.Tensor, seen: torch.Tensor, letter: str) -> float:
    if modelled.shape != seen.shape:
        raise ShapeError(
            f"{letter} has shape {tuple(seen.shape)}",
            expected=f"{tuple(modelled.shape)}, as Z and the observation give it",
        )
    difference = (modelled - seen.double())[torch.isfinite(modelled) & torch.isfinite(seen)]
    if not difference.numel():
        raise InvalidValueError(f"{letter} and its model share no finite pixel", expected="at least one")
    return float(difference.square().mean().sqrt())


def add_noise(image: torch.Tensor, snr_db: float, generator: torch.Generator) -> tuple[torch.Tensor, float]:
    """Add white Gaussian noise: ``SNR = 10 log10(mean(image^2) / sigma^2)`` over the whole image.

    Args:
        image: Any shape, floating point; NaN pixels stay NaN and do not count.
        snr_db: Signal-to-noise ratio in dB; infinity adds none.
        generator: Source of the noise.

    Returns:
        The noisy image and sigma in the image's units.

    Raises:
        InputError: snr_db is NaN or minus infinity.
        InvalidValueError: The image has no finite pixel.
    """
    if math.isnan(snr_db) or snr_db == -math.inf:
        raise InputError(f"the SNR is {snr_db} dB", expected="a number of dB, or infinity for no noise")
    finite = image[torch.isfinite(image)].double()
    if not finite.numel():
        raise InvalidValueError("the image to add noise to has no finite pixel", expected="at least one")
    sigma = math.sqrt(float(finite.square().mean()) * 10.0 ** (-snr_db / 10.0))
    return image + sigma * normal_like(image, generator), sigma
