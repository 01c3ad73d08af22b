"""The ENVI header: its text, read to a mapping and written back, and the map it describes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hsrdiff.errors import CubeFormatError

if TYPE_CHECKING:
    import numpy.typing as npt
    from affine import Affine
    from rasterio.crs import CRS

# https://www.nv5geospatialsoftware.com/docs/ENVIHeaderFiles.html lists these numbers; 6 and 9 are complex.
NUMBER_TYPES = {1: "u1", 2: "i2", 3: "i4", 4: "f4", 5: "f8", 12: "u2", 13: "u4", 14: "i8", 15: "u8"}
_ENTRY = re.compile(r"^[ \t]*([^=;{}\n]+?)[ \t]*=[ \t]*(\{.*?\}|[^\n]*)", re.MULTILINE | re.DOTALL)


def parse_header(path: Path) -> dict[str, str]:
    """Read an ENVI header.

    Args:
        path: The ``.hdr`` file.

    Returns:
        Values by lower-case key; a value in braces is kept without them.

    Raises:
        CubeFormatError: The file does not begin with ENVI, or braces are not closed.
    """
    text = path.read_bytes().decode("utf-8", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    if not text.lstrip("\ufeff \n").startswith("ENVI"):
        raise CubeFormatError(f"{path} does not begin with 'ENVI'", expected="an ENVI header")
    if text.count("{") != text.count("}"):
        raise CubeFormatError(f"{path} has a brace that is not closed", expected="a whole header")
    text = re.sub(r"(?m)^[ \t]*;.*$", "", text)
    entries: dict[str, str] = {}
    for match in _ENTRY.finditer(text):
        key, value = " ".join(match[1].lower().split()), match[2].strip()
        entries[key] = value[1:-1].strip() if value.startswith("{") else value
    return entries


def whole_number(header: Mapping[str, str], key: str, path: Path, default: int | None = None) -> int:
    """Return a whole number of the header.

    Args:
        header: The header.
        key: Its key.
        path: The header's file, for the message.
        default: What to return where the key is absent; None where it must be there.

    Returns:
        The number.

    Raises:
        CubeFormatError: The key is absent and has no default, or is no whole number.
    """
    text = header.get(key)
    if text is None and default is not None:
        return default
    try:
        return int(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        found = "is missing" if text is None else f"is '{text}'"
        raise CubeFormatError(f"'{key}' in {path} {found}", expected="a whole number") from None


def listed(header: Mapping[str, str], key: str, bands: int, path: Path) -> npt.NDArray[np.float64] | None:
    """Return a list of one number a band.

    Args:
        header: The header.
        key: Its key.
        bands: How many numbers there must be.
        path: The header's file, for the message.

    Returns:
        The numbers, or None where the key is absent or empty.

    Raises:
        CubeFormatError: The list has another length or entries that are no numbers (such as ``...``).
    """
    parts = [part for part in re.split(r"[,\s]+", header.get(key, "")) if part]
    if not parts:
        return None
    try:
        numbers = np.array([float(part) for part in parts])
    except ValueError:
        raise CubeFormatError(f"'{key}' in {path} is not a list of numbers", do="write it out in full") from None
    if numbers.size != bands:
        raise CubeFormatError(f"'{key}' in {path} has {numbers.size} entries", expected=f"{bands}, one a band")
    return numbers


def named(header: Mapping[str, str], bands: int) -> tuple[str, ...] | None:
    """Return the band names where there is one a band and they say more than a number.

    Args:
        header: The header.
        bands: The number of bands.

    Returns:
        The names or None.
    """
    names = tuple(name.strip() for name in header.get("band names", "").split(","))
    if len(names) != bands or not all(names) or all(re.fullmatch(r"(?i)band[ _]?\d+", name) for name in names):
        return None
    return names


def read_map(header: Mapping[str, str], path: Path) -> tuple[CRS | None, Affine | None]:
    """Return the CRS and the transform of ``map info`` and ``coordinate system string``.

    The reference pixel counts from 1, whole numbers standing for upper left corners; a rotation is in degrees,
    counter-clockwise.

    Args:
        header: The header.
        path: The header's file, for the message.

    Returns:
        The CRS or None, and the transform or None.

    Raises:
        CubeFormatError: The map info has parts that are no numbers, or the coordinate system is not known.
    """
    from affine import Affine
    from rasterio.crs import CRS
    from rasterio.errors import CRSError

    parts = [part.strip() for part in header.get("map info", "").split(",")]
    crs = transform = None
    if len(parts) >= 7:
        try:
            column, row, east, north, step_x, step_y = (float(part) for part in parts[1:7])
        except ValueError:
            raise CubeFormatError(
                f"'map info' in {path} is '{header['map info']}'", expected="numbers in places 2 to 7"
            ) from None
        turn = next((float(p.split("=")[1]) for p in parts if p.lower().startswith("rotation")), 0.0)
        cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        a, b, d, e = cos * step_x, sin * step_y, sin * step_x, -cos * step_y
        left, up = 1 - column, 1 - row
        transform = Affine(a, b, east + a * left + b * up, d, e, north + d * left + e * up)
        crs = _crs_of_names(parts)
    wkt = header.get("coordinate system string")
    if wkt:
        try:
            stated = CRS.from_wkt(wkt)
        except CRSError:
            raise CubeFormatError(
                f"the coordinate system string in {path} is not known", expected="WKT", do="correct it"
            ) from None
        code = stated.to_epsg()
        crs = crs or (CRS.from_epsg(code) if code else stated)
    return crs, transform


def _crs_of_names(parts: Sequence[str]) -> CRS | None:
    """Return the CRS that the names in ``map info`` state beyond doubt."""
    from rasterio.crs import CRS

    words = [part.lower().replace(" ", "").replace("-", "") for part in parts]
    if "wgs84" not in words:
        return None
    if words[0] == "utm" and len(words) > 8 and words[7].isdigit():
        return CRS.from_epsg((32700 if words[8].startswith("s") else 32600) + int(words[7]))
    return CRS.from_epsg(4326) if words[0].startswith("geographic") else None


def map_entries(crs: CRS | None, transform: Affine | None) -> dict[str, str]:
    """Return the header entries for a CRS and a transform.

    Args:
        crs: The CRS or None.
        transform: The transform or None.

    Returns:
        ``map info`` and ``coordinate system string``, each where there is something to say.

    Raises:
        CubeFormatError: The transform is sheared or mirrored: ENVI knows turns only.
    """
    entries: dict[str, str] = {}
    if transform is not None:
        a, b, c, d, e, f = transform[:6]
        step_x, step_y, turn = math.hypot(a, d), math.hypot(b, e), math.degrees(math.atan2(d, a))
        if not math.isclose(a * e - b * d, -step_x * step_y, rel_tol=1e-9):
            raise CubeFormatError(
                "the transform is sheared or mirrored", expected="square turns", do="write GeoTIFF instead"
            )
        code = crs.to_epsg() if crs is not None else None
        words, tail = ["Arbitrary"], []
        if code and (32601 <= code <= 32660 or 32701 <= code <= 32760):
            words = ["UTM"]
            tail = [str(code % 100), "North" if code < 32700 else "South", "WGS-84", "units=Meters"]
        elif crs is not None and crs.is_geographic:
            # without "units=Degrees": GDAL 3.10 then takes it for another CRS than the one stated below
            words, tail = ["Geographic Lat/Lon"], ["WGS-84" if code == 4326 else "unknown"]
        elif crs is not None:
            words, tail = ["Projected"], ["units=Meters"] if crs.linear_units.lower().startswith("met") else []
        numbers = ["1", "1", *(repr(float(n)) for n in (c, f, step_x, step_y))]
        rotation = [f"rotation={turn!r}"] if turn else []
        entries["map info"] = "{" + ", ".join([*words, *numbers, *tail, *rotation]) + "}"
    if crs is not None:
        entries["coordinate system string"] = "{" + crs.to_wkt(version="WKT1_ESRI") + "}"
    return entries


def format_header(entries: Mapping[str, Any]) -> str:
    """Return the text of an ENVI header.

    Args:
        entries: Values by key; a sequence becomes a list in braces, several entries a line.

    Returns:
        The text, ending in a line feed.
    """
    lines = ["ENVI"]
    for key, value in entries.items():
        if isinstance(value, str | int | float):
            lines.append(f"{key} = {value}")
            continue
        items = [str(item) for item in value]
        rows = [", ".join(items[i : i + 8]) for i in range(0, len(items), 8)]
        lines.append(f"{key} = {{\n " + ",\n ".join(rows) + "}")
    return "\n".join(lines) + "\n"
