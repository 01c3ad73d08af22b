"""A kernel of spectral kriging whose measure of likeness is learnt over many scenes and sensors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from hsrdiff.errors import ShapeError
from hsrdiff.fusers.kriging.context import SCALES, TEXTURES, channels
from hsrdiff.fusers.kriging.kernel import Sites, SpectralKernel, product_sides

_HERE, _PLACE = 0, -1  # columns of the inverse lengths: the pixel's own colour, and its place
_MIDDLE = -0.5  # a typical logarithm of brightness in units of the root mean square
_TEXTURE = -2.0  # a typical logarithm of contrast


class LearnedKernelConfig(BaseModel):
    """Everything that decides the shape of a `LearnedKernel`.

    Attributes:
        terms: J, rational quadratics that are added.
        embedding: Learnt coordinates of a pixel.
        hidden: Width of the small networks that give them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    terms: int = Field(3, ge=2)
    embedding: int = Field(8, ge=1)
    hidden: int = Field(32, ge=1)


@dataclass(frozen=True)
class LearnedCoordinates:
    """Sites in the units of a learned kernel.

    Attributes:
        brightness: n, shape (P, 1).
        points: For each term, rows whose product with `others` of other sites is ``1 + q_j / 2``, shape (P, d + 2).
        others: The other side of those products.
        guide: x, shape (P, b).
    """

    brightness: torch.Tensor
    points: tuple[torch.Tensor, ...]
    others: tuple[torch.Tensor, ...]
    guide: torch.Tensor

    def __len__(self) -> int:
        return len(self.guide)

    def at(self, index: torch.Tensor | slice) -> LearnedCoordinates:
        """Return the coordinates of an index.

        Args:
            index: Positions, or a slice.

        Returns:
            Those coordinates.
        """
        return LearnedCoordinates(
            self.brightness[index],
            tuple(rows[index] for rows in self.points),
            tuple(rows[index] for rows in self.others),
            self.guide[index],
        )


class LearnedKernel(nn.Module):
    """Covariance of the spectra at two sites, from coordinates that are learnt; any number of guide bands.

    Each site has coordinates xi: its colour and brightness, the local means of both (`guide_context`), the local
    contrast, its place, and an embedding e of all of these, which a small network gives band by band, pooled over
    the bands, so that neither their number nor their order matters. With learnt inverse lengths a_j and weights w_j,

        k = n n' sum_j w_j / (1 + |a_j (xi - xi')|^2 / 2) + l x.x'

    which is positive definite whatever is learnt. It starts near `SpectralKernel`.

    Args:
        config: Number of terms, size of the embedding.
    """

    def __init__(self, config: LearnedKernelConfig | None = None) -> None:
        super().__init__()
        c = config or LearnedKernelConfig()
        self.config = c
        plain = SpectralKernel()
        seen = 2 * SCALES + TEXTURES + 1
        self.per_band = nn.Sequential(nn.Linear(seen, c.hidden), nn.GELU(), nn.Linear(c.hidden, c.hidden), nn.GELU())
        self.pooled = nn.Sequential(
            nn.Linear(2 * c.hidden + SCALES + TEXTURES, c.hidden), nn.GELU(), nn.Linear(c.hidden, c.embedding)
        )
        # natural logarithms of inverse lengths: colours, levels, textures, embedding, place
        rates = torch.full((c.terms, 2 * SCALES + TEXTURES + c.embedding + 1), -3.0)
        rates[:, _HERE] = -math.log(float(plain.colour))
        rates[:, SCALES] = -math.log(float(plain.brightness))
        rates[1, _PLACE] = -math.log(float(plain.reach_lr))
        rates[2:, 1:SCALES] = -1.0
        rates[2:, 2 * SCALES : -1] = -1.5
        rates[2:, _PLACE] = -math.log(2 * float(plain.reach_lr))
        self.rates = nn.Parameter(rates)
        weights = [float(plain.everywhere), float(plain.nearby)] + [0.03] * (c.terms - 2)
        self.log_weights = nn.Parameter(torch.tensor(weights).log())
        self.log_linear = nn.Parameter(torch.tensor(float(plain.linear)).log())
        self.log_noise = nn.Parameter(torch.tensor(float(plain.noise)).log())
        self.log_mixing = nn.Parameter(torch.tensor(float(plain.mixing)).log())

    @property
    def noise(self) -> torch.Tensor:
        """s, noise of every sample over the mean of k."""
        return self.log_noise.exp()

    @property
    def mixing(self) -> torch.Tensor:
        """v, noise of a sample over the guide's variance within its LR pixel."""
        return self.log_mixing.exp()

    def embed(self, colours: torch.Tensor, levels: torch.Tensor, textures: torch.Tensor) -> torch.Tensor:
        """Return the learnt coordinates e.

        Args:
            colours: Shape (P, SCALES, b).
            levels: Shape (P, SCALES).
            textures: Shape (P, TEXTURES).

        Returns:
            Shape (P, embedding); the same for any order of the bands.
        """
        bands = colours.shape[-1]
        even = colours * math.sqrt(bands) - 1.0  # 0 for a guide that is alike in all bands
        shared = torch.cat([(levels - _MIDDLE) / 2, (textures - _TEXTURE) / 2], dim=1)
        count = torch.full_like(levels[:, :1], math.log(bands) - 1.0)
        around = torch.cat([shared, count], dim=1)[:, None].expand(-1, bands, -1)
        each = self.per_band(torch.cat([even.transpose(1, 2), around], dim=2))  # (P, b, hidden)
        leaning = (each * even[:, _HERE, :, None]).mean(dim=1)
        out: torch.Tensor = self.pooled(torch.cat([each.mean(dim=1), leaning, shared], dim=1))
        return out

    def coordinates(self, sites: Sites) -> LearnedCoordinates:
        """Return sites in the units of this kernel.

        Args:
            sites: P sites with their context.

        Returns:
            Their coordinates, same type.

        Raises:
            ShapeError: The sites carry no context, or another one.
        """
        x, context = sites.guide, sites.context
        bands = x.shape[1]
        if context is None or context.shape[1] != channels(bands):
            raise ShapeError(
                f"sites with a context of {0 if context is None else context.shape[1]} numbers",
                expected=f"{channels(bands)} from guide_context for {bands} bands",
            )
        split = SCALES * bands
        colours = context[:, :split].reshape(-1, SCALES, bands)
        levels, textures = context[:, split : split + SCALES], context[:, split + SCALES :]
        groups = [colours, levels, textures, self.embed(colours, levels, textures), sites.place]
        # Numerics: distances are differences of large squares unless the cloud is centred
        colours, levels, textures, embedding, place = (g - g.detach().mean(dim=0) for g in groups)
        rates = self.rates.exp()
        sides = []
        for rate in rates:
            one, two, three, four = torch.split(rate[:-1], [SCALES, SCALES, TEXTURES, self.config.embedding])
            scaled = [(colours * one[:, None]).flatten(1), levels * two, textures * three, embedding * four]
            sides.append(product_sides(torch.cat([*scaled, place * rate[_PLACE]], dim=1)))
        brightness = torch.linalg.vector_norm(x, dim=1, keepdim=True)
        return LearnedCoordinates(brightness, tuple(a for a, _ in sides), tuple(b for _, b in sides), x)

    def matrix(self, left: LearnedCoordinates, right: LearnedCoordinates) -> torch.Tensor:
        """Return k between two sets of sites.

        Args:
            left: P sites.
            right: Q sites, from the same call of `coordinates`.

        Returns:
            Shape (P, Q).
        """
        terms = zip(self.log_weights.exp(), left.points, right.others, strict=True)
        linear = left.guide * self.log_linear.exp()
        if torch.is_grad_enabled():
            likeness = torch.zeros((), dtype=left.guide.dtype)
            for weight, point, other in terms:
                likeness = likeness + weight / (point @ other.T).clamp_min(1.0)
            return likeness * left.brightness * right.brightness.T + linear @ right.guide.T
        # Numerics: the same in place, which stays in the processor's cache where the caller asks for a tile
        parts = ((point @ other.T).clamp_(min=1.0).reciprocal_().mul_(weight) for weight, point, other in terms)
        likeness = next(parts)
        for part in parts:
            likeness.add_(part)
        return likeness.mul_(left.brightness).mul_(right.brightness.T).addmm_(linear, right.guide.T)

    def diagonal(self, sites: LearnedCoordinates) -> torch.Tensor:
        """Return k of each site with itself.

        Args:
            sites: P sites.

        Returns:
            Shape (P,).
        """
        return sites.brightness[:, 0].square() * (self.log_weights.exp().sum() + self.log_linear.exp())
