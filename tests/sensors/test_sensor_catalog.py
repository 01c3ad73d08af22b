"""Shipped sensors: nominal numbers, selections, names, and the measured curves where they are at hand."""

import os
from pathlib import Path

import numpy as np
import pytest

from hsrdiff.errors import SensorError
from hsrdiff.sensors import SENSORS, Sensor, gaussian_sensor, load_sensor
from hsrdiff.sensors.shapes import band_sensor, box_profile, gaussian_profile

BAND_COUNTS = {
    "sentinel2": 13,
    "landsat8": 9,
    "landsat9": 9,
    "eo1_ali": 10,
    "worldview2": 9,
    "worldview3": 9,
    "ikonos": 5,
    "quickbird2": 5,
    "superdove": 8,
    "rgb": 3,
}


@pytest.mark.parametrize("name", SENSORS)
def test_every_shipped_sensor_is_whole(name):
    sensor = load_sensor(name)
    assert sensor.name == name
    assert len(sensor.bands) == BAND_COUNTS[name]
    assert sensor.response.shape == (len(sensor.bands), sensor.wavelengths_nm.size)
    assert sensor.source
    assert sensor.licence
    assert sensor.response.max() <= 1
    assert "pan" not in sensor.groups["ms"]
    assert len(load_sensor(f"{name}:ms").bands) >= 3


def test_boxes_have_their_nominal_centre_and_width():
    sensor = load_sensor("landsat8").select(["B4"])
    assert sensor.integrals_nm[0] == pytest.approx(673 - 636)
    assert sensor.centroids_nm[0] == pytest.approx((673 + 636) / 2)
    half = sensor.wavelengths_nm[sensor.response[0] >= 0.5]
    assert (half[0], half[-1]) == (636, 673)


def test_box_width_is_exact_between_grid_points():
    grid = np.arange(500.0, 600.0)
    profile = box_profile(grid, 520.3, 547.9)
    assert np.trapezoid(profile, grid) == pytest.approx(27.6)
    narrow = box_profile(grid, 530.2, 530.6)
    assert np.trapezoid(narrow, grid) == pytest.approx(0.4)


def test_gaussian_is_half_at_half_its_width():
    values = gaussian_profile(np.array([530.0, 540.0, 550.0, 560.0]), 550.0, 20.0)
    np.testing.assert_allclose(values, [0.5**4, 0.5, 1.0, 0.5])


def test_gaussian_sensor_has_its_centres_and_integrals():
    sensor = gaussian_sensor([480.0, 560.0, 1600.0], [60.0, 5.0, 90.0], name="guide")
    assert sensor.bands == ("b1", "b2", "b3")
    np.testing.assert_allclose(sensor.centroids_nm, [480.0, 560.0, 1600.0], atol=1e-3)
    # A Gaussian's integral is FWHM sqrt(pi / (4 ln 2)).
    np.testing.assert_allclose(
        sensor.integrals_nm, np.array([60.0, 5.0, 90.0]) * np.sqrt(np.pi / np.log(16)), rtol=1e-5
    )
    assert gaussian_sensor([500.0, 600.0], 10.0).response.shape[0] == 2


def test_selection_keeps_the_order_asked_for_and_the_source():
    sensor = load_sensor("sentinel2")
    part = sensor.select(["B8", "b2"])
    assert part.bands == ("B8", "B2")
    np.testing.assert_array_equal(part.response[1], sensor.response[1])
    assert part.source == sensor.source
    assert part.groups == {}
    assert "10m" in load_sensor("sentinel2:ms").groups
    assert sensor.bands[0] == "B1"


@pytest.mark.parametrize(
    ("text", "bands"),
    [
        ("sentinel2:10m", ("B2", "B3", "B4", "B8")),
        ("sentinel2:B2,b8a", ("B2", "B8A")),
        ("landsat8:reflective", ("B2", "B3", "B4", "B5", "B6", "B7")),
        ("WorldView-3:BGRN", ("blue", "green", "red", "nir1")),
        ("WV2:pan", ("pan",)),
        ("EO-1 ALI:vnir", ("b1", "b2", "b3", "b4")),
    ],
)
def test_names_with_bands(text, bands):
    assert load_sensor(text).bands == bands


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sentinal2", "use 'sentinel2'"),
        ("nothing like it", "use one of.*worldview3"),
        ("", "no sensor ''.*use one of.*worldview3"),
        (":B2", "no sensor ''.*use one of.*worldview3"),
        ("sentinel2:10", "no group or band '10'.*10m"),
        ("sentinel2:B2,B99", "no band 'B99'"),
        ("sentinel2:B2,", "no band ''"),
        ("missing.csv", "no file 'missing.csv'"),
        ("folder/missing", "no file"),
    ],
)
def test_unknown_names_say_what_is_near(text, words):
    with pytest.raises(SensorError, match=words):
        load_sensor(text)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Sensor("s", ("a",), [1.0, 2.0], [[1.0, 2.0, 3.0]]), "response of shape"),
        (lambda: Sensor("s", ("a",), [2.0, 1.0], [[1.0, 2.0]]), "do not increase"),
        (lambda: Sensor("s", ("a",), [1.0, 2.0], [[1.0, -2.0]]), "negative"),
        (lambda: Sensor("s", ("a", "A"), [1.0, 2.0], [[1.0, 2.0]] * 2), "twice"),
        (lambda: Sensor("s", ("a", "b"), [1.0, 2.0], [[1.0, 2.0], [0.0, 0.0]]), "band b.*zero"),
        (lambda: load_sensor("rgb").select([]), "at least one"),
        (lambda: gaussian_sensor([500.0], [-1.0]), "positive centre and width"),
        (lambda: gaussian_sensor([500.0, 600.0], [10.0, 20.0, 30.0]), "one centre and one width"),
        (lambda: gaussian_sensor([], 10.0), "at least one band"),
        (lambda: band_sensor("s", ("a",), ("triangle",), [500.0], [10.0]), "gaussian or box"),
    ],
)
def test_impossible_sensors(make, words):
    with pytest.raises(SensorError, match=words):
        make()


# Nominal boxes stand in for the measured curves; panchromatic and last VNIR bands sag with the detector.
MEASURED = [
    ("sentinel2a", "sentinel2", 1.0),
    ("landsat8_oli", "landsat8", 3.0),
    ("eo1_ali", "eo1_ali", 11.0),
    ("worldview3", "worldview3", 6.0),
    ("worldview2", "worldview2", 6.0),
]


@pytest.mark.data
@pytest.mark.parametrize(("file", "name", "tolerance_nm"), MEASURED)
def test_centroids_agree_with_the_measured_curves(file, name, tolerance_nm):
    root = os.environ["HSRDIFF_DATA"]
    if not (Path(root) / "srf" / f"{file}.csv").is_file():
        pytest.skip("HSRDIFF_DATA has no measured response tables")
    measured, nominal = load_sensor(Path(root) / "srf" / f"{file}.csv"), load_sensor(name)
    assert len(measured.bands) == len(nominal.bands)
    for band, centroid in zip(measured.bands, measured.centroids_nm, strict=True):
        short = band.split("_")[0]
        if short in ("nir2", "pan") and name.startswith("worldview"):
            continue
        assert nominal.select([short]).centroids_nm[0] == pytest.approx(centroid, abs=tolerance_nm), band
