"""A small truth for the command line."""

import numpy as np
import pytest
from affine import Affine

from hsrdiff.cubes import as_cube, write_cube


@pytest.fixture
def truth(tmp_path):
    rng = np.random.default_rng(0)
    smooth = np.linspace(0.2, 0.8, 10)[:, None, None] * np.linspace(0.5, 1.0, 16)[None, :, None]
    values = (smooth + 0.1 * rng.random((1, 16, 16)) * np.linspace(1, 2, 10)[:, None, None]).astype(np.float32)
    cube = as_cube(
        values,
        wavelengths_nm=np.linspace(450, 900, 10),
        fwhm_nm=np.full(10, 50.0),
        crs="EPSG:32633",
        transform=Affine(10, 0, 4e5, 0, -10, 5e6),
    )
    return write_cube(cube, tmp_path / "truth.tif")
