"""Units and datums of ENVI's `map info`: GDAL is the oracle where it understands them."""

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS

from hsrdiff.cubes import open_cube
from hsrdiff.cubes.georeference import georeference_of
from hsrdiff.errors import CubeFormatError

START = "ENVI\nsamples = 5\nlines = 6\nbands = 2\nheader offset = 0\ndata type = 2\ninterleave = bsq\nbyte order = 0\n"
UTM = CRS.from_epsg(32633).to_wkt(version="WKT1_ESRI")


def placed(folder, map_info, more=""):
    np.arange(60, dtype="<i2").tofile(folder / "a.img")
    (folder / "a.hdr").write_text(f"{START}map info = {{{map_info}}}\n{more}")
    return georeference_of(open_cube(folder / "a.hdr"))


@pytest.mark.parametrize(
    ("unit", "size"),
    [("Meters", 1), ("Km", 1000), ("Feet", 0.3048), ("Yards", 0.9144), ("Miles", 1609.344), ("Unknown", 1)],
)
@pytest.mark.parametrize("wkt", [False, True])
def test_lengths_become_metres(tmp_path, unit, size, wkt):
    numbers = ", ".join(repr(n / size) for n in (400000.0, 5000000.0, 30.0, 20.0))
    more = f"coordinate system string = {{{UTM}}}\n" if wkt else ""
    name = "Projected, 1, 1, {}" if wkt else "UTM, 1, 1, {}, 33, North, WGS-84"
    crs, transform = placed(tmp_path, f"{name.format(numbers)}, units={unit}", more)
    assert crs.to_epsg() == 32633
    np.testing.assert_allclose(transform[:6], (30, 0, 400000, 0, -20, 5000000), rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize(("unit", "size"), [("Degrees", 1), ("Minutes", 1 / 60), ("Seconds", 1 / 3600)])
@pytest.mark.parametrize("more", ["", ", rotation=30"])
def test_angles_become_degrees(tmp_path, unit, size, more):
    numbers = ", ".join(repr(n / size) for n in (13.0, 52.0, 0.001, 0.001))
    crs, transform = placed(tmp_path, f"Geographic Lat/Lon, 1, 1, {numbers}, WGS-84, units={unit}{more}")
    assert crs.to_epsg() == 4326
    with rasterio.open(tmp_path / "a.img") as dataset:
        np.testing.assert_allclose(transform[:6], dataset.transform[:6], rtol=1e-9, atol=1e-12)


def test_a_foot_is_that_of_the_coordinate_system(tmp_path):
    wkt = CRS.from_epsg(2263).to_wkt(version="WKT1_ESRI")  # New York, in feet of the survey
    more = f"coordinate system string = {{{wkt}}}\n"
    _, transform = placed(tmp_path, "State Plane, 1, 1, 980000, 200000, 3, 3, units=Feet", more)
    assert tuple(transform)[:6] == (3, 0, 980000, 0, -3, 200000)
    _, transform = placed(tmp_path, "State Plane, 1, 1, 980, 200, 1, 1, units=Km", more)
    assert transform.a == pytest.approx(3280.8333333)


@pytest.mark.parametrize(
    ("map_info", "unit"),
    [
        ("UTM, 1, 1, 1, 1, 1, 1, 33, North, WGS-84, units=Seconds", "Seconds"),
        ("Geographic Lat/Lon, 1, 1, 13, 52, 1, 1, WGS-84, units=Km", "Km"),
        ("UTM, 1, 1, 1, 1, 1, 1, 33, North, WGS-84, units = Cubits", "Cubits"),
    ],
)
def test_units_that_do_not_go_with_the_map_are_one_sentence(tmp_path, map_info, unit):
    with pytest.raises(CubeFormatError, match=f"is in units of '{unit}'; expected (meters|degrees), ") as caught:
        placed(tmp_path, map_info)
    assert "\n" not in str(caught.value)


def test_without_a_coordinate_system_numbers_stay(tmp_path):
    crs, transform = placed(tmp_path, "Arbitrary, 1, 1, 0, 0, 2, 2, 0, North, units=Km")
    assert crs is None
    assert transform.a == 2


@pytest.mark.parametrize(
    ("zone", "datum", "epsg"),
    [
        ("11, North", "North America 1983", 26911),
        ("23, North", "North America 1983", 26923),
        ("18, North", "North America 1927", 26718),
        ("24, North", "North America 1983", None),
        ("11, South", "North America 1983", None),
    ],
)
def test_datums_of_north_america(tmp_path, zone, datum, epsg):
    crs, _ = placed(tmp_path, f"UTM, 1, 1, 400000, 5000000, 30, 30, {zone}, {datum}, units=Meters")
    assert (None if crs is None else crs.to_epsg()) == epsg


def test_a_coordinate_system_string_says_more_than_a_datum_of_north_america(tmp_path):
    more = f"coordinate system string = {{{CRS.from_epsg(6340).to_wkt(version='WKT1_ESRI')}}}\n"  # NAD83(2011)
    crs, _ = placed(tmp_path, "UTM, 1, 1, 400000, 5000000, 30, 30, 11, North, North America 1983", more)
    assert crs.to_epsg() == 6340
    crs, _ = placed(tmp_path, "Geographic Lat/Lon, 1, 1, -110, 52, 0.1, 0.1, North America 1983, units=Degrees")
    assert crs.to_epsg() == 4269


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("geo points = {1, 1, 50.0, 4.0, 5, 1, 50.0, 4.1, 1, 6, 49.9, 4.0, 5, 6, 49.9, 4.1}", "ground control points"),
        ("rpc info = {0, 1, 2}", "rational polynomials"),
    ],
)
def test_points_and_polynomials_that_are_not_used_are_named_where_there_is_no_map(tmp_path, more, said):
    np.arange(60, dtype="<i2").tofile(tmp_path / "a.img")
    for text, words in ((f"{START}{more}\n", said), (START, None)):
        (tmp_path / "a.hdr").write_text(text)
        found = open_cube(tmp_path / "a.hdr").attrs.get("place_note")
        assert found is None if words is None else found.startswith(f"{words}")
    placed(tmp_path, "UTM, 1, 1, 400000, 5000000, 30, 30, 33, North, WGS-84", f"{more}\n")
    assert "place_note" not in open_cube(tmp_path / "a.hdr").attrs
