"""The one training loop."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from hsrdiff.diffusion import Schedule, diffuse, sample_gamma
from hsrdiff.errors import MissingExtraError
from hsrdiff.networks import Denoiser
from hsrdiff.observation import Observation
from hsrdiff.rng import generator, normal_like
from hsrdiff.training.checkpoints import CHECKPOINT, Progress, load_checkpoint, save_checkpoint
from hsrdiff.training.journal import Journal
from hsrdiff.training.loss import Loss, loss_eq8
from hsrdiff.training.patches import Patches
from hsrdiff.training.progressive import Plan, Stage
from hsrdiff.training.recipe import TrainingSection


class Options(Protocol):
    """What the loop itself reads of a recipe's [training]."""

    @property
    def steps(self) -> int:
        """Optimiser steps in all."""

    @property
    def betas(self) -> tuple[float, float]:
        """Adam's moment decay rates."""

    @property
    def clip(self) -> float:
        """Largest gradient norm; 0 for none."""

    @property
    def precision(self) -> str:
        """Either "no" (float32) or "bf16"."""

    @property
    def save_every(self) -> int:
        """Steps between checkpoints."""


class StepLoss(Protocol):
    """The loss of one step."""

    @property
    def total(self) -> torch.Tensor:
        """What is minimised, a scalar."""

    def values(self) -> dict[str, float]:
        """Numbers for the log; one is "loss"."""


class Trainee(Protocol):
    """What the loop trains, whatever the network and its loss."""

    @property
    def network(self) -> nn.Module:
        """Trained in place."""

    @property
    def plan(self) -> Plan:
        """Which patches at which step."""

    @property
    def options(self) -> Options:
        """How long and how."""

    @property
    def digest(self) -> str:
        """Hash of the recipe and the data, kept in checkpoints."""

    def begin(self) -> None:
        """Set what the recipe asks of the network."""

    def rate(self, step: int) -> float:
        """Return Adam's step size at `step`, from 0."""

    def freeze(self, stage: Stage) -> list[nn.Parameter]:
        """Let gradients reach only the parameters that a stage trains, and return them."""

    def loss(self, step: int, stage: Stage, process: int, device: torch.device) -> StepLoss:
        """Draw the patches of a step, a function of seed, step and process alone, and compare the answer."""


@dataclass(frozen=True)
class Task:
    """What is trained on what, in the paper's mode.

    Attributes:
        network: Trained in place.
        patches: Where the truths come from.
        observation: R and D of the training pairs, used to make them and in Eq. (8).
        schedule: Noise schedule of training.
        plan: Progressive learning.
        options: Optimiser and seed.
        digest: Hash of the recipe and the data, kept in checkpoints.
    """

    network: Denoiser
    patches: Patches
    observation: Observation
    schedule: Schedule
    plan: Plan
    options: TrainingSection
    digest: str

    def begin(self) -> None:
        """Recompute layers in the backward pass where the recipe says so."""
        self.network.checkpointing = self.options.checkpointing

    def rate(self, step: int) -> float:
        """Return Adam's step size at `step`, from 0."""
        return learning_rate(step, self.options)

    def freeze(self, stage: Stage) -> list[nn.Parameter]:
        """Let gradients reach only the parameters that a stage trains, and return them."""
        return _freeze(self.network, second_half_only=stage.second_half_only)

    def loss(self, step: int, stage: Stage, process: int, device: torch.device) -> Loss:
        """Return Eq. (8) on the patches of a step."""
        return step_loss(self, step, stage, process, device)


def learning_rate(step: int, options: TrainingSection) -> float:
    """Return Adam's step size at `step` (from 0): warm-up, then constant or a half cosine to a hundredth."""
    rate = options.learning_rate
    if options.decay == "cosine":
        rate *= 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / options.steps))
    if step < options.warmup:
        rate *= (step + 1) / options.warmup
    return rate


def step_loss(task: Task, step: int, stage: Stage, process: int, device: torch.device) -> Loss:
    """Draw patches, noise levels and noise for one step, and return Eq. (8).

    Everything drawn is a function of seed, step and process, so a resumed run repeats nothing and skips nothing.

    Args:
        task: What is trained.
        step: From 0.
        stage: The stage `step` belongs to.
        process: Rank of this process.
        device: Where the network is.

    Returns:
        The three terms of the loss.
    """
    seed = task.options.seed
    Z = task.patches.batch(step, stage, process).to(device)
    X, Y = task.observation.observe(Z)
    gamma = sample_gamma(task.schedule, Z.shape[0], generator(seed, "gamma", step, process))
    gamma = gamma.to(device=device, dtype=Z.dtype)
    # P16: what is diffused is 2 Z - 1, in [-1, 1].
    Z_0 = 2 * Z - 1
    Z_t = diffuse(Z_0, gamma, normal_like(Z_0, generator(seed, "noise", step, process)))
    Z_hat = task.network(2 * X - 1, 2 * Y - 1, Z_t, gamma)
    return loss_eq8((Z_hat.float() + 1) / 2, X, Y, Z, task.observation)


def is_main_process() -> bool:
    """Tell whether this process is the one that writes: the only one, or rank 0 of a launcher's."""
    return os.environ.get("RANK", "0") == "0"


def end_processes() -> None:
    """Wait for a launcher's other processes and take the process group down; nothing without a launcher.

    To be called once, when nothing is left to train in this process. A group that lives on while the interpreter ends
    can abort it, all files written, with "terminate called without an active exception".
    """
    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        distributed.barrier()  # a process that leaves early would take the others' connections with it
        _accelerator().end_training()


def _accelerator() -> Any:
    try:
        from accelerate import Accelerator
    except ImportError as e:
        raise MissingExtraError(
            "training needs the package accelerate, which is not installed",
            do="install it with: pip install 'hsrdiff[train]'",
        ) from e
    # Its state is one for the process, so that a precision given here would bind every later run as well.
    return Accelerator()


def train_loop(
    task: Trainee, folder: Path, *, minutes: float | None = None, stop_at: int | None = None, show: bool = True
) -> Progress:
    """Train until the plan ends, the time is up, or `stop_at`; resume from ``folder/checkpoint.safetensors``.

    Args:
        task: What is trained.
        folder: Checkpoint and logs.
        minutes: Stop cleanly after this many minutes of this sitting.
        stop_at: Stop cleanly after this many steps in all.
        show: Draw a progress bar.

    Returns:
        How far the run has come.
    """
    options, network = task.options, task.network
    accelerator = _accelerator()
    device, process, processes = accelerator.device, accelerator.process_index, accelerator.num_processes
    main = accelerator.is_main_process
    network.to(device).train()
    task.begin()
    optimizer = torch.optim.Adam(network.parameters(), lr=task.rate(0), betas=options.betas)
    checkpoint = folder / CHECKPOINT
    before = Progress(0, 0.0, 0.0, task.digest)
    if checkpoint.exists():
        before = load_checkpoint(checkpoint, network, optimizer, task.digest)
    clock, cpu_clock = time.perf_counter(), time.process_time()

    def progress(step: int) -> Progress:
        return replace(
            before,
            step=step,
            seconds=before.seconds + time.perf_counter() - clock,
            cpu_seconds=before.cpu_seconds + time.process_time() - cpu_clock,
        )

    last = min(options.steps, stop_at if stop_at is not None else options.steps)
    step = before.step
    with Journal(folder, options.steps, step, show=show and main) if main else _Silence() as journal:
        while step < last:
            tick = time.perf_counter()
            stage = task.plan.at(step)
            trainable = task.freeze(stage)
            optimizer.param_groups[0]["lr"] = task.rate(step)
            with torch.autocast(device.type, torch.bfloat16, enabled=options.precision == "bf16"):
                loss = task.loss(step, stage, process, device)
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss.total)
            if processes > 1:
                for p in trainable:
                    p.grad = accelerator.reduce(p.grad, reduction="mean")
            if options.clip:
                torch.nn.utils.clip_grad_norm_(trainable, options.clip)
            optimizer.step()
            step += 1
            rate = stage.batch * processes / (time.perf_counter() - tick)
            journal.report(step, stage.title, rate, loss.values())
            late = minutes is not None and time.perf_counter() - clock > 60 * minutes
            if processes > 1:
                late = bool(accelerator.reduce(torch.tensor(float(late), device=device), "sum").item())
            if main and (step % options.save_every == 0 or step == last or late):
                save_checkpoint(checkpoint, network, optimizer, progress(step))
            if late:
                break
    network.requires_grad_(True)
    network.eval()
    return progress(step)


class _Silence:
    """A journal that says nothing, for every process but the first."""

    def __enter__(self) -> _Silence:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def report(self, step: int, title: str, patches_per_second: float, values: dict[str, float]) -> None:
        """Say nothing."""


def _freeze(network: Denoiser, *, second_half_only: bool) -> list[torch.nn.Parameter]:
    """Let gradients reach only the parameters a stage trains, and return them."""
    parameters = list(network.parameters())
    if not second_half_only:
        network.requires_grad_(True)
        return parameters
    network.requires_grad_(False)
    half = network.second_half()
    for p in half:
        p.requires_grad_(True)
    return half
