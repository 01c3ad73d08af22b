"""Two scenes without files, and a tiny recipe of residual mode for them."""

import numpy as np
import torch

from hsrdiff.cubes import as_cube
from hsrdiff.observation import Observation, SpatialResponse, SpectralResponse

BANDS = 8
TEXT = """
name = "mine"
basis = "scene"
[network]
coordinates = 2
channels = 8
layers = 1
window = 4
[training]
steps = 6
batch = 2
size = 16
save_every = 2
[[data]]
dataset = "made-up"
factors = [4]
variants = 2
"""


def truth(seed, side=39):
    g = torch.Generator().manual_seed(seed)
    rows, columns = torch.meshgrid(torch.arange(side).double(), torch.arange(side).double(), indexing="ij")
    t = 0.5 + 0.45 * torch.sin(rows / 5 + 6 * torch.rand(1, generator=g)) * torch.cos(columns / 6)
    wave = torch.linspace(0, 1, BANDS, dtype=torch.float64)[:, None, None]
    return (0.2 + torch.exp(-((wave - t) ** 2) / 0.05) + 0.5 * wave * t**2).float()


class MadeUp:
    """Two scenes, no files."""

    name = "made-up"

    def __init__(self, factor=None):
        self.factor = factor or 4

    def scenes(self, split):
        return ("a", "b")

    def load(self, name):
        Z = truth(ord(name)).numpy()
        Z[:, 3, 5] = np.nan
        return as_cube(Z)

    def observation(self, wavelengths_nm):
        matrix = torch.zeros((2, BANDS), dtype=torch.float64)
        matrix[0, :4] = matrix[1, 4:] = 0.25
        return Observation(SpectralResponse(matrix, ("low", "high")), SpatialResponse.gaussian(self.factor))
