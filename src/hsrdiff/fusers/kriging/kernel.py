"""How alike two spectra are, from what the guide sees of them and where they are: the kernel of spectral kriging."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

import torch

from hsrdiff.typing import MSI

Number = float | torch.Tensor


class Placed(Protocol):
    """Sites in the units of a kernel.

    Attributes:
        brightness: n, shape (P, 1).
        guide: x, shape (P, b).
    """

    @property
    def brightness(self) -> torch.Tensor:
        """n, shape (P, 1)."""

    @property
    def guide(self) -> torch.Tensor:
        """x, shape (P, b)."""

    def __len__(self) -> int: ...

    def at(self, index: torch.Tensor | slice) -> Self:
        """Return those of an index."""


P = TypeVar("P", bound=Placed)


class Kernel(Protocol[P]):
    """What area-to-point kriging asks of a covariance; see `SpectralKernel` for the meaning of each part."""

    @property
    def noise(self) -> Number:
        """s, noise of every sample over the mean of k."""

    @property
    def mixing(self) -> Number:
        """v, noise of a sample over the guide's variance within its LR pixel."""

    def coordinates(self, sites: Sites) -> P:
        """Return sites in the units of this kernel."""

    def matrix(self, left: P, right: P) -> torch.Tensor:
        """Return k between two sets of sites."""

    def diagonal(self, sites: P) -> torch.Tensor:
        """Return k of each site with itself."""


@dataclass(frozen=True)
class Sites:
    """Places with a guide value, P of them.

    Attributes:
        guide: x, values of the MSI in units of the scene's root mean square brightness, shape (P, b).
        place: u, row and column in LR pixels, shape (P, 2).
        context: What surrounds each site, shape (P, C), for kernels that look at it; else None.
    """

    guide: torch.Tensor
    place: torch.Tensor
    context: torch.Tensor | None = None

    def __len__(self) -> int:
        return len(self.guide)

    def at(self, index: torch.Tensor | slice) -> Sites:
        """Return the sites of an index.

        Args:
            index: Positions, or a slice.

        Returns:
            Those sites.
        """
        return Sites(self.guide[index], self.place[index], None if self.context is None else self.context[index])

    def to(self, dtype: torch.dtype) -> Sites:
        """Return the sites in another floating type.

        Args:
            dtype: The type.

        Returns:
            The same sites.
        """
        return Sites(
            self.guide.to(dtype), self.place.to(dtype), None if self.context is None else self.context.to(dtype)
        )


def image_sites(X: MSI, factor: int, scale: float) -> Sites:
    """Return the pixel centres of an image as sites, row by row.

    Args:
        X: Guide, shape (1, b, H, W).
        factor: Pixels of this image in one LR pixel along an axis; 1 for an image on the LR grid.
        scale: Brightness that means 1.

    Returns:
        H W sites, in the type of X.
    """
    height, width = X.shape[-2:]
    rows, columns = (
        (torch.arange(length, dtype=X.dtype, device=X.device) + 0.5) / factor for length in (height, width)
    )
    place = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), dim=-1).reshape(-1, 2)
    return Sites(X[0].flatten(1).T / scale, place)


@dataclass(frozen=True)
class Coordinates:
    """Sites in the units of one kernel, ready for matrix products.

    Attributes:
        brightness: n, shape (P, 1).
        colour: Rows whose product with `colour_other` of other sites is ``1 + q_c / 2``, shape (P, b + 3).
        colour_other: The other side of that product.
        near: The same for ``1 + q_s / 2``, shape (P, 4).
        near_other: The other side of that product.
        guide: x, shape (P, b).
    """

    brightness: torch.Tensor
    colour: torch.Tensor
    colour_other: torch.Tensor
    near: torch.Tensor
    near_other: torch.Tensor
    guide: torch.Tensor

    def __len__(self) -> int:
        return len(self.guide)

    def at(self, index: torch.Tensor | slice) -> Coordinates:
        """Return the coordinates of an index.

        Args:
            index: Positions, or a slice.

        Returns:
            Those coordinates.
        """
        return Coordinates(
            self.brightness[index],
            self.colour[index],
            self.colour_other[index],
            self.near[index],
            self.near_other[index],
            self.guide[index],
        )


@dataclass(frozen=True)
class SpectralKernel:
    """Covariance of the spectra at two sites, up to one factor per band.

    With brightness n = |x|, colour c = x / (n + dark) and m = log(n + dark),

        q_c = |c - c'|^2 / h_c^2 + (m - m')^2 / h_n^2,      q_s = |u - u'|^2 / h_s^2
        k   = n n' [a / (1 + q_c / 2) + b / ((1 + q_c / 2) (1 + q_s / 2))] + l x.x'

    The factor n n' lets a prediction scale with brightness, as shading moves a spectrum along a ray. A sample
    y_j is taken to be noisy by ``noise * mean(k) + mixing * var_j``, var_j being the variance of the guide within
    the LR pixel. Only ratios of a, b, l and the two noise terms shape a prediction. The values were chosen on
    the 20 training scenes of CAVE at factor 32.

    Attributes:
        colour: h_c.
        brightness: h_n, a difference of natural logarithms.
        reach_lr: h_s, LR pixels.
        everywhere: a, weight of what colour alone tells.
        nearby: b, weight of what colour tells about the neighbourhood.
        linear: l, weight of linear regression through the origin.
        dark: Brightness, in units of the scene's root mean square, under which colour fades.
        noise: s, noise of every sample over the mean of k.
        mixing: v, noise of a sample over the guide's variance within its LR pixel.
    """

    colour: Number = 0.2
    brightness: Number = 1.35
    reach_lr: Number = 3.3
    everywhere: Number = 0.2
    nearby: Number = 0.125
    linear: Number = 1.0
    dark: Number = 0.02
    noise: Number = 7e-5
    mixing: Number = 8e-4

    def coordinates(self, sites: Sites) -> Coordinates:
        """Return sites in the units of this kernel.

        Args:
            sites: P sites.

        Returns:
            Their coordinates, same type.
        """
        x = sites.guide
        n = torch.linalg.vector_norm(x, dim=1, keepdim=True)
        lit = n + self.dark
        colour = torch.cat([x / lit / self.colour, torch.log(lit) / self.brightness], dim=1)
        # Numerics: distances are differences of large squares unless the cloud is centred
        colour = colour - colour.detach().mean(dim=0)
        near = (sites.place - sites.place.mean(dim=0)) / self.reach_lr
        return Coordinates(n, *product_sides(colour), *product_sides(near), x)

    def matrix(self, left: Coordinates, right: Coordinates) -> torch.Tensor:
        """Return k between two sets of sites.

        Args:
            left: P sites.
            right: Q sites, from the same call of `coordinates`.

        Returns:
            Shape (P, Q).
        """
        unlike, far = left.colour @ right.colour_other.T, left.near @ right.near_other.T
        if torch.is_grad_enabled():
            likeness = (self.nearby / far.clamp_min(1.0) + self.everywhere) / unlike.clamp_min(1.0)
            return torch.addmm(likeness * left.brightness * right.brightness.T, left.guide * self.linear, right.guide.T)
        # Numerics: the same numbers in place, which stay in the processor's cache where the caller asks for a tile
        likeness = far.clamp_(min=1.0).reciprocal_().mul_(self.nearby).add_(self.everywhere)
        likeness.div_(unlike.clamp_(min=1.0)).mul_(left.brightness).mul_(right.brightness.T)
        return likeness.addmm_(left.guide * self.linear, right.guide.T)

    def diagonal(self, sites: Coordinates) -> torch.Tensor:
        """Return k of each site with itself.

        Args:
            sites: P sites.

        Returns:
            Shape (P,).
        """
        squares = sites.brightness[:, 0].square()
        return squares * (self.everywhere + self.nearby + self.linear)


def product_sides(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return rows a_i and b_j with ``a_i . b_j = 1 + |p_i - p_j|^2 / 2``, so that distances are matrix products.

    Args:
        points: Shape (P, d), centred.

    Returns:
        Two of shape (P, d + 2).
    """
    half = points.square().sum(dim=1, keepdim=True) / 2
    one = torch.ones_like(half)
    return torch.cat([points, half, one], dim=1), torch.cat([-points, one, half + 1.0], dim=1)
