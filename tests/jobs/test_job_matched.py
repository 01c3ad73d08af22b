"""Matched bands: with a known sensor `fuse` undoes the MSI's calibration, and leaves consistent pairs alone."""

import numpy as np
import pytest
from job_scenes import material_cube

from hsrdiff import check, fuse, quality, simulate
from hsrdiff.cubes import open_cube
from hsrdiff.jobs.matched import describe_match, read_match
from hsrdiff.jobs.scaling import describe_gain, read_gain
from hsrdiff.observation import BandMatch
from hsrdiff.sensors import band_sensor

SENSOR = "sentinel2:B2,B3,B4,B8"
GAINS = np.array([1.4, 0.7, 1.0, 2.2], dtype=np.float32)[:, None, None]
OFFSETS = np.array([0.05, 0.0, 0.0, -0.1], dtype=np.float32)[:, None, None]


@pytest.fixture(scope="module")
def good():
    return simulate(material_cube(64), sensor=SENSOR, factor=4)


def scaled(msi):
    return msi.copy(data=msi.values * GAINS + OFFSETS)


def away(one, other):
    return float(np.sqrt(np.square(one.values - other.values).mean()))


@pytest.mark.parametrize("method", ["regression-projected", "regression"])
def test_a_consistent_pair_is_left_to_the_bit(good, method):
    one = fuse(good.hsi, good.msi, method=method, sensor=SENSOR)
    other = fuse(good.hsi, good.msi, method=method, sensor=SENSOR, match=False)
    np.testing.assert_array_equal(one.values, other.values)
    assert one.attrs == other.attrs
    assert "hsrdiff_match" not in one.attrs


@pytest.mark.parametrize("method", ["regression-projected", "hysure"])
def test_made_up_calibrations_are_undone(good, method):
    # both images trusted exactly: what the MSI says must be met
    options = {"method": method, "sensor": SENSOR, "noise_hsi": 0.0, "noise_msi": 0.0}
    plain = fuse(good.hsi, good.msi, **options)
    found = fuse(good.hsi, scaled(good.msi), **options)
    left = fuse(good.hsi, scaled(good.msi), match=False, **options)
    assert away(found, plain) < 1e-4
    assert away(left, plain) > 1e-2
    assert found.attrs["hsrdiff_match"].startswith("4 of 4 multispectral bands were brought")
    assert "hsrdiff_match" not in left.attrs


def test_the_result_stays_in_the_unit_of_the_hsi(good):
    truth = material_cube(64)
    radiance = good.hsi.copy(data=good.hsi.values * 80)
    found = fuse(radiance, scaled(good.msi), method="regression-projected", sensor=SENSOR)
    assert away(found, truth * 80) < 80 * 0.02
    assert found.values.mean() == pytest.approx(80 * truth.values.mean(), rel=1e-3)


def test_a_factor_that_all_bands_share_is_a_unit(good):
    found = fuse(good.hsi, good.msi * 10000, method="regression-projected", sensor=SENSOR)
    assert "hsrdiff_match" not in found.attrs
    assert found.attrs["hsrdiff_units"].startswith("multispectral values were divided by 1")


def test_without_a_sensor_nothing_is_matched(good):
    bare = scaled(good.msi).drop_vars(["fwhm", "wavelength"], errors="ignore")
    assert "hsrdiff_match" not in fuse(good.hsi, bare, method="regression").attrs


def test_noise_told_in_the_unit_of_the_msi_is_carried_over(good):
    found = fuse(
        good.hsi, good.msi * 2 * GAINS, method="regression-projected", sensor=SENSOR, noise_msi=0.02, noise_hsi=0.0
    )
    assert "MSI 0.02;" in found.attrs["hsrdiff_noise"]


def test_quality_judges_by_the_same_match(good, tmp_path):
    fuse(good.hsi, scaled(good.msi), method="regression-projected", sensor=SENSOR, out=tmp_path / "f.tif")
    kept = open_cube(tmp_path / "f.tif")
    judged = quality(kept, good.hsi, scaled(good.msi))
    assert judged.full.spectral.mean_relative_rmse < 1e-3
    assert judged.told["match"] == kept.attrs["hsrdiff_match"]
    del kept.attrs["hsrdiff_match"]
    unmatched = quality(kept, good.hsi, scaled(good.msi))
    assert unmatched.full.spectral.mean_relative_rmse > 0.1
    assert "match" not in unmatched.told


def test_quality_by_another_sensor_keeps_the_unit_and_the_match_of_the_file(good):
    options = {"method": "regression-projected", "sensor": SENSOR, "noise_hsi": 0.0, "noise_msi": 0.0}
    kept = fuse(good.hsi, 1000 * scaled(good.msi), **options)
    assert "hsrdiff_units" in kept.attrs
    assert "hsrdiff_match" in kept.attrs
    # responses that make far less of these spectra would pass for another unit of the image
    other = band_sensor("other", ("a", "b", "c", "d"), ("box",) * 4, [455.0] * 4, [30.0] * 4)
    plain = quality(fuse(good.hsi, good.msi, **options), good.hsi, good.msi, sensor=other)
    assert plain.full.spectral.mean_relative_rmse > 0.2
    judged = quality(kept, good.hsi, 1000 * scaled(good.msi), sensor=other)
    np.testing.assert_allclose(judged.full.spectral.relative_rmse, plain.full.spectral.relative_rmse, rtol=1e-3)


def test_check_says_it(good):
    report = check(good.hsi, scaled(good.msi), sensor=SENSOR)
    assert "4 of 4 multispectral bands are brought by fuse to" in report.finding("response").words
    assert all(band.disagreement < 0.1 for band in report.bands)


def test_words_are_read_again_and_others_are_not():
    match = BandMatch(np.array([1.25, 1.0]), np.array([-3e-05, 0.0]))
    again = read_match(describe_match(match), 2)
    np.testing.assert_allclose(again.gain, match.gain)
    np.testing.assert_allclose(again.offset, match.offset)
    for words in ("", describe_match(match).replace("1.25", "-1"), describe_match(match).replace("1.25", "1e-, 1")):
        assert read_match(words, 2) is None
    assert read_match(describe_match(match), 3) is None
    assert read_gain(describe_gain(9876.54321)) == 9876.54321
    for words in ("", describe_gain(-2.0), describe_gain(float("nan")), describe_gain(1.0).replace("1", "1e")):
        assert read_gain(words) is None
