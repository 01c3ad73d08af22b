"""What a scene gives kriging: the LR pixels as samples, the HR pixels as sites, masks taken into account."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from hsrdiff.errors import InvalidValueError
from hsrdiff.fusers.kriging.context import guide_context
from hsrdiff.fusers.kriging.kernel import Sites, image_sites
from hsrdiff.fusers.masking import fill_invalid
from hsrdiff.observation import Scene, SpatialResponse
from hsrdiff.typing import LRHSI, MSI

# an LR pixel is a sample when at least this share of its PSF falls on valid pixels of X
MINIMUM_SHARE = 0.5


@dataclass(frozen=True)
class Samples:
    """The scene as samples and sites.

    Attributes:
        X: Guide with its invalid pixels filled, shape (1, b, H, W).
        Y: LR-HSI with its invalid pixels filled, shape (1, B, h, w).
        guide_lr: Mean of the valid guide under each LR pixel's PSF, shape (1, b, h, w).
        spread: Variance of the guide within each LR pixel over scale^2, float64, shape (h w,).
        share: Share of each LR pixel's PSF on valid pixels of X, shape (h w,).
        usable: LR pixels that are samples, bool (h w,).
        scale: Brightness that means 1: root mean square of |x| over valid pixels.
        spatial: D.
        seen: 1 where the guide is valid, 0 elsewhere, shape (1, 1, H, W), or None where all of it is.
        context: What surrounds each pixel of the guide, shape (1, C, H, W), or None; see `with_context`.
    """

    X: MSI
    Y: LRHSI
    guide_lr: MSI
    spread: torch.Tensor
    share: torch.Tensor
    usable: torch.Tensor
    scale: float
    spatial: SpatialResponse
    seen: torch.Tensor | None
    context: torch.Tensor | None = None

    @classmethod
    def of(cls, scene: Scene, spatial: SpatialResponse, scale: float | None = None) -> Samples:
        """Average the guide over the LR pixels.

        Args:
            scene: The scene, already checked.
            spatial: D.
            scale: Brightness that means 1; found on the scene when None.

        Returns:
            The samples.

        Raises:
            InvalidValueError: No LR pixel is valid in both images.
        """
        X, Y = fill_invalid(scene.X, scene.valid), fill_invalid(scene.Y, scene.valid_lr)
        seen = None if scene.valid is None or bool(scene.valid.all()) else scene.valid.to(X)
        exact = X.double()
        if seen is None:
            share = torch.ones((1, 1, *Y.shape[-2:]), dtype=torch.float64, device=X.device)
            mean, square = spatial.apply(exact), spatial.apply(exact.square())
            brightness = exact.square().sum(dim=1).mean().sqrt()
        else:
            inside = seen.double()
            share = spatial.apply(inside)
            whole = share.clamp_min(MINIMUM_SHARE)
            mean, square = (spatial.apply(image * inside) / whole for image in (exact, exact.square()))
            brightness = ((exact.square().sum(dim=1) * inside[:, 0]).sum() / inside.sum()).sqrt()
        usable = share >= MINIMUM_SHARE
        if scene.valid_lr is not None:
            usable = usable & scene.valid_lr
        if not usable.any():
            raise InvalidValueError(
                "no pixel of the hyperspectral image lies on valid pixels of both images",
                expected="an overlap to learn the spectra from",
                do="check the masks and the position of the two images",
            )
        unit = float(brightness) or 1.0
        unit = unit if scale is None else scale
        spread = (square - mean.square()).sum(dim=1).flatten().clamp_min(0.0) / unit**2
        return cls(X, Y, mean.to(X), spread, share.flatten(), usable.flatten(), unit, spatial, seen)

    def crop(self, rows: tuple[int, int], columns: tuple[int, int]) -> Samples:
        """Return the part of a rectangle of LR pixels and what their PSFs reach beyond it.

        Only LR pixels inside the rectangle stay samples: those around it are there so that D reads what it read.

        Args:
            rows: First LR row and the one after the last.
            columns: The same for columns.

        Returns:
            The part, larger than the rectangle by `reach_lr` on each side that is not the image's edge.
        """
        h, w = self.Y.shape[-2:]
        s, reach = self.spatial.factor, self.reach_lr
        top, bottom = max(0, rows[0] - reach), min(h, rows[1] + reach)
        left, right = max(0, columns[0] - reach), min(w, columns[1] + reach)
        inside = torch.zeros((h, w), dtype=torch.bool, device=self.usable.device)
        inside[rows[0] : rows[1], columns[0] : columns[1]] = True
        if self.spatial.border == "circular" and (bottom - top, right - left) != (h, w):
            # the part does not wrap around where the image did
            inside[: reach * (bottom - top < h)] = inside[h - reach * (bottom - top < h) :] = False
            inside[:, : reach * (right - left < w)] = inside[:, w - reach * (right - left < w) :] = False

        def coarse(image: torch.Tensor) -> torch.Tensor:
            return image.reshape(*image.shape[:-1], h, w)[..., top:bottom, left:right].flatten(-2)

        def fine(image: torch.Tensor) -> torch.Tensor:
            return image[..., top * s : bottom * s, left * s : right * s]

        return replace(
            self,
            X=fine(self.X),
            Y=self.Y[..., top:bottom, left:right],
            guide_lr=self.guide_lr[..., top:bottom, left:right],
            spread=coarse(self.spread),
            share=coarse(self.share),
            usable=coarse(self.usable & inside.flatten()),
            seen=None if self.seen is None else fine(self.seen),
            context=None if self.context is None else fine(self.context),
        )

    def with_context(self) -> Samples:
        """Return the same scene with `guide_context` of its guide, for kernels that look at it.

        Taken from the whole image before it is cut into parts, so that no part sees its own edge.
        """
        return replace(self, context=guide_context(self.X, self.scale))

    @property
    def reach_lr(self) -> int:
        """LR pixels that a PSF reaches beyond its own."""
        return max(0, -(-self.spatial.offset // self.spatial.factor))

    @property
    def spectra(self) -> torch.Tensor:
        """Spectra of the usable LR pixels, shape (N, B), float64."""
        return self.Y[0].flatten(1).T[self.usable].double()

    @property
    def unseen(self) -> torch.Tensor | None:
        """Share of each usable LR pixel without a guide, shape (N,), float64, or None where the guide is whole."""
        return None if self.seen is None else (1.0 - self.share[self.usable]).clamp(0.0, 1.0)

    def sites(self) -> Sites:
        """Return the usable LR pixels, each at its centre with its mean guide."""
        return image_sites(self.guide_lr, 1, self.scale).at(self.usable)

    def pixels(self) -> Sites:
        """Return all HR pixels."""
        sites = image_sites(self.X, self.spatial.factor, self.scale)
        return sites if self.context is None else replace(sites, context=self.context[0].flatten(1).T)

    def block_means(self, values: torch.Tensor) -> torch.Tensor:
        """Apply D over the valid pixels of X.

        Args:
            values: Shape (channels, H W).

        Returns:
            Shape (channels, N), the usable LR pixels.
        """
        image = values.reshape(1, -1, *self.X.shape[-2:])
        if self.seen is not None:
            image = image * self.seen
        means = self.spatial.apply(image)[0].flatten(1)
        if self.seen is not None:
            means = means / self.share.clamp_min(MINIMUM_SHARE).to(means)
        return means[:, self.usable]

    def landmarks(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """Draw pixels where the guide is valid, spread evenly over the image.

        The image is walked in LR pixels, and each drawn pixel is the first of its LR pixel in a random order,
        then the second, and so on, so that no part is left out by chance.

        Args:
            count: How many, at most.
            generator: Source of the draw.

        Returns:
            Positions in `pixels`, shape (M,).
        """
        height, width = self.X.shape[-2:]
        s, device = self.spatial.factor, self.X.device
        order = torch.rand((height, width), generator=generator, device=generator.device).to(device)
        if self.seen is not None:
            order = order + 2.0 * (self.seen[0, 0] == 0)
        blocks = order.reshape(height // s, s, width // s, s).transpose(1, 2).flatten(2)
        rank = blocks.argsort(dim=-1).argsort(dim=-1).float()
        # a random number below 1 on top shuffles the LR pixels within each round
        turn = rank + torch.rand(rank.shape[:2], generator=generator, device=generator.device).to(device)[..., None]
        turn = turn.reshape(height // s, width // s, s, s).transpose(1, 2).reshape(-1)
        if self.seen is not None:
            turn = turn + 1e6 * (self.seen.flatten() == 0)
            count = min(count, int((self.seen > 0).sum()))
        return turn.argsort()[: min(count, turn.numel())]
