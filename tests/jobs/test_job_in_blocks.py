"""`fuse` in blocks: when it is done, what is said, where the result is put together, and what is refused."""

import errno
import os
import shutil
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
from job_scenes import material_cube

from hsrdiff import fuse
from hsrdiff.cubes import open_cube
from hsrdiff.errors import InputError, WriteError
from hsrdiff.fusers import FUSERS, RegressionProjected, blocks
from hsrdiff.jobs import canvas, in_blocks
from hsrdiff.jobs.canvas import Canvas, check_room
from hsrdiff.jobs.simulate import simulate
from hsrdiff.observation import scene_part

SENSOR = "sentinel2:B2,B3,B4,B8"
KNOWN = {"method": "regression-projected", "sensor": SENSOR}


@pytest.fixture(scope="module", autouse=True)
def small_blocks():
    """Blocks of ten LR pixels, so that a scene of thirty has nine."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("LEAST_CORE", 12), ("HALO", 4), ("LEAST_PIXELS", 64)):
            patch.setattr(blocks, name, value)
        yield


@pytest.fixture(scope="module")
def large():
    return simulate(material_cube(size=120), sensor=SENSOR, factor=4)


@pytest.fixture(scope="module")
def whole(large, small_blocks):
    return fuse(large.hsi, large.msi, **KNOWN)


def rough(pair):
    """A pair with invalid pixels and values below 0."""
    hsi, msi = pair.hsi - 0.4, pair.msi - 0.4
    msi.values[:, 10:20, 10:80] = np.nan
    return hsi, msi


def test_the_result_is_nearly_that_of_the_whole_and_says_so(large, whole):
    told = []
    cut = fuse(large.hsi, large.msi, block=48, progress=lambda *at: told.append(at), **KNOWN)
    assert cut.attrs["hsrdiff_note_blocks"].startswith("3 x 3 blocks of up to 40 x 40 fine pixels")
    assert told == [(done, 9) for done in range(1, 10)]
    told.clear()
    one = fuse(large.hsi, large.msi, block=4800, progress=lambda *at: told.append(at), **KNOWN)
    assert told == [(1, 1)]
    assert one.attrs["hsrdiff_note_blocks"].startswith("the scene is one block")
    np.testing.assert_array_equal(one.values, whole.values)
    assert "hsrdiff_note_blocks" not in whole.attrs
    np.testing.assert_allclose(cut.values, whole.values, atol=0.02)
    assert cut.rio.transform() == whole.rio.transform()
    assert cut.attrs.keys() - whole.attrs.keys() == {"hsrdiff_note_blocks"}


def test_the_same_every_time_and_zero_is_the_whole(large, whole):
    one, two = (fuse(large.hsi, large.msi, block=48, **KNOWN) for _ in range(2))
    np.testing.assert_array_equal(one.values, two.values)
    np.testing.assert_array_equal(fuse(large.hsi, large.msi, block=0, **KNOWN).values, whole.values)


def test_a_large_result_is_made_in_blocks_unasked_and_in_a_file_without_a_name(large, tmp_path, monkeypatch, in_files):
    seen, images, made = [], [], np.memmap

    def looked(file, *args, **kwargs):
        seen.append(os.fstat(file.fileno()).st_nlink)
        images.append(made(file, *args, **kwargs))
        return images[-1]

    monkeypatch.setattr(np, "memmap", looked)
    plain = fuse(large.hsi, large.msi, block=48, **KNOWN)
    fused = fuse(large.hsi, large.msi, out=tmp_path / "f.tif", **KNOWN)
    assert seen == [0]
    assert np.shares_memory(fused.values, images[0])  # nowhere copied on its way
    assert [each.name for each in tmp_path.iterdir()] == ["f.tif"]
    np.testing.assert_array_equal(fused.values, plain.values)
    np.testing.assert_array_equal(open_cube(tmp_path / "f.tif").values, plain.values)
    assert "hsrdiff_note_blocks" not in fuse(large.hsi, large.msi, block=0, **KNOWN).attrs


def narrow(hsi, msi):
    """What makes three blocks, for methods that take seconds for each."""
    return hsi.isel(x=slice(0, 20)), msi.isel(x=slice(0, 80))


def test_masks_packing_clipping_and_deviation_are_those_of_the_blocks(large, tmp_path):
    hsi, msi = narrow(*rough(large))
    paths = {"out": tmp_path / "f.tif", "std_out": tmp_path / "s.tif"}
    given = {"method": "kriging", "sensor": SENSOR, "non_negative": True, "dtype": "uint16", "block": 48}
    fused = fuse(hsi, msi, **given, **paths)
    assert "% of the values of all blocks were below 0 and were cut" in fused.attrs["hsrdiff_note_non_negative"]
    again, std = (open_cube(path).values for path in paths.values())
    np.testing.assert_array_equal(again, fused.values)
    assert np.nanmin(again) >= 0
    for values in (again, std):
        invalid = np.isnan(values).all(axis=0)
        assert invalid[10:20, 10:80].all()
        assert invalid.sum() == 10 * 70
        assert (np.isnan(values).any(axis=0) == invalid).all()


@pytest.mark.parametrize("method", ["bicubic", "regression", "hsr-diff-residual"])
def test_every_method_of_the_comparison_is_taken_block_by_block(large, method):
    assert method in FUSERS
    pair = narrow(large.hsi, large.msi)
    cut = fuse(*pair, method=method, sensor=SENSOR, block=48)
    assert "3 x 1 blocks" in cut.attrs["hsrdiff_note_blocks"]
    one = fuse(*pair, method=method, sensor=SENSOR, block=0)
    apart = np.sqrt(np.square(cut.values - one.values).mean())
    assert apart < 0.02 * one.values.mean()


@pytest.fixture
def in_files(monkeypatch):
    monkeypatch.setattr(in_blocks, "LARGE_BYTES", 1000)
    monkeypatch.setattr(canvas, "IN_FILE_BYTES", 1000)
    monkeypatch.setattr("hsrdiff.fusers.blocks.BLOCK_BYTES", 1000)


def test_no_room_is_said_before_the_work_and_nothing_is_left(large, tmp_path, monkeypatch, in_files):
    size = 12 * 120 * 120
    monkeypatch.setattr(RegressionProjected, "fuse", lambda *given, **more: pytest.fail("the work was begun"))
    other = tmp_path / "other"
    other.mkdir()
    paths = {"out": tmp_path / "f.tif", "std_out": other / "s.tif"}
    for free, where in ((10 * size - 1, tmp_path), (10 * size, None)):
        monkeypatch.setattr(shutil, "disk_usage", lambda folder, free=free: SimpleNamespace(free=free))
        expected = pytest.raises(WriteError, match=f"in '{where}', where") if where else nullcontext()
        with expected:
            check_room((12, 120, 120), 2, *paths.values())
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=8 * size - 1))
    with pytest.raises(WriteError, match=r"take 0\.0 GiB in .*, where 0\.0 GiB are free"):
        fuse(large.hsi, large.msi, out=tmp_path / "f.tif", **KNOWN)
    assert [each.name for each in tmp_path.iterdir()] == ["other"]


@pytest.mark.parametrize(("number", "words"), [(errno.ENOSPC, "where no space left"), (errno.EACCES, "cannot be made")])
def test_a_disk_that_fills_meanwhile_is_said(large, tmp_path, monkeypatch, in_files, number, words):
    def full(*given):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(WriteError, match=words):
        fuse(large.hsi, large.msi, out=tmp_path / "f.tif", **KNOWN)
    assert not list(tmp_path.iterdir())


def test_estimates_of_a_large_pair_are_those_of_a_part_and_say_so(large, whole, monkeypatch):
    monkeypatch.setattr(scene_part.estimated_part, "__defaults__", (20,))
    monkeypatch.setattr(scene_part, "_FEW", 64)
    found = fuse(large.hsi, large.msi, **KNOWN)
    assert "of a part of 20 x 20 coarse pixels" in found.attrs["hsrdiff_note_estimates"]
    assert found.attrs["hsrdiff_noise"].startswith("none")  # the edges of the part, which see beyond it, do not count
    np.testing.assert_allclose(found.values, whole.values, atol=1e-6)


def test_small_images_stay_in_memory(tmp_path):
    image = Canvas(tmp_path / "f.tif")((1, 2, 3, 4))
    assert image.shape == (1, 2, 3, 4)
    assert not image.any()
    image += 1  # may be written to


@pytest.mark.parametrize("block", [-1, 2.5, float("nan"), float("inf")])
def test_blocks_of_no_size_are_refused(large, block):
    with pytest.raises(InputError, match=f"blocks of {block} pixels; expected a whole number"):
        fuse(large.hsi, large.msi, block=block, **KNOWN)


def test_training_on_the_pair_needs_the_whole(large, monkeypatch):
    with pytest.raises(InputError, match="fused in blocks, and residual mode"):
        fuse(large.hsi, large.msi, sensor=SENSOR, adapt=5, block=48)
    monkeypatch.setattr(in_blocks, "LARGE_BYTES", 1000)
    with pytest.raises(InputError, match=r"as its result takes 1 MiB"):
        fuse(large.hsi, large.msi, sensor=SENSOR, adapt=5)
