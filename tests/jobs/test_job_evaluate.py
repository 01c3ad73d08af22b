import dataclasses
import json
import math

import numpy as np
import pytest
from affine import Affine
from job_scenes import material_cube

from hsrdiff import evaluate, fuse, simulate, write_cube
from hsrdiff.cubes import as_cube
from hsrdiff.cubes.georeference import georeference_of
from hsrdiff.errors import FactorError, InputError, InvalidValueError, ShapeError, WriteError


def test_truth_against_itself_is_perfect(truth):
    scores = evaluate(truth, truth, factor=4)
    assert scores.rmse == 0
    assert math.isinf(scores.psnr_db)
    assert scores.sam_deg == pytest.approx(0.0, abs=1e-4)
    assert scores.ssim == pytest.approx(1.0)


def test_constant_error_by_hand(truth):
    # Error 0.01 everywhere at peak 1: RMSE 0.01, PSNR 40 dB.
    scores = evaluate(truth + 0.01, truth, factor=4, peak=1.0)
    assert scores.rmse == pytest.approx(0.01, rel=1e-4)
    assert scores.psnr_db == pytest.approx(40.0, abs=1e-3)


def test_scores_do_not_depend_on_the_unit(truth):
    rng = np.random.default_rng(0)
    fused = truth + 0.02 * rng.standard_normal(truth.shape).astype(np.float32)
    one, other = evaluate(fused, truth, factor=4), evaluate(fused * 5000.0, truth * 5000.0, factor=4)
    for name in ("psnr_db", "ssim", "sam_deg", "ergas", "rmse"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-4)


def test_ergas_is_100_over_the_factor(truth):
    fused = truth * 1.01
    assert evaluate(fused, truth, factor=2).ergas == pytest.approx(2 * evaluate(fused, truth, factor=4).ergas)


def test_the_factor_is_the_one_that_the_fused_cube_remembers(pair, truth, tmp_path):
    fuse(pair.hsi, pair.msi, method="bicubic", out=tmp_path / "fused.tif")
    told, remembered = (evaluate(tmp_path / "fused.tif", truth, **given) for given in ({"factor": 4}, {}))
    assert remembered == told
    assert "ERGAS 100/4" in remembered.convention
    # what the user says counts more
    assert evaluate(tmp_path / "fused.tif", truth, factor=2).ergas == pytest.approx(2 * told.ergas)
    with pytest.raises(InputError, match=r"does not say how many times finer.*--factor"):
        evaluate(truth, truth)
    with pytest.raises(FactorError):
        evaluate(truth.assign_attrs(hsrdiff_factor="0"), truth)


def test_masked_and_invalid_pixels_do_not_count(truth, tmp_path):
    fused = truth.copy(deep=True)
    fused.values[:, 0, 0] = np.nan
    fused.values[:, 1, 1] += 0.5
    mask = np.ones((24, 24), np.float32)
    mask[1, 1] = 0
    assert evaluate(fused, truth, factor=4, mask=mask).rmse == 0
    path = write_cube(truth[:1].drop_vars(["wavelength", "fwhm"]).copy(data=mask[None]), tmp_path / "mask.tif")
    assert evaluate(fused, truth, factor=4, mask=path).rmse == 0
    assert evaluate(fused, truth, factor=4).rmse > 0
    with pytest.raises(ShapeError, match="mask"):
        evaluate(fused, truth, factor=4, mask=mask[1:])
    with pytest.raises(InvalidValueError, match="no pixel"):
        evaluate(fused, truth, factor=4, mask=np.zeros((24, 24)))


def test_what_simulate_and_fuse_left_out_is_left_out_of_the_truth():
    truth = material_cube(size=22)
    good = np.ones(12, bool)
    good[2] = False
    marked = truth.assign_coords(good_band=("band", good))
    pair = simulate(marked, sensor="sentinel2:B2,B3,B4,B8", factor=4)
    fused = fuse(pair.hsi, pair.msi)
    by_hand = truth.isel(band=np.flatnonzero(good), y=slice(0, 20), x=slice(0, 20))
    peak = float(by_hand.max())
    assert evaluate(fused, truth, factor=4, peak=peak) == evaluate(fused, by_hand, factor=4, peak=peak)


def test_bands_are_matched_by_wavelength_and_not_by_order(truth):
    assert evaluate(truth.isel(band=slice(None, None, -1)), truth, factor=4).rmse == 0
    shifted = truth.assign_coords(wavelength=("band", truth["wavelength"].values + 10.0))
    with pytest.raises(ShapeError, match="wavelengths do not match: 460 to 960 nm"):
        evaluate(shifted, truth, factor=4)
    with pytest.raises(ShapeError, match="wavelengths do not match"):
        evaluate(truth, truth[1:], factor=4)
    assert evaluate(shifted.values, truth, factor=4).rmse == 0


def test_bands_of_one_wavelength_are_taken_in_order(truth):
    twice = truth["wavelength"].values.copy()
    twice[5] = twice[4]
    cube = truth.assign_coords(wavelength=("band", twice))
    assert evaluate(cube, cube, factor=4).rmse == 0


def test_cubes_that_do_not_fit(truth):
    with pytest.raises(ShapeError, match=r"11 bands and the truth 12"):
        evaluate(truth.values[1:], truth, factor=4)
    with pytest.raises(ShapeError, match="12 x 24 pixels"):
        evaluate(truth.values[:, :12], truth, factor=4)
    with pytest.raises(FactorError):
        evaluate(truth, truth, factor=1)


def test_cubes_of_different_places_and_deviations_are_refused(truth):
    assert georeference_of(truth)[1] is not None
    for there, message in (
        (place(truth, Affine.translation(10000, 0)), r"the fused cube and the truth lie up to \d+ pixels apart"),
        (place(truth, Affine.scale(1.0001)), "pixels apart on the map"),
        (turned(truth, 1.04), r"lie up to 0\.9\d* pixels apart"),
    ):
        with pytest.raises(InputError, match=message):
            evaluate(truth, there, factor=4)
    near = place(truth, Affine.translation(0.3 * georeference_of(truth)[1].a, 0))
    assert evaluate(truth, near, factor=4).rmse == 0  # closer than half a pixel
    assert evaluate(truth, as_cube(truth.values), factor=4).rmse == 0  # of which one says nothing
    counted = as_cube(truth.values, transform=Affine(1.0, 0.0, 0.0, 0.0, -1.0, 0.0))
    assert evaluate(truth, counted, factor=4).rmse == 0  # or numbers its rows and columns
    with pytest.raises(InputError, match="holds the standard deviation of a result"):
        evaluate(truth.assign_attrs(hsrdiff_quantity="standard deviation"), truth, factor=4)


def turned(cube, stretch):
    """The cube with pixels so much larger, on its first corner."""
    crs, transform = georeference_of(cube)
    return as_cube(
        cube.values,
        wavelengths_nm=cube["wavelength"].values,
        crs=crs,
        transform=transform @ Affine.scale(stretch, stretch),
    )


def place(cube, change):
    crs, transform = georeference_of(cube)
    return as_cube(cube.values, wavelengths_nm=cube["wavelength"].values, crs=crs, transform=change @ transform)


def test_the_json_holds_the_scores(truth, tmp_path):
    scores = evaluate(truth * 1.01, truth, factor=4, json_out=tmp_path / "scores.json")
    found = json.loads((tmp_path / "scores.json").read_text())
    assert found == dataclasses.asdict(scores) | {"remarks": list(scores.remarks)}
    evaluate(truth, truth, factor=4, json_out=tmp_path / "scores.json")
    assert json.loads((tmp_path / "scores.json").read_text())["psnr_db"] is None  # infinite, which JSON does not have


def test_the_json_replaces_no_image_and_is_refused_before_the_work(truth, tmp_path):
    cube = write_cube(truth, tmp_path / "c.tif")
    with pytest.raises(InputError, match="would replace"):
        evaluate(cube, truth, factor=4, json_out=cube)
    with pytest.raises(WriteError, match="does not exist"):
        evaluate("nowhere.tif", "nor here.tif", factor=4, json_out=tmp_path / "no" / "scores.json")
