"""A fused file judged by its pair: what it remembers, what the user may say instead, and the report."""

import json
from dataclasses import replace

import numpy as np
import pytest
from job_scenes import material_cube

from hsrdiff import fuse, quality, simulate
from hsrdiff.cubes import open_cube, write_cube
from hsrdiff.errors import InputError
from hsrdiff.jobs.remembered import Remembered
from hsrdiff.jobs.told_psf import told_psf
from hsrdiff.sensors import load_sensor

SENSOR = "sentinel2:B2,B3,B4,B8"


@pytest.fixture(scope="module")
def scene():
    """Truth and pair, large enough to be degraded once more."""
    truth = material_cube(size=64)
    return truth, *simulate(truth, sensor=SENSOR, factor=4)


def test_the_truth_and_a_consistent_result_are_without_fault(scene):
    truth, hsi, msi = scene
    fused = fuse(hsi, msi, sensor=SENSOR, method="regression-projected")
    for cube, told in ((truth, {"sensor": SENSOR}), (fused, {})):
        found = quality(cube, hsi, msi, **told)
        assert found.full.hqnr == pytest.approx(1.0, abs=1e-6)
        assert found.full.spectral.mean_relative_rmse < 1e-5
        assert found.full.spatial.mean_relative_rmse < 1e-5
        assert found.reduced is None


def test_files_remember_how_they_were_made(scene, tmp_path):
    _, hsi, msi = scene
    paths = [write_cube(image, tmp_path / name) for image, name in ((hsi, "hsi.tif"), (msi, "msi.tif"))]
    fuse(*paths, sensor=SENSOR, method="regression-projected", psf_fwhm=1.3, peak=0.7, out=tmp_path / "fused.tif")
    found = quality(tmp_path / "fused.tif", *paths)
    record = open_cube(tmp_path / "fused.tif").attrs
    assert found.told == {
        "sensor": record["hsrdiff_sensor"],
        "psf": record["hsrdiff_psf"],
        "method": "regression-projected",
    }
    # the images were made with another PSF: the fusion kept to what it was told, as its own record says
    said = float(record["hsrdiff_residual_hsi"].split(", ")[1].split(" %")[0]) / 100
    errors, image = found.full.spatial.relative_rmse, hsi.values
    energy = np.square(image).mean(axis=(1, 2))
    assert np.sqrt((errors**2 * energy).sum() / energy.sum()) == pytest.approx(said, rel=0.01)
    # what the user says counts more: with the right PSF the coarse image is missed
    other = quality(tmp_path / "fused.tif", *paths, psf_fwhm=1.0, sensor="landsat8:B2,B3,B4,B5")
    assert other.full.spatial.mean_relative_rmse > 2 * found.full.spatial.mean_relative_rmse
    assert other.full.spectral.mean_relative_rmse > 10 * found.full.spectral.mean_relative_rmse
    assert other.told["sensor"] == "landsat8: B2, B3, B4, B5"


def test_without_a_sensor_the_response_is_fitted(scene):
    _, hsi, msi = scene
    found = quality(fuse(hsi, msi, method="regression"), hsi, msi)
    assert found.told["sensor"] == "none; a response was fitted to the pair"
    assert found.full.spectral.mean_relative_rmse < 0.01
    assert found.msi_bands == ("1", "2", "3", "4")
    assert found.full.ndvi is not None


def test_an_image_that_describes_its_bands_is_remembered_as_its_own_sensor(scene):
    _, hsi, msi = scene
    described = msi.assign_coords(fwhm=("band", np.array([65.0, 35.0, 30.0, 110.0])))
    fused = fuse(hsi, described, method="regression-projected")
    assert fused.attrs["hsrdiff_sensor"].startswith("the image's own bands")
    assert quality(fused, hsi, described).told["sensor"] == fused.attrs["hsrdiff_sensor"]
    assert quality(fused.drop_attrs(), hsi, described).told["sensor"] == fused.attrs["hsrdiff_sensor"]


def test_reduced_runs_the_method_of_the_file_or_another(scene):
    _, hsi, msi = scene
    fused = fuse(hsi, msi, sensor=SENSOR, method="bicubic")
    own, other = (quality(fused, hsi, msi, reduced=True, method=name).reduced for name in (None, "regression"))
    assert (own.method, other.method) == ("bicubic", "regression")
    assert own.factor == other.factor == 2
    assert other.scores.psnr_db > own.scores.psnr_db + 3
    assert 0 < own.q2n < other.q2n <= 1
    assert other.scores.sam_deg < own.scores.sam_deg
    assert other.relative_error < own.relative_error


def test_reduced_needs_a_method_that_knows_its_response(scene):
    _, hsi, msi = scene
    fused = fuse(hsi, msi, method="bicubic")
    with pytest.raises(InputError, match="must know the multispectral sensor"):
        quality(fused, hsi, msi, reduced=True, method="kriging")
    # a file that `fuse` made by a method chosen on the pair, with a fitted response, is run so again
    fused.attrs["hsrdiff_method"] = "regression-projected"
    assert quality(fused, hsi, msi, reduced=True).reduced.method == "regression-projected"


def test_units_do_not_matter(scene):
    _, hsi, msi = scene
    fused = fuse(hsi, msi, sensor=SENSOR, method="bicubic")
    one = quality(fused, hsi, msi).full
    thousand = fuse(1000 * hsi, 50 * msi, sensor=SENSOR, method="bicubic")
    other = quality(thousand, 1000 * hsi, 50 * msi).full
    for name in ("hqnr", "d_lambda", "d_s"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-3)


def test_invalid_pixels_and_bad_bands_are_left_out(scene):
    _, hsi, msi = (cube.copy(deep=True) for cube in scene)
    hsi.values[:, 3, 3] = np.nan
    msi.values[:, :8, :12] = np.nan
    good = np.ones(12, bool)
    good[5] = False
    hsi = hsi.assign_coords(good_band=("band", good))
    fused = fuse(hsi, msi, sensor=SENSOR, method="regression-projected")
    found = quality(fused, hsi, msi)
    assert found.full.valid_share == pytest.approx(float(np.isfinite(fused.values).all(axis=0).mean()))
    assert len(found.full.spatial.correlation) == 11
    assert 0.99 < found.full.hqnr <= 1


def test_the_report_has_everything_and_no_nan(scene, tmp_path):
    _, hsi, msi = scene
    fused = fuse(hsi, msi, sensor=SENSOR, method="bicubic")
    fused.values[4] = 0.3  # a constant band has no correlation
    hsi.values[4] = 0.3
    found = quality(fused, hsi, msi, reduced=True, json_out=tmp_path / "quality.json")
    text = (tmp_path / "quality.json").read_text()
    assert text == found.as_json()
    assert "NaN" not in text
    read = json.loads(text)
    assert read["full_resolution"]["hqnr"] == found.full.hqnr
    bands = read["full_resolution"]["spatial_consistency"]["bands"]
    assert [band["wavelength_nm"] for band in bands] == hsi["wavelength"].values.tolist()
    assert bands[4]["correlation"] is None
    assert [band["band"] for band in read["full_resolution"]["spectral_consistency"]["bands"]] == [
        "B2",
        "B3",
        "B4",
        "B8",
    ]
    assert read["reduced_resolution"]["scores"]["psnr_db"] == found.reduced.scores.psnr_db
    assert "ERGAS 100/2" in read["reduced_resolution"]["convention"]
    assert "Khan 2009" in read["full_resolution"]["convention"]


@pytest.mark.parametrize("fwhm", [1.0, 0.35, 2.5, 1.2345])
def test_the_psf_comes_back_from_the_record(fwhm):
    D = told_psf(None, fwhm, 4)
    found = Remembered(psf=D.describe()).spatial(None, None, 4)
    assert found.describe() == D.describe()
    np.testing.assert_allclose(found.kernel, D.kernel, rtol=0, atol=1e-4)
    if fwhm != 1.2345:  # three digits come back as they were
        assert (found.kernel == D.kernel).all()


def test_an_estimated_psf_comes_back_from_the_record(scene):
    """A displaced Gaussian, found in the pair: the file says sigma and centre, and that is all it takes."""
    _, hsi, msi = scene
    fused = fuse(hsi, msi, sensor=SENSOR, method="regression-projected", psf="estimated")
    assert fused.attrs["hsrdiff_psf"].startswith("estimated Gaussian")
    found = quality(fused, hsi, msi)
    assert found.told["psf"] == fused.attrs["hsrdiff_psf"]
    assert found.full.spatial.mean_relative_rmse < 1e-4


def test_a_kernel_and_a_sensor_that_are_no_files_have_to_be_named(scene):
    _, hsi, msi = scene
    own = replace(load_sensor(SENSOR), name="mine")
    given = {"method": "regression-projected", "psf": np.ones((6, 6))}
    with pytest.raises(InputError, match=r"'mine: B2, B3, B4, B8', which does not come with hsrdiff.*--srf"):
        quality(fuse(hsi, msi, sensor=own, method="regression-projected"), hsi, msi)
    fused = fuse(hsi, msi, sensor=SENSOR, **given)
    with pytest.raises(InputError, match=r"cannot be made again from its name.*--psf"):
        quality(fused, hsi, msi)
    assert quality(fused, hsi, msi, psf=given["psf"]).told["psf"] == fused.attrs["hsrdiff_psf"]


@pytest.mark.parametrize("peak", ["0.5", 0.5, "no number", -1.0, "nan", "inf"])
def test_a_record_that_says_nonsense_says_nothing(peak):
    found = Remembered.of({"hsrdiff_peak": peak, "hsrdiff_method": "kriging", "other": 3})
    assert found.peak == (0.5 if str(peak) == "0.5" else None)
    assert (found.method, found.sensor, found.psf) == ("kriging", None, None)
