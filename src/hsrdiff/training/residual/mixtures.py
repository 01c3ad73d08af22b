"""Synthetic scenes: spectra of a real scene, mixed by random maps that know nothing of where they were found."""

from __future__ import annotations

import torch

_CANDIDATES = 16  # pixels drawn for each material, of which the spectra farthest apart are taken
_ROUGHNESS = (1.0, 2.0)  # exponent of the amplitude's fall with the frequency: about that of natural images
_CONTRAST = (2.0, 12.0)  # of the maps before they are normalised: from soft mixtures to nearly pure patches
_SHADE = 0.25  # standard deviation of the natural logarithm of the brightness


def mixed(Z: torch.Tensor, materials: int, draw: torch.Generator) -> torch.Tensor:
    """Return an image of as many pixels, each a convex mixture of a few spectra of the scene, times a brightness.

    With more materials than the guide has bands, pixels of one colour are of different spectra, and nothing but Y tells
    them apart.

    Args:
        Z: The scene, shape (1, B, H, W), finite.
        materials: Spectra to mix, at least 2.
        draw: Source of the draw.

    Returns:
        Same shape and type.
    """
    size = (int(Z.shape[-2]), int(Z.shape[-1]))
    spectra = apart(Z[0].flatten(1).double().T, materials, draw)
    low, high = _CONTRAST
    contrast = low + (high - low) * float(torch.rand((), generator=draw))
    maps = torch.stack([random_field(size, draw) for _ in range(materials)])
    abundances = torch.softmax(contrast * maps, dim=0)
    shade = (_SHADE * random_field(size, draw)).exp()
    return (shade * torch.einsum("mb,mhw->bhw", spectra, abundances))[None].to(Z)


def apart(pixels: torch.Tensor, count: int, draw: torch.Generator) -> torch.Tensor:
    """Return spectra that lie apart: of the pixels drawn, one after the other what the ones before explain least.

    Args:
        pixels: Shape (N, B), float64.
        count: How many.
        draw: Source of the draw.

    Returns:
        Shape (count, B), rows of `pixels`.
    """
    candidates = pixels[torch.randint(len(pixels), (_CANDIDATES * count,), generator=draw)]
    left, rows = candidates.clone(), []
    for _ in range(count):
        row = int(left.square().sum(dim=1).argmax())
        rows.append(row)
        direction = left[row] / torch.linalg.vector_norm(left[row]).clamp_min(torch.finfo(torch.float64).tiny)
        left = left - (left @ direction)[:, None] * direction
    return candidates[rows]


def random_field(size: tuple[int, int], draw: torch.Generator) -> torch.Tensor:
    """Draw a Gaussian field whose amplitude falls with the frequency by a random power.

    Args:
        size: (H, W), at least two pixels.
        draw: Source of the draw.

    Returns:
        Shape (H, W), float64, of mean 0 and mean square 1.
    """
    low, high = _ROUGHNESS
    power = low + (high - low) * float(torch.rand((), generator=draw))
    rows, columns = torch.fft.fftfreq(size[0]), torch.fft.rfftfreq(size[1])
    frequency = (rows[:, None].double().square() + columns.double().square()).sqrt()
    frequency[0, 0] = 1.0
    amplitude = frequency.pow(-power)
    amplitude[0, 0] = 0.0  # the mean
    white = torch.randn(size, generator=draw, dtype=torch.float64)
    field: torch.Tensor = torch.fft.irfft2(torch.fft.rfft2(white) * amplitude, s=size)
    return torch.div(field, field.square().mean().sqrt())
