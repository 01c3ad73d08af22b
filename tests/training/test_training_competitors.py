"""Competitors are trained by the one loop: losses that fall, resuming bit for bit, sentences for mistakes."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from hsrdiff.cubes import as_cube, write_cube
from hsrdiff.errors import RecipeError, WeightsError
from hsrdiff.jobs.train import train
from hsrdiff.networks.competitors import COMPETITORS, load_competitor
from hsrdiff.training.competitors import load_competitor_recipe, shipped_competitor_recipes
from hsrdiff.training.competitors.published import PUBLISHED
from hsrdiff.training.competitors.run import make_competitor_task
from hsrdiff.training.data import load_training_data
from hsrdiff.training.loop import train_loop

SHAPES = {
    "ual": "channels = 8\ndepth = 1",
    "brresnet": "channels = 8\nblocks = 1",
    "cmhf-net": "stages = 3\nrank = 2\nadjust = 1",
    "fusformer": "channels = 12\nheads = 2\nhead_channels = 6\nencoder = 1\ndecoder = 1",
}
TEXT = """
name = "mine"
[competitor]
name = "NAME"
[competitor.config]
SHAPE
[data]
dataset = "folder"
factor = 4
sensor = "sentinel2:10m"
[training]
steps = 5
size = 8
batch = 2
learning_rate = 3e-3
drops = [0.5]
drop = 0.5
"""


@pytest.fixture(params=COMPETITORS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def recipe(name: str, tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(TEXT.replace("NAME", name).replace("SHAPE", SHAPES[name]))
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two scenes of 12 bands that are multiples of one random image: the guide tells everything."""
    folder = tmp_path / "data"
    folder.mkdir()
    wavelengths_nm = np.linspace(430.0, 900.0, 12)
    shares = np.linspace(0.2, 1.0, 12)[:, None, None]
    for seed in range(2):
        values = (shares * np.random.default_rng(seed).uniform(0.1, 1.0, (16, 16))).astype(np.float32)
        write_cube(as_cube(values, wavelengths_nm=wavelengths_nm), folder / f"{seed}.nc")
    return folder


def tensors(path: Path) -> dict[str, torch.Tensor]:
    return load_file(str(path))


def test_stopped_and_resumed_equals_one_run_bit_for_bit(recipe: Path, data: Path, tmp_path: Path, name: str) -> None:
    whole = train(recipe, out=tmp_path / "whole", data=data, progress=False)
    first = train(recipe, out=tmp_path / "parts", data=data, progress=False, minutes=0.0)
    assert (first.steps_done, first.finished) == (1, False)
    half = tensors(first.weights)
    second = train(recipe, out=tmp_path / "parts", data=data, progress=False)
    assert second.finished
    a, b = tensors(whole.weights), tensors(second.weights)
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert any(not torch.equal(a[key], half[key]) for key in a)
    rows = [json.loads(line) for line in (tmp_path / "parts" / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5]
    network, card = load_competitor(second.weights, name)
    assert (card.bands, card.msi_bands, card.factor, card.steps) == (12, 4, 4, 5)
    assert card.diffusion is None
    with pytest.raises(WeightsError, match="another recipe"):
        train(recipe, out=tmp_path / "parts", data=data, progress=False, overrides={"training.seed": "1"})
    assert network.bands == 12


def test_training_lowers_the_loss(recipe: Path, data: Path, tmp_path: Path) -> None:
    loaded = load_competitor_recipe(recipe, {"training.steps": "40"})
    task = make_competitor_task(loaded, load_training_data(loaded.data, data))

    def loss() -> float:
        with torch.no_grad():
            device = torch.device("cpu")
            return sum(task.loss(s, task.plan.stages[0], 0, device).total.item() for s in range(1000, 1006))

    before = loss()
    train_loop(task, tmp_path / "run", show=False)
    assert loss() < 0.9 * before


def test_what_a_recipe_leaves_open_is_as_published(name: str, tmp_path: Path) -> None:
    path = tmp_path / "short.toml"
    path.write_text(f'name = "s"\n[competitor]\nname = "{name}"\n[data]\ndataset = "cave"\n[training]\nsteps = 100\n')
    recipe, published = load_competitor_recipe(path), PUBLISHED[name]
    assert (recipe.training.size, recipe.training.batch) == (published.size, published.batch)
    assert recipe.training.rate(0) == published.learning_rate
    last = published.learning_rate * published.drop ** len(published.drops)
    assert recipe.training.rate(99) == pytest.approx(last)
    assert recipe.competitor.shape() == COMPETITORS[name].config()


def test_the_rate_rises_and_falls_at_the_drops(tmp_path: Path) -> None:
    text = TEXT.replace("NAME", "brresnet").replace("SHAPE", "").replace("steps = 5", "steps = 10\nwarmup = 2")
    (tmp_path / "r.toml").write_text(text)
    options = load_competitor_recipe(tmp_path / "r.toml").training
    assert [options.rate(s) for s in range(10)] == pytest.approx([1.5e-3, *[3e-3] * 4, *[1.5e-3] * 5])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('name = "brresnet"', 'name = "brrresnet"'), r"expected a known method; use 'brresnet' if"),
        (("channels = 8", "chanels = 8"), r"expected no key 'chanels'; use 'channels' if"),
        (("channels = 8", "channels = 7"), r"expected another 'channels': an even number"),
        (("batch = 2", "batches = 2"), r"unknown key 'training.batches'; use 'batch' if"),
        (("drops = [0.5]", "drops = [1.5]"), r"'training.drops.0' = 1.5; expected .* less than 1"),
        (("steps = 5", ""), r"lacks 'training.steps'"),
    ],
)
def test_mistakes_are_sentences(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TEXT.replace("NAME", "brresnet").replace("SHAPE", SHAPES["brresnet"]).replace(*change))
    with pytest.raises(RecipeError, match=message) as caught:
        load_competitor_recipe(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shipped", sorted(shipped_competitor_recipes()))
def test_shipped_recipes_are_valid(shipped: str) -> None:
    recipe = load_competitor_recipe(shipped)
    assert recipe.name == shipped
    assert shipped.startswith(f"{recipe.competitor.name}-{recipe.data.dataset}-x")
    assert recipe.summary


def test_there_is_a_recipe_for_every_competitor() -> None:
    assert {load_competitor_recipe(r).competitor.name for r in shipped_competitor_recipes()} == set(COMPETITORS)
