import importlib

import pytest

from hsrdiff import train
from hsrdiff.errors import RecipeError, WriteError


def test_what_is_asked_for_reaches_the_training(tmp_path, monkeypatch):
    seen = {}

    def run_recipe(recipe, out, **options):
        seen.update(recipe=recipe, out=out, **options)
        return "result"

    monkeypatch.setattr(importlib.import_module("hsrdiff.jobs.train"), "run_recipe", run_recipe)
    given = {"training.seed": "3"}
    assert train("r", out=tmp_path / "run", data="d", minutes=2.0, threads=1, overrides=given) == "result"
    assert seen == {
        "recipe": "r", "out": tmp_path / "run", "data": "d", "minutes": 2.0, "threads": 1,
        "progress": True, "overrides": {"training.seed": "3"},
    }  # fmt: skip


def test_unknown_recipe_and_missing_folder_leave_nothing(tmp_path):
    with pytest.raises(RecipeError):
        train("no-such-recipe", out=tmp_path / "run")
    with pytest.raises(WriteError, match="does not exist"):
        train("overfit-crop", out=tmp_path / "no" / "run")
    assert not list(tmp_path.iterdir())
