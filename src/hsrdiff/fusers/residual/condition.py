"""The evidence as channels of fixed number and about unit size, whatever the sensors: what the network reads."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from hsrdiff.fusers.residual.coordinates import Coordinates
from hsrdiff.fusers.residual.evidence import Evidence

IMAGE = 4  # leading principal coordinates of the base
SCALARS = 3  # brightness, uncertainty, factor
NOISE = 2  # of X and of Y
_DARK = 0.02  # of the scene's root mean square
_MOST = 8.0  # channels are cut there


@dataclass(frozen=True)
class Conditioned:
    """What the network is given.

    Attributes:
        channels: Shape (1, K, H, W), float32.
        optics: Radial slopes and Laplacians of the base, each band in units of its errors, shape (1, 2 B, H, W),
            float32; without channels for a network of any sensors.
        scale: One unit of the diffused coordinates in units of `Coordinates`; 0 where there is nothing to mend.
    """

    channels: torch.Tensor
    optics: torch.Tensor
    scale: float


def channel_count(coordinates: int, spectrum: int = 0, *, noise: bool = False) -> int:
    """Return K.

    Args:
        coordinates: r.
        spectrum: B where the network reads the base's spectrum, else 0.
        noise: Whether it reads how noisy the images are.

    Returns:
        ``5 r + IMAGE + SCALARS + spectrum``, and NOISE.
    """
    return 5 * coordinates + IMAGE + SCALARS + spectrum + (NOISE if noise else 0)


@torch.no_grad()
def condition(
    evidence: Evidence, coordinates: Coordinates, *, spectrum: bool = False, noise: bool = False
) -> Conditioned:
    """Turn the evidence into channels.

    In residual coordinates, r channels each: how the two kernels differ, how regression differs, the surprise of the
    LR pixels, the upsampled Y, all less the base, and the base itself. Then its principal coordinates, brightness,
    uncertainty, factor, and, for a network of one sensor pair, the colour of its spectrum and its optics: what a
    lens that draws bands unlike each other would do. For a network of any sensors, what part of the guide's detail
    and of the leave-one-out errors is noise, one number each for the whole pair. A change of sign of a residual
    coordinate changes the sign of its five channels.

    Args:
        evidence: The base and its companions.
        coordinates: Residual coordinates.
        spectrum: Whether to add the spectrum, B channels.
        noise: Whether to add how noisy the images are, NOISE channels.

    Returns:
        The channels and the unit.
    """
    base = evidence.base
    tiny = torch.finfo(torch.float32).tiny
    regressed = evidence.unseen(coordinates.apply(evidence.regressed))
    scale = evidence.scale(coordinates)
    unit = scale if scale > tiny else 1.0
    plain = evidence.unseen(coordinates.apply(evidence.plain))
    surprise = evidence.upsampled(coordinates.apply(evidence.surprise), "bilinear")
    upsampled = coordinates.apply(evidence.upsampled(evidence.Y_filled(), "bicubic") - base)
    centred = base - base.mean(dim=(2, 3), keepdim=True)
    own = coordinates.apply(centred)
    own = own / own.square().mean(dim=(2, 3), keepdim=True).sqrt().clamp_min(tiny)
    X = evidence.X_filled()
    brightness = torch.linalg.vector_norm(X, dim=1, keepdim=True)
    root = brightness.square().mean().sqrt().clamp_min(tiny)
    deviation = evidence.variance.clamp_min(0.0).sqrt()
    level = deviation.square().mean().sqrt().clamp_min(tiny)
    channels = [
        1.5 * (plain / unit).clamp(-_MOST, _MOST),
        0.7 * (regressed / unit).clamp(-_MOST, _MOST),
        surprise.clamp(-_MOST, _MOST),
        torch.asinh(0.1 * upsampled / unit),
        own.clamp(-_MOST, _MOST),
        _principal(centred).clamp(-_MOST, _MOST),
        torch.log(brightness / root + _DARK) + 0.7,
        torch.log((deviation / level).clamp(0.2, 5.0)),
        torch.full_like(brightness, math.log2(evidence.scene.factor) / 5.0),
    ]
    if noise:
        channels.extend(torch.full_like(brightness, part) for part in _noise(evidence))
    if spectrum:
        size = torch.linalg.vector_norm(base, dim=1, keepdim=True)
        mean = size.square().mean().sqrt().clamp_min(tiny)
        flat = 1.0 / math.sqrt(base.shape[1])
        channels.append(8.0 * (base / (size + _DARK * mean) - flat))
        levels = coordinates.out_of.square().sum(dim=1).sqrt().clamp_min(tiny).to(base)
        optics = evidence.optics() / (unit * levels.repeat(2)[:, None, None])
    else:
        optics = base.new_zeros((1, 0, *base.shape[-2:]))
    return Conditioned(torch.cat(channels, dim=1).float(), optics.float(), scale)


def _noise(evidence: Evidence) -> tuple[float, float]:
    """What part is noise of the guide's detail and of the errors at low resolution: deviations, from 0 to 1."""
    scene = evidence.scene
    if not (scene.sigma_x or scene.sigma_y):
        return 0.0, 0.0
    tiny = torch.finfo(torch.float32).tiny
    sampled = (evidence.precision > 0).expand_as(evidence.left_out)
    errors = evidence.left_out[sampled] if sampled.any() else evidence.left_out
    sizes = (float(image.double().square().mean().sqrt()) for image in (evidence.unseen(evidence.X_filled()), errors))
    x, y = (min(1.0, s / max(size, tiny)) for s, size in zip((scene.sigma_x, scene.sigma_y), sizes, strict=True))
    return x, y


def own_channels(channels: torch.Tensor, coordinates: int) -> torch.Tensor:
    """Return the base's own coordinates out of the channels: of mean 0 and variance 1.

    Args:
        channels: Shape (..., K, H, W).
        coordinates: r.

    Returns:
        Shape (..., r, H, W).
    """
    return channels[..., 4 * coordinates : 5 * coordinates, :, :]


def _principal(centred: torch.Tensor) -> torch.Tensor:
    """Leading principal coordinates of an image, each of unit variance, its direction's mean not negative."""
    rows = centred[0].flatten(1).double()
    values, vectors = torch.linalg.eigh(rows @ rows.T / rows.shape[1])
    kept = min(IMAGE, len(values))
    values, vectors = values.flip(0)[:kept], vectors.flip(1)[:, :kept]
    vectors = vectors * torch.where(vectors.sum(dim=0) >= 0, 1.0, -1.0)
    least = 1e-12 * values[0].clamp_min(torch.finfo(torch.float32).tiny)
    maps = (vectors / values.clamp_min(least).sqrt()).T.to(centred) @ centred[0].flatten(1)
    missing = maps.new_zeros((IMAGE - kept, maps.shape[1]))
    return torch.cat([maps, missing]).reshape(1, IMAGE, *centred.shape[-2:])
