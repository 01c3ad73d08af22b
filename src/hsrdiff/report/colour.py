"""Three bands of a cube as a colour picture, with a stretch that several pictures can share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from hsrdiff.errors import InvalidValueError

# Near infrared, red and green as red, green and blue: vegetation is red, soil is grey-green, water is dark.
INFRARED_NM = (850.0, 660.0, 560.0)
TRUE_COLOUR_NM = (640.0, 550.0, 460.0)
# A band further away than this from the one asked for would lie about the colour.
FURTHEST_NM = 60.0
# Where the red channel, the green channel and the blue channel sit in a cube without wavelengths.
PLACES_WITHOUT_WAVELENGTHS = (5 / 6, 1 / 2, 1 / 6)
INVALID_GREY = 0.85


@dataclass(frozen=True)
class Stretch:
    """The values shown as black and as full colour, one pair a channel.

    Args:
        low: Values shown as 0, three channels, in the cube's unit.
        high: Values shown as 1, three channels, in the cube's unit.
    """

    low: tuple[float, float, float]
    high: tuple[float, float, float]


def colour_bands(cube: xr.DataArray) -> tuple[tuple[int, int, int], str]:
    """Choose the bands shown as red, green and blue.

    Args:
        cube: (band, y, x); its ``wavelength`` (nm) is used where there is one.

    Returns:
        Three band numbers from 0, and words for the picture's title such as ``"NIR, red, green"``.
    """
    count = cube.sizes["band"]
    if "wavelength" in cube.coords:
        wavelengths_nm = np.asarray(cube["wavelength"].values, dtype=np.float64)
        for wanted, words in ((INFRARED_NM, "NIR, red, green"), (TRUE_COLOUR_NM, "red, green, blue")):
            nearest = [int(np.nanargmin(np.abs(wavelengths_nm - nm))) for nm in wanted]
            if all(abs(wavelengths_nm[i] - nm) <= FURTHEST_NM for i, nm in zip(nearest, wanted, strict=True)):
                return (nearest[0], nearest[1], nearest[2]), words
    if count == 1:
        return (0, 0, 0), "one band"
    red, green, blue = (min(count - 1, int(place * count)) for place in PLACES_WITHOUT_WAVELENGTHS)
    return (red, green, blue), f"bands {red + 1}, {green + 1}, {blue + 1}"


def fit_stretch(
    cube: xr.DataArray, bands: tuple[int, int, int], *, percentiles: tuple[float, float] = (1.0, 99.0)
) -> Stretch:
    """Measure the stretch that shows most of a cube's values.

    Args:
        cube: (band, y, x), NaN where invalid.
        bands: Bands shown as red, green and blue.
        percentiles: Shares (%) of the valid pixels shown as black below and as full colour above.

    Returns:
        The stretch, never of zero width.

    Raises:
        InvalidValueError: No pixel of a shown band is valid.
    """
    low, high = [], []
    for band in bands:
        values = np.asarray(cube.isel(band=band).values, dtype=np.float64)
        values = values[np.isfinite(values)]
        if values.size == 0:
            raise InvalidValueError(
                f"band {band + 1} has no valid pixel", expected="numbers to show", do="check the nodata value"
            )
        a, b = np.percentile(values, percentiles)
        low.append(float(a))
        high.append(float(b) if b > a else float(a) + 1.0)
    return Stretch((low[0], low[1], low[2]), (high[0], high[1], high[2]))


def colour_picture(cube: xr.DataArray, bands: tuple[int, int, int], stretch: Stretch) -> npt.NDArray[np.floating[Any]]:
    """Turn three bands into a colour picture.

    Args:
        cube: (band, y, x).
        bands: Bands shown as red, green and blue.
        stretch: Values shown as 0 and 1.

    Returns:
        (y, x, 3) in 0..1, light grey where a pixel is invalid.
    """
    values = np.stack([np.asarray(cube.isel(band=b).values, dtype=np.float64) for b in bands], axis=-1)
    low, high = np.asarray(stretch.low), np.asarray(stretch.high)
    picture: npt.NDArray[np.floating[Any]] = np.clip((values - low) / (high - low), 0.0, 1.0)
    picture[~np.isfinite(values).all(axis=-1)] = INVALID_GREY
    return picture
