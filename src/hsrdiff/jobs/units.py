"""Unit of an image, guessed from its values: reflectance, reflectance as whole numbers, or radiance."""

from __future__ import annotations

import numpy as np
import xarray as xr

from hsrdiff.cubes.spectral_axis import band_numbers

RADIANCE, REFLECTANCE, WHOLE, OPEN = "radiance", "reflectance", "reflectance times 10000", "unknown"
# Oxygen absorbs at 760 nm: bands of 10 nm of light at the sensor lose a third there, reflectance next to nothing.
_DIP_NM, _DIP = ((740.0, 754.0), (757.0, 766.0), (772.0, 790.0)), 0.15
_LARGEST_REFLECTANCE = 2.0  # snow with a bright glint
_WHOLE_RANGE = (1000.0, 20000.0)


def unit_of(cube: xr.DataArray) -> tuple[str, str]:
    """Guess what the values of an image are.

    Args:
        cube: (band, y, x), NaN where invalid, with wavelengths where known.

    Returns:
        One of ``"radiance"``, ``"reflectance"``, ``"reflectance times 10000"`` and ``"unknown"``, and why.
    """
    high = float(np.nanquantile(cube.values, 0.99))
    dip = oxygen_dip(cube)
    if dip is not None and dip > _DIP:
        return RADIANCE, f"the band at 760 nm, where oxygen absorbs, is {100 * dip:.0f} % darker than its neighbours"
    if high <= _LARGEST_REFLECTANCE:
        seen = ", and oxygen absorbs nothing at 760 nm" if dip is not None else ", which scaled radiance can do too"
        return REFLECTANCE, f"99 % of the values lie below {high:.3g}{seen}"
    if _WHOLE_RANGE[0] <= high <= _WHOLE_RANGE[1]:
        return WHOLE, f"99 % of the values lie below {high:.5g}"
    return OPEN, f"99 % of the values lie below {high:.5g}"


def oxygen_dip(cube: xr.DataArray) -> float | None:
    """Return by how much the mean spectrum is lower at 760 nm than between its neighbours, as a share of these.

    Args:
        cube: (band, y, x), with wavelengths where known.

    Returns:
        The share, or None where the bands do not show it.
    """
    centres = band_numbers(cube, "wavelength")
    if centres is None:
        return None
    widths = band_numbers(cube, "fwhm")
    within = [(centres >= low) & (centres <= high) for low, high in _DIP_NM]
    if not all(part.any() for part in within):
        return None
    if widths is not None and float(np.nanmin(np.where(within[1], widths, np.inf))) > 15.0:
        return None  # a broad band averages the dip away
    values = cube.values.reshape(len(centres), -1)
    seen = np.isfinite(values).any(axis=1)
    if not all((part & seen).any() for part in within):
        return None
    before, at, after = (float(np.nanmean(values[part & seen], dtype=np.float64)) for part in within)
    return 1.0 - 2.0 * at / (before + after) if before + after > 0 else None
