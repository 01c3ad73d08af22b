"""Patches, resuming, freezing: the promises of the one loop."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from hsrdiff.diffusion import linear_schedule
from hsrdiff.errors import RecipeError, WeightsError
from hsrdiff.networks import CDFormer, CDFormerConfig
from hsrdiff.observation import Observation, SpatialResponse, SpectralResponse
from hsrdiff.training.loop import Task, learning_rate, step_loss, train_loop
from hsrdiff.training.patches import Patches
from hsrdiff.training.progressive import Stage, plan
from hsrdiff.training.recipe import TrainingSection

STAGES = (Stage(size=8, batch=2, share=0.6), Stage(size=0, batch=1, share=0.4, second_half_only=True))


def task(steps: int = 5, seed: int = 0, **options: object) -> Task:
    section = TrainingSection(steps=steps, seed=seed, stages=STAGES, learning_rate=3e-3, **options)  # type: ignore[arg-type]
    # Bands that are multiples of one random image: the guide tells everything, so there is something to learn.
    g = torch.Generator().manual_seed(9)
    shares = torch.tensor([0.2, 0.5, 0.8])[:, None, None]
    scenes = [shares * torch.rand(16, 12, generator=g), shares * torch.rand(12, 16, generator=g)]
    torch.manual_seed(seed)
    network = CDFormer(3, 1, CDFormerConfig(channels=8, layers=2, heads=1, window=4, ffn_ratio=1.0))
    observation = Observation(SpectralResponse(torch.full((1, 3), 1 / 3)), SpatialResponse.block_mean(2))
    patches = Patches(scenes, 2, seed)
    return Task(network, patches, observation, linear_schedule(), plan(STAGES, steps), section, "digest")


def weights(network: CDFormer) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


@pytest.mark.parametrize("stop", [1, 2, 3, 4])
def test_stopped_and_resumed_equals_one_run_bit_for_bit(tmp_path: Path, stop: int) -> None:
    whole = task()
    train_loop(whole, tmp_path / "whole", show=False)
    first = task()
    assert train_loop(first, tmp_path / "parts", stop_at=stop, show=False).step == stop
    second = task(seed=0)
    assert train_loop(second, tmp_path / "parts", show=False).step == 5
    assert torch.equal(weights(whole.network), weights(second.network))
    assert not torch.equal(weights(first.network), weights(second.network))
    steps = [json.loads(line)["step"] for line in (tmp_path / "parts" / "log.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3, 4, 5]


def test_resuming_repeats_steps_lost_after_the_last_checkpoint(tmp_path: Path) -> None:
    """A kill between checkpoints: the log is cut back, the weights come out the same."""
    whole = task(save_every=2)
    train_loop(whole, tmp_path / "whole", show=False)
    train_loop(task(save_every=2), tmp_path / "parts", stop_at=2, show=False)
    with (tmp_path / "parts" / "log.jsonl").open("a") as log:
        log.write('{"step": 3, "loss": 0.0}\n')
    again = task(save_every=2)
    train_loop(again, tmp_path / "parts", show=False)
    assert torch.equal(weights(whole.network), weights(again.network))
    rows = [json.loads(line) for line in (tmp_path / "parts" / "log.jsonl").read_text().splitlines()]
    assert [r["step"] for r in rows] == [1, 2, 3, 4, 5]
    assert rows[2]["loss"] > 0


def test_last_stage_trains_only_the_second_half(tmp_path: Path) -> None:
    t = task()
    train_loop(t, tmp_path, stop_at=3, show=False)
    before = {n: p.detach().clone() for n, p in t.network.named_parameters()}
    train_loop(t, tmp_path, show=False)
    half = {id(p) for p in t.network.second_half()}
    for name, p in t.network.named_parameters():
        assert torch.equal(p, before[name]) != (id(p) in half), name
    assert all(p.requires_grad for p in t.network.parameters())


def test_the_loop_is_adam_on_eq_8_bit_for_bit(tmp_path: Path) -> None:
    looped, plain = task(clip=1.0, decay="cosine", warmup=2), task(clip=1.0, decay="cosine", warmup=2)
    train_loop(looped, tmp_path, show=False)
    optimizer = torch.optim.Adam(plain.network.parameters(), betas=(0.9, 0.999))
    for step in range(5):
        stage = plain.plan.at(step)
        trained = plain.network.second_half() if stage.second_half_only else list(plain.network.parameters())
        plain.network.requires_grad_(False)
        for p in trained:
            p.requires_grad_(True)
        optimizer.param_groups[0]["lr"] = learning_rate(step, plain.options)
        optimizer.zero_grad()
        step_loss(plain, step, stage, 0, torch.device("cpu")).total.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
    assert torch.equal(weights(looped.network), weights(plain.network))


def test_minutes_stop_after_one_step_and_save(tmp_path: Path) -> None:
    done = train_loop(task(), tmp_path, minutes=0.0, show=False)
    assert done.step == 1
    assert [s.title for s in task().plan.missing(done.step)] == ["whole images"]
    assert train_loop(task(), tmp_path, show=False).step == 5


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_training_lowers_the_loss(tmp_path: Path, seed: int) -> None:
    t = task(steps=80, seed=seed)

    def loss() -> float:
        with torch.no_grad():
            return sum(step_loss(t, s, STAGES[0], 0, torch.device("cpu")).total.item() for s in range(1000, 1010))

    before = loss()
    train_loop(t, tmp_path, show=False)
    assert loss() < 0.9 * before


def test_bf16_with_clipping_and_checkpointing_stays_finite_and_resumes(tmp_path: Path) -> None:
    """A float32 run first: one process may train in one precision after the other."""
    exact = task(clip=1.0)
    train_loop(exact, tmp_path / "exact", stop_at=2, show=False)
    whole, first, second = (task(precision="bf16", clip=1.0, checkpointing=True) for _ in range(3))
    train_loop(whole, tmp_path / "whole", stop_at=2, show=False)
    train_loop(first, tmp_path / "parts", stop_at=1, show=False)
    assert train_loop(second, tmp_path / "parts", stop_at=2, show=False).step == 2
    assert torch.equal(weights(whole.network), weights(second.network))
    assert torch.isfinite(weights(second.network)).all()
    assert all(p.dtype == torch.float32 for p in second.network.parameters())
    assert not torch.equal(weights(exact.network), weights(whole.network))


def test_seed_changes_the_run(tmp_path: Path) -> None:
    a, b = task(seed=0), task(seed=0)
    b = Task(b.network, Patches(b.patches.scenes, 2, 1), b.observation, b.schedule, b.plan, b.options, b.digest)
    train_loop(a, tmp_path / "a", stop_at=1, show=False)
    train_loop(b, tmp_path / "b", stop_at=1, show=False)
    assert not torch.equal(weights(a.network), weights(b.network))


def test_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    t = task()
    train_loop(t, tmp_path, stop_at=1, show=False)
    other = Task(t.network, t.patches, t.observation, t.schedule, t.plan, t.options, "another")
    with pytest.raises(WeightsError, match="belongs to another recipe"):
        train_loop(other, tmp_path, show=False)
    wider = replace(t, network=CDFormer(3, 1, CDFormerConfig(channels=16, layers=2, heads=1, window=4, ffn_ratio=1.0)))
    with pytest.raises(WeightsError, match="does not fit the network"):
        train_loop(wider, tmp_path, show=False)
    (tmp_path / "checkpoint.safetensors").write_bytes(b"not a checkpoint")
    with pytest.raises(WeightsError, match="could not be read"):
        train_loop(t, tmp_path, show=False)


def test_patches_lie_on_the_lr_grid_and_inside_one_scene() -> None:
    ramp = torch.arange(16.0)[:, None] * 100 + torch.arange(16.0)
    patches = Patches([ramp[None]], factor=4, seed=0, flips=False)
    seen = set()
    for step in range(50):
        Z = patches.batch(step, Stage(size=8, batch=1))
        assert Z.shape == (1, 1, 8, 8)
        row, column = divmod(int(Z[0, 0, 0, 0]), 100)
        assert row % 4 == column % 4 == 0
        torch.testing.assert_close(Z[0, 0], ramp[row : row + 8, column : column + 8])
        seen.add((row, column))
    assert seen == {(r, c) for r in (0, 4, 8) for c in (0, 4, 8)}


def test_flips_give_all_eight_orientations() -> None:
    patches = Patches([torch.arange(4.0).view(1, 2, 2)], factor=2, seed=0)
    seen = {tuple(patches.batch(s, Stage(size=2, batch=1)).flatten().tolist()) for s in range(100)}
    assert len(seen) == 8


def test_patches_differ_between_steps_and_processes_but_not_between_calls() -> None:
    patches = Patches([torch.rand(1, 64, 64)], factor=2, seed=0)
    stage = Stage(size=8, batch=2)
    torch.testing.assert_close(patches.batch(3, stage), patches.batch(3, stage), atol=0, rtol=0)
    assert not torch.equal(patches.batch(3, stage), patches.batch(4, stage))
    assert not torch.equal(patches.batch(3, stage, 0), patches.batch(3, stage, 1))


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        (Stage(size=9), "9x9 patches at factor 2; expected a multiple of the factor; use 8"),
        (Stage(size=14), "smallest scene side is 12"),
        (Stage(size=0, batch=2), "the scenes differ in size"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(stage: Stage, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        task().patches.check([stage])


def test_learning_rate_warms_up_and_decays() -> None:
    options = TrainingSection(steps=100, learning_rate=1.0, warmup=10, decay="cosine", stages=STAGES)
    rates = [learning_rate(s, options) for s in range(100)]
    assert rates[0] == pytest.approx(0.1, rel=0.01)
    assert max(rates) == rates[9]
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert rates[-1] == pytest.approx(0.01, rel=0.05)
    constant = options.model_copy(update={"decay": "constant", "warmup": 0})
    assert {learning_rate(s, constant) for s in range(100)} == {1.0}
