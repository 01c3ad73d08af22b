"""The experiment on Paris, with a made-up pair in the true layout whose guide lies elsewhere."""

from functools import partial

import numpy as np
import pytest
import scipy.io
import torch
from scipy import ndimage

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene
from hsrdiff.experiments import EXPERIMENTS, paris, reproduce
from hsrdiff.experiments.paris import (
    AS_GIVEN,
    ESTIMATED,
    LINEAR,
    MATCHED,
    REGISTERED,
    TOLD,
    Paris,
    moved_guide,
)
from hsrdiff.fusers import make_fuser
from hsrdiff.observation import register

pytestmark = pytest.mark.filterwarnings("ignore::hsrdiff.observation.spectral.CoverageWarning")
MOVED = (0.2, 0.6)  # pixels by which the guide shows the ground further down and to the right


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Four materials with detail; nine bands that are mixtures of Hyperion's, moved, each on its own scale."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    parts = np.stack([ndimage.gaussian_filter(rng.random((90, 90)), 1.2) for _ in range(4)])
    parts = (parts - parts.min()) / (parts.max() - parts.min())
    axis = np.linspace(0, 1, 128)
    spectra = np.stack([0.3 + axis, 1.3 - axis, 0.5 + 0.4 * np.sin(6 * axis), 0.6 + 0.3 * np.cos(9 * axis)], axis=1)
    Z = np.einsum("bk,kyx->byx", spectra, parts)
    R = np.stack([np.exp(-0.5 * ((axis - centre) / 0.04) ** 2) for centre in np.linspace(0.05, 0.95, 9)])
    X = np.einsum("cb,byx->cyx", R / R.sum(axis=1, keepdims=True), Z)
    X = np.stack([ndimage.shift(band, MOVED, order=5, mode="reflect") for band in X])
    arrays = {"HSim": Z, "MSim": X * np.linspace(1, 3, 9)[:, None, None]}
    (folder / "hyperion_ali_paris").mkdir()
    scipy.io.savemat(
        folder / "hyperion_ali_paris" / "paris_data_hs_ms.mat",
        {name: image[:, 9:81, 9:81].transpose(1, 2, 0) for name, image in arrays.items()},
    )
    return folder


def test_the_guide_is_moved_onto_the_truth(root):
    scene = dataset_scene(make_dataset("hyperion-ali-paris", data=root), "paris")
    before = register(scene, scene.observation.spatial)
    np.testing.assert_allclose(np.multiply(before.shift, -3), MOVED, atol=0.06)
    after = register(moved_guide(scene), scene.observation.spatial)
    assert after.length < 0.02
    assert torch.equal(moved_guide(scene).Y, scene.Y)


def test_rows_and_report(root, monkeypatch, tmp_path):
    few = {name: partial(make_fuser, name) for name in ("bicubic", "regression")}
    monkeypatch.setattr(paris, "candidates", lambda: few)
    monkeypatch.setitem(EXPERIMENTS, "paris", Paris(tuple(few), (TOLD, ESTIMATED)))
    result = reproduce("paris", data=root, out=tmp_path)
    expected = [(f"{p}, {w}", m) for p in (AS_GIVEN, REGISTERED) for w in (TOLD, ESTIMATED) for m in (*few, "auto")]
    assert [(row.scene, row.method) for row in result.rows if row.method != LINEAR] == expected
    found = {(row.scene, row.method): row.psnr_db for row in result.rows}
    for way in (TOLD, ESTIMATED):
        given, moved = f"{AS_GIVEN}, {way}", f"{REGISTERED}, {way}"
        # what was moved in the guide is what the methods lose
        assert found[(moved, "regression")] > found[(given, "regression")] + 3
        assert found[(moved, "bicubic")] == found[(given, "bicubic")] < found[(moved, "regression")]
        assert found[(moved, "auto")] == pytest.approx(found[(moved, "regression")], abs=1e-3)
    assert found[(AS_GIVEN, LINEAR)] < found[(REGISTERED, LINEAR)]
    assert result.markdown.count("| regression |") == 2
    assert f"auto took: {TOLD}: regression; {ESTIMATED}: regression." in result.markdown
    assert "standard error" in result.markdown


def test_matched_bands_of_another_calibration_are_those_of_the_told_response(root):
    scene = dataset_scene(make_dataset("hyperion-ali-paris", data=root), "paris")
    apart = [
        float((arm.observation.spectral.apply(arm.Y) - arm.observation.spatial.apply(arm.X)).square().mean())
        for arm in (paris._arm(lambda: moved_guide(scene), way).scene for way in (TOLD, MATCHED))
    ]
    assert apart[1] < 0.9 * apart[0]
