"""CSV files of sensors: a measured table, or one row per band with published centres, widths or edges.

A measured table starts with ``wavelength_nm,<band>,<band>,...``. A band list starts with
``band,shape,centre_nm,width_nm`` or ``band,shape,low_nm,high_nm``. Lines that start with ``#`` are comments;
``# source: ...``, ``# licence: ...`` and ``# group NAME: BAND BAND ...`` are kept.
"""

from __future__ import annotations

import csv
import dataclasses
import math
from pathlib import Path

import numpy as np

from hsrdiff.errors import SensorError, did_you_mean
from hsrdiff.sensors.sensor import Sensor
from hsrdiff.sensors.shapes import band_sensor
from hsrdiff.typing import PathLike

_BY_CENTRE = ["band", "shape", "centre_nm", "width_nm"]
_BY_EDGES = ["band", "shape", "low_nm", "high_nm"]

Row = tuple[int, list[str]]  # line number in the file, cells


def read_table(path: PathLike, name: str = "") -> Sensor:
    """Read a sensor from a CSV file of either kind; negative values of a measured table count as 0.

    Args:
        path: The file.
        name: The sensor's name; the file's name without its ending when empty.

    Returns:
        The sensor.

    Raises:
        SensorError: The file cannot be read or is malformed; the message names the line.
    """
    where = Path(path)
    try:
        text = where.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise SensorError(f"there is no file '{where}'", do="check the path of the response table") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SensorError(
            f"'{where}' cannot be read as text ({type(error).__name__})", expected="a CSV file"
        ) from error
    notes: list[str] = []
    rows: list[Row] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("#"):
            notes.append(line.lstrip().lstrip("#").strip())
        elif line.strip(" ,\t"):
            rows.append((number, [cell.strip() for cell in next(csv.reader([line]))]))
    header = [cell.lower() for cell in rows[0][1]] if rows else []
    title = name or where.stem
    if header in (_BY_CENTRE, _BY_EDGES):
        sensor = _band_list(where, title, rows[1:], by_edges=header == _BY_EDGES)
    elif header and header[0] == "wavelength_nm":
        sensor = _measured(where, title, rows)
    else:
        first = f"starts with the columns '{','.join(rows[0][1])}'" if rows else "is empty"
        raise SensorError(
            f"'{where}' {first}",
            expected=f"'wavelength_nm,<band>,...' or '{','.join(_BY_CENTRE)}' or '{','.join(_BY_EDGES)}'",
            do="name the first column wavelength_nm and give wavelengths in nanometres",
        )
    return _annotate(sensor, notes, where)


def _measured(where: Path, name: str, rows: list[Row]) -> Sensor:
    bands = tuple(rows[0][1][1:])
    if not bands or not all(bands):
        raise SensorError(
            f"'{where}' has no band column or one without a name", expected="wavelength_nm,<band>,<band>,..."
        )
    if len(rows) < 3:
        raise SensorError(
            f"'{where}' has {len(rows) - 1} rows of numbers", expected="at least 2 wavelengths, one in a row"
        )
    values = np.array([_numbers(where, row, len(bands) + 1) for row in rows[1:]])
    wavelengths = values[:, 0]
    steps = np.diff(wavelengths)
    if np.any(steps <= 0):
        at = int(np.argmax(steps <= 0))
        raise SensorError(
            f"line {rows[at + 2][0]} of '{where}' has {wavelengths[at + 1]:g} nm after {wavelengths[at]:g} nm",
            expected="increasing wavelengths",
            do="sort the table",
        )
    if wavelengths[-1] < 100.0:
        raise SensorError(
            f"the wavelengths of '{where}' end at {wavelengths[-1]:g}, which looks like micrometres",
            expected="nanometres",
            do="multiply them by 1000",
        )
    return Sensor(name, bands, wavelengths, np.clip(values[:, 1:].T, 0.0, None))


def _band_list(where: Path, name: str, rows: list[Row], by_edges: bool) -> Sensor:
    if not rows:
        raise SensorError(f"'{where}' lists no band", expected="one row per band")
    bands, shapes, centres, widths = [], [], [], []
    for number, cells in rows:
        first, second = _numbers(where, (number, cells), 4, skip=2)
        if by_edges and first >= second:
            raise SensorError(
                f"line {number} of '{where}' has edges {first:g} and {second:g} nm",
                expected="the lower edge first",
            )
        bands.append(cells[0])
        shapes.append(cells[1].lower())
        centres.append((first + second) / 2 if by_edges else first)
        widths.append(second - first if by_edges else second)
    return band_sensor(name, tuple(bands), tuple(shapes), centres, widths)


def _numbers(where: Path, row: Row, count: int, skip: int = 0) -> list[float]:
    """Turn the cells of one line into finite numbers, or name the line."""
    number, cells = row
    if len(cells) != count:
        raise SensorError(f"line {number} of '{where}' has {len(cells)} cells", expected=f"{count}, as the header has")
    values = []
    for cell in cells[skip:]:
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise SensorError(f"line {number} of '{where}' has '{cell}'", expected="a number in every cell")
        values.append(value)
    return values


def _annotate(sensor: Sensor, notes: list[str], where: Path) -> Sensor:
    """Add source, licence and band groups from the comment lines."""
    source, licence = f"file {where.name}", ""
    groups: dict[str, tuple[str, ...]] = {}
    names = {band.lower(): band for band in sensor.bands}
    for note in notes:
        key, colon, value = (part.strip() for part in note.partition(":"))
        if not colon:
            continue
        if key.lower() == "source":
            source = value
        elif key.lower() == "licence":
            licence = value
        elif key.lower().startswith("group "):
            members = value.replace(",", " ").split()
            unknown = [band for band in members if band.lower() not in names]
            if unknown:
                raise SensorError(
                    f"the comment '{note}' of '{where}' names a band '{unknown[0]}'",
                    do=did_you_mean(unknown[0], sensor.bands),
                )
            groups[key[6:].strip().lower()] = tuple(names[band.lower()] for band in members)
    return dataclasses.replace(sensor, source=source, licence=licence, groups=groups)
