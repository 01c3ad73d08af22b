"""What `fuse` leaves: standard deviation, values cut at 0, integers, and the residual of what is stored."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from hsrdiff import fuse
from hsrdiff.cubes import FORMATS, as_cube, open_cube, write_cube
from hsrdiff.cubes.georeference import georeference_of
from hsrdiff.errors import CubeFormatError, InputError, WriteError
from hsrdiff.fusers import FUSERS
from hsrdiff.jobs.doubts import blank_pixels
from hsrdiff.observation import SpatialResponse

SENSOR = "sentinel2:B2,B3,B4,B8"
KNOWN = {"method": "regression-projected", "sensor": SENSOR}
KRIGING = {"method": "kriging", "sensor": SENSOR}


def rms(text):
    return float(re.match(r"RMS (\S+), (\S+) % of the image's", text)[1])


def share(text):
    return float(re.match(r"RMS (\S+), (\S+) % of the image's", text)[2]) / 100


def dark(pair, level=0.45):
    """The pair of the same scene, darker by a constant, so that some of it lies below 0."""
    return pair.hsi - level, pair.msi - level


def test_deviation_is_written_with_place_and_bands_and_changes_nothing(pair, tmp_path):
    fused = fuse(pair.hsi, pair.msi, out=tmp_path / "f.tif", std_out=tmp_path / "s.nc", **KRIGING)
    std = open_cube(tmp_path / "s.nc")
    assert std.shape == fused.shape
    assert np.isfinite(std.values).all()
    assert (std.values >= 0).all()
    assert std.values.max() > 0
    np.testing.assert_array_equal(std["wavelength"], fused["wavelength"])
    assert georeference_of(std)[1] == georeference_of(fused)[1]
    assert std.attrs["hsrdiff_quantity"] == "standard deviation"
    assert set(fused.coords) == set(open_cube(tmp_path / "f.tif").coords)
    np.testing.assert_array_equal(fuse(pair.hsi, pair.msi, **KRIGING).values, fused.values)
    assert not list(tmp_path.glob("*.part"))


def test_deviation_is_in_the_unit_of_the_hsi(pair, tmp_path):
    for unit in (1.0, 1e4):
        fuse(pair.hsi * unit, pair.msi * unit, std_out=tmp_path / f"{unit:g}.npy", **KRIGING)
    one, other = (open_cube(tmp_path / f"{unit:g}.npy").values for unit in (1.0, 1e4))
    np.testing.assert_allclose(other, 1e4 * one, rtol=0.02, atol=1e4 * 0.02 * one.max())


def test_a_method_without_deviation_is_refused_before_the_images_are_read(tmp_path):
    with pytest.raises(InputError, match="'bicubic' gives no standard deviation; expected one of kriging"):
        fuse("nowhere.tif", "nor here.tif", method="bicubic", std_out=tmp_path / "s.tif")
    with pytest.raises(InputError, match="two files"):
        fuse("nowhere.tif", "nor here.tif", out=tmp_path / "s.hdr", std_out=tmp_path / "s.img", **KRIGING)
    with pytest.raises(CubeFormatError, match="NumPy"):
        fuse("nowhere.tif", "nor here.tif", out=tmp_path / "s.npy", dtype="int16")
    with pytest.raises(InputError, match="number type 'int32'"):
        fuse("nowhere.tif", "nor here.tif", dtype="int32")
    with pytest.raises(WriteError, match="does not exist"):
        fuse("nowhere.tif", "nor here.tif", std_out=tmp_path / "no" / "s.tif", **KRIGING)


def test_a_deviation_that_a_method_does_not_give_after_all_is_not_passed_over(pair, tmp_path, monkeypatch):
    monkeypatch.setitem(FUSERS, "bicubic", dataclasses.replace(FUSERS["bicubic"], std=True))
    with pytest.raises(InputError, match="'bicubic' gives no standard deviation"):
        fuse(pair.hsi, pair.msi, method="bicubic", out=tmp_path / "f.tif", std_out=tmp_path / "s.tif")
    assert not list(tmp_path.iterdir())


def test_residuals_are_those_of_the_cube(pair):
    fused = fuse(pair.hsi, pair.msi, **KNOWN)
    assert share(fused.attrs["hsrdiff_residual_msi"]) < 1e-5
    assert share(fused.attrs["hsrdiff_residual_hsi"]) < 1e-5
    free = fuse(pair.hsi, pair.msi, method="bicubic", sensor=SENSOR)
    assert share(free.attrs["hsrdiff_residual_msi"]) > 1e-3
    unknown = fuse(pair.hsi, pair.msi, method="bicubic")
    assert "fitted to the pair" in unknown.attrs["hsrdiff_residual_msi"]
    # the response fitted to an exact pair is nearly the true one, and so is what it says
    assert share(unknown.attrs["hsrdiff_residual_msi"]) == pytest.approx(
        share(free.attrs["hsrdiff_residual_msi"]), rel=0.05
    )
    assert share(unknown.attrs["hsrdiff_residual_hsi"]) == pytest.approx(
        share(free.attrs["hsrdiff_residual_hsi"]), rel=1e-3
    )
    fitted = fuse(pair.hsi.values, pair.msi.values, method="regression")
    assert fitted.attrs["hsrdiff_residual_msi"].endswith("by a response fitted to the pair")


def test_residuals_are_in_the_units_of_the_files(pair):
    one = fuse(pair.hsi, pair.msi, method="bicubic", sensor=SENSOR)
    other = fuse(pair.hsi * 100, pair.msi * 8000, method="bicubic", sensor=SENSOR)
    assert rms(other.attrs["hsrdiff_residual_hsi"]) == pytest.approx(100 * rms(one.attrs["hsrdiff_residual_hsi"]), 0.01)
    assert share(other.attrs["hsrdiff_residual_msi"]) == pytest.approx(share(one.attrs["hsrdiff_residual_msi"]), 0.1)


def test_pixels_beside_invalid_ones_do_not_count(pair):
    msi = pair.msi.copy(deep=True)
    msi.values[:, 0, 0] = np.nan
    fused = fuse(pair.hsi, msi, **KNOWN)
    assert fused.attrs["hsrdiff_residual_msi"].endswith("over 575 of 576 pixels")
    assert fused.attrs["hsrdiff_residual_hsi"].endswith("over 35 of 36 pixels")
    assert share(fused.attrs["hsrdiff_residual_hsi"]) < 1e-5


@pytest.mark.parametrize("dtype", ["uint16", "int16"])
@pytest.mark.parametrize("ending", ["tif", "hdr", "nc"])
def test_integers_come_back_as_they_are_told(pair, tmp_path, dtype, ending):
    whole = fuse(pair.hsi, pair.msi, **KNOWN)
    out = tmp_path / f"f.{ending}"
    fused = fuse(pair.hsi, pair.msi, out=out, dtype=dtype, **KNOWN)
    again = open_cube(out)
    assert again.encoding["dtype"] == np.dtype(dtype)
    np.testing.assert_allclose(again.values, fused.values, rtol=1e-6)
    step = again.encoding["scale_factor"]
    assert 0 < np.abs(fused.values - whole.values).max() <= 0.51 * step
    # rounding is white: the mean over bands and pixels keeps a residual well under the step, but not 0
    told = rms(again.attrs["hsrdiff_residual_msi"])
    assert 0.01 * step < told < 0.5 * step
    assert told > 3 * rms(whole.attrs["hsrdiff_residual_msi"])
    assert again.attrs["hsrdiff_packing"].startswith(f"{dtype} with scale")


def test_one_step_for_many_scenes_and_what_it_cannot_hold_is_said(pair, tmp_path):
    whole = fuse(pair.hsi, pair.msi, **KNOWN).values
    integers = KNOWN | {"dtype": "uint16"}
    fused = fuse(pair.hsi, pair.msi, out=tmp_path / "f.tif", dtype_scale=1e-4, **integers)
    encoding = open_cube(tmp_path / "f.tif").encoding
    assert (encoding["scale_factor"], encoding.get("add_offset", 0.0), encoding["_FillValue"]) == (1e-4, 0.0, 65535)
    assert np.abs(fused.values - whole).max() <= 0.51e-4
    assert fused.attrs["hsrdiff_packing"] == "uint16 with scale 0.0001 and offset 0"
    coarse = fuse(pair.hsi, pair.msi, dtype_scale=8e-6, **integers)
    beyond = whole > 65534.5 * 8e-6
    assert 0 < beyond.mean() < 1
    share = f"; {100 * beyond.mean():.2g} % of the values lay outside of what it holds and were clipped"
    assert coarse.attrs["hsrdiff_packing"].endswith(share)
    for step, dtype, message in ((0.0, "int16", "a scale of 0"), (1e-4, "float32", "which have none")):
        with pytest.raises(InputError, match=message):
            fuse("nowhere.tif", "nor here.tif", dtype=dtype, dtype_scale=step)


def test_the_report_holds_what_was_done_whatever_the_method(pair, tmp_path):
    hsi = write_cube(pair.hsi, tmp_path / "h.tif")
    report, out = tmp_path / "r.json", tmp_path / "f.tif"
    fused = fuse(hsi, pair.msi, out=out, json_out=report, **KNOWN)
    found = json.loads(report.read_text())
    assert (found["hsi"], found["msi"], found["out"], found["std"]) == (str(hsi), "an array", str(out), None)
    assert found["shape"] == list(fused.shape)
    record = {f"hsrdiff_{name}": text for name, text in found["record"].items()}
    assert record == {name: text for name, text in fused.attrs.items() if name.startswith("hsrdiff_")}
    assert found["method"] == "regression-projected"


def test_outputs_and_report_are_written_all_or_none(pair, tmp_path, monkeypatch):
    def full(*args, **options):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("hsrdiff.jobs.outputs.write_cube", full)
        with pytest.raises(WriteError, match=r"r\.json"):
            fuse(pair.hsi, pair.msi, out=tmp_path / "f.tif", json_out=tmp_path / "r.json", **KNOWN)
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match="would replace"):
        fuse(pair.hsi, pair.msi, out=tmp_path / "f.img", json_out=tmp_path / "f.hdr", **KNOWN)
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(WriteError, match=r"r\.json"):
        fuse(pair.hsi, pair.msi, out=tmp_path / "f.tif", json_out=tmp_path / "r.json", **KNOWN)
    assert not list(tmp_path.iterdir())


def test_pixels_that_look_like_fill_and_images_that_disagree_are_said(pair):
    msi = pair.msi.copy(deep=True)
    msi.values[:, :6, :8] = 0.0
    fused = fuse(pair.hsi, msi, **KNOWN)
    assert fused.attrs["hsrdiff_note_blank_msi"].startswith("8.33 % of the multispectral pixels are exactly 0 in every")
    assert "more than 5 %" in fused.attrs["hsrdiff_note_disagreement"]
    stored = pair.msi.copy(deep=True)
    stored.values[:, :6, :8] = 6.5535
    stored.encoding = {"dtype": "uint16", "scale_factor": 1e-4}
    assert "65535, the largest number" in blank_pixels(stored, "multispectral")
    empty = pair.hsi.copy(deep=True)
    empty.values[:, 0, 0] = 0.0
    empty.values[:, 1, :3] = 0.0
    empty.values[3] = np.nan  # a band that is left out hides nothing
    assert blank_pixels(empty, "hyperspectral").startswith("11.1 % of the hyperspectral pixels are exactly 0")
    good = fuse(pair.hsi, pair.msi, **KNOWN).attrs
    assert not {"hsrdiff_note_blank_msi", "hsrdiff_note_blank_hsi", "hsrdiff_note_disagreement"} & good.keys()


def test_values_below_zero_are_cut_and_both_images_kept(pair):
    hsi, msi = dark(pair)
    plain = fuse(hsi, msi, **KNOWN)
    assert (plain.values < 0).mean() > 0.01
    cut = fuse(hsi, msi, non_negative=True, **KNOWN)
    assert cut.values.min() == 0
    assert "% of the values were below 0" in cut.attrs["hsrdiff_note_non_negative"]
    packed = fuse(hsi, msi, non_negative=True, dtype="uint16", **KNOWN)
    assert packed.encoding["add_offset"] == 0
    assert packed.values.min() == 0
    bright = fuse(pair.hsi, pair.msi, non_negative=True, **KNOWN)
    np.testing.assert_array_equal(bright.values, fuse(pair.hsi, pair.msi, **KNOWN).values)
    assert bright.attrs["hsrdiff_note_non_negative"] == "no value was below 0"


def test_cutting_keeps_what_was_seen_of_an_overshooting_estimate(pair):
    """Images that are not negative themselves: what they see can be kept, and it is, better than by a clip."""
    hsi = pair.hsi - float(pair.hsi.min())
    msi = pair.msi - float(pair.hsi.min())
    plain, cut = (fuse(hsi, msi, non_negative=flag, **KNOWN) for flag in (False, True))
    assert plain.values.min() < 0
    made = [plain.clip(min=0), cut]
    spatial = SpatialResponse.gaussian(4)
    seen = [spatial.apply(torch.from_numpy(each.values)[None].double()).numpy()[0] for each in made]
    by_clip, ours = (float(np.sqrt(((each - hsi.values) ** 2).mean())) for each in seen)
    assert ours < 0.5 * by_clip


def test_without_a_response_it_is_a_plain_clip_and_said(pair):
    hsi, msi = dark(pair)
    plain = fuse(hsi, msi, method="bicubic")
    cut = fuse(hsi, msi, method="bicubic", non_negative=True)
    np.testing.assert_array_equal(cut.values, np.maximum(plain.values, 0))
    assert "not known" in cut.attrs["hsrdiff_note_non_negative"]


def test_invalid_pixels_stay_invalid_when_values_are_cut_and_packed(pair, tmp_path):
    hsi, msi = dark(pair)
    msi.values[:, 3, 5] = np.nan
    fused = fuse(hsi, msi, out=tmp_path / "f.tif", non_negative=True, dtype="uint16", **KNOWN)
    again = open_cube(tmp_path / "f.tif").values
    for values in (fused.values, again):
        assert np.isnan(values[:, 3, 5]).all()
        assert np.isnan(values).sum() == values.shape[0]


def test_a_cave_folder_holds_what_is_told(tmp_path):
    rng = np.random.default_rng(0)
    hsi, msi = rng.random((31, 4, 4), dtype=np.float32), rng.random((3, 16, 16), dtype=np.float32)
    fused = fuse(
        as_cube(hsi, wavelengths_nm=np.arange(400.0, 701, 10)), msi, method="regression", out=tmp_path / "x_ms"
    )
    np.testing.assert_array_equal(open_cube(tmp_path / "x_ms").values, fused.values)


def test_neither_output_is_left_when_one_fails(pair, tmp_path, monkeypatch):
    write_cube(pair.hsi, tmp_path / "s.tif")
    before = (tmp_path / "s.tif").read_bytes()

    def full(cube, path, options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FORMATS["npy"], "write", full)
    with pytest.raises(WriteError, match=r"f\.npy"):
        fuse(pair.hsi, pair.msi, out=tmp_path / "f.npy", std_out=tmp_path / "s.tif", **KRIGING)
    assert (tmp_path / "s.tif").read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["s.tif"]
