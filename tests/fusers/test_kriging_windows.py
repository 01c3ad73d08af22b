"""Windows of kriging: they cover the image, blend to one, and read what the whole image reads."""

import dataclasses

import pytest
import torch
from fuser_scenes import small_scene

from hsrdiff.fusers.kriging import Kriging, fuser, windows
from hsrdiff.fusers.kriging.samples import Samples
from hsrdiff.fusers.kriging.system import KrigingSystem
from hsrdiff.fusers.kriging.windows import krige_windows
from hsrdiff.observation import SpatialResponse

BORDERS = ("symmetric", "circular", "replicate")


def scene_of(rows, columns, spatial=None):
    return small_scene(3, 4 * rows, 4 * columns, spatial=spatial, dtype=torch.float64)


def samples_of(scene):
    return Samples.of(scene, scene.observation.spatial)


@pytest.mark.parametrize(("rows", "columns"), [(3, 4), (16, 17), (23, 40)])
def test_what_every_window_agrees_on_comes_out(rows, columns):
    scene = scene_of(rows, columns)
    seen = []

    def truth(part):
        seen.append(part.X.shape[-2:])
        # a window knows its place only by its guide: the prediction is linear in it
        spectra = part.X[0].flatten(1).T @ torch.arange(18.0).reshape(3, 6).double()
        count = int(part.usable.sum())
        ones = torch.ones(count).double()
        system = KrigingSystem(spectra, 2 * torch.ones((count, 6)).double(), ones, spectra)
        return spectra, torch.full((len(spectra),), 0.7).double(), system

    kriged = krige_windows(samples_of(scene), truth, core=8, halo=2)
    expected = scene.X[0].flatten(1).T @ torch.arange(18.0).reshape(3, 6).double()
    torch.testing.assert_close(kriged.spectra, expected, rtol=0, atol=1e-10)
    torch.testing.assert_close(kriged.variance, torch.full((len(expected),), 0.7).double(), rtol=0, atol=1e-10)
    torch.testing.assert_close(kriged.covariance, torch.full((6, 6), 4.0).double())
    counts = [1 if length <= 12 else -(-length // 8) for length in (rows, columns)]
    assert len(seen) == counts[0] * counts[1]
    assert all(max(size) <= 4 * (8 + 2 * 2 + 2 + 2) for size in seen)


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("factor_size", [8, 4, 14])
def test_a_part_reads_what_the_whole_reads(border, factor_size):
    spatial = SpatialResponse.gaussian(4, sigma=2.0, size=factor_size, border=border)
    scene = scene_of(12, 14, spatial)
    samples = samples_of(scene)
    values = torch.rand((2, 48 * 56), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    whole = torch.full((2, 12 * 14), torch.nan).double()
    whole[:, samples.usable] = samples.block_means(values)
    for rows, columns in (((3, 8), (4, 9)), ((0, 6), (7, 14)), ((0, 12), (0, 5)), ((0, 12), (0, 14))):
        part = samples.crop(rows, columns)
        reach = samples.reach_lr
        top, left = max(0, rows[0] - reach), max(0, columns[0] - reach)
        height, width = part.X.shape[-2:]
        cut = values.reshape(2, 48, 56)[:, 4 * top : 4 * top + height, 4 * left : 4 * left + width].flatten(1)
        where = part.usable.reshape(height // 4, width // 4).nonzero()
        names = (where[:, 0] + top) * 14 + where[:, 1] + left
        torch.testing.assert_close(part.block_means(cut), whole[:, names], rtol=0, atol=1e-12)
        inside = {r * 14 + c for r in range(*rows) for c in range(*columns)}
        assert set(names.tolist()) <= inside
        if border != "circular" or reach == 0:
            assert set(names.tolist()) == inside


def test_masks_go_with_the_part():
    scene = scene_of(12, 14)
    valid = torch.ones((1, 1, 48, 56), dtype=torch.bool)
    valid[..., 20:24, 20:28] = False
    samples = samples_of(dataclasses.replace(scene, valid=valid))
    part = samples.crop((3, 8), (3, 9))
    assert int(part.usable.sum()) == 5 * 6 - 2
    assert part.unseen.shape == (5 * 6 - 2,)
    assert float(part.seen.sum()) == part.seen.numel() - 32


def test_many_windows_are_nearly_one(monkeypatch):
    scene = scene_of(24, 24)

    def result():
        method = Kriging(landmarks=300, tune=False)
        return method.fuse(scene, generator=torch.Generator().manual_seed(0))

    one = result()
    monkeypatch.setattr(fuser, "krige_windows", lambda samples, predict: krige_windows(samples, predict, 8, 4))
    many = result()
    rms = float((one.Z_hat - scene.Z).square().mean().sqrt())
    assert float((many.Z_hat - scene.Z).square().mean().sqrt()) < 1.5 * rms
    assert float((many.Z_hat - one.Z_hat).abs().max()) < 20 * rms
    assert float(many.std.min()) >= 0
    assert windows.CORE >= 2 * windows.HALO
