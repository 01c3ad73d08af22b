"""Figure 10: the same scene by each method, colours and errors kept, drawn on one scale and of its own rows alone."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from hsrdiff.errors import DatasetNotFoundError
from hsrdiff.experiments import error_figure as module
from hsrdiff.experiments import reproduce
from hsrdiff.experiments.ablations import NETWORKS
from hsrdiff.experiments.error_figure import ENTRIES, SCENE
from hsrdiff.experiments.protocols import Entry
from hsrdiff.observation import Observation, Scene, SpatialResponse, SpectralResponse

pytest.importorskip("matplotlib")


def test_the_two_networks_are_those_of_table_2_at_the_same_budget():
    trained = [(entry.method, entry.recipe, entry.minutes) for entry in ENTRIES if entry.recipe]
    table = [(entry.method, entry.recipe, entry.minutes) for entry in NETWORKS["cave"]]
    assert len(trained) == 2
    assert set(trained) <= set(table)


@pytest.fixture
def scene(monkeypatch):
    Z = torch.rand((1, 31, 16, 16), generator=torch.Generator().manual_seed(0))
    observation = Observation(SpectralResponse(torch.full((1, 31), 1 / 31)), SpatialResponse.gaussian(4))
    X, Y = observation.observe(Z)
    monkeypatch.setattr(module, "make_dataset", lambda *a, **k: SimpleNamespace(load=lambda name: None))
    monkeypatch.setattr(module, "dataset_scene", lambda *a, **k: Scene(X=X, Y=Y, observation=observation, Z=Z))
    monkeypatch.setattr(module, "ENTRIES", (Entry("bicubic", "bicubic"), Entry("regression", "regression")))
    return Z


def test_colours_and_errors_are_those_of_the_scene(scene, tmp_path):
    done = reproduce("fig10", out=tmp_path)
    assert [(row.scene, row.method) for row in done.rows] == [(f"cave, {SCENE}", e) for e in ("bicubic", "regression")]
    assert (tmp_path / "fig10.png").exists()
    images = tmp_path / "fig10-images"
    truth = np.load(images / "truth.npy")
    # 640, 550 and 460 nm of 400, 410 ... 700
    np.testing.assert_allclose(truth[:3], scene[0, [24, 15, 6]].numpy(), rtol=1e-6)
    assert not truth[3].any()
    # of each pixel the root mean square over the bands; of all pixels that is the row's RMSE, whose estimate is cut
    for row in done.rows:
        error = np.load(images / f"{row.method}.npy")[3]
        np.testing.assert_allclose(np.sqrt(np.square(error).mean()), row.rmse, rtol=0.02)


def test_a_truth_that_is_gone_is_made_again(scene, tmp_path):
    reproduce("fig10", out=tmp_path)
    (tmp_path / "fig10-images" / "truth.npy").unlink()
    reproduce("fig10", out=tmp_path)
    assert (tmp_path / "fig10-images" / "truth.npy").exists()


def test_missing_files_are_said_before_a_training(tmp_path):
    with pytest.raises(DatasetNotFoundError, match=SCENE):
        reproduce("fig10", data=tmp_path, out=tmp_path / "out")
    assert not (tmp_path / "out" / "weights").exists()
