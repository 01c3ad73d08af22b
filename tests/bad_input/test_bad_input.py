"""What a user can get wrong: one sentence saying what was found, what was expected or what to do; exit code 2; nothing
half-written."""

import numpy as np
import pytest
from affine import Affine
from refusals import BANDS, MSI_BANDS, SENSOR, fuse, listing, refuses
from typer.testing import CliRunner

from hsrdiff import simulate
from hsrdiff.cli.app import app
from hsrdiff.cubes import as_cube, open_cube, write_cube


def _save(values, name, **coordinates):
    return write_cube(as_cube(np.asarray(values, np.float32), **coordinates), name)


def test_the_good_pair_is_accepted(here):
    for method in ((), ("-m", "hsr-diff", "--weights", "fits.safetensors", "--steps", "1")):
        done = CliRunner().invoke(app, ["fuse", "hsi.tif", "msi.tif", "-o", "fused.tif", *method])
        assert done.exit_code == 0, done.output
    assert (here / "fused.tif").stat().st_size > 1000


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
    assert "the report '.' is a folder" in fuse(here, "--report", ".")
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
    before = {name for name in listing(here) if not name.startswith("run")}
    done = CliRunner().invoke(app, ["train", "cave-x32-small", "-o", "run"])
    assert done.exit_code == 2
    assert "HSRDIFF_DATA" in done.stderr
    assert before <= set(listing(here))


@pytest.mark.parametrize("fill", [-9999.0, -999.0, -32768.0, float(np.finfo(np.float32).min)])
def test_nodata_that_no_file_declares(here, fill):
    values = open_cube("msi.tif").values.copy()
    values[:, :3, :5] = fill
    _save(values, "filled.tif")
    largest = fill < -1e30
    said = "60 value(s) such as -3.40282e+38, which no image has" if largest else f"15 pixel(s) of {fill:g} in every"
    assert said in fuse(here, msi="filled.tif")
    if largest:
        return
    # a value of many is no fill value
    values[:, :3, :5] = np.linspace(fill, 0, 60).reshape(4, 3, 5)
    _save(values, "deep.tif")
    done = CliRunner().invoke(app, ["info", "deep.tif"])
    assert done.exit_code == 0, done.output


def test_numbers_out_of_range(here):
    assert "positive" in fuse(here, "--psf-fwhm", "0")
    assert "positive" in fuse(here, "--peak", "0")
    assert "at least 1" in fuse(here, "-m", "hsr-diff", "--weights", "fits.safetensors", "--steps", "0")
