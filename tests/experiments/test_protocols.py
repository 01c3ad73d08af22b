"""Data sets of Table 1: trained on the pairs that are tested, the paper's numbers beside ours, made-up files."""

import csv
import dataclasses

import numpy as np
import pytest
import scipy.io
import torch

from hsrdiff.datasets import make_dataset
from hsrdiff.errors import DatasetNotFoundError, InputError, InvalidValueError
from hsrdiff.evaluation import PUBLISHED, Row
from hsrdiff.experiments import reproduce
from hsrdiff.experiments import table1 as module
from hsrdiff.experiments.protocols import PROTOCOLS
from hsrdiff.experiments.table1 import Table1
from hsrdiff.experiments.table_lines import TRAINING
from hsrdiff.training.competitors import is_competitor_recipe, load_competitor_recipe
from hsrdiff.training.data import load_training_data
from hsrdiff.training.recipe import DataSection, load_recipe

pytestmark = pytest.mark.filterwarnings("ignore::hsrdiff.observation.spectral.CoverageWarning")

TRAINED = [(name, entry) for name, protocol in PROTOCOLS.items() for entry in protocol.entries if entry.recipe]


def recipe_of(entry):
    return (load_competitor_recipe if is_competitor_recipe(entry.recipe) else load_recipe)(entry.recipe)


@pytest.mark.parametrize(("name", "entry"), TRAINED, ids=lambda value: getattr(value, "title", value))
def test_a_recipe_trains_on_the_pairs_that_are_tested(name, entry, tmp_path):
    recipe, protocol = recipe_of(entry), PROTOCOLS[name]
    assert recipe.name == entry.recipe
    tested = make_dataset(protocol.dataset, data=tmp_path, factor=protocol.factor, sensor=protocol.sensor)
    section = recipe.data
    trained = make_dataset(section.dataset, data=tmp_path, factor=section.factor, sensor=section.sensor)
    assert (section.dataset, section.split) == (protocol.dataset, "train")
    if name == "cave":  # its observation needs the data set's own wavelengths
        assert (section.factor, section.sensor) == (None, None)
        return
    one, other = tested.observation(), trained.observation()
    assert one.spatial.factor == other.spatial.factor == protocol.factor
    torch.testing.assert_close(one.spectral.matrix, other.spectral.matrix)
    torch.testing.assert_close(one.spatial.kernel, other.spatial.kernel)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_lines_are_unique_and_say_what_the_paper_calls_them(name):
    entries = PROTOCOLS[name].entries
    assert len({entry.title for entry in entries}) == len(entries)
    assert [e.method for e in entries] == [e.method for e in PROTOCOLS["cave"].entries]
    known = {row.method for row in PUBLISHED.get(name, ())}
    if known:
        assert {entry.published for entry in entries if entry.published} == known


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_psf_that_a_table_names_is_that_of_the_data_set(name, tmp_path):
    protocol = PROTOCOLS[name]
    if name == "cave":  # R is a table of the data folder
        folder = tmp_path / "srf"
        folder.mkdir()
        lines = [f"{400 + 10 * n},1,1,1" for n in range(31)]
        (folder / "nikon_d700_cave31.csv").write_text("\n".join(["wavelength_nm,red,green,blue", *lines]))
    dataset = make_dataset(protocol.dataset, data=tmp_path, factor=protocol.factor, sensor=protocol.sensor)
    assert dataset.observation().spatial.describe() == protocol.psf


def test_only_a_data_set_of_the_paper_has_the_papers_numbers():
    row = Row("m", "s", 4, 40.0, 0.99, 2.0, 1.0, 0.01, seconds=1.0, told="R, D")
    trained = dataclasses.replace(row, notes={TRAINING: "45.2"})
    report = Table1().report({("paviau", "corner", "BRResNet"): row, ("aviris-la", "abu-urban-5", "BRResNet"): trained})
    assert "| BRResNet | 40.00 | 0.9900 | 2.00 | 1.000 | 1.0 |  | 45.53 / 0.9965 / 1.53 / 1.111 | R, D |" in report
    assert "| BRResNet | 40.00 | 0.9900 | 2.00 | 1.000 | 1.0 | 45 |  | R, D |" in report


@pytest.mark.parametrize(("name", "file"), [("paviau", "PaviaU.mat"), ("chikusei", "20140729.mat")])
def test_missing_files_are_a_sentence_that_says_what_to_get(name, file, tmp_path):
    for ask in (
        lambda: reproduce("table1", dataset=name, data=tmp_path, out=tmp_path / "a"),
        lambda: reproduce({"paviau": "fig7", "chikusei": "fig8"}[name], data=tmp_path, out=tmp_path / "b"),
    ):
        with pytest.raises(DatasetNotFoundError, match=rf"(?s){file}.*get it from") as caught:
            ask()
        assert "\n" not in str(caught.value)


def test_a_pair_without_truth_has_no_table(tmp_path):
    with pytest.raises(InputError, match="does not know the data set 'hypsen'"):
        reproduce("table1", dataset="hypsen", data=tmp_path, out=tmp_path / "out")


@pytest.fixture
def aviris(tmp_path):
    """Five scenes of three mixed spectra each, in the layout of the true ones, with their pixels above the peak."""
    (tmp_path / "aviris_la").mkdir()
    axis = np.arange(205)
    spectra = np.stack([1500 + 1000 * np.sin(axis / 25), 4000 * np.exp(-axis / 90), 8.0 * axis])
    for number, scene in enumerate(("abu-airport-1", "abu-airport-2", "abu-airport-3", "abu-urban-4", "abu-urban-5")):
        shares = np.random.default_rng(number).dirichlet(np.ones(3), (100, 100))
        data = (shares @ spectra).astype(np.int16)
        if scene == "abu-urban-4":
            data[63:78, 88:91] = 19492
        scipy.io.savemat(tmp_path / "aviris_la" / f"{scene}.mat", {"data": data})
    return tmp_path


def test_training_keeps_clear_of_the_pixels_without_numbers(aviris):
    sections = {recipe_of(entry).data for name, entry in TRAINED if name == "aviris-la"}
    assert len(sections) == 1
    training = load_training_data(sections.pop(), aviris)
    assert [tuple(Z.shape) for Z in training.scenes] == [(205, 100, 88)] * 4
    whole = DataSection(dataset="aviris-la", factor=4, sensor="worldview3:ms")
    with pytest.raises(InvalidValueError, match="abu-urban-4"):
        load_training_data(whole, aviris)


def test_the_table_runs_on_aviris(aviris, monkeypatch, tmp_path):
    protocol = PROTOCOLS["aviris-la"]
    few = tuple(e for e in protocol.entries if e.method in ("bicubic", "regression", "brresnet"))
    monkeypatch.setitem(module.PROTOCOLS, "aviris-la", dataclasses.replace(protocol, entries=few))
    out = tmp_path / "out"

    def run():
        return reproduce("table1", dataset="aviris-la", budget=0.001, data=aviris, out=out).rows

    rows = run()
    assert [(row.scene, row.method) for row in rows] == [("aviris-la, abu-urban-5", e.title) for e in few]
    bicubic, regression, _ = rows
    assert regression.rmse < bicubic.rmse
    assert all(row.factor == 4 and np.isfinite(row.psnr_db) for row in rows)
    assert run() == rows  # with the seconds of the first run
    for name in ("table1.md", "table1.csv", "table1-rows.csv"):
        assert "regression" in (out / name).read_text()
    assert "Processor minutes meant for each training: 0.001." in (out / "table1.md").read_text()
    lines = {line["method"]: line["training_minutes"] for line in csv.DictReader((out / "table1.csv").open())}
    assert float(lines["BRResNet"]) > 0
    assert lines["regression"] == ""
    assert (out / "weights" / "brresnet-aviris-la-x4-1-steps-seed0" / "brresnet-aviris-la-x4.safetensors").exists()


def test_figure_7_is_drawn_from_a_file_as_published(monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    axis = np.arange(103)
    spectra = np.stack([1500 + 1000 * np.sin(axis / 25), 4000 * np.exp(-axis / 50)])
    share = np.random.default_rng(0).uniform(size=(610, 340, 1))
    (tmp_path / "paviau").mkdir()
    values = (share * spectra[0] + (1 - share) * spectra[1]).astype(np.uint16)
    scipy.io.savemat(tmp_path / "paviau" / "PaviaU.mat", {"paviaU": values})
    protocol = PROTOCOLS["paviau"]
    few = tuple(e for e in protocol.entries if e.method in ("bicubic", "brresnet"))
    monkeypatch.setitem(module.PROTOCOLS, "paviau", dataclasses.replace(protocol, entries=few))
    out = tmp_path / "out"
    done = reproduce("fig7", budget=0.001, data=tmp_path, out=out)
    assert [row.scene for row in done.rows] == ["paviau, corner"] * 2
    assert (out / "fig7.png").exists()
    assert "band 81 of paviau" in done.markdown
    np.testing.assert_allclose(np.load(out / "fig7-images" / "truth.npy"), values[:128, :128, 80] / 8000.0, rtol=1e-6)
