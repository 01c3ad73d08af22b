"""A small cube with every field a format may carry, 31 bands at CAVE's wavelengths so that all formats can take it."""

import numpy as np
import pytest
from affine import Affine

from hsrdiff.cubes import as_cube

WAVELENGTHS_NM = np.arange(400.0, 701.0, 10.0)
TRANSFORM = Affine(30.0, 0.0, 365055.0, 0.0, -30.0, 5807085.0)


@pytest.fixture
def bare():
    """31 x 7 x 11 values on the 16-bit grid of 0..1, without metadata."""
    raw = np.random.default_rng(0).integers(0, 65536, (31, 7, 11))
    return as_cube((raw / 65535).astype(np.float32))


@pytest.fixture
def full(bare):
    """The same values with every field, two pixels of which are invalid."""
    values = bare.values.copy()
    values[:, 2, 3] = np.nan
    values[5, 6, 10] = np.nan
    cube = as_cube(
        values,
        wavelengths_nm=WAVELENGTHS_NM,
        fwhm_nm=np.linspace(5.8, 11.4, 31),
        crs="EPSG:32633",
        transform=TRANSFORM,
    )
    good = np.ones(31, bool)
    good[[0, 30]] = False
    names = [f"filter {n}" for n in range(31)]
    return cube.assign_coords(good_band=("band", good), band_name=("band", names))
