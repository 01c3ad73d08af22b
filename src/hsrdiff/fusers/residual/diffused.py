"""What Eq. (3) adds noise to: what the base leaves, freed of what Y has said or not, or the whole image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch

from hsrdiff.fusers.residual.condition import Conditioned, own_channels
from hsrdiff.fusers.residual.coordinates import Coordinates
from hsrdiff.fusers.residual.evidence import Evidence


class Diffused(Protocol):
    """Between c, the coordinates of Z - base in which the network answers, and z, what is diffused."""

    def of(self, c: torch.Tensor) -> torch.Tensor:
        """Return z of an estimate c, shape (n, r, H, W)."""

    def residual(self, z: torch.Tensor) -> torch.Tensor:
        """Return c of a sample z, shape (n, r, H, W)."""

    def hidden(self, gamma: torch.Tensor) -> torch.Tensor:
        """Return the deviation that c, of unit variance, has left where z is seen at gamma, shape (n,) to (n, ...)."""


class WholeResidual:
    """``z = c``: what the base leaves, whatever Y has said."""

    def of(self, c: torch.Tensor) -> torch.Tensor:
        """Return c itself."""
        return c

    def residual(self, z: torch.Tensor) -> torch.Tensor:
        """Return z itself."""
        return z

    def hidden(self, gamma: torch.Tensor) -> torch.Tensor:
        """Return ``sqrt(1 - gamma)``, that of a Gaussian, shape (n, 1, 1, 1)."""
        return (1.0 - gamma).sqrt()[:, None, None, None]


@dataclass(frozen=True)
class UnseenResidual(WholeResidual):
    """``z = c (I - D D+)``: what the base leaves, without what Y has already said.

    Attributes:
        evidence: Knows D.
    """

    evidence: Evidence

    def of(self, c: torch.Tensor) -> torch.Tensor:
        """Return z of an estimate c."""
        return self.evidence.unseen(c)


ITSELF = WholeResidual()


@dataclass(frozen=True)
class WholeImage:
    """``z = e + a c``: the image, with e the base's coordinates and a the size of c in units of theirs.

    The mean of the base is 0 and its variance 1, so that z is the whitened Z. As in the paper the network adds its
    answer to the base; what differs from a diffused residual is that noise is counted in units of the image.

    Attributes:
        base: e, shape (n, r, H, W).
        ratio: a, shape (n, r, 1, 1).
    """

    base: torch.Tensor
    ratio: torch.Tensor

    def of(self, c: torch.Tensor) -> torch.Tensor:
        """Return z of an estimate c."""
        return self.base.to(c) + self.ratio.to(c) * c

    def residual(self, z: torch.Tensor) -> torch.Tensor:
        """Return c of a sample z."""
        return (z - self.base.to(z)) / self.ratio.to(z)

    def hidden(self, gamma: torch.Tensor) -> torch.Tensor:
        """Return ``(1 + a^2 gamma / (1 - gamma))^-1/2``, that of a Gaussian, shape (n, r, 1, 1)."""
        ratio = self.ratio.to(gamma)
        return (1.0 + ratio.square() * (gamma / (1.0 - gamma))[:, None, None, None]).rsqrt()

    @classmethod
    def about(cls, evidence: Evidence, coordinates: Coordinates, given: Conditioned) -> WholeImage:
        """Take e from the condition.

        Args:
            evidence: Has the base.
            coordinates: Those of c; one for each band, or what they leave out is not diffused.
            given: The condition made of both.

        Returns:
            What is diffused.
        """
        count = len(coordinates.weights)
        return cls(own_channels(given.channels, count), image_ratio(evidence, coordinates, given.scale)[None])


def image_ratio(evidence: Evidence, coordinates: Coordinates, scale: float) -> torch.Tensor:
    """Return one unit of c over the base's standard deviation, in each coordinate.

    Args:
        evidence: Has the base.
        coordinates: Those of c.
        scale: One unit of c; 0 where there is nothing to mend counts as 1.

    Returns:
        Shape (r, 1, 1), in (0, 1].
    """
    unit = scale or 1.0
    base = evidence.base
    own = coordinates.apply(base - base.mean(dim=(2, 3), keepdim=True))
    deviation = own[0].square().mean(dim=(1, 2), keepdim=True).sqrt()
    # Numerics: a band without light has no deviation of its own; errors are not to be blown up beyond it
    return unit / deviation.clamp_min(unit)
