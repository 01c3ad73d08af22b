"""Recipes: every key checked, every error a sentence."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field

from hsrdiff.errors import RecipeError
from hsrdiff.networks import DENOISERS, DenoiserEntry
from hsrdiff.networks.ablations import UNet
from hsrdiff.training.recipe import load_recipe, shipped_recipes

TEXT = """
name = "mine"
[data]
dataset = "cave"
[network]
preset = "tiny"
[training]
steps = 10
[[training.stages]]
size = 32
"""


def recipe(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return path


def test_defaults_are_the_papers(tmp_path: Path) -> None:
    r = load_recipe(recipe(tmp_path, TEXT))
    assert (r.training.learning_rate, r.training.betas, r.diffusion.steps) == (1e-4, (0.9, 0.999), 2000)
    assert r.network.config().channels == 32
    assert r.network.config().embedding_scale == 1.0


def test_overrides_replace_and_change_the_digest(tmp_path: Path) -> None:
    path = recipe(tmp_path, TEXT)
    a, b = load_recipe(path), load_recipe(path, {"training.seed": "3", "network.preset": "small"})
    assert (b.training.seed, b.network.config().channels) == (3, 64)
    assert a.digest() != b.digest()
    assert a.digest() == load_recipe(path, {"summary": "other words", "training.save_every": "7"}).digest()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("steps = 10", "step = 10"), r"unknown key 'training.step'; use 'steps'"),
        (("[data]", "[dta]"), r"(unknown key 'dta'; use 'data'|lacks 'data')"),
        (("size = 32", "sise = 32\nsize = 32"), r"unknown key 'training.stages.0.sise'; use 'size'"),
        (("steps = 10", "steps = 0"), r"'training.steps' = 0; expected input should be greater than or equal to 1"),
        (('preset = "tiny"', 'preset = "tny"'), r"unknown preset 'tny'; use 'tiny'"),
        (('dataset = "cave"', ""), r"lacks 'data.dataset'"),
        (
            ("steps = 10", "steps = 10\nbetas = [0.9, 1.0]"),
            r"'training.betas.1' = 1.0; expected input should be less than 1",
        ),
        (("steps = 10", "steps = 10\nbetas = [-0.1, 0.9]"), r"'training.betas.0' = -0.1; expected .* equal to 0"),
        (("steps = 10", 'steps = 10\nprecision = "fp16"'), r"'training.precision' = 'fp16'; expected .*'bf16'"),
        (('name = "mine"', 'name = "../mine"'), r"'name' = '../mine'; expected a name of letters"),
        (('name = "mine"', 'name = ""'), r"'name' = ''; expected a name of letters"),
        (("steps = 10", "steps = = 10"), r"not valid TOML"),
        (("[[training.stages]]\nsize = 32", "stages = []"), r"at least one stage"),
    ],
)
def test_mistakes_are_sentences(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    with pytest.raises(RecipeError, match=message) as caught:
        load_recipe(recipe(tmp_path, TEXT.replace(*change)))
    assert "\n" not in str(caught.value)


def test_checkpoints_from_before_there_were_other_networks_go_on(tmp_path: Path) -> None:
    """The digest of a CDFormer's recipe is the one it had when `network.kind` did not exist."""
    path = recipe(tmp_path, TEXT)
    assert load_recipe(path).digest() == "29c48eb907487f13"
    assert load_recipe(path, {"network.kind": "cdformer"}).digest() == "29c48eb907487f13"
    assert load_recipe(path, {"network.kind": "cd-cnn"}).digest() != "29c48eb907487f13"
    unet = recipe(tmp_path, TEXT.replace('preset = "tiny"', 'kind = "unet"'))
    assert load_recipe(unet).digest() == "5053be32f0aa8c96"
    assert load_recipe(unet, {"network.shape.blocks": "1"}).digest() == "42982a3cd105ce69"


def test_a_network_with_a_configuration_of_its_own_is_trained_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Own(BaseModel):
        model_config = ConfigDict(extra="forbid")
        depth: int = Field(3, ge=1)

    monkeypatch.setitem(DENOISERS, "mine", DenoiserEntry(UNet, Own, "mine"))
    path = recipe(tmp_path, TEXT.replace('preset = "tiny"', 'kind = "mine"'))
    assert load_recipe(path).network.config() == Own()
    assert load_recipe(path, {"network.shape.depth": "5"}).network.config() == Own(depth=5)
    with pytest.raises(RecipeError, match="another 'depth': Input should be greater"):
        load_recipe(path, {"network.shape.depth": "0"})


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ('kind = "cdcnn"', r"'network.kind' = 'cdcnn'; expected a known network; use 'cd-cnn' if"),
        ('kind = "unet"\npreset = "tiny"', r"no 'preset' for the kind unet: its shape stands in network.shape"),
        ("[network.shape]\nblocks = 1", r"no network.shape for the kind cdformer"),
        ('kind = "unet"\n[network.shape]\nblock = 1', r"no key 'block'; use 'blocks' if"),
    ],
)
def test_mistakes_about_the_kind_of_network_are_sentences(tmp_path: Path, network: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message) as caught:
        load_recipe(recipe(tmp_path, TEXT.replace('preset = "tiny"', network)))
    assert "\n" not in str(caught.value)


def test_missing_file_names_the_shipped_recipes(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="could not be read") as caught:
        load_recipe(tmp_path / "none.toml")
    assert "cave-x32-small" in str(caught.value)


@pytest.mark.parametrize("name", sorted(shipped_recipes()))
def test_shipped_recipes_are_valid(name: str) -> None:
    r = load_recipe(name)
    assert r.name == name
    assert r.summary
