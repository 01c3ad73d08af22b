"""Small scenes for every fuser's tests."""

import numpy as np
import torch

from hsrdiff.observation import Observation, Scene, SpatialResponse, SpectralResponse

BANDS, FACTOR = 6, 4
WAVELENGTHS_NM = np.linspace(450.0, 850.0, BANDS)


def small_scene(msi_bands=3, height=16, width=24, *, seed=0, spatial=None, dtype=torch.float32) -> Scene:
    """A scene with a smooth Z in 0.1..0.9, X = R Z and Y = Z D."""
    g = torch.Generator().manual_seed(seed)
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    phases = 6.28 * torch.rand((BANDS, 3), generator=g, dtype=torch.float64)
    Z = torch.stack([torch.sin(rows / 4 + a) * torch.cos(columns / 5 + b + c) for a, b, c in phases])
    Z = (0.5 + 0.4 * Z)[None].to(dtype)
    matrix = torch.rand((msi_bands, BANDS), generator=g, dtype=torch.float64) + 0.1
    names = tuple(f"band{i}" for i in range(msi_bands))
    spectral = SpectralResponse(matrix / matrix.sum(dim=1, keepdim=True), band_names=names)
    observation = Observation(spectral, spatial or SpatialResponse.gaussian(FACTOR))
    X, Y = observation.observe(Z)
    return Scene(X=X, Y=Y, observation=observation, Z=Z, wavelengths_nm=WAVELENGTHS_NM, name="small")


def curved_scene(height=32, width=32, *, seed=0, factor=4):
    """Spectra that are a curved function of two smooth maps, which a linear regression on X cannot follow."""
    rows, columns = torch.meshgrid(torch.arange(height).double(), torch.arange(width).double(), indexing="ij")
    g = torch.rand(6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    t = 0.5 + 0.45 * torch.sin(rows / 5 + 6 * g[0]) * torch.cos(columns / 6 + 6 * g[1])
    shade = 0.6 + 0.3 * torch.sin(rows / 3.3 + columns / 4.1 + 6 * g[2])
    wave = torch.linspace(0, 1, 12, dtype=torch.float64)[:, None, None]
    Z = shade * (0.2 + torch.exp(-((wave - t) ** 2) / 0.05) + 0.5 * wave * t**2)
    R = torch.stack([torch.exp(-((wave[:, 0, 0] - c) ** 2) / 0.02) for c in (0.2, 0.5, 0.8)])
    observed = Observation(SpectralResponse(R / R.sum(1, keepdim=True)), SpatialResponse.gaussian(factor))
    X, Y = observed.observe(Z[None])
    return Scene(X=X, Y=Y, observation=observed, Z=Z[None], name="curved")
