"""What can be computed from a pair before any network: the base, and the signs of where it errs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from hsrdiff.fusers.base import require_observation
from hsrdiff.fusers.expected_error import ExpectedError, by_bands, detail, level_of, nearby, surprise
from hsrdiff.fusers.kriging.finish import agree
from hsrdiff.fusers.kriging.learned import KrigingLearned
from hsrdiff.fusers.masking import fill_invalid
from hsrdiff.fusers.regression import Regression
from hsrdiff.fusers.residual.coordinates import Coordinates
from hsrdiff.fusers.residual.registration import band_shifts, gradients, registered
from hsrdiff.observation import Scene, SpectralResponse
from hsrdiff.observation.gram import LRGram, unseen

# a shift is seen at LR as a part of an LR pixel: on training scenes of CAVE at x32 nothing is gained by it
MOST_REGISTERED = 16
_TYPICAL = 0.6  # a base's error over what regression changes of it, measured on training scenes of CAVE
# P76: of what the base is compared with, fitted where the truth is known
EXPECTED = ExpectedError(1.056, {"detail": 0.217, "kernels": 0.266, "left out": 0.12, "regression": 0.101})
REACH = 256.0  # pixels from the axis at which a radial slope counts once


@dataclass(frozen=True)
class Evidence:
    """The base and its companions, all defined everywhere, in the units of the scene.

    Attributes:
        scene: The pair.
        base: Kriging with the learned kernel, consistent with both images, shape (1, B, H, W).
        plain: The plain kernel's estimate less the learned kernel's, shape (1, B, H, W).
        regressed: Spectral regression less the base, shape (1, B, H, W).
        left_out: Error of foretelling each LR pixel from the others, shape (1, B, h, w).
        precision: One over its variance in units of each band's factor, shape (1, 1, h, w); 0 where there is no sample.
        variance: Of each pixel in units of each band's factor, shape (1, 1, H, W).
        covariance: Of the errors across bands in those units, shape (B, B), float64.
        gram: D^T D, for what is to be added without changing Z D.
        axis: Where the optical axis meets the image, row and column in pixels.
        notes: What the base has to say.
    """

    scene: Scene
    base: torch.Tensor
    plain: torch.Tensor
    regressed: torch.Tensor
    left_out: torch.Tensor
    precision: torch.Tensor
    variance: torch.Tensor
    covariance: torch.Tensor
    gram: LRGram
    axis: tuple[float, float]
    notes: dict[str, str]

    @classmethod
    @torch.no_grad()
    def of(
        cls,
        scene: Scene,
        base: KrigingLearned,
        *,
        generator: torch.Generator,
        axis: tuple[float, float] | None = None,
        register: bool = False,
    ) -> Evidence:
        """Krige, regress, and keep what each says.

        Args:
            scene: The scene, with its observation.
            base: The base, in its own options.
            generator: Source of the landmarks.
            axis: Where the optical axis meets the image, row and column in pixels; its middle when None.
            register: Measure how bands lie off each other and move them in the base, as far as no image sees it.

        Returns:
            The evidence.

        Raises:
            InputError: If the scene does not fit together or has no observation.
            InvalidValueError: If no LR pixel is valid in both images.
        """
        observation = require_observation(scene, base.name)
        kriged, notes = base.krige(scene, generator=generator, apart=True)
        bands, size = scene.bands, (int(scene.X.shape[-2]), int(scene.X.shape[-1]))

        def image(rows: torch.Tensor) -> torch.Tensor:
            return rows.T.reshape(1, -1, *size)

        Z, _ = agree(scene, observation, kriged.first(bands))
        lr = scene.Y.shape[-2:]
        left_out = kriged.left_out.T.reshape(1, bands, *lr).to(Z)
        precision = kriged.precision.reshape(1, 1, *lr).to(Z)
        gram = LRGram(observation.spatial, size)
        if register and scene.factor <= MOST_REGISTERED:
            found = band_shifts(Z, left_out, precision, observation.spatial)
            moved = hide(registered(Z, found.shifts), observation.spectral)
            Z = Z + unseen(moved, gram)
            notes["band_registration"] = (
                f"bands were moved against each other by up to {float(found.shifts.abs().max()):.2g} fine pixels"
            )
        return cls(
            scene,
            Z,
            image(kriged.spectra[:, bands:]),
            Regression().estimate(scene).Z_hat.to(Z) - Z,
            left_out,
            precision,
            image(kriged.variance[:, None]).to(Z),
            kriged.covariance,
            gram,
            axis or ((size[0] - 1) / 2, (size[1] - 1) / 2),
            notes,
        )

    @property
    def surprise(self) -> torch.Tensor:
        """Leave-one-out errors over their predicted size, whose mean square is the bands' factors, (1, B, h, w)."""
        return self.left_out * self.precision.sqrt()

    @property
    def size(self) -> tuple[int, int]:
        """(H, W)."""
        return int(self.base.shape[-2]), int(self.base.shape[-1])

    def unseen(self, image: torch.Tensor) -> torch.Tensor:
        """Return the part of an image that D does not see, ``v (I - D D+)``: it may be added to the base freely.

        Args:
            image: Shape (n, C, H, W).

        Returns:
            Same shape.
        """
        return unseen(image, self.gram)

    def scale(self, coordinates: Coordinates) -> float:
        """Return the expected size of the base's errors, from what regression would change of it.

        Args:
            coordinates: Residual coordinates.

        Returns:
            Root mean square in those coordinates.
        """
        regressed = self.unseen(coordinates.apply(self.regressed))
        used = max(1, int((coordinates.weights > 0).sum()))
        return _TYPICAL * math.sqrt(float(regressed.double().square().mean()) * regressed.shape[1] / used)

    def doubt(self, Z: torch.Tensor) -> torch.Tensor | None:
        """Return the expected standard deviation of the errors of a result (P76).

        Args:
            Z: The result, shape (1, B, H, W), defined everywhere.

        Returns:
            Same shape and type; None where the base has no companions to tell by.
        """
        Z, Y = Z.to(self.base), self.Y_filled()
        level = level_of(self.left_out, self.precision > 0).to(Z)

        def deviation(some: slice) -> torch.Tensor:
            signs = {
                "detail": detail(Z[:, some], Y[:, some]),
                "kernels": nearby(self.plain[:, some]),
                "left out": surprise(self.left_out[:, some], self.size),
                "regression": nearby(self.regressed[:, some]),
            }
            return EXPECTED.deviation(level[some], signs)

        return by_bands(len(level), deviation).to(self.scene.Y)

    def optics(self) -> torch.Tensor:
        """Return how the base would change if a lens drew its bands larger, or less sharp.

        Lateral colour, a magnification that depends on the wavelength, moves a band by a multiple of the distance x
        from the axis and changes it by a multiple of ``x . grad``; another blur changes it by one of the Laplacian.

        Returns:
            Radial slopes, x in units of `REACH` pixels, then Laplacians, shape (1, 2 B, H, W).
        """
        base = self.base
        down, right = gradients(base)
        edges = F.pad(base, (1, 1, 1, 1), mode="replicate")
        around = edges[..., 2:, 1:-1] + edges[..., :-2, 1:-1] + edges[..., 1:-1, 2:] + edges[..., 1:-1, :-2]
        rows = (torch.arange(self.size[0], dtype=base.dtype, device=base.device) - self.axis[0]) / REACH
        columns = (torch.arange(self.size[1], dtype=base.dtype, device=base.device) - self.axis[1]) / REACH
        return torch.cat([rows[:, None] * down + columns * right, around - 4.0 * base], dim=1)

    def upsampled(self, image: torch.Tensor, mode: str) -> torch.Tensor:
        """Bring an image of the LR grid to that of X.

        Args:
            image: Shape (1, C, h, w).
            mode: "bicubic" or "bilinear".

        Returns:
            Shape (1, C, H, W).
        """
        return F.interpolate(image, size=self.size, mode=mode, align_corners=False)

    def Y_filled(self) -> torch.Tensor:
        """Y with its invalid pixels filled, in the type of the base."""
        return fill_invalid(self.scene.Y, self.scene.valid_lr).to(self.base)

    def X_filled(self) -> torch.Tensor:
        """X with its invalid pixels filled, in the type of the base."""
        return fill_invalid(self.scene.X, self.scene.valid).to(self.base)


def hide(image: torch.Tensor, spectral: SpectralResponse) -> torch.Tensor:
    """Return ``(I - R+ R) v``, what the guide does not see.

    Args:
        image: v, shape (n, B, H, W).
        spectral: R.

    Returns:
        Same shape.
    """
    R = spectral.matrix
    visible = (torch.linalg.pinv(R) @ R).to(image)
    return image - torch.einsum("cb,nbhw->nchw", visible, image)
