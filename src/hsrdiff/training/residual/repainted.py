"""Real scenes painted anew: things stay where they lie, as bright as they are, and get other spectra of the scene."""

from __future__ import annotations

import torch

from hsrdiff.training.residual.mixtures import apart

_CONTRAST = (5.0, 40.0)  # of the distances to the materials: from soft mixtures to nearly pure patches
_DARK = 0.02  # of the scene's root mean square: below it a direction is noise


def repainted(Z: torch.Tensor, materials: int, draw: torch.Generator) -> torch.Tensor:
    """Return an image with the places and the brightness of a scene and other spectra of it.

    Its maps are how like each pixel is to so many pixels drawn at random; each map is given one of as many spectra that
    lie apart. With more materials than the guide has bands, pixels of one colour are of different spectra, and nothing
    but Y tells them apart; unlike maps drawn at random, these have the edges and the texture of a real place.

    Args:
        Z: The scene, shape (1, B, H, W), finite.
        materials: Maps and spectra, at least 2.
        draw: Source of the draw.

    Returns:
        Same shape and type.
    """
    pixels = Z[0].flatten(1).double().T
    spectra = apart(pixels, materials, draw)
    spectra = spectra / torch.linalg.vector_norm(spectra, dim=1, keepdim=True).clamp_min(_tiny())
    abundances = likeness(pixels, materials, draw)
    given = spectra[torch.randperm(materials, generator=draw)]
    brightness = torch.linalg.vector_norm(pixels, dim=1, keepdim=True)
    painted: torch.Tensor = brightness * (abundances @ given)
    return painted.T.reshape(Z.shape).to(Z)


def likeness(pixels: torch.Tensor, count: int, draw: torch.Generator) -> torch.Tensor:
    """Return how like each pixel is to some drawn at random, whatever their brightness.

    Args:
        pixels: Shape (N, B), float64.
        count: How many are drawn.
        draw: Source of the draw.

    Returns:
        Shape (N, count), float64, at least 0, of sum 1 over the last axis.
    """
    size = torch.linalg.vector_norm(pixels, dim=1, keepdim=True)
    directions = pixels / (size + _DARK * size.square().mean().sqrt() + _tiny())
    drawn = directions[torch.randint(len(pixels), (count,), generator=draw)]
    distances = torch.cdist(directions, drawn).square()
    distances = distances / distances.mean(dim=1, keepdim=True).clamp_min(_tiny())
    low, high = _CONTRAST
    contrast = low + (high - low) * float(torch.rand((), generator=draw))
    alike: torch.Tensor = torch.softmax(-contrast * distances, dim=1)
    return alike


def _tiny() -> float:
    return torch.finfo(torch.float64).tiny
