"""Files that a fused cube names: found from any folder by what they hold, and the record alike on every machine."""

import hashlib
import os
import sys

import numpy as np
import pytest
from job_scenes import material_cube

from hsrdiff import fuse, quality, simulate
from hsrdiff.cubes import open_cube
from hsrdiff.errors import InputError, SensorError, WeightsError
from hsrdiff.jobs.named_file import NamedFile
from hsrdiff.observation import SpatialResponse

TABLE = "band,shape,centre_nm,width_nm\nB2,gaussian,500,60\nB3,gaussian,560,60\nB4,gaussian,660,60\n"


def _file(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("place", ["here", "project/out", "project", "."])
def test_a_file_is_found_in_the_working_folder_the_cubes_own_and_those_above(tmp_path, monkeypatch, place):
    wanted = _file(tmp_path / place / "runs" / "w.bin", b"the weights")
    digest = hashlib.sha256(b"the weights").hexdigest()[:16]
    here = tmp_path / "here"
    here.mkdir(exist_ok=True)
    monkeypatch.chdir(here)
    # one of that name with other content is passed over
    for other in {"here", "project/out", "project", "."} - {place}:
        _file(tmp_path / other / "runs" / "w.bin", b"others")
    found = NamedFile("weights", "runs/w.bin", digest).find(tmp_path / "project" / "out" / "fused.tif")
    assert found.resolve() == wanted.resolve()


def test_what_is_remembered_is_what_was_typed_and_the_content(tmp_path, monkeypatch):
    records = []
    for folder in ("one", "two"):
        _file(tmp_path / folder / "w.bin", b"abc")
        monkeypatch.chdir(tmp_path / folder)
        records.append(NamedFile.given("weights", "w.bin").record())
    # the digest of "abc" as FIPS 180-2 has it
    assert records == [{"hsrdiff_weights": "w.bin", "hsrdiff_weights_digest": "ba7816bf8f01cfea"}] * 2
    assert NamedFile.of(records[0], "weights").record() == records[0]
    assert NamedFile.of(records[0], "srf") is None


def test_a_name_that_comes_with_hsrdiff_is_taken_as_it_is(tmp_path):
    named = NamedFile.given("weights", "cave-x32-residual")
    assert named.digest is None
    assert named.find(tmp_path / "fused.tif") == "cave-x32-residual"


@pytest.mark.parametrize(
    ("topic", "error", "option"),
    [("weights", WeightsError, "--weights"), ("psf_file", InputError, "--psf"), ("srf", SensorError, "--srf")],
)
def test_a_file_that_is_gone_or_another_one(tmp_path, topic, error, option):
    path = _file(tmp_path / "a.bin", b"abc")
    named = NamedFile.given(topic, path)
    path.write_bytes(b"abd")
    with pytest.raises(error, match=rf"is another one now; .*{option}"):
        named.find()
    path.unlink()
    with pytest.raises(error, match=rf"is not there; .*{option}"):
        named.find(tmp_path / "fused.tif")


def test_quality_finds_kernel_and_table_from_another_folder(tmp_path, monkeypatch):
    project = tmp_path / "project"
    (project / "out").mkdir(parents=True)
    monkeypatch.chdir(project)
    truth = material_cube(size=32)
    # not the shipped sensor of that name
    (project / "sentinel2.csv").write_text(TABLE)
    kernel = np.outer(np.hanning(10)[1:-1], np.hanning(10)[1:-1])
    np.save(project / "psf.npy", kernel)
    told = {"psf": "psf.npy", "srf": "sentinel2.csv"}
    simulate(truth, factor=4, out_hsi="hsi.tif", out_msi="msi.tif", **told)
    fuse("hsi.tif", "msi.tif", method="regression-projected", out="out/fused.tif", **told)
    record = open_cube("out/fused.tif").attrs
    assert (record["hsrdiff_psf_file"], record["hsrdiff_srf"]) == ("psf.npy", "sentinel2.csv")
    monkeypatch.chdir(tmp_path)
    images = ("project/out/fused.tif", "project/hsi.tif", "project/msi.tif")
    found = quality(*images)
    assert found.told["psf"] == SpatialResponse.from_kernel(kernel, 4).describe()
    assert found.full.spectral.mean_relative_rmse < 1e-4
    assert found.full.spatial.mean_relative_rmse < 1e-4
    (project / "sentinel2.csv").unlink()
    with pytest.raises(SensorError, match=r"'sentinel2.csv' of the table of responses.*is not there"):
        quality(*images)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
@pytest.mark.parametrize("ending", ["tif", "hdr", "nc", "zarr", "mat"])
def test_files_whose_names_are_no_unicode_are_remembered_in_every_format(pair, tmp_path, monkeypatch, ending):
    monkeypatch.chdir(tmp_path)
    kernel, table = os.fsdecode(b"k\xe9.npy"), os.fsdecode(b"t\xe9.csv")
    np.save(kernel, np.ones((4, 4)))
    _file(tmp_path / table, (TABLE + "B8,gaussian,840,110\n").encode())
    out = f"f.{ending}"
    fused = fuse(*pair, method="regression-projected", srf=table, psf=kernel, out=out)
    again = open_cube(out).attrs
    assert again["hsrdiff_psf_file"] == fused.attrs["hsrdiff_psf_file"] == r"k\udce9.npy"
    assert NamedFile.of(again, "srf").name == table
    assert quality(out, *pair).told["psf"] == fused.attrs["hsrdiff_psf"]
