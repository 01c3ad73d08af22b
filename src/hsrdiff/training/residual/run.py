"""From a recipe to a residual denoiser: pairs prepared once, then one loop, both resumable."""

from __future__ import annotations

import math
import platform
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from rich.progress import Progress as Bar

from hsrdiff.errors import WriteError
from hsrdiff.fusers.kriging.learned import KrigingLearned
from hsrdiff.fusers.residual import ResidualCard, ResidualModel, read_residual, save_residual
from hsrdiff.fusers.residual.parts import EVIDENCE
from hsrdiff.networks.store import weights_digest
from hsrdiff.rng import derive_seed
from hsrdiff.threads import use_threads
from hsrdiff.training.checkpoints import CHECKPOINT, Progress, load_checkpoint, read_progress, save_checkpoint
from hsrdiff.training.journal import Journal, write_whole
from hsrdiff.training.residual.loss import residual_loss
from hsrdiff.training.residual.pairs import (
    PairPlan,
    PreparedPair,
    make_scene,
    plan_pairs,
    prepare_pairs,
)
from hsrdiff.training.residual.patches import draw_batch
from hsrdiff.training.residual.recipe import (
    ResidualData,
    ResidualRecipe,
    ResidualTraining,
    load_residual_recipe,
)
from hsrdiff.training.residual.sensor_coordinates import sensor_coordinates
from hsrdiff.training.run import TrainResult
from hsrdiff.typing import PathLike

_WARMUP = 50  # steps
_LAST_RATE = 0.01  # of the first


def run_residual_recipe(
    name_or_path: PathLike,
    out: PathLike,
    *,
    data: PathLike | None = None,
    minutes: float | None = None,
    threads: int | None = None,
    progress: bool = True,
    overrides: dict[str, str] | None = None,
    stop_at: int | None = None,
    pairs: PathLike | None = None,
) -> TrainResult:
    """Train a residual denoiser as a recipe says, resuming whatever `out` already holds, which keeps the pairs too.

    Arguments and result are those of `run_recipe`; `pairs` is a folder for prepared pairs that runs share, in place
    of `out`.

    Raises:
        HsrdiffError: As `run_recipe` says.
        WeightsError: If the base's kernel cannot be read.
    """
    recipe = load_residual_recipe(name_or_path, overrides)
    use_threads(threads)
    options, folder = recipe.training, Path(out)
    plans = plan_pairs(recipe, data)
    base = KrigingLearned(weights=recipe.base, std=False)
    kernel = weights_digest(recipe.base, "kriging")
    digest = f"{recipe.digest()}-{kernel}"
    checkpoint, weights = folder / CHECKPOINT, folder / f"{recipe.name}.safetensors"
    if checkpoint.exists():
        reached_before = read_progress(checkpoint, digest, recipe, "another base")
        if weights.exists() and reached_before.step == read_residual(weights)[1].steps >= options.steps:
            return _result(weights, reached_before, options.steps)  # nothing is prepared for a run that is finished
    kept = Path(pairs or folder) / f"pairs-{recipe.pairs_digest()}-{kernel}"
    try:
        for needed in (folder, kept):
            needed.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "recipe.json", recipe.model_dump_json(indent=2))
    except OSError as e:
        found = f"'{e.filename or folder}' cannot be written ({e.strerror})"
        raise WriteError(found, do="choose another folder") from e
    model, card, prepared = _prepare(recipe, base, plans, kept, data, progress)
    network = model.network
    optimizer = torch.optim.AdamW(network.parameters(), betas=(0.9, 0.98), weight_decay=options.weight_decay)
    before = Progress(0, 0.0, 0.0, digest)
    if checkpoint.exists():
        before = load_checkpoint(checkpoint, network, optimizer, digest)
    clock, cpu_clock = time.perf_counter(), time.process_time()

    def reached(step: int) -> Progress:
        return replace(
            before,
            step=step,
            seconds=before.seconds + time.perf_counter() - clock,
            cpu_seconds=before.cpu_seconds + time.process_time() - cpu_clock,
        )

    last = min(options.steps, stop_at if stop_at is not None else options.steps)
    step = before.step
    signs, image = not recipe.knows_sensors, recipe.parts.diffused == "image"
    network.train()
    with Journal(folder, options.steps, step, show=progress) as journal:
        while step < last:
            tick = time.perf_counter()
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, options)
            loss = residual_loss(network, draw_batch(prepared, step, options, signs=signs, image=image))
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            norm = torch.nn.utils.clip_grad_norm_(network.parameters(), options.clip)
            if torch.isfinite(norm):
                optimizer.step()
            step += 1
            rate = options.batch / (time.perf_counter() - tick)
            journal.report(step, f"{options.size}x{options.size} patches", rate, {"loss": loss.item()})
            late = minutes is not None and time.perf_counter() - clock > 60 * minutes
            if step % options.save_every == 0 or step == last or late:
                save_checkpoint(checkpoint, network, optimizer, reached(step))
            if late:
                break
    done = reached(step)
    notes = {
        "digest": digest,
        "parameters": f"{sum(p.numel() for p in network.parameters())}",
        "pairs": f"{len(prepared)}",
        "torch": torch.__version__,
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
    }
    card = card.model_copy(update={"steps": step, "cpu_hours": round(done.cpu_seconds / 3600, 4), "notes": notes})
    return _result(save_residual(weights, model, card), done, options.steps)


def _result(weights: Path, done: Progress, steps: int) -> TrainResult:
    finished = done.step >= steps
    message = f"{done.step} of {steps} steps in {done.seconds / 60:.1f} minutes"
    message = message if finished else f"{message}; run the same command to go on"
    return TrainResult(weights, done.step, finished, message)


def learning_rate(step: int, options: ResidualTraining) -> float:
    """Return AdamW's step size at `step` (from 0): a short rise, then a half cosine to a hundredth.

    Args:
        step: From 0.
        options: Rate and steps.

    Returns:
        The step size.
    """
    part = _LAST_RATE + (1 - _LAST_RATE) * 0.5 * (1 + math.cos(math.pi * step / options.steps))
    return options.learning_rate * part * min(1.0, (step + 1) / _WARMUP)


def _prepare(
    recipe: ResidualRecipe,
    base: KrigingLearned,
    plans: list[PairPlan],
    kept: Path,
    data: PathLike | None,
    show: bool,
) -> tuple[ResidualModel, ResidualCard, list[PreparedPair]]:
    """Build the model, prepare the pairs, and write down what they are."""
    seed, pairs_seed = recipe.training.seed, recipe.training.pairs_seed
    first, _ = make_scene(plans[0], pairs_seed, data)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "weights"))
        model = ResidualModel(recipe.model(first.bands, first.msi_bands))
    own, bands = recipe.knows_sensors, recipe.basis == "bands"
    count = recipe.network.coordinates
    coordinates = None
    if own:
        whole = [plan for plan in plans if not plan.variant]
        scenes = (make_scene(plan, pairs_seed, data)[0] for plan in whole)
        coordinates = sensor_coordinates(scenes, count, bands=bands)
        model.fix(coordinates)
    with Bar(disable=not show, transient=True) as bar:
        task = bar.add_task("pairs", total=len(plans))
        pairs = prepare_pairs(
            plans,
            kept,
            partial(EVIDENCE[recipe.parts.evidence], base=base),
            lambda plan: make_scene(plan, pairs_seed, data),
            coordinates,
            count,
            pairs_seed,
            lambda done: bar.update(task, completed=done),
            whole=recipe.parts.diffused != "unseen",
            image=bands,
        )
    assert first.observation is not None
    card = ResidualCard(
        name=recipe.name,
        data="; ".join(dict.fromkeys(map(_data_in_words, recipe.data))),
        base=_base_in_words(recipe),
        guide=list(first.observation.spectral.band_names) if own else [],
        response=first.observation.spectral.matrix.tolist() if own else [],
        factors=sorted({factor for d in recipe.data for factor in d.factors}),
        recipe=recipe.name,
        seed=seed,
    )
    return model, card, pairs


def _data_in_words(data: ResidualData) -> str:
    scenes = f" ({len(data.scenes)} scenes)" if data.scenes else ""
    made = f", mixtures of {data.materials} spectra" if data.materials else ""
    noise = ""
    if data.snr_db and data.variants > 1:
        low, high = (f"{level:g}" for level in data.snr_db)
        noise = f", noise of {low if low == high else f'{low} to {high}'} dB"
    return f"{data.dataset} {data.split}{scenes}{made}{noise}"


def _base_in_words(recipe: ResidualRecipe) -> str:
    words = {"regression": "regression-projected", "upsampled": "Y upsampled"}
    return words.get(recipe.parts.evidence, f"kriging-learned with the kernel {Path(recipe.base).stem}")
