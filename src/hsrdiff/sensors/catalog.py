"""The shipped sensors by name, and `load_sensor` for these and for the user's own tables."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path

from hsrdiff.errors import SensorError, did_you_mean
from hsrdiff.sensors.sensor import Sensor
from hsrdiff.sensors.table import read_table
from hsrdiff.typing import PathLike

# Name -> file under sensors/tables. Landsat 9's OLI-2 is a copy of Landsat 8's OLI.
SENSORS: dict[str, str] = {
    "sentinel2": "sentinel2.csv",
    "landsat8": "landsat_oli.csv",
    "landsat9": "landsat_oli.csv",
    "eo1_ali": "eo1_ali.csv",
    "worldview2": "worldview2.csv",
    "worldview3": "worldview3.csv",
    "ikonos": "ikonos.csv",
    "quickbird2": "quickbird2.csv",
    "superdove": "superdove.csv",
    "rgb": "rgb.csv",
}

_ALIASES: dict[str, str] = {
    "sentinel2a": "sentinel2",
    "s2": "sentinel2",
    "oli": "landsat8",
    "l8": "landsat8",
    "l9": "landsat9",
    "ali": "eo1_ali",
    "wv2": "worldview2",
    "wv3": "worldview3",
    "ikonos2": "ikonos",
    "quickbird": "quickbird2",
    "planetscope": "superdove",
}


def load_sensor(name_or_csv: PathLike) -> Sensor:
    """Load a shipped sensor or a CSV file, whole or some of its bands.

    ``"sentinel2"`` is the whole sensor, ``"sentinel2:10m"`` one of its groups, ``"sentinel2:B2,B3"`` those
    bands in that order; the same endings work on a file, ``"my.csv:red,nir"``. Upper and lower case, spaces,
    hyphens and underscores in a name do not matter. Every shipped sensor has a group "ms", its usual bands
    for fusion, without panchromatic, cirrus and water vapour bands.

    Args:
        name_or_csv: Name in `SENSORS`, or the path of a CSV file.

    Returns:
        The sensor.

    Raises:
        SensorError: The sensor, file, group or band does not exist, or the file is malformed.
    """
    text = os.fspath(name_or_csv)
    base, colon, ending = text.rpartition(":")
    if not colon or Path(text).is_file():
        return _load_whole(text)
    sensor = _load_whole(base)
    if ending.strip().lower() in sensor.groups:
        return sensor.select(sensor.groups[ending.strip().lower()])
    wanted = ending.split(",")
    if len(wanted) == 1 and wanted[0].strip().lower() not in {band.lower() for band in sensor.bands}:
        raise SensorError(
            f"sensor '{sensor.name}' has no group or band '{ending}'",
            do=did_you_mean(ending, [*sensor.groups, *sensor.bands]),
        )
    return sensor.select(wanted)


def _load_whole(text: str) -> Sensor:
    key = "".join(letter for letter in text.lower() if letter.isalnum())
    names = {"".join(letter for letter in name if letter.isalnum()): name for name in SENSORS}
    name = names.get(key) or _ALIASES.get(key)
    if name is not None and not Path(text).is_file():
        with resources.as_file(resources.files("hsrdiff.sensors") / "tables" / SENSORS[name]) as path:
            return read_table(path, name)
    if text and (Path(text).exists() or Path(text).suffix or os.sep in text):
        return read_table(text)
    raise SensorError(
        f"there is no sensor '{text}'",
        expected="a known name or the path of a CSV file",
        do=did_you_mean(text, SENSORS),
    )
