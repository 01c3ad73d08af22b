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
