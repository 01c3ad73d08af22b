import importlib

import pytest

from hsrdiff import train
from hsrdiff.errors import InputError, RecipeError, WriteError
from hsrdiff.training.kinds import runner_of


def test_what_is_asked_for_reaches_the_training(tmp_path, monkeypatch):
    seen = {}

    def run_recipe(recipe, out, **options):
        seen.update(recipe=recipe, out=out, **options)
        return "result"

    monkeypatch.setattr(importlib.import_module("hsrdiff.jobs.train"), "runner_of", lambda recipe: run_recipe)
    given = {"training.seed": "3"}
    assert train("r", out=tmp_path / "run", data="d", minutes=2.0, threads=1, overrides=given) == "result"
    assert seen == {
        "recipe": "r", "out": tmp_path / "run", "data": "d", "minutes": 2.0, "threads": 1,
        "progress": True, "overrides": {"training.seed": "3"},
    }  # fmt: skip


def test_unknown_recipe_and_a_file_in_the_way_leave_nothing(tmp_path):
    with pytest.raises(RecipeError):
        train("no-such-recipe", out=tmp_path / "run")
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="is a file"):
        train("overfit-crop", out=tmp_path / "file" / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_folders_above_the_output_need_not_be_there(tmp_path, monkeypatch):
    job = importlib.import_module("hsrdiff.jobs.train")
    monkeypatch.setattr(job, "runner_of", lambda recipe: lambda recipe, out, **options: out)
    assert train("r", out=tmp_path / "runs" / "mine") == tmp_path / "runs" / "mine"


@pytest.mark.parametrize(
    ("recipe", "runner"),
    [
        ("cave-x32-small", "run_recipe"),
        ("cdformer-fixed-cave-x32", "run_recipe"),
        ("kriging-learned", "run_kernel_recipe"),
        ("any-residual", "run_residual_recipe"),
        ("brresnet-cave-x32", "run_competitor_recipe"),
        ("no-such-recipe", "run_recipe"),
    ],
)
def test_every_kind_of_recipe_has_its_loop(recipe, runner):
    assert runner_of(recipe).__name__ == runner


@pytest.mark.parametrize("minutes", [-1.0, float("nan")])
def test_a_time_below_zero_is_refused(minutes, tmp_path):
    with pytest.raises(InputError, match="minutes; expected a number of at least 0"):
        train("overfit-crop", out=tmp_path / "run", minutes=minutes)
    assert not (tmp_path / "run").exists()
