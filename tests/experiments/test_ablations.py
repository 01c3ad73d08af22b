"""Tables 2 and 3: equal budgets, a common line computed once, the paper's numbers beside ours."""

import csv
import io

import pytest
import torch

from hsrdiff.errors import DatasetNotFoundError
from hsrdiff.evaluation import Row
from hsrdiff.experiments import ablations as module
from hsrdiff.experiments import reproduce
from hsrdiff.experiments import table1 as table1_module
from hsrdiff.experiments.ablations import NETWORKS, SEEDS, STAGES, TABLES
from hsrdiff.experiments.table_lines import lines_csv
from hsrdiff.fusers import make_fuser
from hsrdiff.observation import Observation, Scene, SpatialResponse, SpectralResponse
from hsrdiff.training.kinds import steps_of
from hsrdiff.training.recipe import load_recipe

# seconds of a patch of 64 x 64 and of one of 128 x 128, one thread, both cores of the machine of docs/numbers.md busy
PATCHES = {
    "cdformer-cave-x32": (1 / 5.117, 1 / 1.268),
    "cdformer-fixed-cave-x32": (1 / 5.281, 0.0),
    "cdformer-without-sr-cave-x32": (1 / 11.682, 1 / 2.892),
    "cd-cnn-cave-x32": (1 / 14.055, 1 / 3.666),
    "regression-cdformer-cave-x32": (1 / 5.323, 1 / 1.378),
    "unet-cave-x32": (1 / 10.436, 1 / 3.25),
}


@pytest.mark.parametrize("recipe", PATCHES)
def test_all_lines_are_given_the_same_time(recipe):
    loaded = load_recipe(recipe)
    seconds = sum(stage.share * stage.batch * PATCHES[recipe][stage.size == 128] for stage in loaded.training.stages)
    assert steps_of(recipe) * seconds / 60 == pytest.approx(45.0, rel=0.02)


@pytest.mark.parametrize("dataset", NETWORKS)
def test_lines_differ_in_one_thing_alone(dataset):
    whole = load_recipe({"cave": "cdformer-cave-x32"}.get(dataset, f"cdformer-{dataset}-x4"))
    assert (whole.data.dataset, whole.data.split) == (dataset, "train")
    for entry in (*NETWORKS[dataset], *STAGES[dataset]):
        other = load_recipe(entry.recipe)
        assert other.name == entry.recipe
        assert other.data == whole.data
        assert (other.training.learning_rate, other.training.seed) == (6e-4, 0)
        same = entry.title.startswith("CDFormer")
        assert (other.network == whole.network) == same
        assert (other.training.stages == whole.training.stages) == (entry.published != "Fixed")


def row(psnr_db):
    return Row("m", "s", 32, psnr_db, 0.99, 3.0, 0.2, 0.01, 1.0, "training data")


def test_the_reports_hold_the_spread_and_the_papers_numbers():
    rows = {("cave", f"seed {n}", "a", "CDFormer"): row(40.0 + n) for n in range(3)}
    for table in TABLES:  # the paper's full method stands in both
        report = table.report(rows)
        cells = (
            "| CDFormer | 41.00 ± 1.00 | 0.9900 | 3.00 | 0.200 | 3 |  | 44.33 / 0.9951 / 3.71 / 0.179 | training data |"
        )
        assert cells in report
        assert "PSF: Gaussian sigma 10 px, 32 x 32 px" in report
        (line,) = csv.DictReader(io.StringIO(lines_csv(table.lines(rows))))
        ours = {"psnr_db": "41.0", "psnr_db_spread": "1.0", "seeds": "3", "told": "training data", "factor": "32"}
        paper = {"paper_psnr_db": "44.33", "paper_ergas": "0.179", "paper_source": f"paper, Table {table.name[-1]}"}
        assert (ours | paper).items() <= line.items()


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_paper_has_a_row_for_every_line_that_it_compares(table):
    assert set(table.variants) == set(table.published) == {"cave", "paviau", "chikusei"}
    for name, entries in table.variants.items():
        assert {entry.published for entry in entries if entry.published} == {r.method for r in table.published[name]}


@pytest.mark.parametrize("name", ["table2", "table3"])
def test_missing_files_are_said_before_a_training(name, tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"(?s)PaviaU\.mat.*get it from"):
        reproduce(name, dataset="paviau", budget=1.0, data=tmp_path, out=tmp_path / "out")
    assert not (tmp_path / "out" / "weights").exists()


def test_a_line_of_both_tables_is_computed_once(monkeypatch, tmp_path):
    made = []

    class Made:
        factor = 4

        def scenes(self, split):
            assert split == "test"
            return ("a", "b")

        def load(self, name):
            assert name == "a"

    def trained(entry, seed, workshop):
        def make():
            made.append((entry.recipe, seed))
            return make_fuser("bicubic")

        return table1_module.TrainedFuser(make, f"{entry.recipe} {seed}", 20.0 + seed)

    def scene(dataset, name, seed):
        Z = torch.rand((1, 5, 16, 16), generator=torch.Generator().manual_seed(ord(name)))
        observation = Observation(SpectralResponse(torch.full((1, 5), 0.2)), SpatialResponse.gaussian(4))
        X, Y = observation.observe(Z)
        return Scene(X, Y, observation, Z, name=name)

    monkeypatch.setattr(module, "make_dataset", lambda name, data=None: Made())
    monkeypatch.setattr(table1_module, "trained_fuser", trained)
    monkeypatch.setattr(table1_module, "dataset_scene", scene)
    first = reproduce("table2", out=tmp_path, budget=1.0)
    lines = list(csv.DictReader((tmp_path / "table2.csv").open()))
    assert [float(line["training_minutes"]) for line in lines] == [21.0] * len(NETWORKS["cave"])
    of_table_2 = len(made)
    assert of_table_2 == SEEDS * len(NETWORKS["cave"]) * 2 == len(first.rows)
    second = reproduce("table3", out=tmp_path, budget=1.0)
    assert len(second.rows) == SEEDS * 2 * 2
    assert [recipe for recipe, _ in made[of_table_2:]] == ["cdformer-fixed-cave-x32"] * SEEDS * 2
    assert [r for r in second.rows if r.method == "CDFormer"] == [r for r in first.rows if r.method == "CDFormer"]
