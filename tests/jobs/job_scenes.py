"""A scene whose bands are mixes of three materials, so that fusing it has a known answer."""

import numpy as np
from affine import Affine

from hsrdiff.cubes import as_cube

PLACE = Affine(10.0, 0.0, 400000.0, 0.0, -10.0, 5800000.0)


def material_cube(size=24, bands=12, *, crs="EPSG:32633", transform=PLACE):
    """Smooth abundances of three materials with distinct spectra, 450..950 nm, values about 0.1..0.9."""
    rng = np.random.default_rng(5)
    rows, columns = np.mgrid[0:size, 0:size] / size
    abundances = np.stack([0.2 + 0.6 * rows, 0.2 + 0.6 * columns, rng.random((size, size))])
    abundances = abundances / abundances.sum(axis=0)
    wavelengths = np.linspace(450.0, 950.0, bands)
    position = (wavelengths - 450.0) / 500.0
    spectra = np.stack([0.2 + 0.6 * position, 0.8 - 0.5 * position, 0.3 + 0.4 * np.sin(3 * position)])
    values = np.einsum("kb,kyx->byx", spectra, abundances).astype(np.float32)
    return as_cube(values, wavelengths_nm=wavelengths, fwhm_nm=np.full(bands, 40.0), crs=crs, transform=transform)
