"""Multispectral bands of another unit or calibration, brought to what a known sensor would make of the HSI."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from hsrdiff.errors import InputError
from hsrdiff.jobs.scaling import common_gain
from hsrdiff.observation import BandMatch, Scene, SpatialResponse, SpectralResponse, likely_order, match_bands
from hsrdiff.sensors import Sensor

_NUMBERS = re.compile(r".*by the gains (?P<gains>[-+.\deE, ]+) and the offsets (?P<offsets>[-+.\deE, ]+)")


def find_match(scene: Scene, spectral: SpectralResponse, spatial: SpatialResponse) -> BandMatch | None:
    """Find gain and offset of each MSI band against R Y.

    One unit that all bands share, such as reflectance times 10000, is not theirs: it is taken out first
    (`hsrdiff.jobs.scaling`). A gain that the bands do not share cannot be told from the HSI's own, so the HSI counts
    as right: the result stays in its unit.

    Args:
        scene: A scene in the files' own units.
        spectral: R, known.
        spatial: D as it is assumed.

    Returns:
        Gains, and offsets in the HSI's unit; None where every band is better left as it is.
    """
    return match_bands(replace(scene, X=scene.X / common_gain(scene, spectral)), spectral, spatial)


def better_order(
    scene: Scene, spectral: SpectralResponse, spatial: SpatialResponse, sensor: Sensor
) -> tuple[str, ...] | None:
    """Tell in which order of its bands a sensor's responses fit far better.

    Args:
        scene: A scene in the files' own units.
        spectral: R of the sensor.
        spatial: D as it is assumed.
        sensor: The sensor, whose bands have names.

    Returns:
        The names in the image's order as it seems to be, or None where the given one is as good.
    """
    order = likely_order(scene, spectral, spatial)
    return None if order is None else tuple(sensor.bands[row] for row in order)


def check_order(scene: Scene, spectral: SpectralResponse, spatial: SpatialResponse, sensor: Sensor) -> None:
    """Make sure that each response is that of its band, as far as the pair can tell.

    Args:
        scene: A scene in the files' own units.
        spectral: R of the sensor.
        spatial: D as it is assumed.
        sensor: The sensor, whose bands have names.

    Raises:
        InputError: In another order the responses fit far better.
    """
    order = better_order(scene, spectral, spatial, sensor)
    if order is not None:
        raise InputError(
            f"the multispectral bands do not look like {', '.join(sensor.bands)} of sensor '{sensor.name}'",
            expected=f"the bands in the image's order, which seems to be {', '.join(order)}",
            do="name the sensor with --sensor and its bands in that order with --bands",
        )


def describe_match(match: BandMatch) -> str:
    """Say in words, and in numbers that `read_match` reads, what was done.

    Args:
        match: The gains and offsets.
    """
    gains, offsets = (", ".join(f"{value:.7g}" for value in part) for part in (match.gain, match.offset))
    return (
        f"{int(match.matched.sum())} of {len(match.gain)} multispectral bands were brought to what the sensor's "
        f"responses make of the HSI, by the gains {gains} and the offsets {offsets}"
    )


def read_match(words: str, bands: int) -> BandMatch | None:
    """Read what `describe_match` wrote.

    Args:
        words: Its words.
        bands: MSI bands.

    Returns:
        The gains and offsets, or None where the words do not hold them for so many bands.
    """
    found = _NUMBERS.fullmatch(words)
    if found is None:
        return None
    try:
        gain, offset = (np.array([float(number) for number in found[name].split(",")]) for name in ("gains", "offsets"))
    except ValueError:
        return None
    if len(gain) != bands or len(offset) != bands or not (np.isfinite(gain) & (gain > 0) & np.isfinite(offset)).all():
        return None
    return BandMatch(gain, offset)
