"""Compare methods on the degraded pair and choose one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch

from hsrdiff.choice.degraded import LEAST_PIXELS, Degraded, FitResponse, degrade
from hsrdiff.choice.methods import Make
from hsrdiff.errors import HsrdiffError
from hsrdiff.observation import Scene
from hsrdiff.rng import generator

# Methods are equals whose error is within this share of the least. So far off, as a root mean square, is what the
# degraded pair says of one method over another: less for the number of its pixels, of 64 or 1024, than for its scale.
# Mostly it says too little of the methods that gain most from many pixels, which are first in the order. From
# `benchmarks.choice_tie`.
TIE = 0.2
# Numerics: share of the image's level below which an error of a band is rounding, so that an empty band decides nothing
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Choice:
    """What was chosen and why.

    Attributes:
        method: Name of the method.
        errors: (name, relative error) of each method, the least first; empty where there was nothing to compare on.
        runner_up: The best of the other methods, or empty.
        loss: Error of the runner-up over that of the method, less 1: an estimate of what it would lose; below zero
            where the method is the first of equals and the runner-up has the least error.
        factor: Factor by which the pair was degraded once more, or 0.
        pixels: Valid pixels of the degraded hyperspectral image.
        tie: Share of the least error within which methods were equals.
        failed: Name -> why a method could not be compared.
        remarks: What else the reader should know.
    """

    method: str
    errors: tuple[tuple[str, float], ...] = ()
    runner_up: str = ""
    loss: float = 0.0
    factor: int = 0
    pixels: int = 0
    tie: float = TIE
    failed: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def record(self) -> dict[str, str]:
        """Return the choice in words, for a cube's attributes and the screen."""
        if not self.errors:
            return {"hsrdiff_auto": f"{self.method}; nothing was compared: {'; '.join(self.remarks)}"}
        least = self.errors[0][0]
        equal = f"first in order of those within {100 * self.tie:.2g} % of the least error, that of {least},"
        reason = "the least error" if least == self.method else equal
        record = {
            "hsrdiff_auto": "; ".join(
                (
                    f"{self.method}, {reason} of {len(self.errors)} methods on the pair degraded by {self.factor} "
                    f"once more ({self.pixels} coarse pixels)",
                    *self.remarks,
                )
            ),
            "hsrdiff_auto_errors": ", ".join(f"{name} {100 * error:.3g} %" for name, error in self.errors),
        }
        if self.runner_up:
            change = f"estimated to lose {100 * self.loss:.2g} %"
            if self.loss < 0:  # the first of equals was chosen
                more = f"{100 / (1 + self.loss) - 100:.2g} %"
                change = f"than which {self.method} has {more} more error there"
            doubt = ", too little to tell" if self.loss <= self.tie else ""
            record["hsrdiff_auto_runner_up"] = f"{self.runner_up}, {change}{doubt}"
        if self.failed:
            record["hsrdiff_auto_failed"] = "; ".join(f"{name}: {why}" for name, why in self.failed.items())
        return record

    def as_dict(self) -> dict[str, Any]:
        """Return the choice by the names of its fields, for a report."""
        return {**asdict(self), "errors": dict(self.errors)}


def choose(
    scene: Scene,
    methods: Mapping[str, Make],
    *,
    seed: int = 0,
    model_error: float = 0.0,
    fit_response: FitResponse | None = None,
    fallback: str = "",
) -> Choice:
    """Compare methods on the pair degraded once more and choose the one with the least error against Y.

    Of methods within `TIE` of the least error the first in the order of `methods` is chosen.

    Args:
        scene: X, Y, their masks, noise levels and observation.
        methods: Name -> makes the method, the preferred first; at least one.
        seed: Decides what a method draws.
        model_error: Part of ``scene.sigma_x`` that is no noise (see `degrade`).
        fit_response: Fits R to a pair, where R is not known but fitted.
        fallback: Name of the method to take where the degraded pair would be too small or none can be compared; the
            first of `methods` when empty.

    Returns:
        The choice.

    Raises:
        InputError: The scene has no observation.
    """
    fallback = fallback or next(iter(methods))
    degraded = degrade(scene, model_error=model_error, fit_response=fit_response)
    remarks = () if fit_response is None else ("the spectral response was fitted to the pair",)
    if degraded is None:
        few = f"the degraded pair would have fewer than {LEAST_PIXELS} valid pixels"
        return Choice(fallback, remarks=(few, *remarks))
    found, failed = _compare(degraded, methods, seed)
    remarks = (*degraded.remarks, *remarks)
    if not found:
        return Choice(fallback, failed=failed, remarks=("no method could be compared", *remarks))
    least = min(found.values())
    method = next(name for name in methods if name in found and found[name] <= (1.0 + TIE) * least)
    order = sorted(found.items(), key=lambda entry: entry[1])
    others = [entry for entry in order if entry[0] != method]
    runner_up, error = others[0] if others else ("", 0.0)
    return Choice(
        method,
        tuple(order),
        runner_up,
        error / found[method] - 1.0 if others and found[method] else 0.0,
        degraded.scene.factor,
        degraded.pixels,
        TIE,
        failed,
        remarks,
    )


def relative_error(Z_hat: torch.Tensor, Z: torch.Tensor, counted: torch.Tensor) -> float:
    """Return the geometric mean over bands of RMSE over the band's root mean square, so that every band counts alike.

    Args:
        Z_hat: Estimate, shape (1, B, H, W).
        Z: Truth, the same shape.
        counted: Pixels that count, bool (1, 1, H, W).

    Returns:
        The error, 0.01 for one per cent; NaN where the estimate has no number in a pixel that counts.
    """
    apart = (Z_hat.double() - Z.double())[0][:, counted[0, 0]]
    truth = Z.double()[0][:, counted[0, 0]]
    tiny = torch.finfo(torch.float64).tiny
    rounding = _ROUNDING**2 * truth.square().mean() + tiny
    ratio = (apart.square().mean(dim=1) + rounding) / (truth.square().mean(dim=1) + rounding)
    return float(ratio.log().mean().div(2).exp())


def _compare(degraded: Degraded, methods: Mapping[str, Make], seed: int) -> tuple[dict[str, float], dict[str, str]]:
    """Return the error of each method, and why a method has none."""
    scene, Z, counted = degraded.scene, degraded.truth, degraded.scored
    found: dict[str, float] = {}
    failed: dict[str, str] = {}
    for name, make in methods.items():
        try:
            fusion = make().fuse(replace(scene, Z=None), generator=generator(seed, "choice", name))
        except (HsrdiffError, torch.linalg.LinAlgError) as error:  # type: ignore[attr-defined]
            failed[name] = (str(error).splitlines() or [type(error).__name__])[0]
            continue
        apart = relative_error(fusion.Z_hat, Z, counted)
        if math.isfinite(apart):
            found[name] = apart
        else:
            failed[name] = "its result has pixels without a number"
    return found, failed
