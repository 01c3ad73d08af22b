"""From a recipe to a learned kernel: many small exact problems, resumable."""

from __future__ import annotations

import hashlib
import json
import math
import platform
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from hsrdiff.datasets import make_dataset
from hsrdiff.errors import RecipeError, WeightsError, WriteError
from hsrdiff.fusers.kriging.learned_kernel import LearnedKernel
from hsrdiff.fusers.kriging.learned_weights import KernelCard, load_kernel, save_kernel
from hsrdiff.fusers.masking import fill_invalid
from hsrdiff.rng import derive_seed, generator
from hsrdiff.threads import use_threads
from hsrdiff.training.checkpoints import CHECKPOINT, Progress, load_checkpoint, save_checkpoint
from hsrdiff.training.journal import Journal, write_whole
from hsrdiff.training.kriging.loss import KernelLoss, kernel_loss
from hsrdiff.training.kriging.problem import SmallProblem, check_side, draw_problem, random_guide
from hsrdiff.training.kriging.recipe import KernelData, KernelRecipe, KernelTraining, load_kernel_recipe
from hsrdiff.training.run import TrainResult
from hsrdiff.typing import PathLike

_WARMUP = 10  # steps
_LAST_RATE = 0.02  # of the first


@dataclass(frozen=True)
class Family:
    """Scenes of one data set.

    Attributes:
        section: What the recipe says about it.
        scenes: Z of each, shape (B, H, W), float32, without invalid values.
        guide: The data set's own R, shape (b, B), float32; None where it has none.
    """

    section: KernelData
    scenes: tuple[torch.Tensor, ...]
    guide: torch.Tensor | None


def load_families(recipe: KernelRecipe, data: PathLike | None = None) -> tuple[Family, ...]:
    """Load the scenes a recipe names; invalid pixels take the spectrum of the nearest valid one.

    Args:
        recipe: The recipe.
        data: Folder of the data, in place of HSRDIFF_DATA.

    Returns:
        One family for each entry of the recipe's data.

    Raises:
        RecipeError: If a split is empty, or its scenes are too small for a factor.
        DatasetNotFoundError: If the files are missing.
    """
    families = []
    for section in recipe.data:
        dataset = make_dataset(section.dataset, data=data)
        scenes, guide = [], None
        for name in dataset.scenes(section.split):
            cube = dataset.load(name)
            Z = torch.from_numpy(np.ascontiguousarray(cube.values, dtype=np.float32))[None]
            scenes.append(fill_invalid(Z, torch.isfinite(Z).all(dim=1, keepdim=True))[0])
            for factor in section.factors:
                if not check_side(factor, (Z.shape[-2], Z.shape[-1])):
                    raise RecipeError(
                        f"the scene '{name}' of {Z.shape[-2]} x {Z.shape[-1]} pixels at factor {factor}",
                        expected="at least 64 low-resolution pixels",
                        do="leave that factor out for this data set",
                    )
            if section.own_guide and guide is None:
                centres_nm = cube["wavelength"].values if "wavelength" in cube.coords else None
                guide = dataset.observation(centres_nm).spectral.matrix.float()
        if not scenes:
            raise RecipeError(
                f"{section.dataset}'s split '{section.split}' has no scenes",
                expected="a split that has some",
                do="change its data.split",
            )
        families.append(Family(section, tuple(scenes), guide))
    return tuple(families)


def problem_of_step(families: tuple[Family, ...], step: int, options: KernelTraining) -> SmallProblem:
    """Draw the problem of a step, a function of the seed and the step alone.

    Args:
        families: From `load_families`.
        step: From 0.
        options: Seed and sizes.

    Returns:
        The problem.
    """
    draw = generator(options.seed, "kriging", step)
    shares = torch.tensor([family.section.share for family in families])
    family = families[int(torch.multinomial(shares, 1, generator=draw))]
    Z = family.scenes[int(torch.randint(len(family.scenes), (), generator=draw))]
    factor = family.section.factors[int(torch.randint(len(family.section.factors), (), generator=draw))]
    own = float(torch.rand((), generator=draw)) < family.section.own_guide
    R = family.guide if own and family.guide is not None else random_guide(Z.shape[0], draw)
    return draw_problem(Z, R, factor, options, draw)


def run_kernel_recipe(
    name_or_path: PathLike,
    out: PathLike,
    *,
    data: PathLike | None = None,
    minutes: float | None = None,
    threads: int | None = None,
    progress: bool = True,
    overrides: dict[str, str] | None = None,
    stop_at: int | None = None,
) -> TrainResult:
    """Train a learned kernel as a recipe says, resuming whatever `out` already holds.

    Arguments and result are those of `run_recipe`.

    Raises:
        HsrdiffError: As `run_recipe` says.
    """
    recipe = load_kernel_recipe(name_or_path, overrides)
    use_threads(threads)
    families = load_families(recipe, data)
    options, folder = recipe.training, Path(out)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(options.seed, "weights"))
        kernel = LearnedKernel(recipe.kernel)
    optimizer = torch.optim.Adam(_groups(kernel))
    before = Progress(0, 0.0, 0.0, f"{recipe.digest()}-{_digest(families)}")
    checkpoint, weights = folder / CHECKPOINT, folder / f"{recipe.name}.safetensors"
    if checkpoint.exists():
        before = load_checkpoint(checkpoint, kernel, optimizer, before.digest)
        # written again the file would have another hash, and runs that stand on it would not know their base
        if before.step >= options.steps and _holds(weights, before.step):
            return _result(weights, before, options.steps)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "recipe.json", recipe.model_dump_json(indent=2))
    except OSError as e:
        raise WriteError(f"'{folder}' cannot be written ({e.strerror})", do="choose another folder") from e
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
    with Journal(folder, options.steps, step, show=progress) as journal:
        while step < last:
            tick = time.perf_counter()
            loss = _update(kernel, optimizer, problem_of_step(families, step, options), step, options)
            step += 1
            journal.report(step, "problems", 1 / (time.perf_counter() - tick), _values(loss))
            late = minutes is not None and time.perf_counter() - clock > 60 * minutes
            if step % options.save_every == 0 or step == last or late:
                save_checkpoint(checkpoint, kernel, optimizer, reached(step))
            if late:
                break
    done = reached(step)
    return _result(save_kernel(weights, kernel, _card(recipe, kernel, done)), done, options.steps)


def _holds(weights: Path, steps: int) -> bool:
    """Whether a file holds a kernel after so many steps."""
    try:
        return load_kernel(weights)[1].steps == steps
    except WeightsError:
        return False


def _result(weights: Path, done: Progress, steps: int) -> TrainResult:
    finished = done.step >= steps
    message = f"{done.step} of {steps} steps in {done.seconds / 60:.1f} minutes"
    message = message if finished else f"{message}; run the same command to go on"
    return TrainResult(weights, done.step, finished, message)


def _groups(kernel: LearnedKernel) -> list[dict[str, object]]:
    """Lengths and weights are few and far from their goal; the networks learn more slowly."""
    networks = [*kernel.per_band.parameters(), *kernel.pooled.parameters()]
    inside = {id(p) for p in networks}
    return [{"params": networks}, {"params": [p for p in kernel.parameters() if id(p) not in inside]}]


def _update(
    kernel: LearnedKernel, optimizer: torch.optim.Adam, problem: SmallProblem, step: int, options: KernelTraining
) -> KernelLoss:
    """Take one step; one whose gradient is not finite, as of a piece without any light, changes nothing."""
    part = _LAST_RATE + (1 - _LAST_RATE) * 0.5 * (1 + math.cos(math.pi * step / options.steps))
    part *= min(1.0, (step + 1) / _WARMUP)
    for group, rate in zip(optimizer.param_groups, (options.network_rate, options.learning_rate), strict=True):
        group["lr"] = rate * part
    loss = kernel_loss(kernel, problem)
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(loss.total)
    norm = torch.nn.utils.clip_grad_norm_(kernel.parameters(), options.clip)
    if torch.isfinite(norm):
        optimizer.step()
    return loss


def _values(loss: KernelLoss) -> dict[str, float]:
    return {
        "loss": loss.total.item(),
        "loss_error": loss.error.item(),
        "loss_angle": loss.angle.item(),
        "loss_relative": loss.relative.item(),
    }


def _digest(families: tuple[Family, ...]) -> str:
    """Hash the scenes' shapes and levels, rounded so that another machine's last digit is not another scene."""
    decisive = [
        [family.section.dataset, *([*Z.shape, round(float(Z.double().mean()), 5)] for Z in family.scenes)]
        for family in families
    ]
    return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:16]


def _card(recipe: KernelRecipe, kernel: LearnedKernel, done: Progress) -> KernelCard:
    return KernelCard(
        name=recipe.name,
        data=", ".join(f"{d.dataset} ({d.split})" for d in recipe.data),
        recipe=recipe.name,
        seed=recipe.training.seed,
        steps=done.step,
        cpu_hours=round(done.cpu_seconds / 3600, 4),
        notes={
            "digest": done.digest,
            "parameters": f"{sum(p.numel() for p in kernel.parameters())}",
            "torch": torch.__version__,
            "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
        },
    )
