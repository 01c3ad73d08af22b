"""The experiment of section 4.6 on small files in HypSen's layout: scenes in one unit, rows, report."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.io
import torch

from hsrdiff.datasets import HypSen, make_pairs
from hsrdiff.errors import DatasetNotFoundError, WavelengthError
from hsrdiff.experiments.hypsen_transfer import NETWORK, HypSenTransfer, real_scene
from hsrdiff.networks import CDFormer, CDFormerConfig, ModelCard, save_weights
from hsrdiff.training.kinds import steps_of

HYPSEN_NM = np.concatenate([np.linspace(440.0, 900.0, 40), np.linspace(1050.0, 2300.0, 44)])
PAVIA_NM = np.linspace(430.0, 860.0, 103)


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A small made-up pair: reflectance in the MSI, 50 times that in the HSI."""
    shapes = {"hyperion": (84, 24, 27), "sentinel2": (4, 72, 81)}
    monkeypatch.setattr(HypSen, "shapes", shapes)
    rows, columns = np.mgrid[0:72, 0:81] / 9.0
    Z = (
        0.3
        + 0.1 * np.sin(rows + HYPSEN_NM[:, None, None] / 300.0) * np.cos(columns)
        + 0.1 * (HYPSEN_NM / 2300.0)[:, None, None]
    )
    centres = np.array([492.0, 560.0, 665.0, 833.0])
    X = np.stack([Z[np.abs(HYPSEN_NM - at).argmin()] for at in centres])
    Y = 50.0 * Z.reshape(84, 24, 3, 27, 3).mean(axis=(2, 4))
    (tmp_path / "hypsen").mkdir()
    for stem, cube, beside in (("hyperion", Y, {"wavelength_nm": HYPSEN_NM[None]}), ("sentinel2", X, {})):
        content = {"cube": np.moveaxis(cube, 0, -1).astype(np.float32), **beside}
        scipy.io.savemat(tmp_path / "hypsen" / f"{stem}.mat", content)
    return tmp_path


@pytest.fixture
def workshop(tmp_path):
    """Weights of PaviaU's bands without their training."""
    torch.manual_seed(0)
    network = CDFormer(103, 4, CDFormerConfig(channels=8, layers=1, heads=2, window=4))
    card = ModelCard(
        name="small",
        bands=103,
        msi_bands=4,
        wavelengths_nm=PAVIA_NM.tolist(),
        msi_wavelengths_nm=[481.0, 545.0, 660.0, 815.0],
        msi_widths_nm=[60.0, 70.0, 60.0, 90.0],
        factor=4,
    )
    path, asked = save_weights(tmp_path / "small.safetensors", network, card), []

    def weights(recipe, label, overrides):
        asked.append((recipe, overrides["training.steps"]))
        return SimpleNamespace(path=path, digest="0", minutes=None)

    return SimpleNamespace(weights=weights, budget=4.5, asked=asked)


def test_a_real_pair_becomes_a_scene_in_one_unit(data):
    scene = real_scene(make_pairs("hypsen", data=data), "hypsen")
    assert float(torch.maximum(scene.X.max(), scene.Y.max())) == pytest.approx(1.0)
    mean = scene.observation.spectral.matrix @ scene.Y.double().mean(dim=(0, 2, 3))
    assert float(scene.X.mean() / mean.mean()) == pytest.approx(1.0, rel=1e-4)
    assert (scene.factor, scene.Z) == (3, None)


def test_the_network_and_the_others_are_judged_on_the_pair(data, workshop):
    entry, others = dataclasses.replace(NETWORK, options={"steps": 2}), ("bicubic", "regression-projected")
    experiment = HypSenTransfer(entry=entry, others=others)
    rows = {trial.labels: trial.run() for trial in experiment.trained_trials(data, 0, workshop)}
    assert list(rows) == [("hypsen", NETWORK.title), *(("hypsen", name) for name in others)]
    assert workshop.asked == [("cdformer-paviau-x4", str(round(steps_of("cdformer-paviau-x4") / 10)))]
    network = rows["hypsen", NETWORK.title]
    assert "47 bands lie outside the training" in network.notes["bands"]
    assert network.notes["guide"].startswith("B2 at ")
    for row in rows.values():
        assert 0 < float(row.notes["HQNR"]) <= 1
        assert np.isfinite(row.psnr_db)
    report = experiment.report(rows)
    assert "| hypsen | regression-projected | 1.0000 |" in report
    assert "were interpolated to the 103 of 430-860 nm" in report


def test_what_is_missing_is_said_before_anything_is_trained(data, workshop):
    (data / "hypsen" / "sentinel2.mat").unlink()
    with pytest.raises(DatasetNotFoundError, match=r"sentinel2\.mat"):
        list(HypSenTransfer().trained_trials(data, 0, workshop))
    assert not workshop.asked


def test_a_pair_without_wavelengths_is_refused(data):
    path = data / "hypsen" / "hyperion.mat"
    scipy.io.savemat(path, {"cube": scipy.io.loadmat(path)["cube"]})
    with pytest.raises(WavelengthError, match="has no wavelengths"):
        real_scene(make_pairs("hypsen", data=data), "hypsen")
