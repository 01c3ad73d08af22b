"""`check`: its verdict on pairs whose trouble is known, and that it says where and what."""

import json

import numpy as np
import pytest
import torch
from job_scenes import material_cube

from hsrdiff import check, fuse, simulate
from hsrdiff.cubes import as_cube, open_cube, write_cube
from hsrdiff.errors import FactorError, InputError, WriteError
from hsrdiff.jobs.finding import Finding, Verdict, verdict_on
from hsrdiff.jobs.told import told_observation
from hsrdiff.jobs.told_psf import told_psf
from hsrdiff.jobs.units import OPEN, RADIANCE, REFLECTANCE, WHOLE, oxygen_dip, unit_of
from hsrdiff.observation import Scene

SENSOR = "sentinel2:B2,B3,B4,B8"


def noisy(cube, share=0.003, seed=0):
    rng = np.random.default_rng(seed)
    return cube.copy(data=(cube.values * (1 + share * rng.standard_normal(cube.shape))).astype(np.float32))


@pytest.fixture(scope="module")
def good():
    """A pair of 32 x 32 coarse pixels with a little noise."""
    made = simulate(material_cube(64), sensor=SENSOR, factor=2)
    return noisy(made.hsi), noisy(made.msi, seed=1)


def concerns(report):
    return {finding.topic for finding in report.findings if finding.concern}


@pytest.mark.parametrize("sensor", [None, SENSOR])
def test_a_good_pair_is_fit(good, sensor, tmp_path):
    hsi, msi = write_cube(good[0], tmp_path / "h.nc"), write_cube(good[1], tmp_path / "m.nc")
    report = check(hsi, msi, sensor=sensor, json_out=tmp_path / "r.json")
    assert (report.verdict, report.reasons) == (Verdict.FIT, ())
    assert "12 bands, 450-950 nm, 32 × 32 pixels of 20 × 20 m, EPSG:32633" in report.finding("hyperspectral").words
    assert "4 bands" in report.finding("multispectral").words
    assert report.finding("grid").words == "pixel sizes have ratio 2, and the extents are the same"
    assert report.finding("psf").numbers["fwhm_lr"] == pytest.approx(1.0, abs=0.05)
    assert report.finding("response").words.startswith("known" if sensor else "fitted")
    assert all(band.disagreement < 1 and band.estimated < 1 and band.correlation > 0.99 for band in report.bands)
    assert [band.name for band in report.bands] == ["B2", "B3", "B4", "B8"]
    kept = json.loads((tmp_path / "r.json").read_text())
    assert kept["verdict"] == "fit to fuse"
    assert [finding["topic"] for finding in kept["findings"]] == [finding.topic for finding in report.findings]
    assert kept["bands"][0]["gain"] == report.bands[0].gain
    assert np.shape(kept["blocks"]) == (4, 4)


def test_a_changed_block_is_found(good):
    msi = good[1].copy(deep=True)
    msi[:, 16:32, 32:48] += 0.25
    report = check(good[0], msi, sensor=SENSOR)
    assert report.verdict is Verdict.CARE
    assert "row 8 column 16" in report.finding("disagreement").concern
    assert report.finding("disagreement").numbers["changed"] == [8, 16]
    assert concerns(report) == {"disagreement"}
    assert all(band.correlation > 0.99 for band in report.bands)


def test_the_disagreement_comes_first_and_as_a_map(good, tmp_path):
    msi = good[1].copy(deep=True)
    msi[:, 16:32, 32:48] += 0.25
    report = check(good[0], msi, sensor=SENSOR, map_out=tmp_path / "map.tif", json_out=tmp_path / "r.json")
    assert report.findings[0].topic == "disagreement"
    kept = open_cube(tmp_path / "map.tif")
    assert kept.shape == (1, 32, 32)
    assert kept.rio.transform() == good[0].rio.transform()
    assert kept.rio.crs == good[0].rio.crs
    blocks = np.array(report.blocks)
    np.testing.assert_allclose(kept.values[0, ::8, ::8], blocks, rtol=1e-6)
    changed = np.zeros((32, 32), bool)
    changed[8:16, 16:24] = True
    assert kept.values[0][changed].min() > 3 * kept.values[0][~changed].max()
    with pytest.raises(InputError, match="would replace"):
        check(good[0], msi, map_out=tmp_path / "same.tif", json_out=tmp_path / "same.tif")


def test_what_a_product_says_its_values_are_counts_unless_they_look_otherwise(good):
    hsi, msi = (cube.copy() for cube in good)
    hsi.attrs.update(hsrdiff_quantity="radiance", hsrdiff_radiance_unit="W m-2 sr-1 um-1")
    msi.attrs["hsrdiff_quantity"] = "reflectance"
    found = check((hsi * 100).assign_attrs(hsi.attrs), msi, sensor=SENSOR).finding("values")
    assert "radiance in W m-2 sr-1 um-1, as the product says" in found.words
    assert "reflectance, as the product says" in found.words
    assert (found.numbers["hsi_unit"], found.numbers["msi_unit"]) == (RADIANCE, REFLECTANCE)
    whole = check(hsi, (msi * 10000).assign_attrs(msi.attrs), sensor=SENSOR).finding("values")
    assert "look like reflectance times 10000" in whole.words


def test_bands_in_another_order_are_refused_as_fuse_refuses_them(good):
    swapped = good[1].isel(band=[2, 1, 0, 3]).drop_vars("band_name", errors="ignore")
    report = check(good[0], swapped, sensor=SENSOR)
    assert report.verdict is Verdict.NOT
    assert "do not look like B2, B3, B4, B8 but B4, B3, B2, B8" in report.finding("response").concern
    with pytest.raises(InputError, match="do not look like B2, B3, B4, B8"):
        fuse(good[0], swapped, sensor=SENSOR, method="regression")
    assert check(good[0], swapped, sensor="sentinel2:B4,B3,B2,B8").verdict is Verdict.FIT


def test_radiance_with_reflectance_is_said(good):
    # sunlight at the sensor: each band has another scale
    light = np.array([1900.0, 1800.0, 1500.0, 900.0], dtype=np.float32)[:, None, None] / 30
    report = check(good[0], good[1] * light, sensor=SENSOR)
    assert "radiance and the other reflectance" in report.finding("response").concern
    gains = report.finding("response").numbers["gain"]
    assert gains[0] / gains[3] == pytest.approx(19 / 9, rel=0.02)
    assert "by which fuse divides MSI" in report.finding("values").words
    # a fitted response takes the scales along
    assert (
        check(good[0].drop_vars("fwhm"), (good[1] * light).drop_vars(("wavelength", "fwhm"), errors="ignore"))
        .finding("disagreement")
        .concern
        == ""
    )


def test_one_factor_for_all_bands_is_no_concern(good):
    report = check(good[0], good[1] * 10000, sensor=SENSOR)
    assert report.verdict is Verdict.FIT
    assert "1e+04 of MSI" in report.finding("values").words


def test_images_of_other_ground_are_not_to_be_fused(good):
    turned = good[1].copy(data=good[1].values[:, ::-1, ::-1])
    assert check(good[0], turned, sensor=SENSOR).verdict is Verdict.NOT
    other = good[1].copy(data=np.random.default_rng(3).random(good[1].shape, dtype=np.float32))
    assert check(good[0], other, sensor=SENSOR).verdict is Verdict.NOT


def test_another_psf_and_a_displacement_are_found(good):
    truth = material_cube(64)
    wide = simulate(truth, sensor=SENSOR, factor=2, psf_fwhm=1.8)
    report = check(noisy(wide.hsi), noisy(wide.msi), sensor=SENSOR)
    assert concerns(report) >= {"psf"}
    assert report.finding("psf").numbers["fwhm_lr"] == pytest.approx(1.8, rel=0.05)
    moved = good[1].copy(data=np.roll(good[1].values, 1, axis=2))
    report = check(good[0], moved, sensor=SENSOR)
    # MSI shows everything one fine pixel, half a coarse one, further right than HSI (but for what was rolled over the
    # edge), and fuse mends that
    assert report.finding("registration").numbers["columns_lr"] == pytest.approx(-0.5, abs=0.1)
    assert report.finding("registration").numbers["mended"]
    assert "fuse mends it" in report.finding("registration").words
    assert "registration" not in concerns(report)
    far = good[1].copy(data=np.roll(good[1].values, 6, axis=2))
    assert "registration" in concerns(check(good[0], far, sensor=SENSOR))
    assert check(good[0], far, sensor=SENSOR).verdict is Verdict.NOT


def test_masks_and_bad_bands_are_told(good):
    hsi, msi = good[0].copy(deep=True), good[1].copy(deep=True)
    hsi[:, :12] = np.nan
    marks = np.ones(12, dtype=bool)
    marks[:7] = False
    report = check(hsi.assign_coords(good_band=("band", marks)), msi)
    assert concerns(report) >= {"valid", "bands"}
    assert report.finding("bands").numbers["dropped"] == list(range(1, 8))
    assert report.finding("valid").numbers["hsi"] == pytest.approx(20 / 32)
    assert report.blocks[0][0] is None


def test_a_pair_of_few_pixels_is_looked_at(pair):
    report = check(pair.hsi, pair.msi, sensor=SENSOR)
    assert "only 36 coarse pixels" in report.finding("valid").concern
    assert check(pair.hsi.values[:, :2, :2], pair.msi.values[:, :8, :8]).verdict is not Verdict.FIT


def test_what_does_not_fit_together_is_refused(good, tmp_path):
    with pytest.raises(FactorError):
        check(good[0].values[:, :30], good[1].values)
    with pytest.raises(InputError, match="swap"):
        check(good[1], good[0])
    with pytest.raises(WriteError):
        check(*good, json_out=tmp_path / "no" / "r.json")
    assert not list(tmp_path.iterdir())


def test_the_worst_finding_decides():
    fine, care, grave = Finding("a", ""), Finding("b", "", "why"), Finding("c", "", "why", grave=True)
    assert verdict_on([fine]) is verdict_on([]) is Verdict.FIT
    assert verdict_on([fine, care]) is Verdict.CARE
    assert verdict_on([grave, care]) is Verdict.NOT
    assert verdict_on([Finding("d", "", "", grave=True)]) is Verdict.FIT


def test_units_by_hand():
    wavelengths = np.array([740.0, 750.0, 760.0, 780.0])

    def cube(*spectrum, nm=wavelengths):
        values = np.tile(np.asarray(spectrum)[:, None, None], (1, 3, 3))
        return as_cube(values, wavelengths_nm=nm)

    assert oxygen_dip(cube(1.0, 1.0, 0.6, 1.0)) == pytest.approx(0.4)
    assert unit_of(cube(90.0, 90.0, 50.0, 90.0))[0] == RADIANCE
    assert unit_of(cube(0.3, 0.3, 0.29, 0.3))[0] == REFLECTANCE
    assert unit_of(cube(3000.0, 3000.0, 2900.0, 3000.0))[0] == WHOLE
    assert unit_of(cube(90.0, 90.0, 88.0, 90.0))[0] == OPEN
    assert oxygen_dip(cube(1.0, 1.0, 0.6, 1.0, nm=wavelengths + 300)) is None
    broad = cube(1.0, 1.0, 0.6, 1.0).assign_coords(fwhm=("band", [40.0] * 4))
    assert oxygen_dip(broad) is None


# fuse with what the pair says of the PSF


def test_fuse_finds_the_psf_and_is_nearer_to_the_truth():
    truth = material_cube(48)
    made = simulate(truth, sensor=SENSOR, factor=2, psf_fwhm=1.6)
    for sensor in (SENSOR, None):
        method = "regression-projected" if sensor else "regression"
        assumed = fuse(made.hsi, made.msi, sensor=sensor, method=method)
        found = fuse(made.hsi, made.msi, sensor=sensor, method=method, psf="estimated")
        assert np.abs(found.values - truth.values).mean() < 0.5 * np.abs(assumed.values - truth.values).mean()
        assert found.attrs["hsrdiff_psf"].startswith("estimated")
        assert "coarse pixels wide" in found.attrs["hsrdiff_note_psf"]
        assert "hsrdiff_note_psf" not in assumed.attrs


def test_a_ramp_fixes_no_psf_and_needs_no_window_beyond_the_image():
    low, high = (np.broadcast_to((np.arange(side) + 0.5) / side, (side, side)) for side in (8, 16))
    hsi, msi = (np.repeat(ramp[None], bands, axis=0) for ramp, bands in ((low, 5), (high, 2)))
    fused = fuse(hsi, msi, method="regression", psf="Estimated")
    np.testing.assert_allclose(fused.values[:, :, 4:-4], np.repeat(msi[:1, :, 4:-4], 5, axis=0), rtol=1e-3)
    assert fused.attrs["hsrdiff_note_psf"].startswith("not fixed by this pair")


def test_a_pair_without_detail_takes_the_assumed_psf():
    scene, assumed = Scene(X=torch.ones(1, 2, 16, 16), Y=torch.ones(1, 5, 8, 8)), told_psf(None, 1.0, 2)
    observation, said = told_observation(scene, None, assumed, "Estimated")
    assert observation.spatial is assumed
    assert "taken as assumed" in said["psf"]


def test_map_and_report_are_written_or_none(pair, tmp_path, monkeypatch):
    def full(*args, **options):
        raise OSError(28, "No space left on device")

    outputs = {"map_out": tmp_path / "m.tif", "json_out": tmp_path / "r.json"}
    for place in ("pathlib.Path.write_text", "hsrdiff.cubes.geotiff.write"):
        with monkeypatch.context() as patch:
            patch.setattr(place, full)
            with pytest.raises(WriteError, match="no space left"):
                check(*pair, **outputs)
        assert not list(tmp_path.iterdir())
    check(*pair, **outputs)
    assert {each.name for each in tmp_path.iterdir()} == {"m.tif", "r.json"}
