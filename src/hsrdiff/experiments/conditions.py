"""What can be wrong with a pair: each condition turns a known Z into a scene whose observation may not be true."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from hsrdiff.observation import Observation, Scene, SpatialResponse, SpectralResponse, add_noise
from hsrdiff.observation.spatial import FWHM_PER_SIGMA
from hsrdiff.rng import generator
from hsrdiff.typing import HRHSI

SATURATION = 0.99  # quantile of a band at which both instruments saturate
MISSING = 0.05  # share of pixels without data
DEAD = 20  # one band in so many is dead


@dataclass(frozen=True)
class Truth:
    """What a condition starts from.

    Attributes:
        Z: Shape (1, B, H, W), float64, finite.
        observation: What the method is told.
        band_nm: Distance of neighbouring bands, nm.
        seed: Seed of noise and masks.
        name: Keys noise and masks.
    """

    Z: HRHSI
    observation: Observation
    band_nm: float
    seed: int
    name: str

    def scene(self, true: Observation | None = None, Z: HRHSI | None = None) -> Scene:
        """Return the pair that other instruments than the told ones made, or of another place.

        Args:
            true: R and D that made the pair; the told ones when None.
            Z: What Y was made of; the truth when None.

        Returns:
            A float64 scene without masks and noise.
        """
        made = self.observation if true is None else true
        X, Y = made.spectral.apply(self.Z), made.spatial.apply(self.Z if Z is None else Z)
        return Scene(X=X, Y=Y, observation=self.observation, Z=self.Z, name=self.name)


Condition = Callable[[Truth], Scene]


def clean(truth: Truth) -> Scene:
    """Nothing is wrong.

    Args:
        truth: Z and what the method is told.

    Returns:
        The scene.
    """
    return truth.scene()


def noise(snr_x_db: float, snr_y_db: float, told: bool) -> Condition:
    """White noise in X and Y.

    Args:
        snr_x_db: Signal-to-noise ratio of X, dB.
        snr_y_db: Signal-to-noise ratio of Y, dB.
        told: Whether the method is told the noise levels.

    Returns:
        The condition.
    """

    def make(truth: Truth) -> Scene:
        scene = truth.scene()
        X, sigma_x = add_noise(scene.X, snr_x_db, generator(truth.seed, "noise", truth.name, "X"))
        Y, sigma_y = add_noise(scene.Y, snr_y_db, generator(truth.seed, "noise", truth.name, "Y"))
        scene = replace(scene, X=X, Y=Y)
        return replace(scene, sigma_x=sigma_x, sigma_y=sigma_y) if told else scene

    return make


def psf_width(ratio: float) -> Condition:
    """The true PSF is wider or narrower than the told one.

    Args:
        ratio: True over told width.

    Returns:
        The condition.
    """

    def make(truth: Truth) -> Scene:
        factor = truth.observation.spatial.factor
        sigma = ratio * factor / FWHM_PER_SIGMA
        # three sigma to each side, and K - factor even
        size = factor + 2 * math.ceil(max(0.0, 3.0 * sigma - factor / 2))
        spatial = SpatialResponse.gaussian(factor, sigma, size)
        return truth.scene(Observation(truth.observation.spectral, spatial))

    return make


def response(shift_nm: float = 0.0, width: float = 1.0) -> Condition:
    """The true response lies elsewhere, or is wider, than the told one.

    Args:
        shift_nm: How far to longer wavelengths, nm.
        width: True over told width of every band.

    Returns:
        The condition.
    """

    def make(truth: Truth) -> Scene:
        spectral = warp_response(truth.observation.spectral, shift_nm / truth.band_nm, width)
        return truth.scene(Observation(spectral, truth.observation.spatial))

    return make


def displaced(lr_pixels: float) -> Condition:
    """Y shows the place a part of an LR pixel to the right of where it should; truth and X stay.

    Args:
        lr_pixels: How far, LR pixels; a whole number of HR pixels.

    Returns:
        The condition.
    """

    def make(truth: Truth) -> Scene:
        pixels = lr_pixels * truth.observation.spatial.factor
        width = truth.Z.shape[-1]
        columns = (torch.arange(width) - round(pixels)).clamp_min(0)
        return truth.scene(Z=truth.Z[..., columns])

    return make


def dead_bands(truth: Truth) -> Scene:
    """One band of Y in twenty is 0, and nobody says so; only the others (`alive`) are to be counted.

    Args:
        truth: Z and what the method is told.

    Returns:
        The scene.
    """
    scene = truth.scene()
    return replace(scene, Y=torch.where(alive(scene.bands)[:, None, None], scene.Y, 0.0))


def living_bands(truth: Truth) -> Scene:
    """Nothing is wrong, and only the bands that `dead_bands` leaves are to be counted: what to compare it with.

    Args:
        truth: Z and what the method is told.

    Returns:
        The scene.
    """
    return truth.scene()


def alive(bands: int) -> torch.Tensor:
    """Return the bands that `dead_bands` leaves.

    Args:
        bands: B.

    Returns:
        Bool (B,).
    """
    return torch.arange(bands) % DEAD != DEAD // 2


def saturated(truth: Truth) -> Scene:
    """Both instruments cut each band at its 99 % quantile, and nobody says so.

    Args:
        truth: Z and what the method is told.

    Returns:
        The scene.
    """
    scene = truth.scene()

    def cut(image: torch.Tensor) -> torch.Tensor:
        limits = np.quantile(image[0].flatten(1).numpy(), SATURATION, axis=1)
        return torch.minimum(image, torch.from_numpy(limits)[:, None, None])

    return replace(scene, X=cut(scene.X), Y=cut(scene.Y))


def missing(letter: str) -> Condition:
    """Five pixels in a hundred of one image have no data, and its mask says so.

    Args:
        letter: ``"X"`` or ``"Y"``.

    Returns:
        The condition.
    """

    def make(truth: Truth) -> Scene:
        scene = truth.scene()
        image = scene.X if letter == "X" else scene.Y
        drawn = torch.rand((1, 1, *image.shape[-2:]), generator=generator(truth.seed, "missing", truth.name, letter))
        valid = drawn >= MISSING
        holes = torch.where(valid, image, torch.full((), torch.nan, dtype=image.dtype))
        return replace(scene, X=holes, valid=valid) if letter == "X" else replace(scene, Y=holes, valid_lr=valid)

    return make


def warp_response(spectral: SpectralResponse, shift: float, width: float) -> SpectralResponse:
    """Shift and widen each row of R as a function over the band axis, linear between bands.

    Args:
        spectral: R.
        shift: Bands to the right.
        width: New over old width, about the row's centre of mass.

    Returns:
        R with rows of the same sum.
    """
    axis = np.arange(spectral.bands, dtype=np.float64)
    rows = []
    for row in spectral.matrix.numpy():
        centre = float((row * axis).sum() / row.sum())
        warped = np.interp(centre + (axis - shift - centre) / width, axis, row)
        rows.append(warped * row.sum() / warped.sum())
    return SpectralResponse(np.array(rows), spectral.band_names)
