"""Figures of one band: fused once, kept, drawn from what is kept, and fused again where that is gone."""

import numpy as np
import pytest
import torch

from hsrdiff.experiments import band_figures as module
from hsrdiff.experiments import reproduce
from hsrdiff.experiments.band_figures import BandFigure
from hsrdiff.experiments.catalog import EXPERIMENTS
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


def test_it_draws_and_goes_on_behind_what_is_kept(figure, tmp_path):
    Z, _ = figure
    done = reproduce("fig99", out=tmp_path)
    assert [row.method for row in done.rows] == ["bicubic", "Regression & more"]
    assert (tmp_path / "fig99.png").exists()
    assert "![Figure 99 of the paper: band 3 of tiny" in done.markdown
    images = tmp_path / "fig99-images"
    assert np.allclose(np.load(images / "truth.npy"), Z[0, 2].numpy())
    (images / "bicubic.npy").write_bytes((images / "regression---more.npy").read_bytes())
    again = reproduce("fig99", out=tmp_path)  # kept rows: nothing is fused, the changed image stays
    assert again.rows == done.rows
    assert (images / "bicubic.npy").read_bytes() == (images / "regression---more.npy").read_bytes()


def test_a_lost_image_is_made_again(figure, tmp_path):
    reproduce("fig99", out=tmp_path)
    lost = tmp_path / "fig99-images" / "bicubic.npy"
    before = np.load(lost)
    lost.unlink()
    reproduce("fig99", out=tmp_path)
    assert np.array_equal(np.load(lost), before)
