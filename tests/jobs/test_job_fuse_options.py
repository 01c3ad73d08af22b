"""Options of fuse that do not fit, and noise levels: what is refused, and in which units."""

import numpy as np
import pytest
import torch

from hsrdiff import check, fuse, quality, simulate
from hsrdiff.cubes import open_cube
from hsrdiff.errors import (
    FactorError,
    InputError,
    InvalidValueError,
    SensorError,
    ShapeError,
    WavelengthError,
    WeightsError,
)
from hsrdiff.fusers import make_fuser
from hsrdiff.fusers.kriging.learned_weights import shipped_kernels
from hsrdiff.jobs.prepared import made_with
from hsrdiff.jobs.remembered import Remembered


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"method": "hsrdiff"}, InputError, "use 'hsr-diff'"),
        ({"factor": 2}, FactorError, "4 times"),
        ({"sensor": "sentinel"}, SensorError, "sentinel2"),
        ({"sensor": "sentinel2:B2,B3,B4,B12"}, SensorError, "B12"),
        ({"sensor": "sentinel2", "srf": "x.csv"}, InputError, "one of the two"),
        ({"bands": ["B2"]}, InputError, "no sensor"),
        ({"psf_fwhm": 0.0}, InputError, "positive"),
        ({"psf": np.ones((4, 4)), "psf_fwhm": 3.0}, InputError, "a kernel is given .*, and 3.0 as the width"),
        ({"psf": np.ones((4, 4)), "psf_fwhm": float("nan")}, InputError, "expected one of the two"),
        ({"method": "bicubic", "noise_hsi": -1.0}, InputError, "noise level of the hyperspectral image is -1"),
        ({"method": "bicubic", "noise_msi": 0.1}, InputError, "'bicubic' takes no noise levels"),
        ({"force": True, "register": False}, InputError, "leave out --force, or --no-register"),
        ({"psf": "nowhere.npy"}, InputError, "nowhere.npy"),
        ({"method": "regression", "steps": 5}, InputError, "takes no --steps"),
        ({"method": "regression", "weights": "a.safetensors"}, InputError, "takes no --weights"),
        ({"method": "utv-td", "weights": "a.safetensors"}, InputError, "takes no --weights"),
        ({"peak": -1.0}, InputError, "positive"),
        ({"options": {"samples": 2}}, InputError, "options of a method are given .samples., and the method is 'auto'"),
        ({"method": "hsr-diff-residual", "options": {"view": 2}}, InputError, "no option 'view'; use 'views'"),
        ({"method": "hsr-diff-residual", "options": {"views": "no"}}, InputError, "cannot be built with"),
        ({"method": "hsr-diff-residual", "options": {"steps": 2}}, InputError, "among those of the method; .* --steps"),
        ({"method": "hsr-diff"}, WeightsError, "12 hyperspectral and 4 multispectral"),
    ],
)
def test_options_that_do_not_fit(pair, change, error, words):
    with pytest.raises(error, match=words):
        fuse(pair.hsi, pair.msi, **change)


def test_a_kernel_with_a_width_is_refused_everywhere(pair, truth):
    given = {"psf": np.ones((4, 4)), "psf_fwhm": 1.0}
    sensor = "sentinel2:B2,B3,B4,B8"
    for made in (
        lambda: check(pair.hsi, pair.msi, **given),
        lambda: simulate(truth, sensor=sensor, factor=4, **given),
        lambda: quality(truth, pair.hsi, pair.msi, **given),
    ):
        with pytest.raises(InputError, match="a kernel is given as the PSF"):
            made()
    # where the PSF is estimated the width is where it begins
    fuse(pair.hsi, pair.msi, method="regression", psf="estimated", psf_fwhm=1.5)


def test_options_of_the_named_method_are_used_remembered_and_run_again(pair, tmp_path):
    given = {"method": "utv-td", "sensor": "sentinel2:B2,B3,B4,B8"}
    plain = fuse(pair.hsi, pair.msi, **given)
    fused = fuse(pair.hsi, pair.msi, out=tmp_path / "f.nc", options={"iterations": 2, "inner": 1}, **given)
    assert not np.array_equal(plain, fused)
    assert fused.attrs["hsrdiff_options"] == '{"inner": 1, "iterations": 2}'
    assert Remembered.of(open_cube(tmp_path / "f.nc").attrs).options("utv-td", None, None)[2] == {
        "inner": 1,
        "iterations": 2,
    }
    assert Remembered.of(fused.attrs).options("hysure", None, None)[2] == {}
    assert "hsrdiff_options" not in plain.attrs
    weighed = fuse(pair.hsi, pair.msi, options={"weights": [1e-2, 1e-2, 1e-2, 1e-2]}, **given)
    assert not np.array_equal(weighed, plain)


def test_a_file_among_the_options_is_found_again_by_its_content(pair, tmp_path, monkeypatch):
    kernel = shipped_kernels()["kriging-learned"]
    (tmp_path / "mine.safetensors").write_bytes(kernel.read_bytes())
    monkeypatch.chdir(tmp_path)
    given = {"method": "kriging-learned", "sensor": "sentinel2:B2,B3,B4,B8"}
    fused = fuse(pair.hsi, pair.msi, out="f.nc", options={"landmarks": 20}, **given)
    record = made_with(make_fuser("bicubic"), None, None, {"base": "mine.safetensors", "landmarks": 20})
    assert '"file": "mine.safetensors"' in record["hsrdiff_options"]
    monkeypatch.chdir("/")
    attributes = dict(fused.attrs) | record
    found = Remembered.of(attributes, tmp_path / "f.nc").options("kriging-learned", None, None)[2]
    assert found == {"base": tmp_path / "mine.safetensors", "landmarks": 20}
    (tmp_path / "mine.safetensors").write_bytes(b"another")
    with pytest.raises(InputError, match="is another one now"):
        Remembered.of(attributes, tmp_path / "f.nc").options("kriging-learned", None, None)


def test_threads_are_taken_and_below_one_refused(pair, monkeypatch):
    taken = []
    monkeypatch.setattr(torch, "set_num_threads", taken.append)
    plain = fuse(pair.hsi, pair.msi, method="regression")
    assert taken == []
    np.testing.assert_array_equal(fuse(pair.hsi, pair.msi, method="regression", threads=2), plain)
    assert taken == [2]
    with pytest.raises(InputError, match="0 threads; expected at least 1"):
        fuse("nowhere.tif", "nor here.tif", threads=0)


def test_what_is_no_array_of_bands_is_a_sentence(pair):
    hsi, msi = pair.hsi.values, pair.msi.values
    for last in ((np.moveaxis(hsi, 0, -1), np.moveaxis(msi, 0, -1)), (hsi, np.moveaxis(msi, 0, -1))):
        with pytest.raises(InputError, match=r"arrays are \(band, y, x\)"):
            fuse(*last)
    with pytest.raises(InputError, match=r"multispectral image is a Dataset; .*; give one of its variables .cube."):
        fuse(hsi, pair.msi.to_dataset(name="cube"))
    with pytest.raises(InputError, match=r"hyperspectral image is a Tensor; .*; give its detach\(\)\.cpu\(\)"):
        fuse(torch.from_numpy(hsi).requires_grad_(), msi)
    with pytest.raises(InputError, match=r"image is a list; expected an array \(band, y, x\) of numbers"):
        fuse([[1.0], [1.0, 2.0]], msi)


@pytest.mark.parametrize("outputs", [{"out": "k.npy"}, {"std_out": "k.npy"}, {"json_out": "k.npy"}])
@pytest.mark.parametrize("option", ["psf", "srf", "sensor", "weights", "options"])
def test_no_output_replaces_a_file_that_an_option_names(pair, tmp_path, monkeypatch, outputs, option):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "k.npy").write_bytes(b"mine")
    named = {"sensor": "k.npy:red,nir", "options": {"base": "./k.npy"}}.get(option, "k.npy")
    with pytest.raises(InputError, match=r"would replace .*k\.npy"):
        fuse(*pair, method="kriging-learned" if option == "options" else "kriging", **outputs, **{option: named})


def test_no_output_of_the_other_commands_replaces_one(pair, truth, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.tif").write_bytes(b"mine")
    sensor = {"sensor": "sentinel2:B2,B3,B4,B8", "factor": 4}
    for made in (
        lambda: check(*pair, psf="t.tif", json_out="t.tif"),
        lambda: check(*pair, srf="t.tif", map_out="t.tif"),
        lambda: simulate(truth, psf="t.tif", out_msi="t.tif", **sensor),
        lambda: quality(truth, *pair, srf="t.tif", json_out="t.tif"),
        lambda: quality(truth, *pair, reduced=True, method="hsr-diff", weights="t.tif", json_out="t.tif"),
    ):
        with pytest.raises(InputError, match=r"would replace .*t\.tif"):
            made()


def test_images_that_do_not_fit(pair):
    hsi, msi = pair.hsi.values, pair.msi.values
    with pytest.raises(InputError, match="swap"):
        fuse(msi, hsi)
    with pytest.raises(FactorError, match=r"ratio of 3\.833 in rows and 4 in columns"):
        fuse(hsi, msi[:, :-1])
    with pytest.raises(FactorError, match="at least 2"):
        fuse(hsi, msi[:, :6, :6])
    with pytest.raises(InvalidValueError, match="hyperspectral image has no valid pixel"):
        fuse(np.full_like(hsi, np.nan), msi)
    holed = msi.copy()
    holed[2] = np.nan
    with pytest.raises(InvalidValueError, match="band 3 of the multispectral"):
        fuse(hsi, holed)
    with pytest.raises(WavelengthError, match="no wavelengths"):
        fuse(hsi, msi, sensor="sentinel2:B2,B3,B4,B8")
    with pytest.raises(ShapeError):
        fuse(hsi[0, 0], msi)


def test_kernel_that_would_need_unpickling_is_refused(pair, tmp_path):
    np.save(tmp_path / "k.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="could not be read as a kernel"):
        fuse(pair.hsi, pair.msi, psf=tmp_path / "k.npy")


def _noisy(pair, decibels=30.0):
    rng = np.random.default_rng(2)
    sigmas = [float(np.sqrt((cube.values**2).mean())) * 10 ** (-decibels / 20) for cube in (pair.hsi, pair.msi)]
    return [
        (cube + sigma * rng.standard_normal(cube.shape)).astype(np.float32)
        for cube, sigma in zip((pair.hsi, pair.msi), sigmas, strict=True)
    ]


def test_images_without_noise_are_met_exactly_and_noisy_ones_softly(pair):
    options = {"method": "regression-projected", "sensor": "sentinel2:B2,B3,B4,B8"}
    assert fuse(pair.hsi, pair.msi, **options).attrs["hsrdiff_noise"].startswith("none")
    hsi, msi = _noisy(pair)
    soft = fuse(hsi, msi, **options)
    assert soft.attrs["hsrdiff_noise"].startswith("HSI ")
    hard = fuse(hsi, msi, noise_hsi=0.0, noise_msi=0.0, **options)
    assert hard.attrs["hsrdiff_noise"].startswith("none")
    assert np.abs(soft.values - hard.values).max() > 1e-3


def test_noise_levels_are_in_the_units_of_the_files(pair):
    options = {"method": "regression-projected", "sensor": "sentinel2:B2,B3,B4,B8"}
    hsi, msi = _noisy(pair)
    one = fuse(hsi, msi, noise_hsi=0.02, noise_msi=0.01, **options)
    other = fuse(hsi * 1e4, msi * 1e4, noise_hsi=200.0, noise_msi=100.0, **options)
    assert one.attrs["hsrdiff_noise"].startswith("HSI 0.02, MSI 0.01;")
    assert other.attrs["hsrdiff_noise"].startswith("HSI 200, MSI 100;")
    np.testing.assert_allclose(other.values, 1e4 * one.values, rtol=1e-4, atol=1.0)


@pytest.mark.parametrize("level", [-0.1, float("nan"), float("inf")])
def test_impossible_noise_level_is_refused(pair, level):
    with pytest.raises(InputError, match="noise level of the hyperspectral image"):
        fuse(pair.hsi, pair.msi, method="kriging", sensor="sentinel2:B2,B3,B4,B8", noise_hsi=level)
