import numpy as np
import pytest
import torch
from affine import Affine
from job_scenes import PLACE, material_cube

from hsrdiff import fuse, open_cube, simulate
from hsrdiff.cubes import FORMATS
from hsrdiff.cubes.georeference import georeference_of
from hsrdiff.errors import FactorError, InputError, SensorError, ShapeError, WavelengthError, WriteError
from hsrdiff.observation import SpatialResponse, SpectralResponse
from hsrdiff.sensors import load_sensor

SENSOR = "sentinel2:B2,B3,B4,B8"


def test_pair_is_eq_1_of_the_cube(truth):
    pair = simulate(truth, sensor=SENSOR, factor=4)
    Z = torch.from_numpy(truth.values.astype(np.float64))[None]
    R = SpectralResponse.from_sensor(load_sensor(SENSOR), truth["wavelength"].values, truth["fwhm"].values)
    np.testing.assert_allclose(pair.msi.values, R.apply(Z)[0], atol=1e-6)
    np.testing.assert_allclose(pair.hsi.values, SpatialResponse.gaussian(4).apply(Z)[0], atol=1e-6)


def test_block_mean_by_hand(truth):
    pair = simulate(truth, sensor=SENSOR, factor=3, psf=np.ones((3, 3)))
    assert pair.hsi.values[2, 1, 4] == pytest.approx(truth.values[2, 3:6, 12:15].mean(), abs=1e-6)


def test_both_images_cover_the_same_ground(truth):
    pair = simulate(truth, sensor=SENSOR, factor=4)
    assert georeference_of(pair.msi)[1] == PLACE
    assert georeference_of(pair.hsi)[1] == Affine(40.0, 0.0, PLACE.c, 0.0, -40.0, PLACE.f)
    assert pair.hsi.rio.bounds() == pytest.approx(pair.msi.rio.bounds())
    np.testing.assert_array_equal(pair.hsi["wavelength"], truth["wavelength"])
    assert list(pair.msi["band_name"].values) == ["B2", "B3", "B4", "B8"]
    assert 480 < float(pair.msi["wavelength"][0]) < 505


def test_rows_that_fill_no_coarse_pixel_are_left_out_and_said():
    pair = simulate(material_cube(size=23), sensor=SENSOR, factor=5)
    assert pair.hsi.shape == (12, 4, 4)
    assert pair.msi.shape == (4, 20, 20)
    assert pair.hsi.attrs["hsrdiff_left_out"] == "3 rows at the bottom and 3 columns at the right"
    narrow = simulate(material_cube(size=21)[:, :20], sensor=SENSOR, factor=5)
    assert narrow.hsi.attrs["hsrdiff_left_out"] == "1 column at the right"
    assert "hsrdiff_left_out" not in simulate(material_cube(), sensor=SENSOR, factor=4).hsi.attrs


def test_noise_has_the_snr_and_follows_the_seed():
    cube = material_cube(size=64)
    clean = simulate(cube, sensor=SENSOR, factor=2)
    noisy = simulate(cube, sensor=SENSOR, factor=2, snr_db_hsi=20.0, snr_db_msi=30.0, seed=3)
    for image, before, snr_db in ((noisy.hsi, clean.hsi, 20.0), (noisy.msi, clean.msi, 30.0)):
        power, noise = np.mean(before.values**2), np.mean((image.values - before.values) ** 2)
        assert 10 * np.log10(power / noise) == pytest.approx(snr_db, abs=0.3)
    again = simulate(cube, sensor=SENSOR, factor=2, snr_db_hsi=20.0, snr_db_msi=30.0, seed=3)
    other = simulate(cube, sensor=SENSOR, factor=2, snr_db_hsi=20.0, snr_db_msi=30.0, seed=4)
    np.testing.assert_array_equal(again.hsi.values, noisy.hsi.values)
    assert np.abs(other.hsi.values - noisy.hsi.values).max() > 1e-3


def test_bad_bands_and_invalid_pixels(truth):
    good = np.ones(12, bool)
    good[5] = False
    holed = truth.assign_coords(good_band=("band", good)).copy(deep=True)
    holed.values[:, 9, 9] = np.nan
    pair = simulate(holed, sensor=SENSOR, factor=4)
    assert pair.hsi.sizes["band"] == 11
    assert pair.hsi.attrs["hsrdiff_dropped_bands"] == "6"
    assert np.isnan(pair.msi.values[:, 9, 9]).all()
    assert np.isfinite(pair.msi.values).sum() == 4 * (24 * 24 - 1)
    assert np.isnan(pair.hsi.values[:, 2, 2]).all()


def test_files_are_the_cubes_returned_and_fuse(truth, tmp_path):
    pair = simulate(truth, sensor=SENSOR, factor=4, out_hsi=tmp_path / "h.nc", out_msi=tmp_path / "m.tif")
    np.testing.assert_array_equal(open_cube(tmp_path / "h.nc").values, pair.hsi.values)
    fused = fuse(tmp_path / "h.nc", tmp_path / "m.tif")
    np.testing.assert_allclose(fused.values, fuse(pair.hsi, pair.msi).values, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"sensor": None}, InputError, "no sensor is named"),
        ({"sensor": "sentinel2:B2,B12"}, SensorError, "B12"),
        ({"factor": 1}, FactorError, "at least 2"),
        ({"factor": 2.5}, FactorError, "whole number"),
        ({"factor": 50}, ShapeError, "smaller than one block"),
        ({"psf": np.ones((3, 3))}, InputError, "even"),
        ({"snr_db_hsi": float("nan")}, InputError, "SNR"),
    ],
)
def test_options_that_do_not_fit(truth, change, error, words):
    with pytest.raises(error, match=words):
        simulate(truth, **{"sensor": SENSOR, "factor": 4, **change})


def test_cube_without_wavelengths_and_missing_folder(truth, tmp_path):
    with pytest.raises(WavelengthError, match="no wavelengths"):
        simulate(truth.values, sensor=SENSOR, factor=4)
    with pytest.raises(WriteError, match="does not exist"):
        simulate(truth, sensor=SENSOR, factor=4, out_hsi=tmp_path / "h.tif", out_msi=tmp_path / "no" / "m.tif")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("fails", ["tif", "npy"])
def test_both_images_are_written_or_none(truth, tmp_path, monkeypatch, fails):
    (tmp_path / "h.tif").write_bytes(b"older")

    def full(cube, path, options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FORMATS[{"tif": "geotiff", "npy": "npy"}[fails]], "write", full)
    with pytest.raises(WriteError, match="no space left"):
        simulate(truth, sensor=SENSOR, factor=4, out_hsi=tmp_path / "h.tif", out_msi=tmp_path / "m.npy")
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("h.tif", b"older")]
    monkeypatch.undo()
    pair = simulate(truth, sensor=SENSOR, factor=4, out_hsi=tmp_path / "h.hdr", out_msi=tmp_path / "m.hdr")
    assert {each.name for each in tmp_path.iterdir()} == {"h.tif", "h.hdr", "h.img", "m.hdr", "m.img"}
    np.testing.assert_array_equal(open_cube(tmp_path / "m.hdr").values, pair.msi.values)
