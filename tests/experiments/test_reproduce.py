"""`reproduce`: rows in order, going on behind an interruption, and the experiments of the catalog."""

import dataclasses
import json
from importlib import import_module

import pytest
import torch

from hsrdiff.errors import DatasetNotFoundError, InputError
from hsrdiff.evaluation import Row
from hsrdiff.experiments import EXPERIMENTS, reproduce
from hsrdiff.experiments.base import (
    LR_PIXELS,
    DrawingExperiment,
    FusionExperiment,
    TableExperiment,
    TrainingExperiment,
    fusion_trials,
    markdown_table,
)
from hsrdiff.fusers import Bicubic, RegressionProjected
from hsrdiff.observation import Observation, Scene, SpatialResponse, SpectralResponse


def large_scene():
    """Large enough to be degraded once more."""
    return small_scene(size=64)


def small_scene(seed=0, size=16):
    Z = torch.rand((1, 5, size, size), generator=torch.Generator().manual_seed(seed))
    observation = Observation(SpectralResponse(torch.full((1, 5), 0.2)), SpatialResponse.gaussian(4))
    X, Y = observation.observe(Z)
    return Scene(X=X, Y=Y, observation=observation, Z=Z)


@dataclasses.dataclass
class Tiny:
    """Two methods on one scene; counts how often a scene is made."""

    name: str = "tiny"
    summary: str = "Two methods"
    seed: int = 0
    made: int = 0

    def trials(self, data, seed):
        def make():
            self.made += 1
            return small_scene(self.seed)

        fusers = {"bicubic": Bicubic, "projected": RegressionProjected}
        yield from fusion_trials(("somewhere", "x4"), make, fusers, seed)

    def report(self, rows):
        return "".join(f"{' '.join(labels)}: {row.rmse:.6f}\n" for labels, row in rows.items())


@pytest.fixture
def tiny(monkeypatch):
    experiment = Tiny()
    monkeypatch.setitem(EXPERIMENTS, "tiny", experiment)
    return experiment


def test_rows_report_and_files(tiny, tmp_path):
    seen = []
    result = reproduce("tiny", out=tmp_path, on_row=seen.append)
    assert [(row.scene, row.method) for row in result.rows] == [
        ("somewhere, x4", "bicubic"),
        ("somewhere, x4", "projected"),
    ]
    assert tuple(seen) == result.rows
    assert tiny.made == 1
    assert result.rows[0].notes[LR_PIXELS] == "16"
    assert result.rows[1].rmse < result.rows[0].rmse
    assert result.markdown.startswith("# tiny\n\nTwo methods.\n\nsomewhere x4 bicubic: ")
    assert (tmp_path / "tiny.md").read_text() == result.markdown
    assert len((tmp_path / "tiny-rows.csv").read_text().splitlines()) == 3


def test_a_run_goes_on_behind_its_rows_and_only_for_the_same_scene(tiny, tmp_path):
    first = reproduce("tiny", out=tmp_path)
    path = tmp_path / "rows.jsonl"
    lines = path.read_text().splitlines()
    entry = json.loads(lines[0])
    entry["row"]["rmse"] = 7.0
    path.write_text(json.dumps(entry) + "\n" + lines[1][:30])
    again = reproduce("tiny", out=tmp_path)
    assert again.rows[0].rmse == 7.0
    assert again.rows[1].rmse == first.rows[1].rmse
    tiny.seed = 1
    assert reproduce("tiny", out=tmp_path).rows[0].rmse not in (7.0, first.rows[0].rmse)


def test_files_that_are_not_those_of_the_documents_are_named(tiny, tmp_path, monkeypatch):
    assert "differ" not in reproduce("tiny", data=tmp_path).markdown
    module = import_module("hsrdiff.experiments.reproduce")
    monkeypatch.setattr(module, "differing_files", lambda data: ("a/one.mat", "a/two.mat", "b", "c"))
    end = (
        "4 of the files in the data folder differ from those of docs/numbers.md: a/one.mat, a/two.mat, b and others.\n"
    )
    assert reproduce("tiny", data=tmp_path).markdown.endswith(end)


def test_mistakes_are_sentences(tmp_path):
    with pytest.raises(InputError, match="no experiment 'kriging-scene'; use 'kriging-scenes'"):
        reproduce("kriging-scene")
    with pytest.raises(InputError, match="0 threads"):
        reproduce("robustness", threads=0)
    for budget in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(InputError, match=r"a budget of .* minutes; expected a positive number"):
            reproduce("table1", budget=budget, out=tmp_path)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_says_what_it_is_and_misses_its_data_in_a_sentence(name, tmp_path):
    experiment = EXPERIMENTS[name]
    assert experiment.name == name
    assert experiment.summary[0].isupper()
    assert not experiment.summary.endswith(".")
    if isinstance(experiment, TrainingExperiment):
        with pytest.raises(InputError, match="no folder was given"):
            reproduce(name, data=tmp_path)
        with pytest.raises(DatasetNotFoundError):
            reproduce(name, data=tmp_path, out=tmp_path / "out")
        return
    with pytest.raises(InputError, match="has no choice of budget"):
        reproduce(name, data=tmp_path, budget=1.0)
    trial = next(iter(experiment.trials(tmp_path, 0)))
    if name != "kriging-cost":
        with pytest.raises(DatasetNotFoundError):
            trial.content()


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_is_taken_for_what_it_can_do_only(name):
    """`reproduce` tells kinds of experiments by their methods: a field of such a name would be called at the end."""
    experiment = EXPERIMENTS[name]
    methods = {
        FusionExperiment: "trials",
        TrainingExperiment: "trained_trials",
        TableExperiment: "lines",
        DrawingExperiment: "draw",
    }
    kinds = [kind for kind in methods if isinstance(experiment, kind)]
    assert kinds
    assert all(callable(getattr(experiment, methods[kind])) for kind in kinds)


def test_a_table_by_hand():
    assert markdown_table(["a", "b"], [["x", "1"]]) == "| a | b |\n| --- | ---: |\n| x | 1 |\n"


def row(rmse, pixels=100):
    return Row("m", "s", 4, 30.0, 0.9, 2.0, 1.0, rmse, notes={LR_PIXELS: str(pixels)})


def test_the_bound_counts_scenes_with_enough_pixels_only():
    from hsrdiff.experiments.kriging_scenes import KrigingScenes

    experiment = KrigingScenes(
        sets=("a",), factors=(4,), guides=("gaussian4",), methods=("regression-projected", "kriging", "kriging-learned")
    )
    rows = {}
    for scene, ratio, pixels in (("good", 0.8, 64), ("bad", 1.25, 100), ("few", 3.0, 63), ("same", 1.005, 70)):
        rows["a", scene, "x4", "gaussian4", "regression-projected"] = row(0.01, pixels)
        rows["a", scene, "x4", "gaussian4", "kriging"] = row(0.01 * ratio, pixels)
        rows["a", scene, "x4", "gaussian4", "kriging-learned"] = row(0.0098 * ratio, pixels)
    report = experiment.report(rows)
    assert "| a | few | 3.000 |" in report
    assert "Of 3 cases" in report
    assert "median 1.005, worst 1.250 (a, bad, x4, gaussian4), 1 above 1.01: a, bad, x4, gaussian4: 1.250." in report
    learned = report.split("## RMSE of kriging-learned over that of kriging")[1]
    assert "| a | few | 0.980 |" in learned
    assert "0 above 1.01." in learned


def test_the_cost_of_a_condition_by_hand():
    from hsrdiff.experiments.conditions import clean
    from hsrdiff.experiments.robustness import Robustness
    from hsrdiff.experiments.small_scenes import JASPER_RIDGE, SAMSON

    names = {"clean": clean, "worse": clean}
    experiment = Robustness((JASPER_RIDGE, SAMSON), ("bicubic", "kriging"), names)
    rows = {}
    for scene, factor in ((JASPER_RIDGE.label, 4.0), (SAMSON.label, 1.0)):
        for method, start in (("bicubic", 0.1), ("kriging", 0.05)):
            rows[scene, "clean", method] = row(start)
            rows[scene, "worse", method] = row(start * (factor if method == "kriging" else 1.0))
    report = experiment.report(rows)
    assert "| worse | 1.00 / +0.0 / +0.00 | 2.00 / +0.0 / +0.00 |" in report
    assert f"worse than bicubic in 1 of 4 cases: {JASPER_RIDGE.label}, worse" in report


def test_the_cost_of_a_choice_by_hand():
    from hsrdiff.experiments.auto_choice import AutoChoice

    experiment = AutoChoice(sets=("a",), factors=(4,), guides=("gaussian4",))
    rows = {}
    # scene: (RMSE of kriging and of regression, what was chosen)
    cases = {"right": (1.0, 2.0, "kriging"), "near": (1.005, 1.0, "kriging"), "wrong": (1.0, 1.3, "regression")}
    for scene, (kriging, regression, chosen) in cases.items():
        labels = ("a", scene, "x4", "gaussian4")
        rows[*labels, "kriging"], rows[*labels, "regression"] = row(kriging), row(regression)
        rows[*labels, "auto"] = dataclasses.replace(row(1.0), method=chosen, notes={"degraded kriging": "0.1"})
    report = experiment.report(rows)
    assert "| all | 3 | 2 | 1.002 | 1 | 2 | 1.005 | 1.102 | 1.300 | 1.002 | 1.433 |" in report
    assert report.endswith("| a | wrong | x4 | gaussian4 | regression | kriging | 1.300 |\n")
    assert "nothing compared" not in report
    rows["a", "wrong", "x4", "gaussian4", "auto"].notes.clear()
    report = experiment.report(rows)
    assert "| nothing compared | 1 | 0 | 1.300 | 0 | 0 |" in report
    assert "| regression (nothing compared) |" in report


def test_a_choice_on_noisy_pairs_is_told_what_noise_the_pair_shows(monkeypatch):
    import hsrdiff.experiments.auto_choice as module

    class OneScene:
        def scenes(self, split):
            return ("here",) if split == "test" else ()

    given = []

    def trials(labels, make, fusers, seed):
        given.append((labels, make()))
        return iter(())

    monkeypatch.setattr(module, "make_dataset", lambda *_, **__: OneScene())
    monkeypatch.setattr(module, "middle_scene", lambda *_, **__: large_scene())
    monkeypatch.setattr(module, "fusion_trials", trials)
    experiment = module.AutoChoice(
        ("a",), (4,), ("gaussian4",), ("bicubic",), snr_db=(20.0, 40.0), name="noisy", summary="words"
    )
    chosen = list(experiment.trials(None, 0))
    assert [trial.labels[3] for trial in chosen] == ["gaussian4, 20 dB", "gaussian4, 40 dB"]
    (_, strong), (_, weak) = given
    clean = large_scene()
    for scene, snr_db in ((strong, 20.0), (weak, 40.0)):
        noise = (scene.X - clean.X).double().square().mean() / clean.X.double().square().mean()
        assert float(10 * noise.log10()) == pytest.approx(-snr_db, abs=0.3)
    # estimated, so that detail counts a little
    assert strong.sigma_x == pytest.approx(0.1 * float(clean.X.square().mean().sqrt()), rel=0.6)
    assert 0 < weak.sigma_x < 0.5 * strong.sigma_x
    assert experiment.summary == "words"


def test_rank_correlations_with_the_truth_by_hand():
    from hsrdiff.experiments.quality_without_truth import QualityWithoutTruth

    # RMSE, HQNR, error at reduced resolution: HQNR has a tie of the two best, the error swaps them
    cases = {
        "kriging": (1.0, "1", "0.2"),
        "regression-projected": (1.5, "0.9999999", "0.1"),
        "bicubic": (3, "0.6", "1"),
    }
    rows = {}
    for method, (rmse, hqnr, error) in cases.items():
        notes = {"HQNR": hqnr, "reduced error": error}
        rows["a", "b", "gaussian4", method] = dataclasses.replace(row(rmse), notes=notes)
    report = QualityWithoutTruth().report(rows)
    everything, consistent = report.split("## Only results consistent with both images")
    # ranks (1.5, 1.5, 3) against (1, 2, 3): Spearman sqrt(3) / 2, Kendall 2 / sqrt(6); the cost is that of a draw
    assert "| HQNR | 1 | 0.866 | 0.816 | 0.816 | 1.250 | 1.250 |" in everything
    assert "| reduced error | 1 | 0.500 | 0.333 | 0.333 | 1.500 | 1.500 |" in everything
    assert "| HQNR | 1 | 0.000 | 0.000 | 0.000 | 1.250 | 1.250 |" in consistent
    assert "| reduced error | 1 | -1.000 | -1.000 | -1.000 | 1.500 | 1.500 |" in consistent
    assert "| D_s |" not in everything  # no row says it
    assert "| a | b | gaussian4 | bicubic | 30000.00 | 0.60000 | nan | nan | 1.00000 |" in report


def test_a_trial_measures_with_and_without_the_truth(monkeypatch):
    import hsrdiff.experiments.quality_without_truth as module

    class OneScene:
        def scenes(self, split):
            return ("here",) if split == "test" else ()

    monkeypatch.setattr(module, "make_dataset", lambda *_, **__: OneScene())
    monkeypatch.setattr(module, "dataset_scene", lambda *_, **__: large_scene())
    experiment = module.QualityWithoutTruth(sets=("a",), guides=("g",), methods=("bicubic", "regression-projected"))
    found = {trial.labels: trial.run() for trial in experiment.trials(None, 0)}
    projected, bicubic = (found["a", "here", "g", method] for method in ("regression-projected", "bicubic"))
    assert float(projected.notes["HQNR"]) == pytest.approx(1.0, abs=1e-6)
    assert float(bicubic.notes["HQNR"]) < 0.9
    assert float(projected.notes["reduced error"]) < float(bicubic.notes["reduced error"])
    assert projected.rmse < bicubic.rmse
    assert set(module.CRITERIA) <= set(projected.notes)
