"""Training patches of prepared pairs: a pure function of seed and step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from hsrdiff.fusers.residual.condition import IMAGE, own_channels
from hsrdiff.fusers.residual.diffused import ITSELF, Diffused, WholeImage
from hsrdiff.rng import generator
from hsrdiff.training.residual.pairs import PreparedPair
from hsrdiff.training.residual.recipe import ResidualTraining

# so little signal that the denoiser is a regression
REGRESSION_GAMMA = 1e-4


@dataclass(frozen=True)
class PatchBatch:
    """Patches of one step.

    Attributes:
        channels: Shape (n, K, P, P).
        optics: Shape (n, 2 B, P, P), or None.
        target: Shape (n, r, P, P).
        root: L^T of the loss, shape (n, r, r).
        gamma: Noise levels, shape (n,), float64.
        noise: N(0, 1), shape of the target.
        diffused: What the noise is added to.
    """

    channels: torch.Tensor
    optics: torch.Tensor | None
    target: torch.Tensor
    root: torch.Tensor
    gamma: torch.Tensor
    noise: torch.Tensor
    diffused: Diffused = ITSELF


def draw_batch(
    pairs: Sequence[PreparedPair], step: int, options: ResidualTraining, *, signs: bool, image: bool = False
) -> PatchBatch:
    """Cut, turn and flip patches, and draw their noise.

    Args:
        pairs: Prepared pairs.
        step: From 0.
        options: Seed, sizes and noise levels.
        signs: Whether to change the signs of coordinates at random: those of a scene's own are arbitrary.
        image: Whether the whole image is diffused.

    Returns:
        The batch.
    """
    draw = generator(options.seed, "residual", step)

    def below(count: int) -> int:
        return int(torch.randint(count, (), generator=draw))

    shares = torch.tensor([pair.share for pair in pairs], dtype=torch.float64)
    # all patches of a step have one size: that of the smallest pair among them
    chosen = [pairs[int(i)] for i in torch.multinomial(shares, options.batch, replacement=True, generator=draw)]
    size = min(options.size, *(side for pair in chosen for side in pair.target.shape[-2:]))
    channels, optics, targets, roots = [], [], [], []
    for pair in chosen:
        row, column = (below(side - size + 1) for side in pair.target.shape[-2:])
        C, o, t = (
            image[:, row : row + size, column : column + size].float()
            for image in (pair.channels, pair.optics, pair.target)
        )
        turns, flip = below(4), below(2)
        C, o, t = (torch.rot90(image, turns, (-2, -1)) for image in (C, o, t))
        if flip:
            C, o, t = C.flip(-1), o.flip(-1), t.flip(-1)
        root = pair.root
        if signs:
            r = len(t)
            sign = (2.0 * torch.randint(2, (r,), generator=draw) - 1.0)[:, None, None]
            own = (2.0 * torch.randint(2, (IMAGE,), generator=draw) - 1.0)[:, None, None]
            C = torch.cat([C[: 5 * r] * sign.repeat(5, 1, 1), C[5 * r : 5 * r + IMAGE] * own, C[5 * r + IMAGE :]])
            t, root = t * sign, root * sign[:, 0].T
        channels.append(C)
        optics.append(o)
        targets.append(t)
        roots.append(root)
    target = torch.stack(targets)
    span = options.most_log_snr - options.least_log_snr
    ratio = options.least_log_snr + span * torch.rand(options.batch, generator=draw, dtype=torch.float64)
    pure = torch.rand(options.batch, generator=draw) < options.regression
    gamma = torch.where(pure, REGRESSION_GAMMA, torch.sigmoid(ratio))
    seen = torch.stack(optics) if optics[0].shape[0] else None
    conditions, noise = torch.stack(channels), torch.randn(target.shape, generator=draw)
    diffused: Diffused = ITSELF
    if image:
        diffused = WholeImage(own_channels(conditions, target.shape[1]), torch.stack([pair.ratio for pair in chosen]))
    return PatchBatch(conditions, seen, target, torch.stack(roots), gamma, noise, diffused)
