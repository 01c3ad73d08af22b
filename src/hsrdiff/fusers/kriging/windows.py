"""Kriging in overlapping windows, blended: dense landmarks everywhere, work linear in pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from hsrdiff.fusers.kriging.samples import Samples
from hsrdiff.fusers.kriging.system import KrigingSystem
from hsrdiff.fusers.spans import spans

CORE = 32  # LR pixels of a window's own part along an axis
HALO = 4  # LR pixels that a window reaches beyond its part, over which it fades

Predictor = Callable[[Samples], tuple[torch.Tensor, torch.Tensor, KrigingSystem]]


@dataclass(frozen=True)
class Kriged:
    """An estimate before it is made consistent.

    Attributes:
        spectra: Shape (H W, B), or as many columns as the predictor gave.
        variance: Variance of each pixel in units of each band's factor, shape (H W,).
        covariance: Of the errors across bands, its diagonal the bands' factors, shape (B, B), float64.
        left_out: Error of foretelling each LR pixel from the others, shape (h w, B); 0 where there is no sample.
        precision: One over the variance of that error in units of the bands' factors, shape (h w,); 0 likewise.
    """

    spectra: torch.Tensor
    variance: torch.Tensor
    covariance: torch.Tensor
    left_out: torch.Tensor
    precision: torch.Tensor

    def first(self, columns: int) -> Kriged:
        """Return the same with the first columns of the spectra only.

        Args:
            columns: How many.

        Returns:
            The estimate.
        """
        return replace(self, spectra=self.spectra[:, :columns])


def krige_windows(samples: Samples, predict: Predictor, core: int = CORE, halo: int = HALO) -> Kriged:
    """Krige each window by itself and blend the overlaps linearly.

    The windows belong to the image and not to the machine: they start at its corner, whatever the memory.

    Args:
        samples: The whole scene.
        predict: Spectra, variance and system of a part.
        core: LR pixels of a window's own part, at most.
        halo: LR pixels it reaches beyond.

    Returns:
        The blended estimate.
    """
    s = samples.spatial.factor
    h, w = samples.Y.shape[-2:]
    height, width = samples.X.shape[-2:]
    sums = samples.X.new_zeros((0, height, width))
    # leave-one-out errors, and their precision behind them
    left_out = torch.zeros((h, w, samples.Y.shape[1] + 1), dtype=torch.float64, device=samples.X.device)
    covariances: list[torch.Tensor] = []
    counts: list[int] = []
    for rows in spans(h, core, halo):
        for columns in spans(w, core, halo):
            part = samples.crop(rows.window, columns.window)
            if not part.usable.any():
                continue
            spectra, variance, system = predict(part)
            covariance = system.covariance()
            bands = spectra.shape[1]
            if not len(sums):
                sums = samples.X.new_zeros((bands + 2, height, width))
            top = max(0, rows.window[0] - samples.reach_lr)
            left = max(0, columns.window[0] - samples.reach_lr)
            inside = (
                slice((rows.window[0] - top) * s, (rows.window[1] - top) * s),
                slice((columns.window[0] - left) * s, (columns.window[1] - left) * s),
            )
            weight = rows.weights(s)[:, None] * columns.weights(s)
            weight = weight.to(sums)
            target = sums[
                :,
                rows.window[0] * s : rows.window[1] * s,
                columns.window[0] * s : columns.window[1] * s,
            ]
            size = part.X.shape[-2:]
            target[:bands] += weight * spectra.T.reshape(bands, *size)[:, inside[0], inside[1]].to(sums)
            # each window has its own factor of variance: the map is kept in units of their mean over bands
            level = float(covariance.diagonal().mean())
            target[bands] += weight * level * variance.reshape(size)[inside].to(sums)
            target[bands + 1] += weight
            errors = left_out.new_zeros((*part.Y.shape[-2:], left_out.shape[-1]))
            errors.view(-1, left_out.shape[-1])[part.usable] = torch.cat(
                [system.left_out, system.precision[:, None]], dim=1
            )
            own = (slice(*rows.own), slice(*columns.own))
            left_out[own] = errors[rows.own[0] - top : rows.own[1] - top, columns.own[0] - left : columns.own[1] - left]
            covariances.append(covariance)
            counts.append(int(part.usable.sum()))
    shares = torch.tensor(counts, dtype=torch.float64) / sum(counts)
    covariance = torch.stack([share * C for share, C in zip(shares, covariances, strict=True)]).sum(dim=0)
    blended = sums[:-1] / sums[-1].clamp_min(torch.finfo(sums.dtype).tiny)
    unit = float(covariance.diagonal().mean().clamp_min(torch.finfo(torch.float32).tiny))
    errors = left_out.flatten(0, 1)
    return Kriged(blended[:-1].flatten(1).T, blended[-1].flatten() / unit, covariance, errors[:, :-1], errors[:, -1])
