"""The map of an ENVI header: ``map info`` and ``coordinate system string``, read and written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hsrdiff.errors import CubeFormatError

if TYPE_CHECKING:
    from affine import Affine
    from rasterio.crs import CRS

# what nearly all files are in, whatever else is said of them
_USUAL = {"", "unknown", "meters", "metres", "meter", "metre", "m", "degrees", "degree"}
_LENGTHS_M = {
    "km": 1000.0, "kilometers": 1000.0, "feet": 0.3048, "us survey feet": 1200 / 3937, "yards": 0.9144,
    "miles": 1609.344, "nautical miles": 1852.0,
}  # fmt: skip
_ANGLES_DEG = {"minutes": 1 / 60, "seconds": 1 / 3600, "radians": math.degrees(1)}


def read_map(header: Mapping[str, str], path: Path) -> tuple[CRS | None, Affine | None]:
    """Return the CRS and the transform of ``map info`` and ``coordinate system string``.

    The reference pixel counts from 1, whole numbers standing for upper left corners; a rotation is in degrees,
    counter-clockwise. Numbers in another unit than the CRS's are converted to it.

    Args:
        header: The header.
        path: The header's file, for the message.

    Returns:
        The CRS or None, and the transform or None.

    Raises:
        CubeFormatError: The map info has parts that are no numbers or units that do not go with the coordinate
            system, or that system is not known.
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
        crs = _wgs84_of_names(parts)
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
    crs = crs or _nad_of_names(parts)
    if transform is not None:
        transform = Affine.scale(_unit_of(parts, crs, path)) @ transform
    return crs, transform


def _unit_of(parts: Sequence[str], crs: CRS | None, path: Path) -> float:
    """Return the size of the unit that ``map info`` names, in units of the CRS; 1 where it names none."""
    stated = next((part.split("=", 1)[1] for part in parts if part.lower().replace(" ", "").startswith("units=")), "")
    word = stated.strip().lower()
    if crs is None or word in _USUAL:
        return 1.0
    sizes = _ANGLES_DEG if crs.is_geographic else _LENGTHS_M
    if word not in sizes:
        raise CubeFormatError(
            f"'map info' in {path} is in units of '{stated.strip()}'",
            expected=f"{'degrees' if crs.is_geographic else 'meters'}, {', '.join(sizes)} in this coordinate system",
            do="correct the header",
        )
    ratio = sizes[word] / (1.0 if crs.is_geographic else crs.linear_units_factor[1])
    # a foot may be that of the survey, as the CRS says
    return 1.0 if math.isclose(ratio, 1.0, rel_tol=1e-5) else ratio


def _wgs84_of_names(parts: Sequence[str]) -> CRS | None:
    """Return the CRS that the names in ``map info`` state beyond doubt."""
    from rasterio.crs import CRS

    words = _words(parts)
    if "wgs84" not in words:
        return None
    if words[0] == "utm" and len(words) > 8 and words[7].isdigit():
        return CRS.from_epsg((32700 if words[8].startswith("s") else 32600) + int(words[7]))
    return CRS.from_epsg(4326) if words[0].startswith("geographic") else None


def _nad_of_names(parts: Sequence[str]) -> CRS | None:
    """Return the CRS of a datum of North America, of which a coordinate system string may name a later realisation."""
    from rasterio.crs import CRS

    words = _words(parts)
    for name, first, zones in (("northamerica1983", 26900, 23), ("northamerica1927", 26700, 22)):
        if name in words and words[0].startswith("geographic"):
            return CRS.from_epsg({26900: 4269, 26700: 4267}[first])
        if name in words and words[0] == "utm" and len(words) > 8 and words[7].isdigit():
            zone = int(words[7])
            return CRS.from_epsg(first + zone) if 1 <= zone <= zones and not words[8].startswith("s") else None
    return None


def _words(parts: Sequence[str]) -> list[str]:
    return [part.lower().replace(" ", "").replace("-", "") for part in parts]


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
