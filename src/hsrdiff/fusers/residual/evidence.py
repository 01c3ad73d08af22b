"""What can be computed from a pair before any network: the base, and the signs of where it errs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional as F

from hsrdiff.fusers.base import require_observation
from hsrdiff.fusers.kriging.finish import agree
from hsrdiff.fusers.kriging.learned import KrigingLearned
from hsrdiff.fusers.masking import fill_invalid
from hsrdiff.fusers.regression import Regression
from hsrdiff.observation import Scene
from hsrdiff.observation.gram import LRGram

REACH = 256.0  # pixels from the axis at which a radial slope counts once


@dataclass(frozen=True)
class Evidence:
    """The base and its companions, all defined everywhere, in the units of the scene.

    Attributes:
        scene: The pair.
        base: Kriging with the learned kernel, consistent with both images, shape (1, B, H, W).
        plain: The plain kernel's estimate less the learned kernel's, shape (1, B, H, W).
        regressed: Spectral regression less the base, shape (1, B, H, W).
        surprise: Leave-one-out errors over their predicted size, shape (1, B, h, w).
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
    surprise: torch.Tensor
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
    ) -> Evidence:
        """Krige, regress, and keep what each says.

        Args:
            scene: The scene, with its observation.
            base: The base, in its own options.
            generator: Source of the landmarks.
            axis: Where the optical axis meets the image, row and column in pixels; its middle when None.

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
        surprise = kriged.surprise
        assert surprise is not None
        return cls(
            scene,
            Z,
            image(kriged.spectra[:, bands:]),
            Regression().estimate(scene).Z_hat.to(Z) - Z,
            surprise.T.reshape(1, bands, *scene.Y.shape[-2:]).to(Z),
            image(kriged.variance[:, None]).to(Z),
            kriged.covariance,
            LRGram(observation.spatial, size),
            axis or ((size[0] - 1) / 2, (size[1] - 1) / 2),
            notes,
        )

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
        spatial = self.gram.spatial
        return image - spatial.adjoint(self.gram.solve(spatial.apply(image)))

    def optics(self) -> torch.Tensor:
        """Return how the base would change if a lens drew its bands larger, or less sharp.

        Lateral colour, a magnification that depends on the wavelength, moves a band by a multiple of the distance x
        from the axis and changes it by a multiple of ``x . grad``; another blur changes it by one of the Laplacian.

        Returns:
            Radial slopes, x in units of `REACH` pixels, then Laplacians, shape (1, 2 B, H, W).
        """
        base = self.base
        edges = F.pad(base, (1, 1, 1, 1), mode="replicate")
        down = (edges[..., 2:, 1:-1] - edges[..., :-2, 1:-1]) / 2
        right = (edges[..., 1:-1, 2:] - edges[..., 1:-1, :-2]) / 2
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
