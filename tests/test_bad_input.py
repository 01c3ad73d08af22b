"""What a user can get wrong: one sentence saying what was found, what was expected or what to do; exit code 2; nothing
half-written."""

import errno
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from affine import Affine
from typer.testing import CliRunner

from hsrdiff import simulate
from hsrdiff.cli.app import app
from hsrdiff.cubes import as_cube, open_cube, write_cube
from hsrdiff.networks import CDFormer, CDFormerConfig, ModelCard, save_weights

BANDS, MSI_BANDS = 8, 4
SENSOR = "sentinel2:B2,B3,B4,B8"


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """A good pair, its truth, and weights that fit it."""
    folder = tmp_path_factory.mktemp("good")
    rng = np.random.default_rng(0)
    values = (0.2 + 0.6 * rng.random((BANDS, 16, 16))).astype(np.float32)
    cube = as_cube(
        values,
        wavelengths_nm=np.linspace(450, 900, BANDS),
        crs="EPSG:32633",
        transform=Affine(10, 0, 4e5, 0, -10, 5e6),
    )
    write_cube(cube, folder / "truth.tif")
    simulate(cube, sensor=SENSOR, factor=4, out_hsi=folder / "hsi.tif", out_msi=folder / "msi.tif")
    for name, bands in (("fits", BANDS), ("other-bands", 31)):
        torch.manual_seed(0)
        network = CDFormer(bands, MSI_BANDS, CDFormerConfig(channels=8, layers=1, heads=2))
        # it starts at 0, and untrained weights would return the upsampled Y exactly
        torch.nn.init.normal_(network.reconstruct.weight, std=0.1)
        card = ModelCard(bands=bands, msi_bands=MSI_BANDS, factor=4)
        save_weights(folder / f"{name}.safetensors", network, card)
    return folder


@pytest.fixture
def here(originals, tmp_path, monkeypatch):
    """The current folder holds copies of the good files."""
    for file in originals.iterdir():
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _listing(folder):
    return {str(p.relative_to(folder)): p.stat().st_size for p in folder.rglob("*")}


def refuses(folder, *arguments):
    """Run a command that must fail; return its sentence."""
    before = _listing(folder)
    done = CliRunner().invoke(app, [str(a) for a in arguments])
    assert done.exit_code == 2, (done.exit_code, done.output, done.exception)
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    sentence = lines[0]
    assert sentence.startswith("hsrdiff: ")
    assert sentence.endswith(".")
    assert "Traceback" not in done.output
    assert "; " in sentence, f"only what was found, neither what was expected nor what to do: {sentence}"
    assert done.stdout == ""
    assert _listing(folder) == before, "something was left behind"
    return sentence


def fuse(folder, *options, hsi="hsi.tif", msi="msi.tif", out="fused.tif"):
    return refuses(folder, "fuse", hsi, msi, "-o", out, *options)


def _save(values, name, **coordinates):
    return write_cube(as_cube(np.asarray(values, np.float32), **coordinates), name)


def test_the_good_pair_is_accepted(here):
    for method in ((), ("-m", "hsr-diff", "--weights", "fits.safetensors", "--steps", "1")):
        done = CliRunner().invoke(app, ["fuse", "hsi.tif", "msi.tif", "-o", "fused.tif", *method])
        assert done.exit_code == 0, done.output
    assert (here / "fused.tif").stat().st_size > 1000


def test_output_that_is_an_input(here):
    (here / "linked.tif").symlink_to("hsi.tif")
    for out in ("hsi.tif", "msi.tif", "./msi.tif", here / "hsi.tif", "linked.tif"):
        before = (here / "hsi.tif").read_bytes(), (here / "msi.tif").read_bytes()
        assert "would replace the input" in fuse(here, out=out)
        assert ((here / "hsi.tif").read_bytes(), (here / "msi.tif").read_bytes()) == before
    write_cube(open_cube("hsi.tif"), "hsi.hdr")
    assert "would replace the input" in fuse(here, hsi="hsi.hdr", out="hsi.img")
    for outputs in (("truth.tif", "m.tif"), ("h.tif", "truth.tif")):
        options = ("--sensor", SENSOR, "--factor", "4", "--out-hsi", outputs[0], "--out-msi", outputs[1])
        assert "would replace the input" in refuses(here, "simulate", "truth.tif", *options)


def test_swapped_images(here):
    assert "swap" in fuse(here, hsi="msi.tif", msi="hsi.tif")


def test_shapes_that_do_not_match(here):
    _save(np.ones((4, 16, 12)), "narrow.tif")
    said = fuse(here, msi="narrow.tif")
    assert "4 in rows and 3 in columns" in said
    said = refuses(here, "evaluate", "hsi.tif", "truth.tif", "--factor", "4")
    assert "4 x 4" in said
    assert "16 x 16" in said
    said = refuses(here, "evaluate", "narrow.tif", "truth.tif", "--factor", "4")
    assert "4 bands and the truth 8" in said


def test_factor_that_is_no_whole_number(here):
    _save(np.ones((4, 14, 14)), "odd.tif")
    said = fuse(here, msi="odd.tif")
    assert "3.5" in said
    assert "whole number of at least 2" in said
    assert "4 times apart" in fuse(here, "--factor", "3")
    assert "at least 2" in refuses(
        here, "simulate", "truth.tif", "--sensor", SENSOR, "--factor", "1", "--out-hsi", "h.tif", "--out-msi", "m.tif"
    )


@pytest.mark.parametrize("role", ["hsi", "msi"])
def test_nan_everywhere(here, role):
    shape = (BANDS, 4, 4) if role == "hsi" else (MSI_BANDS, 16, 16)
    _save(np.full(shape, np.nan), "empty.tif")
    assert "no valid pixel" in fuse(here, **{role: "empty.tif"})
    assert "no valid pixel" in refuses(here, "info", "empty.tif")


def test_images_of_other_places(here):
    place = Affine(10, 0, 5e5, 0, -10, 5e6)
    _save(np.ones((MSI_BANDS, 16, 16)), "far.tif", crs="EPSG:32633", transform=place)
    said = fuse(here, msi="far.tif")
    assert "do not overlap" in said
    assert "x 500000 to 500160" in said
    _save(np.ones((MSI_BANDS, 16, 16)), "zone.tif", crs="EPSG:32631", transform=place)
    assert "EPSG:32631" in fuse(here, msi="zone.tif")


def test_grids_that_cannot_be_nested(here):
    place = Affine(36, 0, 4e5, 0, -36, 5e6)
    _save(np.ones((MSI_BANDS, 5, 5)), "coarse.tif", crs="EPSG:32633", transform=place)
    said = fuse(here, msi="coarse.tif")
    assert "ratio of 1.111" in said
    assert "at least 1.2" in said
    _save(np.ones((MSI_BANDS, 2, 2)), "coarser.tif", crs="EPSG:32633", transform=place @ Affine.scale(3))
    assert "swap" in fuse(here, msi="coarser.tif")


def test_images_that_lie_far_apart(here):
    rng = np.random.default_rng(1)
    small = rng.random((1, 20, 20)).repeat(8, axis=1).repeat(8, axis=2)
    truth = (0.2 + small * np.linspace(0.3, 0.6, BANDS)[:, None, None]).astype(np.float32)
    wavelengths = np.linspace(450, 900, BANDS)
    for name, columns in (("a", slice(0, 128)), ("b", slice(10, 138))):
        cube = as_cube(truth[:, :, columns], wavelengths_nm=wavelengths)
        simulate(cube, sensor=SENSOR, factor=4, out_hsi=f"{name}-hsi.tif", out_msi=f"{name}-msi.tif")
    said = fuse(here, "--sensor", SENSOR, "-m", "regression", hsi="a-hsi.tif", msi="b-msi.tif")
    assert "+2.5" in said
    assert "columns of its own pixels" in said
    assert "at most 2" in said
    assert "--force" in said


def test_missing_wavelengths_with_a_sensor(here):
    rng = np.random.default_rng(0)
    _save(rng.random((BANDS, 4, 4)), "plain.tif")
    said = fuse(here, "--sensor", SENSOR, hsi="plain.tif")
    assert "has no wavelengths" in said
    _save(rng.random((BANDS, 16, 16)), "plain16.tif")
    said = refuses(
        here, "simulate", "plain16.tif", "--sensor", SENSOR, "--factor", "4", "--out-hsi", "h.tif", "--out-msi", "m.tif"
    )
    assert "has no wavelengths" in said


@pytest.mark.parametrize("ending", ["tif", "hdr", "mat", "nc", "npy"])
def test_truncated_file(here, originals, ending):
    whole = write_cube(as_cube(np.random.default_rng(0).random((BANDS, 64, 64))), f"whole.{ending}")
    data = whole.with_suffix(".img") if ending == "hdr" else whole
    content = data.read_bytes()
    data.write_bytes(content[: len(content) // 2])
    assert "whole" in refuses(here, "info", whole.name)


@pytest.mark.parametrize("content", [b"", b"not an image at all", b"II*\x00\xff\xff\xff\xff" + bytes(40)])
@pytest.mark.parametrize("name", ["broken.tif", "broken.mat", "broken.nc", "broken.xyz"])
def test_unreadable_file(here, name, content):
    (here / name).write_bytes(content)
    assert name in fuse(here, hsi=name)


def test_missing_file(here):
    assert "hsj.tif does not exist" in fuse(here, hsi="hsj.tif")


def test_unknown_sensor_band_and_table(here):
    assert "use 'sentinel2' if that was meant" in fuse(here, "--sensor", "sentinel3")
    assert "B9x" in fuse(here, "--sensor", "sentinel2", "--bands", "B2,B3,B4,B9x")
    assert "4 bands and sensor 'sentinel2'" in fuse(here, "--sensor", "sentinel2:B2,B3")
    assert "nowhere.csv" in fuse(here, "--srf", "nowhere.csv")
    (here / "table.csv").write_text("wavelength_nm,a\n400,x\n")
    assert "table.csv" in fuse(here, "--srf", "table.csv")


def test_sensor_band_outside_the_image(here):
    said = fuse(here, "--sensor", "sentinel2:B2,B3,B4,B12")
    assert "B12" in said
    assert "5 %" in said


def test_unknown_method(here):
    assert "use 'hsr-diff' if that was meant" in fuse(here, "-m", "hsrdif")
    assert "use 'auto' if that was meant" in fuse(here, "-m", "automatic")
    assert "with the method 'bicubic'" in fuse(here, "-m", "bicubic", "--report", "why.json")
    assert "does not exist" in fuse(here, "--report", "no/such/folder/why.json")
    assert "would replace 'msi.tif'" in fuse(here, "--report", "msi.tif")


def test_quality_of_what_does_not_belong_together(here):
    made = CliRunner().invoke(
        app, ["fuse", "hsi.tif", "msi.tif", "-o", "fused.tif", "--sensor", SENSOR, "-m", "bicubic"]
    )
    assert made.exit_code == 0

    def quality(*options, fused="fused.tif", hsi="hsi.tif", msi="msi.tif"):
        return refuses(here, "quality", fused, hsi, msi, *options)

    assert "hsj.tif does not exist" in quality(hsi="hsj.tif")
    assert "swap" in quality(hsi="msi.tif", msi="hsi.tif")
    assert "8 bands of 4 x 4 pixels" in quality(fused="hsi.tif")
    moved = open_cube("fused.tif")
    _save(moved.values, "moved.tif", wavelengths_nm=moved["wavelength"].values + 5.0)
    assert "5 nm from those" in quality(fused="moved.tif")
    assert "would replace 'fused.tif'" in quality("--json", "fused.tif")
    assert "does not exist" in quality("--json", "no/such/folder/q.json")
    assert "no method is to be run" in quality("-m", "kriging")
    assert "use 'kriging' if that was meant" in quality("--reduced", "-m", "krigin")
    assert "does not say which method made it" in quality("--reduced", fused="truth.tif")
    assert "fewer than 64 valid pixels" in quality("--reduced")
    assert "use 'sentinel2' if that was meant" in quality("--sensor", "sentinel3")
    assert "width at half maximum is -1" in quality("--psf-fwhm=-1")
    _save(np.full((BANDS, 16, 16), np.nan), "empty.tif")
    assert "no valid pixel" in quality(fused="empty.tif")


def test_quality_of_a_cube_made_with_what_is_not_at_hand(here):
    table = "wavelength_nm,a,b,c,d\n" + "".join(
        f"{nm},{nm - 400},{950 - nm},{nm / 2},{1000 - nm / 2}\n" for nm in range(440, 920, 20)
    )
    (here / "mine.csv").write_text(table)
    np.savetxt("k.csv", np.ones((6, 6)), delimiter=",")
    arguments = ["fuse", "hsi.tif", "msi.tif", "-o", "fused.tif", "-m", "regression-projected"]
    judging = ["quality", "fused.tif", "hsi.tif", "msi.tif"]
    for told, option, file in ((["--srf"], "--srf", "mine.csv"), (["--sensor", SENSOR, "--psf"], "--psf", "k.csv")):
        made = CliRunner().invoke(app, [*arguments, *told, file])
        assert made.exit_code == 0, made.output
        assert CliRunner().invoke(app, judging).exit_code == 0
        (here / file).rename(here / "elsewhere.csv")
        assert f"name it with {option}" in refuses(here, *judging)
        done = CliRunner().invoke(app, [*judging, option, "elsewhere.csv"])
        assert done.exit_code == 0, done.output


def test_deviation_number_type_and_two_outputs(here):
    kriging = ("-m", "kriging", "--sensor", SENSOR)
    assert "'regression' gives no standard deviation" in fuse(here, "-m", "regression", "--std", "std.tif")
    assert "expected two files" in fuse(here, *kriging, "--std", "fused.tif")
    assert "expected two files" in fuse(here, *kriging, "--std", "fused.img", out="fused.hdr")
    assert "would replace the input 'msi.tif'" in fuse(here, *kriging, "--std", "msi.tif")
    assert "names no format" in fuse(here, *kriging, "--std", "std.docx")
    assert "use 'uint16' if that was meant" in fuse(here, "--dtype", "uint61")
    assert "keeps no scale for int16" in fuse(here, "--dtype", "int16", out="fused.npy")


def test_disk_full_for_one_of_two_outputs_leaves_neither(here, monkeypatch):
    from hsrdiff.cubes import FORMATS

    def full(cube, path, options):
        path.write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(FORMATS["npy"], "write", full)
    kriging = ("-m", "kriging", "--sensor", SENSOR)
    assert "fused.npy" in fuse(here, *kriging, "--std", "std.tif", out="fused.npy")
    assert "std.npy" in fuse(here, *kriging, "--std", "std.npy", out="fused.tif")


def test_weights_for_other_bands_or_broken(here):
    said = fuse(here, "-m", "hsr-diff", "--weights", "other-bands.safetensors")
    assert "31" in said
    assert str(BANDS) in said
    assert "no shipped weights" in fuse(here, "-m", "hsr-diff")
    content = (here / "fits.safetensors").read_bytes()
    (here / "half.safetensors").write_bytes(content[: len(content) // 2])
    assert "half.safetensors" in fuse(here, "-m", "hsr-diff", "--weights", "half.safetensors")
    assert "nothing.safetensors" in fuse(here, "-m", "hsr-diff", "--weights", "nothing.safetensors")


def test_kernel_that_cannot_be_used(here):
    (here / "k.csv").write_text("1,2\n3\n")
    assert "k.csv" in fuse(here, "--psf", "k.csv")
    np.save("k.npy", np.ones((3, 3)))
    assert "even" in fuse(here, "--psf", "k.npy")


def test_unknown_recipe_and_key(here):
    assert "cave-x32-small" in refuses(here, "train", "cave-x32-smal", "-o", "run")
    said = refuses(here, "train", "overfit-crop", "-o", "run", "--set", "training.step=5")
    assert "steps" in said


def test_missing_data_folder(here, monkeypatch):
    monkeypatch.delenv("HSRDIFF_DATA", raising=False)
    before = {name for name in _listing(here) if not name.startswith("run")}
    done = CliRunner().invoke(app, ["train", "cave-x32-small", "-o", "run"])
    assert done.exit_code == 2
    assert "HSRDIFF_DATA" in done.stderr
    assert before <= set(_listing(here))


def test_output_folder_missing_or_without_a_known_ending(here):
    assert "does not exist" in fuse(here, out="no/such/folder/fused.tif")
    assert ".tif" in fuse(here, out="fused.docx")
    (here / "file").touch()
    assert "is a file" in refuses(here, "demo", "-o", "file/folder")
    assert "is a file" in refuses(here, "train", "overfit-crop", "-o", "file/folder/below")
    assert "does not exist" in refuses(
        here,
        "simulate",
        "truth.tif",
        "--sensor",
        SENSOR,
        "--factor",
        "4",
        "--out-hsi",
        "h.tif",
        "--out-msi",
        "no/m.tif",
    )


@pytest.mark.parametrize("out", ["mine.tif", "mine.zarr", "mine_ms"])
def test_output_that_is_a_folder_with_other_things(here, out):
    (here / out).mkdir()
    (here / out / "notes.txt").write_text("mine")
    assert "is a folder" in fuse(here, out=out)
    assert (here / out / "notes.txt").read_text() == "mine"


def test_a_store_that_is_a_cube_is_replaced(here):
    for _ in range(2):
        done = CliRunner().invoke(app, ["fuse", "hsi.tif", "msi.tif", "-o", "fused.zarr", "-m", "regression"])
        assert done.exit_code == 0, done.output
    assert open_cube("fused.zarr").sizes["band"] == BANDS


@pytest.mark.parametrize("fill", [-9999.0, -999.0, -32768.0, float(np.finfo(np.float32).min)])
def test_nodata_that_no_file_declares(here, fill):
    values = open_cube("msi.tif").values.copy()
    values[:, :3, :5] = fill
    _save(values, "filled.tif")
    assert "60 values of" in fuse(here, msi="filled.tif")
    # a value of many is no fill value
    values[:, :3, :5] = np.linspace(fill, 0, 60).reshape(4, 3, 5)
    _save(values, "deep.tif")
    done = CliRunner().invoke(app, ["info", "deep.tif"])
    assert done.exit_code == 0, done.output


def test_output_folder_that_may_not_be_written(here, monkeypatch):
    (here / "locked").mkdir()
    # The suite may run as root, whom no permission stops: ask the question that the program asks.
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).endswith("locked") and allowed(path, mode))
    assert "not writable" in fuse(here, out="locked/fused.tif")


@pytest.mark.parametrize("out", ["fused.tif", "fused.hdr", "fused.npy"])
def test_disk_full_while_writing(here, monkeypatch, out):
    from hsrdiff.cubes import FORMATS

    def full(cube, path, options):
        path.write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    name = {"tif": "geotiff", "hdr": "envi", "npy": "npy"}[out[-3:]]
    monkeypatch.setattr(FORMATS[name], "write", full)
    said = fuse(here, out=out)
    assert "no space left" in said.lower()
    assert out in said


def test_disk_full_keeps_the_older_result(here, monkeypatch):
    from hsrdiff.cubes import FORMATS

    (here / "fused.tif").write_bytes(b"an older result")

    def full(cube, path, options):
        path.write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(FORMATS["geotiff"], "write", full)
    fuse(here)
    assert (here / "fused.tif").read_bytes() == b"an older result"


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX resource limits")
def test_file_that_the_system_refuses_to_grow(here):
    """A process of its own, as a real limit stops the C libraries too."""
    code = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "from hsrdiff.cli import main\n"
        "main(['fuse', 'hsi.tif', 'msi.tif', '-o', 'fused.tif'])\n"
    )
    before = _listing(here)
    done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2, done.stderr
    *others, sentence = done.stderr.strip().splitlines()
    assert sentence.startswith("hsrdiff: ")
    assert "fused.tif" in sentence
    assert "Traceback" not in done.stderr
    assert all(line.startswith("_tiff") for line in others), done.stderr  # libtiff's own words, written from C
    assert _listing(here) == before


def test_numbers_out_of_range(here):
    assert "positive" in fuse(here, "--psf-fwhm", "0")
    assert "positive" in fuse(here, "--peak", "0")
    assert "at least 1" in fuse(here, "-m", "hsr-diff", "--weights", "fits.safetensors", "--steps", "0")


def test_ctrl_c_while_writing_leaves_nothing(here, monkeypatch):
    from hsrdiff.cubes import FORMATS

    def stopped(cube, path, options):
        path.write_bytes(b"half of it")
        raise KeyboardInterrupt

    monkeypatch.setattr(FORMATS["geotiff"], "write", stopped)
    before = _listing(here)
    done = CliRunner().invoke(app, ["fuse", "hsi.tif", "msi.tif", "-o", "fused.tif"])
    assert done.exit_code == 130
    assert done.stderr.strip() == "hsrdiff: stopped; nothing half-written."
    assert _listing(here) == before
