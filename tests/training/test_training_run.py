"""From a recipe and a folder of scenes to weights: what is refused, and that refusals write nothing."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from hsrdiff.cubes import as_cube, write_cube
from hsrdiff.errors import HsrdiffError, InputError, InvalidValueError, RecipeError, WeightsError, WriteError
from hsrdiff.networks import NoiseRange, denoiser_of, load_network, read_card
from hsrdiff.training.run import TrainResult, run_recipe

TEXT = """
name = "mine"
[data]
dataset = "folder"
factor = 2
sensor = "sentinel2:10m"
[network.custom]
channels = 8
layers = 2
heads = 1
window = 4
ffn_ratio = 1.0
[training]
steps = 2
[[training.stages]]
size = 8
batch = 1
"""


def write_scene(path: Path, bands: int = 12, seed: int = 0, invalid: int = 0) -> None:
    values = np.random.default_rng(seed).uniform(0.1, 1.0, (bands, 8, 8)).astype(np.float32)
    values[0].flat[:invalid] = np.nan
    path.parent.mkdir(parents=True, exist_ok=True)
    write_cube(as_cube(values, wavelengths_nm=np.linspace(430.0, 900.0, bands)), path)


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(TEXT)
    return path


def run(recipe: Path, data: Path, **options: object) -> TrainResult:
    return run_recipe(recipe, recipe.parent / "out", data=data, progress=False, **options)  # type: ignore[arg-type]


def test_a_folder_named_like_a_data_set_is_a_folder(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_scene(tmp_path / "cave" / "a.nc")
    result = run(recipe, Path("cave"))
    assert result.finished
    assert result.weights.stat().st_size > 0
    assert json.loads((tmp_path / "out" / "recipe.json").read_text())["name"] == "mine"


def test_the_card_holds_the_noise_levels_of_the_training(recipe: Path, tmp_path: Path) -> None:
    write_scene(tmp_path / "data" / "a.nc")
    result = run(recipe, tmp_path / "data", overrides={"diffusion.steps": "500", "diffusion.end": "0.04"}, stop_at=1)
    assert read_card(result.weights)[1].diffusion == NoiseRange(steps=500, start=1e-6, end=0.04)


@pytest.mark.parametrize("kind", ["regression-cdformer", "cdformer-without-sr", "cd-cnn", "unet"])
def test_every_kind_of_network_is_trained_and_resumed_as_one_run(recipe: Path, tmp_path: Path, kind: str) -> None:
    shape = "[network.shape]\nchannels = 8\nmultipliers = [1, 2]\nblocks = 1\n"
    custom = TEXT.split("[training]")[0].split("[network.custom]")[1]
    text = TEXT.replace(f"[network.custom]{custom}", shape) if kind == "unet" else TEXT
    recipe.write_text(text)
    write_scene(tmp_path / "data" / "a.nc")
    options = {"overrides": {"network.kind": kind}}
    run(recipe, tmp_path / "data", **options, stop_at=1)
    parts = run(recipe, tmp_path / "data", **options)
    whole = run_recipe(recipe, tmp_path / "whole", data=tmp_path / "data", progress=False, **options)
    assert denoiser_of(parts.weights) == kind
    a, b = load_network(parts.weights)[0].state_dict(), load_network(whole.weights)[0].state_dict()
    assert all(torch.equal(a[key], b[key]) for key in a)


def test_a_checkpoint_of_other_data_is_refused_and_left_alone(recipe: Path, tmp_path: Path) -> None:
    write_scene(tmp_path / "one" / "a.nc")
    write_scene(tmp_path / "bands" / "a.nc", bands=10)
    write_scene(tmp_path / "scale" / "a.nc", seed=1)
    write_scene(tmp_path / "name" / "b.nc")
    run(recipe, tmp_path / "one", stop_at=1)
    (tmp_path / "out" / "recipe.json").write_text("of the first run")
    before = {p: p.read_bytes() for p in (tmp_path / "out").iterdir() if p.is_file()}
    for other in ("bands", "scale", "name"):
        with pytest.raises(WeightsError, match="other data"):
            run(recipe, tmp_path / other)
    with pytest.raises(WeightsError, match="another recipe"):
        run(recipe, tmp_path / "one", overrides={"training.seed": "1"})
    assert {p: p.read_bytes() for p in (tmp_path / "out").iterdir() if p.is_file()} == before
    assert run(recipe, tmp_path / "one").steps_done == 2
    with pytest.raises(WeightsError, match=r"another recipe: 'training.seed' was 0 and is 1;"):
        run(recipe, tmp_path / "one", overrides={"training.seed": "1"})
    with pytest.raises(WeightsError, match=r"belongs to other data;"):
        run(recipe, tmp_path / "bands")


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"overrides": {"data.split": "test"}}, RecipeError, "split 'test' has no scenes; .*: train, fit;"),
        ({"threads": 0}, InputError, "0 threads; expected at least 1"),
        ({"overrides": {"data.scenes": "['b.nc']"}}, RecipeError, "'b.nc' is not a scene"),
    ],
)
def test_refusals_write_nothing(
    recipe: Path, tmp_path: Path, options: dict[str, object], kind: type[HsrdiffError], message: str
) -> None:
    write_scene(tmp_path / "data" / "a.nc")
    with pytest.raises(kind, match=message):
        run(recipe, tmp_path / "data", **options)
    assert not (tmp_path / "out").exists()


def test_a_scene_with_holes_is_refused_with_their_share(recipe: Path, tmp_path: Path) -> None:
    write_scene(tmp_path / "data" / "a.nc", invalid=16)
    with pytest.raises(InvalidValueError, match=r"'a\.nc' has NaN or infinite values in 25 % of its pixels.*fill"):
        run(recipe, tmp_path / "data")
    assert not (tmp_path / "out").exists()
    # a window clear of the holes, which fill the first two rows, is trained on
    options = {"data.window": "[4, 0, 4, 8]", "training.stages": "[{size = 4, batch = 1}]"}
    assert run(recipe, tmp_path / "data", overrides=options).finished


def test_a_folder_that_cannot_be_written_is_a_sentence(recipe: Path, tmp_path: Path) -> None:
    write_scene(tmp_path / "data" / "a.nc")
    (tmp_path / "out").write_text("a file")
    with pytest.raises(WriteError, match="choose another folder"):
        run(recipe, tmp_path / "data")


def test_the_data_digest_sees_the_response(recipe: Path, tmp_path: Path) -> None:
    from hsrdiff.observation import Observation, SpatialResponse, SpectralResponse
    from hsrdiff.training.data import TrainingData

    def digest(weight: float) -> str:
        observation = Observation(SpectralResponse([[weight, 0.5]]), SpatialResponse.block_mean(2))
        return TrainingData((torch.zeros(2, 4, 4),), observation, 2, None, 1.0, "s", "t", ("a",)).digest()

    assert digest(0.5) == digest(0.5) == digest(0.5 + 1e-12)
    assert digest(0.5) != digest(0.4)
