"""Training within experiments: once, in its own folder, keyed by content; the report excuses and counts as it says."""

import json

import pytest
import torch
from safetensors.torch import save_file

from hsrdiff.errors import InputError, WriteError
from hsrdiff.evaluation import Row
from hsrdiff.experiments import workshop as workshop_module
from hsrdiff.experiments.base import TrainingExperiment
from hsrdiff.experiments.left_out import LEARNED, OURS, PLAIN, LeftOut
from hsrdiff.experiments.protocols import Entry
from hsrdiff.experiments.table1 import trained_fuser
from hsrdiff.experiments.workshop import Workshop
from hsrdiff.training import TrainResult
from hsrdiff.training.kinds import steps_of


@pytest.fixture
def trainings(monkeypatch):
    """A training that writes what it was told."""
    calls = []

    def train(recipe, out, **options):
        calls.append((recipe, options))
        weights = out / f"{recipe}.safetensors"
        card = {"trained": f"{recipe} {sorted((options['overrides'] or {}).items())}", "hours": len(calls)}
        save_file({"a": torch.zeros(2)}, weights, {"format": "x", "config": "{}", "card": json.dumps(card)})
        return TrainResult(weights, 1, True, "")

    monkeypatch.setattr(workshop_module, "runner_of", lambda recipe: train)
    return calls


def test_each_run_has_its_folder_and_its_digest(tmp_path, trainings):
    workshop = Workshop(tmp_path / "weights")
    first = workshop.weights("a")
    other = workshop.weights("a", "a-seed1", {"training.seed": "1"})
    again = workshop.weights("a")
    assert first.path == tmp_path / "weights" / "a" / "a.safetensors"
    assert other.path == tmp_path / "weights" / "a-seed1" / "a.safetensors"
    assert first.digest != other.digest
    assert first == again  # the time it took is on the card, and is not what the weights are
    assert [options["overrides"] for _, options in trainings] == [None, {"training.seed": "1"}, None]


def test_a_folder_that_cannot_be_used_is_said(tmp_path, trainings):
    (tmp_path / "weights").touch()
    with pytest.raises(WriteError, match="cannot be used"):
        Workshop(tmp_path / "weights").weights("a")
    assert not trainings


def test_a_data_set_is_chosen_by_name_the_first_by_default(tmp_path):
    known = {"cave": 1, "aviris-la": 2}
    assert Workshop(tmp_path).choose(known) == 1
    assert Workshop(tmp_path, dataset="aviris-la").choose(known) == 2
    with pytest.raises(InputError, match="does not know the data set 'pavia'"):
        Workshop(tmp_path, dataset="pavia").choose(known)


def test_a_budget_takes_its_part_of_the_steps(tmp_path, trainings):
    entry = Entry("a", "brresnet", "brresnet-cave-x32", minutes=45.0)
    trained_fuser(entry, 3, Workshop(tmp_path, budget=9.0))
    ((recipe, options),) = trainings
    steps = steps_of("brresnet-cave-x32")
    assert recipe == "brresnet-cave-x32"
    assert options["overrides"] == {"training.seed": "3", "training.steps": str(round(steps / 5))}
    trained_fuser(entry, 3, Workshop(tmp_path))
    assert trainings[1][1]["overrides"] == {"training.seed": "3"}


def row(rmse, floor=None):
    notes = {} if floor is None else {"noise floor": repr(floor)}
    return Row("m", "s", 4, 40.0, 0.99, 2.0, 1.0, rmse, notes=notes)


def test_the_report_excuses_scenes_near_their_noise():
    assert isinstance(LeftOut(), TrainingExperiment)
    rows = {}
    for scene, plain, ours in (("a", 0.010, 0.0095), ("b", 0.010, 0.0101), ("noisy", 0.0014, 0.0015)):
        rows["f", "set", scene, "x4", PLAIN] = row(plain, floor=0.001)
        rows["f", "set", scene, "x4", LEARNED] = row(plain)
        rows["f", "set", scene, "x4", OURS] = row(ours)
    text = LeftOut().report(rows)
    assert "| f | set | a | x4 | 100.0 | 10.00 | 1.000 | 0.950 |" in text
    assert "| f | set | noisy | x4 | 14.0 | 1.40 (excused) | 1.000 | 1.071 |" in text
    assert "x4, 2 scenes not excused: median 0.980, worst 1.010, 1 above 1: b 1.010." in text
