"""What a format cannot hold is said before the work, and long names are taken as far as the system takes them."""

import os

import numpy as np
import pytest
from affine import Affine
from job_scenes import material_cube

from hsrdiff import check, fuse, simulate
from hsrdiff.cubes import as_cube, matlab5, open_cube
from hsrdiff.errors import CubeFormatError, WriteError
from hsrdiff.jobs.writable import check_held

SENSOR = "sentinel2:B2,B3,B4,B8"


@pytest.fixture
def no_work(monkeypatch):
    """Whatever takes time is an error."""

    def work(*args, **options):
        raise AssertionError("it was begun")

    for place in ("fuse.raw_scene", "check.raw_scene", "simulate.simulate_scene"):
        monkeypatch.setattr(f"hsrdiff.jobs.{place}", work)


@pytest.fixture
def south_up():
    truth = material_cube(transform=Affine(10.0, 0, 4e5, 0, 10.0, 5.8e6))
    return truth, simulate(truth, sensor=SENSOR, factor=4)


@pytest.mark.parametrize("what", ["out", "std_out"])
def test_what_a_format_cannot_hold_is_said_before_the_work(pair, south_up, tmp_path, monkeypatch, no_work, what):
    kriging = {"method": "kriging", "sensor": SENSOR}
    with pytest.raises(CubeFormatError, match=r"the output '.*f\.hdr' cannot hold .*: the transform is sheared or mir"):
        fuse(*south_up[1], **kriging, **{what: tmp_path / "f.hdr"})
    with pytest.raises(CubeFormatError, match="the cube has 12 bands from 450 to 950 nm; expected 31 bands"):
        fuse(*pair, **kriging, **{what: tmp_path / "f_ms"})
    size = 12 * 24 * 24
    monkeypatch.setattr(matlab5, "_LARGEST_VARIABLE", 4 * size - 1)
    with pytest.raises(CubeFormatError, match=f"the cube takes {4 * size} bytes.*2 GB.*write .nc or .tif"):
        fuse(*pair, **kriging, **{what: tmp_path / "f.mat"})
    with pytest.raises(AssertionError, match="begun"):
        fuse(*pair, **kriging, out=tmp_path / "f.mat", dtype="int16")  # takes half of that
    assert not list(tmp_path.iterdir())


def test_check_and_simulate_say_it_too(pair, south_up, tmp_path, no_work):
    with pytest.raises(CubeFormatError, match="1 bands; expected 31"):
        check(*pair, map_out=tmp_path / "map_ms")
    with pytest.raises(CubeFormatError, match="mirrored"):
        check(*south_up[1], map_out=tmp_path / "map.hdr")
    for outputs in ({"out_hsi": tmp_path / "h.hdr"}, {"out_msi": tmp_path / "m.hdr"}):
        with pytest.raises(CubeFormatError, match="mirrored"):
            simulate(south_up[0], sensor=SENSOR, factor=4, **outputs)
    with pytest.raises(CubeFormatError, match=r"m_ms' cannot hold .*: the cube has 4 bands"):
        simulate(south_up[0], sensor=SENSOR, factor=4, out_msi=tmp_path / "m_ms")


def test_a_cube_that_is_asked_about_takes_no_memory(tmp_path):
    check_held(tmp_path / "f.tif", (400, 100_000, 100_000), wavelengths_nm=np.linspace(400, 2500, 400))
    with pytest.raises(CubeFormatError, match="2 GB"):
        check_held(tmp_path / "f.mat", (400, 100_000, 100_000))


def test_names_as_long_as_the_system_takes_them(pair, tmp_path):
    name = tmp_path / f"{'é' * 125}.tif"  # 254 bytes
    fuse(*pair, method="bicubic", out=name)
    assert open_cube(name).sizes["band"] == 12
    assert [each.name for each in tmp_path.iterdir()] == [name.name]
    for options in ({"out": tmp_path / f"{'f' * 252}.tif"}, {"json_out": tmp_path / f"{'f' * 252}.txt"}):
        with pytest.raises(WriteError, match=r"'ffffffffffffffffffff\.\.\.' has 256 bytes; expected at most 255"):
            fuse(as_cube(pair.hsi), pair.msi, method="bicubic", **options)


def test_a_pipe_is_refused_before_the_work_and_a_link_followed(pair, tmp_path, no_work):
    os.mkfifo(tmp_path / "f.tif")
    for options in ({"out": tmp_path / "f.tif"}, {"json_out": tmp_path / "f.tif"}):
        with pytest.raises(WriteError, match="neither a file nor a folder"):
            fuse(*pair, method="bicubic", **options)
    (tmp_path / "link.tif").symlink_to("no/such/f.tif")
    with pytest.raises(WriteError, match="no/such' does not exist"):
        fuse(*pair, method="bicubic", out=tmp_path / "link.tif")
