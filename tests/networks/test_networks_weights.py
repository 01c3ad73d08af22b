"""Weights files: what goes in comes out, and what is not ours is refused."""

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import hsrdiff
from hsrdiff.errors import WeightsError, WriteError
from hsrdiff.networks import CDFormer, CDFormerConfig, ModelCard, NoiseRange, load_network, read_card, save_weights
from hsrdiff.networks.store import content_digest

CONFIG = CDFormerConfig(channels=8, layers=1, heads=2, window=4, ffn_ratio=2.0, embedding_scale=5000.0)
CARD = ModelCard(name="t", bands=5, msi_bands=2, wavelengths_nm=[400.0, 410, 420, 430, 440], factor=4, peak=2.5, seed=7)

# a replacement of text over all files can change a byte of a tensor, which nothing else would notice
SHIPPED = {
    "indian-pines-x4.safetensors": "ca5d36ff113810b3",
    "kriging/kriging-learned.safetensors": "171a0ba632943703",
    "residual/any-residual.safetensors": "9cb491b291b0cc80",
    "residual/cave-x32-residual-16.safetensors": "f9bc1e0ef91a71ee",
    "residual/cave-x32-residual.safetensors": "4087e0c0c851a354",
}


def test_shipped_weights_are_as_they_were_trained() -> None:
    folder = Path(hsrdiff.__file__).parent / "weights"
    found = {path.relative_to(folder).as_posix(): content_digest(path) for path in folder.rglob("*.safetensors")}
    assert found == SHIPPED


def test_round_trip(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = CDFormer(5, 2, CONFIG)
    path = save_weights(tmp_path / "w.safetensors", network, CARD)
    before = torch.random.get_rng_state()
    again, card = load_network(path)
    assert torch.equal(before, torch.random.get_rng_state())
    assert card == CARD
    assert again.config == CONFIG
    assert not again.training
    for (name, a), (_, b) in zip(network.state_dict().items(), again.state_dict().items(), strict=True):
        assert torch.equal(a, b), name
    assert read_card(path) == (CONFIG, CARD)


def test_cards_without_noise_levels_still_load(tmp_path: Path) -> None:
    with_levels = CARD.model_copy(update={"diffusion": NoiseRange(steps=500, start=1e-6, end=0.02)})
    path = save_weights(tmp_path / "new.safetensors", CDFormer(5, 2, CONFIG), with_levels)
    assert read_card(path)[1].diffusion == NoiseRange(steps=500, start=1e-6, end=0.02)
    old = {key: value for key, value in json.loads(CARD.model_dump_json()).items() if key != "diffusion"}
    metadata = {"format": "hsrdiff-cdformer-1", "config": CONFIG.model_dump_json(), "card": json.dumps(old)}
    save_file(CDFormer(5, 2, CONFIG).state_dict(), str(tmp_path / "old.safetensors"), metadata=metadata)
    assert load_network(tmp_path / "old.safetensors")[1] == CARD


def test_strangers_are_refused(tmp_path: Path) -> None:
    missing = tmp_path / "none.safetensors"
    with pytest.raises(WeightsError, match=r"could not be read as weights"):
        load_network(missing)
    foreign = tmp_path / "foreign.safetensors"
    save_file({"a": torch.zeros(2)}, str(foreign))
    with pytest.raises(WeightsError, match="no readable hsrdiff model card"):
        load_network(foreign)
    future = tmp_path / "future.safetensors"
    save_file({"a": torch.zeros(2)}, str(future), metadata={"format": "hsrdiff-cdformer-9"})
    with pytest.raises(WeightsError, match="format 'hsrdiff-cdformer-9'; expected 'hsrdiff-cdformer-1'"):
        load_network(future)
    ours = save_weights(tmp_path / "w.safetensors", CDFormer(5, 2, CONFIG), CARD)
    (tmp_path / "cut.safetensors").write_bytes(ours.read_bytes()[:-100])
    with pytest.raises(WeightsError, match=r"could not be read as weights|do not fit"):
        load_network(tmp_path / "cut.safetensors")
    wrong = save_weights(tmp_path / "wrong.safetensors", CDFormer(6, 2, CONFIG), CARD)
    with pytest.raises(WeightsError, match="do not fit its own description"):
        load_network(wrong)


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_weights_may_be_read_by_whom_the_umask_allows(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    path = save_weights(tmp_path / "w.safetensors", CDFormer(5, 2, CONFIG), CARD)
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_unwritable_target_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="could not be written"):
        save_weights(tmp_path / "no" / "w.safetensors", CDFormer(5, 2, CONFIG), CARD)
    (tmp_path / "taken").mkdir()
    with pytest.raises(WriteError, match="could not be written"):
        save_weights(tmp_path / "taken", CDFormer(5, 2, CONFIG), CARD)
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


def write(path: Path, tensors: dict[str, torch.Tensor], **card: object) -> str:
    card = {"name": "a", "hours": 1.0, "notes": {"cpu_hours": "2"}} | card
    save_file(tensors, path, {"format": "f", "config": "{}", "card": json.dumps(card)})
    return content_digest(path)


def test_the_content_of_weights_is_all_but_the_time_they_took(tmp_path: Path) -> None:
    path, tensors = tmp_path / "a.safetensors", {"a": torch.arange(4.0), "b": torch.zeros(2, 3, dtype=torch.bfloat16)}
    first = write(path, tensors)
    # the library's header has another order at each writing
    assert {write(path, tensors) for _ in range(8)} == {first}
    assert write(path, dict(reversed(tensors.items())), hours=3.0, notes={"cpu_hours": "9"}) == first
    others = (
        write(path, tensors, name="b"),
        write(path, tensors, notes={"cpu_hours": "2", "psf": "other"}),
        write(path, tensors | {"a": tensors["a"] + 1}),
        write(path, tensors | {"a": tensors["a"].reshape(2, 2)}),
        write(path, {"a": tensors["a"], "c": tensors["b"]}),
    )
    assert len({first, *others}) == 1 + len(others)


def test_content_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    for content in (None, b"no weights"):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(WeightsError, match="could not be read"):
            content_digest(path)
