"""Figures of one band: fused once, kept, drawn from what is kept, and fused again where that is gone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from hsrdiff.errors import WriteError
from hsrdiff.evaluation import Row
from hsrdiff.experiments import band_figures as module
from hsrdiff.experiments import reproduce
from hsrdiff.experiments.band_figures import BandFigure
from hsrdiff.experiments.catalog import EXPERIMENTS
from hsrdiff.experiments.kept_images import KeptImages
from hsrdiff.experiments.protocols import Entry, Protocol
from hsrdiff.observation import Observation, Scene, SpatialResponse, SpectralResponse

pytest.importorskip("matplotlib")


@pytest.fixture
def figure(monkeypatch):
    Z = torch.rand((1, 5, 16, 16), generator=torch.Generator().manual_seed(0))
    observation = Observation(SpectralResponse(torch.full((1, 5), 0.2)), SpatialResponse.gaussian(4))
    X, Y = observation.observe(Z)
    scene = Scene(X=X, Y=Y, observation=observation, Z=Z)
    entries = (Entry("bicubic", "bicubic"), Entry("Regression & more", "regression"))
    monkeypatch.setitem(module.PROTOCOLS, "tiny", Protocol("tiny", 4, None, entries, "a tiny scene"))
    monkeypatch.setattr(module, "make_dataset", lambda *a, **k: None)
    made = []
    monkeypatch.setattr(module, "dataset_scene", lambda *a, **k: made.append(1) or scene)
    experiment = BandFigure(99, "tiny", "s", 3)
    monkeypatch.setitem(EXPERIMENTS, "fig99", experiment)
    return Z, made


def test_it_draws_and_goes_on_behind_what_is_kept(figure, tmp_path, monkeypatch):
    Z, _ = figure
    done = reproduce("fig99", out=tmp_path)
    assert [row.method for row in done.rows] == ["bicubic", "Regression & more"]
    assert (tmp_path / "fig99.png").exists()
    assert "![Figure 99 of the paper: band 3 of tiny" in done.markdown
    assert np.allclose(np.load(tmp_path / "fig99-images" / "truth.npy"), Z[0, 2].numpy())
    monkeypatch.setattr(KeptImages, "keep", lambda *_: pytest.fail("fused again"))
    assert reproduce("fig99", out=tmp_path).rows == done.rows


@pytest.mark.parametrize("name", ["bicubic", "truth"])
def test_an_image_of_another_run_is_not_drawn(figure, tmp_path, name):
    reproduce("fig99", out=tmp_path)
    own = tmp_path / "fig99-images" / f"{name}.npy"
    before = np.load(own)
    np.save(own, before + 1.0)
    reproduce("fig99", out=tmp_path)
    assert np.array_equal(np.load(own), before)


@pytest.mark.parametrize("name", ["bicubic", "truth"])
def test_a_lost_image_is_made_again(figure, tmp_path, name):
    reproduce("fig99", out=tmp_path)
    lost = tmp_path / "fig99-images" / f"{name}.npy"
    before = np.load(lost)
    lost.unlink()
    reproduce("fig99", out=tmp_path)
    assert np.array_equal(np.load(lost), before)


def test_rows_that_say_nothing_of_their_images_keep_those_that_are_there(tmp_path):
    images = KeptImages(tmp_path / "images")
    row = Row("m", "s", 4, 30.0, 0.9, 2.0, 1.0, 0.1)
    assert not images.belong(row, ("a",))
    note = images.keep({"a": np.zeros(3)})
    assert images.belong(row, ("a",))
    assert images.belong(replace(row, notes=note), ("a",))
    assert not images.belong(replace(row, notes=note), ("a", "b"))
    assert [path.name for path in images.folder.iterdir()] == ["a.npy"]


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match="cannot be written"):
        KeptImages(tmp_path / "file" / "images").keep({"a": np.zeros(3)})
