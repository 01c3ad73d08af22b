"""How good two kernels are at single pixels: each guide band in turn is left out and foretold from its own means."""

from __future__ import annotations

from collections.abc import Callable

import torch

from hsrdiff.fusers.kriging.samples import Samples
from hsrdiff.fusers.kriging.stacking import Estimate
from hsrdiff.fusers.kriging.system import KrigingSystem
from hsrdiff.fusers.kriging.windows import CORE, krige_windows
from hsrdiff.observation import LRGram, Scene
from hsrdiff.observation.gram import unseen

Both = Callable[[Samples], tuple[Estimate, Estimate]]

FEWEST = 4  # guide bands: with one left out of three the others tell too little of colour
MOST = 1 / 3  # share, that of an equal among the three kernels: a guide band is not quite what the guide does not see
FEW = 100  # LR pixels with which half of the share is given
_BANDS = 4  # bands that are left out; of more, some spread evenly
_SIDE = 2 * CORE  # LR pixels along an axis that are judged; of more, the middle


def share_at_pixels(samples: Samples, estimates: Both) -> float:
    """Return the share of the first of two kernels with which left-out guide bands are foretold best.

    A guide band k is known at every pixel, so that it can play the part of the LR-HSI: from its LR means ``x_k D``
    and the other bands as the guide, both kernels foretell it, and their errors e_1, e_2 at pixels are seen. Of
    these, what D sees is taken out, as consistency with Y takes it out of a result. The share is

        w = sum_k <e_2, e_2 - e_1> / s_k over sum_k |e_2 - e_1|^2 / s_k,   s_k = |e_1|^2 + |e_2|^2,   in [0, 1/3],

    times ``N / (N + FEW)`` for N LR pixels: the fewer there are, the less they say. Of a large scene the middle is
    judged. Leave-one-out errors of the LR pixels, which are block means, take a kernel that is good at those for
    better than it is at pixels.

    Args:
        samples: The scene's samples, with at least `FEWEST` guide bands.
        estimates: What the two kernels make of a part of a scene whose LR-HSI has one band.

    Returns:
        The share of the first; the largest where both foretell the same.
    """
    samples, inside = middle(samples)
    bands, size = samples.X.shape[1], (int(samples.X.shape[-2]), int(samples.X.shape[-1]))
    gram = LRGram(samples.spatial, size)
    weight = torch.ones_like(samples.X[:, :1]) if samples.seen is None else samples.seen
    gain = difference = 0.0
    for band in sorted({round(at) for at in torch.linspace(0, bands - 1, min(bands, _BANDS)).tolist()}):

        def predict(part: Samples) -> tuple[torch.Tensor, torch.Tensor, KrigingSystem]:
            first, second = estimates(part)
            return torch.cat([first.spectra, second.spectra], dim=1), second.variance, second.system

        kriged = krige_windows(without_band(samples, band), predict)
        foretold = kriged.spectra.T.reshape(1, 2, *size)
        errors = unseen(foretold.double() - samples.X[:, band : band + 1].double(), gram) * weight
        first, second = errors[0, :, *inside]
        unit = float((first.square() + second.square()).mean())
        if unit > 0:
            gain += float((second * (second - first)).mean()) / unit
            difference += float((second - first).square().mean()) / unit
    found = int(samples.usable.sum())
    share = min(MOST, max(0.0, gain / difference)) if difference > 0 else MOST
    return share * found / (found + FEW)


def middle(samples: Samples) -> tuple[Samples, tuple[slice, slice]]:
    """Return the part of a large scene around the middle of its usable LR pixels, a small scene as it is.

    Args:
        samples: The scene's samples.

    Returns:
        At most `_SIDE` LR pixels along each axis, with what their PSFs reach beyond, and where their own pixels lie in
        that part, rows and columns.
    """
    usable, s = samples.usable.reshape(samples.Y.shape[-2:]), samples.spatial.factor
    if max(usable.shape) <= _SIDE:
        return samples, (slice(None), slice(None))
    spans, inside = [], []
    for place, side in zip(usable.nonzero().double().mean(dim=0).tolist(), usable.shape, strict=True):
        first = min(max(0, round(place - _SIDE / 2)), max(0, side - _SIDE))
        last = min(side, first + _SIDE)
        beyond = first - max(0, first - samples.reach_lr)
        spans.append((first, last))
        inside.append(slice(beyond * s, (beyond + last - first) * s))
    part = samples.crop(*spans)
    return (part, (inside[0], inside[1])) if part.usable.any() else (samples, (slice(None), slice(None)))


def without_band(samples: Samples, band: int) -> Samples:
    """Return the scene in which one guide band is the LR-HSI, known by its LR means only, and the others the guide.

    Args:
        samples: The scene's samples.
        band: Position of the guide band.

    Returns:
        Samples of one band, with context where the scene's have it.
    """
    others = [at for at in range(samples.X.shape[1]) if at != band]
    lr = samples.usable.reshape(1, 1, *samples.Y.shape[-2:])
    scene = Scene(
        X=samples.X[:, others],
        Y=samples.guide_lr[:, band : band + 1],
        valid=None if samples.seen is None else samples.seen > 0,
        valid_lr=None if bool(lr.all()) else lr,
    )
    found = Samples.of(scene, samples.spatial)
    return found if samples.context is None else found.with_context()
