"""The ablation of residual mode: its lines lead from the paper's method to the shipped one, a part at a time."""

from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch

from hsrdiff.evaluation import Row
from hsrdiff.experiments import residual_ablation as module
from hsrdiff.experiments import table1 as table1_module
from hsrdiff.experiments import workshop as workshop_module
from hsrdiff.experiments.residual_ablation import BASES, LINES, ResidualAblation
from hsrdiff.experiments.workshop import Workshop
from hsrdiff.fusers import Bicubic
from hsrdiff.fusers.residual.parts import USUAL
from hsrdiff.observation import Observation, SpatialResponse, SpectralResponse
from hsrdiff.training.kinds import steps_of
from hsrdiff.training.recipe import load_recipe
from hsrdiff.training.residual import load_residual_recipe
from hsrdiff.training.run import TrainResult

TITLES = [entry.title for entry in LINES]


def test_each_line_is_the_one_below_less_one_part():
    recipes = [load_residual_recipe(entry.recipe) for entry in LINES[1:]]
    known = []
    for recipe in recipes:
        assert [(d.dataset, d.split, d.factors, d.own_guide) for d in recipe.data] == [("cave", "fit", (32,), True)]
        parts = recipe.parts.model_dump() | {"basis": recipe.basis, "coordinates": recipe.network.coordinates}
        known.append(parts)
    changed = [{key for key in one if one[key] != other[key]} for one, other in pairwise(known)]
    assert changed == [
        {"evidence"},
        {"evidence"},
        {"diffused"},
        {"basis", "coordinates"},
        {"diffused"},
        {"embedding"},
        set(),
    ]
    assert recipes[-1].parts == recipes[-2].parts == USUAL
    assert {recipe.network.model_copy(update={"coordinates": 0}) for recipe in recipes} == {
        recipes[-1].network.model_copy(update={"coordinates": 0})
    }
    # the last but one differs in its sampling alone
    assert LINES[-1].recipe == LINES[-2].recipe == "cave-x32-residual-16"
    assert "steps" not in LINES[-1].options
    assert all(entry.options["steps"] == 25 for entry in LINES[:-1])


def test_the_literal_line_is_that_of_the_other_tables_on_fewer_scenes():
    ours, theirs = (load_recipe(name) for name in (LINES[0].recipe, "cdformer-cave-x32"))
    assert (ours.data.split, theirs.data.split) == ("fit", "train")
    assert ours.network == theirs.network
    assert ours.training == theirs.training


def test_all_lines_are_given_the_same_time():
    """15 minutes of the machine of docs/numbers.md at the seconds of a step that were measured there."""
    seconds = {"cdformer-cave-x32-16": 45 * 60 / 6000}
    for entry in LINES[1:]:
        bands = load_residual_recipe(entry.recipe).basis == "bands"
        seconds[entry.recipe] = 0.60 * (1.19 if bands else 1.0)
    for entry in LINES:
        minutes = steps_of(entry.recipe) * seconds[entry.recipe] / 60
        assert minutes == pytest.approx(entry.minutes, rel=0.02), entry.recipe


def row(psnr_db, scene="s"):
    return Row("m", scene, 32, psnr_db, 0.99, 3.0, 0.2, 0.01, 1.0, "R, D")


def test_the_report_says_what_each_part_gains():
    rows = {}
    for seed, psnr_db in (("seed 0", 40.0), ("seed 1", 41.0)):
        rows["cave", seed, "a", TITLES[0]] = row(psnr_db - 0.5)
        rows["cave", seed, "b", TITLES[0]] = row(psnr_db + 0.5)
        rows["cave", seed, "a", TITLES[1]] = row(psnr_db + 2.25)
    rows["cave", "seed 0", "a", BASES[0].title] = row(43.0)
    text = ResidualAblation().report(rows)
    assert f"| {TITLES[0]} | 40.50 ± 0.71 | 0.9900 | 3.00 | 0.200 | 2 |  |" in text
    assert f"| {TITLES[1]} | 42.75 ± 0.71 | 0.9900 | 3.00 | 0.200 | 2 | +2.25 |" in text
    assert f"| {BASES[0].title} | 43.00 | 0.9900 | 3.00 | 0.200 | 1 |  |" in text
    assert TITLES[2] not in text


def test_every_seed_is_trained_and_no_test_scene_is_looked_at(monkeypatch, tmp_path):
    asked, splits = [], []

    class Made:
        factor = 4

        def scenes(self, split):
            splits.append(split)
            return ("a", "b")

    def trained(entry, seed, workshop):
        assert workshop.share_pairs
        asked.append((entry.title, seed))
        return table1_module.TrainedFuser(Bicubic, "" if not entry.recipe else "digest")

    def scene(dataset, name, seed):
        Z = torch.rand((1, 5, 16, 16), generator=torch.Generator().manual_seed(ord(name)))
        observation = Observation(SpectralResponse(torch.full((1, 5), 0.2)), SpatialResponse.gaussian(4))
        X, Y = observation.observe(Z)
        return SimpleNamespace(X=X, Y=Y, Z=Z, observation=observation, name=name)

    monkeypatch.setattr(module, "make_dataset", lambda name, data=None: Made())
    monkeypatch.setattr(table1_module, "trained_fuser", trained)
    monkeypatch.setattr(table1_module, "dataset_scene", scene)
    experiment = ResidualAblation(seeds=2)
    trials = list(experiment.trained_trials(None, 3, Workshop(tmp_path)))
    assert set(splits) == {"validation"}
    assert asked == [(t, 3) for t in (*TITLES, *(b.title for b in BASES))] + [(t, 4) for t in TITLES]
    assert len({trial.labels for trial in trials}) == 2 * len(asked)
    assert trials[0].labels == ("cave", "seed 3", "a", TITLES[0])


def test_only_runs_of_residual_mode_share_pairs(monkeypatch, tmp_path):
    given = []

    def runner(recipe):
        def run(name, folder, **options):
            given.append((name, options.get("pairs")))
            return TrainResult(folder / "w", 1, True, "")

        return run

    monkeypatch.setattr(workshop_module, "runner_of", runner)
    monkeypatch.setattr(workshop_module, "content_digest", lambda path: "")
    monkeypatch.setattr(workshop_module, "training_minutes", lambda path: None)
    for share in (True, False):
        for name in ("cave-x32-residual-16", "cdformer-cave-x32-16"):
            Workshop(tmp_path, share_pairs=share).weights(name)
    assert given == [
        ("cave-x32-residual-16", tmp_path / "pairs"),
        ("cdformer-cave-x32-16", None),
        ("cave-x32-residual-16", None),
        ("cdformer-cave-x32-16", None),
    ]
