"""`fuse` without a method: the choice is made, used as if it had been named, and said."""

import json

import numpy as np
import pytest
import torch
from job_scenes import material_cube

import hsrdiff.choice.methods
from hsrdiff import fuse, simulate
from hsrdiff.cubes import open_cube
from hsrdiff.errors import InputError, WriteError
from hsrdiff.jobs.chosen import usable_sensor
from hsrdiff.jobs.pair import make_pair
from hsrdiff.networks import CDFormer, CDFormerConfig, ModelCard, save_weights

SENSOR = "sentinel2:B2,B3,B4,B8"
COMPARED = ("kriging", "regression-projected", "regression", "bicubic")


@pytest.fixture(scope="module")
def large():
    return simulate(material_cube(32), sensor=SENSOR, factor=2)


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Compare the quick methods only."""
    monkeypatch.setattr(hsrdiff.choice.methods, "PREFERRED", COMPARED)


def described(msi, *centres_nm):
    """The guide with what its file may say about its bands."""
    return msi.assign_coords(wavelength=("band", list(centres_nm)), fwhm=("band", [60.0, 35.0, 30.0, 100.0]))


def test_the_chosen_method_is_used_as_if_it_had_been_named(large, tmp_path):
    report = tmp_path / "why.json"
    fused = fuse(large.hsi, large.msi, sensor=SENSOR, seed=4, out=tmp_path / "f.tif", json_out=report)
    method = fused.attrs["hsrdiff_method"]
    again = fuse(large.hsi, large.msi, sensor=SENSOR, seed=4, method=method)
    np.testing.assert_array_equal(fused.values, again.values)
    assert "hsrdiff_auto" not in again.attrs
    assert fused.attrs["hsrdiff_noise"] == again.attrs["hsrdiff_noise"]
    found = json.loads(report.read_text())
    assert found["method"] == method
    assert set(found["errors"]) == set(COMPARED)
    assert found["factor"] == 2
    assert found["pixels"] == 64
    assert fused.attrs["hsrdiff_auto"].startswith(f"{method}, ")
    assert "4 methods on the pair degraded by 2 once more (64 coarse pixels)" in fused.attrs["hsrdiff_auto"]
    assert all(name in fused.attrs["hsrdiff_auto_errors"] for name in COMPARED)
    assert fused.attrs["hsrdiff_auto_runner_up"].split(", ")[0] in set(COMPARED) - {method}
    kept = {name: text for name, text in open_cube(tmp_path / "f.tif").attrs.items() if name.startswith("hsrdiff_auto")}
    assert kept == {name: text for name, text in fused.attrs.items() if name.startswith("hsrdiff_auto")}


def test_too_small_a_pair_takes_the_first_method_where_the_response_is_known_and_regression_where_it_is_not(pair):
    known = fuse(pair.hsi, pair.msi, sensor=SENSOR)
    assert known.attrs["hsrdiff_auto"].startswith(f"{COMPARED[0]}; nothing was compared: ")
    unknown = fuse(pair.hsi.values, pair.msi.values)
    assert unknown.attrs["hsrdiff_auto"].startswith("regression; nothing was compared: ")
    assert unknown.attrs["hsrdiff_auto"].endswith("; the spectral response was fitted to the pair")
    assert "hsrdiff_sensor" not in unknown.attrs


def test_without_a_sensor_the_response_is_fitted_and_every_method_compared(large):
    fused = fuse(large.hsi.values, large.msi.values)
    assert fused.attrs["hsrdiff_auto"].endswith("; the spectral response was fitted to the pair")
    assert all(name in fused.attrs["hsrdiff_auto_errors"] for name in COMPARED)
    named = fuse(large.hsi, described(large.msi, 492.0, 560.0, 665.0, 833.0))
    assert "fitted" not in named.attrs["hsrdiff_auto"]
    assert named.attrs["hsrdiff_sensor"].startswith("the image's own bands")


def test_a_guide_that_reaches_beyond_the_spectrum_gets_a_fitted_response(large):
    within, beyond = (described(large.msi, 492.0, 560.0, 665.0, last) for last in (833.0, 1610.0))
    assert usable_sensor(make_pair(large.hsi, within, None)) is not None
    assert usable_sensor(make_pair(large.hsi, beyond, None)) is None
    assert usable_sensor(make_pair(large.hsi.drop_vars(["wavelength", "fwhm"]), within, None)) is None


def test_noisy_pairs_are_compared_with_their_noise(large):
    rng = np.random.default_rng(1)
    hsi = (large.hsi + 0.05 * rng.standard_normal(large.hsi.shape)).astype(np.float32)
    fused = fuse(hsi, large.msi, sensor=SENSOR)
    errors = dict(entry.rsplit(" ", 2)[:2] for entry in fused.attrs["hsrdiff_auto_errors"].split(", "))
    assert set(errors) == set(COMPARED)
    assert fused.attrs["hsrdiff_noise"].startswith("HSI ")


def test_hsr_diff_is_compared_where_its_weights_are_named(large, tmp_path):
    torch.manual_seed(0)
    network = CDFormer(12, 4, CDFormerConfig(channels=8, layers=1, heads=2))
    weights = save_weights(tmp_path / "w.safetensors", network, ModelCard(name="w", bands=12, msi_bands=4, factor=2))
    fused = fuse(large.hsi, large.msi, sensor=SENSOR, weights=weights, steps=1)
    assert "hsr-diff" in fused.attrs["hsrdiff_auto_errors"]
    assert fused.attrs["hsrdiff_peak"] == "1"
    assert "hsr-diff" not in fuse(large.hsi, large.msi, sensor=SENSOR).attrs["hsrdiff_auto_errors"]


def test_residual_mode_adapted_to_the_pair_is_compared_and_can_be_named(large, tmp_path):
    # too short for a step: what it records, and that it is the method's own result
    fused = fuse(large.hsi, large.msi, sensor=SENSOR, adapt=1e-9)
    assert "hsr-diff-residual-adapted" in fused.attrs["hsrdiff_auto_errors"]
    assert "hsrdiff_adapt" not in fused.attrs
    doubted = fuse(large.hsi, large.msi, sensor=SENSOR, adapt=1e-9, out=tmp_path / "f.tif", std_out=tmp_path / "s.tif")
    assert "hsr-diff-residual-adapted" in doubted.attrs["hsrdiff_auto_errors"]
    assert (tmp_path / "s.tif").exists()
    named, plain = (
        fuse(large.hsi, large.msi, sensor=SENSOR, method="hsr-diff-residual", adapt=adapt) for adapt in (1e-9, None)
    )
    assert named.attrs["hsrdiff_method"] == "hsr-diff-residual-adapted"
    assert named.attrs["hsrdiff_adapt"] == "1e-09"
    assert named.attrs["hsrdiff_note_adaptation"].startswith("0 steps of training")
    np.testing.assert_allclose(named.values, plain.values, atol=1e-3)  # landmarks are drawn by the name
    assert "hsrdiff_note_adaptation" not in plain.attrs


def test_only_what_has_a_network_to_train_can_be_adapted(pair):
    with pytest.raises(InputError, match="'kriging' cannot be adapted"):
        fuse(pair.hsi, pair.msi, method="kriging", sensor=SENSOR, adapt=5.0)
    with pytest.raises(InputError, match="adapt -1"):
        fuse(pair.hsi, pair.msi, sensor=SENSOR, adapt=-1.0)


def test_a_standard_deviation_is_of_a_method_that_gives_one(large, pair, tmp_path):
    fused = fuse(large.hsi, large.msi, sensor=SENSOR, std_out=tmp_path / "s.tif")
    assert fused.attrs["hsrdiff_method"] == "kriging"
    assert fused.attrs["hsrdiff_auto_errors"].startswith("kriging ")
    assert "," not in fused.attrs["hsrdiff_auto_errors"]
    assert np.isfinite(open_cube(tmp_path / "s.tif").values).all()
    unknown = fuse(pair.hsi.values, pair.msi.values, std_out=tmp_path / "t.npy")
    assert unknown.attrs["hsrdiff_auto"].startswith("kriging; nothing was compared")


def test_a_report_that_cannot_be_is_refused_before_any_work(pair, tmp_path):
    with pytest.raises(WriteError, match="is a folder"):
        fuse(pair.hsi, pair.msi, json_out=tmp_path)
    with pytest.raises(WriteError, match="does not exist"):
        fuse(pair.hsi, pair.msi, json_out=tmp_path / "no" / "why.json")
    with pytest.raises(InputError, match="would replace"):
        fuse(pair.hsi, pair.msi, out=tmp_path / "f.tif", json_out=tmp_path / "f.tif")
    assert not list(tmp_path.iterdir())
