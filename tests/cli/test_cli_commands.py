import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest
from commands import run

import hsrdiff
import hsrdiff.jobs.demo
import hsrdiff.jobs.fuse
import hsrdiff.jobs.info
import hsrdiff.jobs.simulate
import hsrdiff.jobs.train
from hsrdiff.cubes import as_cube, open_cube, write_cube
from hsrdiff.evaluation import Row
from hsrdiff.training import TrainResult


def test_from_a_cube_to_scores(truth, tmp_path):
    hsi, msi, fused = (tmp_path / name for name in ("hsi.tif", "msi.tif", "fused.tif"))
    sensor = ("--sensor", "sentinel2:10m")
    made = run("simulate", truth, *sensor, "--factor", 4, "--out-hsi", hsi, "--out-msi", msi, "--snr-hsi", 60)
    assert made.exit_code == 0, made.output
    assert "10 bands, 4 × 4 pixels" in made.output
    done = run("fuse", hsi, msi, "-o", fused, *sensor)
    assert done.exit_code == 0, done.output
    assert "10 bands, 16 × 16 pixels, 4 times finer, by hsr-diff-residual" in done.output
    assert "auto: hsr-diff-residual; nothing was compared" in done.output
    np.testing.assert_allclose(open_cube(fused)["wavelength"], open_cube(truth)["wavelength"])
    scored = run("evaluate", fused, truth, "--factor", 4)
    assert scored.exit_code == 0, scored.output
    psnr_db = float(re.search(r"PSNR\s+([\d.]+) dB", scored.output)[1])
    assert psnr_db == pytest.approx(hsrdiff.evaluate(fused, truth, factor=4).psnr_db, abs=0.01)
    assert "ERGAS 100/4" in scored.output


def test_from_a_pair_to_its_quality(truth, tmp_path):
    hsi, msi, fused, report = (tmp_path / name for name in ("hsi.tif", "msi.tif", "fused.tif", "quality.json"))
    sensor = ("--sensor", "sentinel2:10m")
    assert run("simulate", truth, *sensor, "--factor", 4, "--out-hsi", hsi, "--out-msi", msi).exit_code == 0
    assert run("fuse", hsi, msi, "-o", fused, *sensor, "-m", "bicubic").exit_code == 0
    done = run("quality", fused, hsi, msi, "--json", report)
    assert done.exit_code == 0, done.output
    found = json.loads(report.read_text())["full_resolution"]
    for label, key in (("HQNR", "hqnr"), ("D_lambda", "d_lambda"), ("D_s", "d_s")):
        assert re.search(rf"^{label}\s+{found[key]:.4f}\s*$", done.output, re.MULTILINE), done.output
    worst = max(found["spectral_consistency"]["bands"], key=lambda band: band["relative_rmse"])
    assert f"worst band {worst['band']}, {100 * worst['relative_rmse']:.3f} %" in done.output
    assert "Khan 2009" in done.output
    assert "100 % of fine and 100 % of coarse pixels" in done.output
    assert re.search(r"method\s+bicubic", done.output)
    assert "reduced resolution" not in done.output


def test_a_displaced_pair_is_mended_or_fused_as_it_lies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(2)
    detail = rng.random((1, 30, 30)).repeat(4, axis=1).repeat(4, axis=2)
    values = (0.2 + detail * np.linspace(0.3, 0.6, 8)[:, None, None]).astype(np.float32)
    for name, columns in (("a", slice(0, 96)), ("b", slice(2, 98)), ("c", slice(12, 108))):
        cube = as_cube(values[:, :96, columns], wavelengths_nm=np.linspace(450, 900, 8))
        hsrdiff.jobs.simulate.simulate(
            cube, sensor="sentinel2:10m", factor=4, out_hsi=f"{name}-hsi.tif", out_msi=f"{name}-msi.tif"
        )
    common = ("-o", "fused.tif", "-m", "regression", "--sensor", "sentinel2:10m")
    done = run("fuse", "a-hsi.tif", "b-msi.tif", *common)
    assert done.exit_code == 0, done.output
    assert "note on registration: the hyperspectral image lies" in done.output
    assert re.search(r"\+0\.(49|5\d) columns", done.output)
    assert "mended before fusing" in done.output
    assert "96 × 92 pixels" in done.output
    judged = run("quality", "fused.tif", "a-hsi.tif", "b-msi.tif", "--json", "quality.json")
    assert judged.exit_code == 0, judged.output
    # regression adds what is left of Y at the fine grid: where the pair is mended, hardly anything is
    assert (
        json.loads(Path("quality.json").read_text())["full_resolution"]["spatial_consistency"]["relative_rmse"] < 0.02
    )
    done = run("fuse", "a-hsi.tif", "b-msi.tif", *common, "--no-register")
    assert done.exit_code == 0, done.output
    assert "registration" not in done.output
    assert "96 × 96 pixels" in done.output
    assert run("fuse", "a-hsi.tif", "c-msi.tif", *common).exit_code == 2
    done = run("fuse", "a-hsi.tif", "c-msi.tif", *common, "--force")
    assert done.exit_code == 0, done.output
    assert re.search(r"\+(2\.9\d|3\.0\d) columns", done.output)


def test_check_says_what_the_images_are_and_ends_with_0(truth, tmp_path):
    hsi, msi, report = (tmp_path / name for name in ("hsi.tif", "msi.tif", "[report].json"))
    sensor = ("--sensor", "sentinel2:10m")
    assert run("simulate", truth, *sensor, "--factor", 4, "--out-hsi", hsi, "--out-msi", msi).exit_code == 0
    done = run("check", hsi, msi, *sensor, "--json", report)
    assert done.exit_code == 0, done.output
    for words in ("10 bands, 450-900 nm", "EPSG:32633", "ratio 4", "known, sentinel2", "B8", "verdict: fuse with care"):
        assert words in done.output
    assert "  valid: only 16 coarse pixels" in done.output
    assert json.loads(report.read_text())["verdict"] == "fuse with care"
    assert "disagreement in blocks of 1 × 1 coarse pixels, %" in done.output
    topics = ["disagreement", "hyperspectral", "multispectral", "values", "bands", "valid", "grid", "registration"]
    topics += ["response", "psf", "noise"]
    assert re.findall(r"^(\w+)  +\S", done.output, flags=re.MULTILINE)[: len(topics)] == topics
    other = tmp_path / "other.tif"
    cube = open_cube(msi)
    write_cube(cube.copy(data=cube.values[:, ::-1, ::-1]), other)
    unfit = run("check", hsi, other, *sensor)
    assert "verdict: do not fuse" in unfit.output
    assert unfit.exit_code == 3
    wrong = run("check", msi, hsi)
    assert wrong.exit_code == 2
    assert wrong.stderr.startswith("hsrdiff: ")
    assert run("check", hsi, msi, "--json", hsi).exit_code == 2


def test_fuse_says_what_psf_was_found(truth, tmp_path):
    hsi, msi = tmp_path / "hsi.tif", tmp_path / "msi.tif"
    assert (
        run("simulate", truth, "--sensor", "sentinel2:10m", "--factor", 2, "--out-hsi", hsi, "--out-msi", msi).exit_code
        == 0
    )
    done = run("fuse", hsi, msi, "-o", tmp_path / "f.tif", "-m", "regression", "--psf", "estimated")
    assert done.exit_code == 0, done.output
    assert "note on psf: " in done.output
    refused = run(
        "simulate",
        truth,
        "--sensor",
        "sentinel2:10m",
        "--factor",
        2,
        "--psf",
        "estimated",
        "--out-hsi",
        hsi,
        "--out-msi",
        msi,
    )
    assert refused.exit_code == 2


def test_info_says_what_matters(truth):
    said = run("info", truth)
    assert said.exit_code == 0
    for words in ("10 bands, 16 × 16", "450 to 900 nm", "EPSG:32633", "10 × 10", "100 % of all values"):
        assert words in said.output


def test_info_tells_our_whole_record_and_names_what_it_leaves_out(truth, monkeypatch):
    notes = {"hsrdiff_auto": "kriging, " * 40, "xml": "<document>" * 20, "note": "a [b] c"}
    found = dataclasses.replace(hsrdiff.info(truth), path="c[d].tif", notes=notes)
    monkeypatch.setattr(hsrdiff.jobs.info, "info", lambda path, variable=None: found)
    said = run("info", "c[d].tif").output
    assert said.count("kriging,") == 40
    assert "<document>" not in said
    assert re.search(r"not shown\s+xml: longer than 100 characters", said)
    assert re.search(r"note\s+a \[b\] c\s*\n", said)
    assert "c[d].tif" in said


def test_bands_are_split_at_commas_and_method_is_passed(monkeypatch, tmp_path):
    seen = {}

    def fused(hsi, msi, **options):
        seen.update(options)
        options["progress"](1, 2)
        attrs = {"hsrdiff_factor": "4", "hsrdiff_method": "bicubic", "hsrdiff_psf": "a [b] c"}
        attrs["hsrdiff_note_factor"] = "trained at 2"
        cube = as_cube(np.zeros((3, 8, 8)))
        return cube.assign_attrs(attrs)

    monkeypatch.setattr(hsrdiff.jobs.fuse, "fuse", fused)
    done = run(
        "fuse",
        "h",
        "m",
        "-o",
        "f.tif",
        "--bands",
        "B2, B3",
        "-m",
        "bicubic",
        "--seed",
        7,
        "--factor",
        4,
        "--threads",
        2,
    )
    assert done.exit_code == 0, done.output
    assert (seen["bands"], seen["method"], seen["seed"], seen["factor"]) == (["B2", "B3"], "bicubic", 7, 4)
    assert seen["threads"] == 2
    assert "psf: a [b] c" in done.output
    assert "4 times finer" in done.output
    assert "note on factor: trained at 2" in done.output


def test_deviation_numbers_and_residuals_are_written_and_told(truth, tmp_path):
    hsi, msi, fused, std = (tmp_path / name for name in ("hsi.tif", "msi.tif", "fused.tif", "std.nc"))
    sensor = ("--sensor", "sentinel2:10m")
    assert run("simulate", truth, *sensor, "--factor", 4, "--out-hsi", hsi, "--out-msi", msi).exit_code == 0
    options = ("--std", std, "--dtype", "uint16", "--non-negative")
    done = run("fuse", hsi, msi, "-o", fused, *sensor, "-m", "kriging", *options)
    assert done.exit_code == 0, done.output
    assert re.search(r"residual msi: RMS \S+, \S+ % of the image's\n", done.output), done.output
    assert "residual hsi: RMS" in done.output
    assert "packing: uint16 with scale" in done.output
    assert "note on non negative" in done.output
    assert f"{std}: how large its errors are likely to be, as a standard deviation" in done.output
    assert open_cube(fused).encoding["dtype"] == np.uint16
    assert (open_cube(std).values >= 0).all()


def test_train_passes_its_changes_on(monkeypatch, tmp_path):
    seen = {}

    def train(recipe, **options):
        seen.update(options, recipe=recipe)
        return TrainResult(tmp_path / "w.safetensors", 5, False, "5 of 9 steps")

    monkeypatch.setattr(hsrdiff.jobs.train, "train", train)
    done = run("train", "r", "-o", tmp_path, "--minutes", "1.5", "--set", "training.steps=9", "--set", "a.b = c=d")
    assert done.exit_code == 0, done.output
    assert seen["overrides"] == {"training.steps": "9", "a.b": "c=d"}
    assert seen["minutes"] == 1.5
    assert "5 of 9 steps" in done.output
    wrong = run("train", "r", "-o", tmp_path, "--set", "steps")
    assert wrong.exit_code == 2
    assert "KEY=VALUE" in wrong.stderr


def test_demo_prints_scores_convention_files_and_next_steps(monkeypatch, tmp_path):
    def demo(out, **options):
        rows = tuple(
            Row(m, "s", 4, 40.0 + i, 0.9, 2.0, 1.0, 0.01, 0.1, "D", "the convention", {"weights": "some weights"})
            for i, m in enumerate(("bicubic", "regression", "hsr-diff"))
        )
        names = ("hsi", "msi", "truth", "figure")
        return hsrdiff.jobs.demo.DemoResult(rows, {n: Path(out) / n for n in names}, "some weights")

    monkeypatch.setattr(hsrdiff.jobs.demo, "demo", demo)
    spaced = run("demo", "-o", "my demo").output  # the commands that it prints can be pasted
    assert "  hsrdiff fuse 'my demo/hsi' 'my demo/msi' -o 'my demo/mine.tif'" in spaced
    done = run("demo", "-o", tmp_path)
    assert done.exit_code == 0, done.output
    for words in ("42.00", "the convention", "some weights", "hsrdiff evaluate", str(tmp_path / "figure")):
        assert words in done.output
