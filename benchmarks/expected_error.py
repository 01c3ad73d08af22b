"""Fit the powers by which signs of doubt foretell errors (P76), and try each family on the others' powers.

Training scenes only. Usage: python -m benchmarks.expected_error [FILE], which keeps what was measured in FILE (.npz).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene
from hsrdiff.experiments.base import markdown_table
from hsrdiff.fusers.expected_error import kept_off_0
from hsrdiff.fusers.kriging import Kriging, KrigingLearned, finish
from hsrdiff.fusers.residual import HsrDiffResidual, evidence
from hsrdiff.observation import Scene
from hsrdiff.rng import generator

_RIDGE = 1e-3
_PIXELS, _BANDS = 1500, 31  # of a pair that are measured
_CAVE = ("feathers", "flowers", "glass_tiles", "hairs")  # the network of the other 16 never saw them at x32
_REMOTE = (
    ("aviris-la", "abu-airport-1"),
    ("aviris-la", "abu-airport-2"),
    ("aviris-la", "abu-airport-3"),
    ("indian-pines", "west"),
    ("enmap-potsdam", "A"),
    ("enmap-potsdam", "C"),
)
FAMILY = {"aviris-la": "AVIRIS", "indian-pines": "AVIRIS", "enmap-potsdam": "EnMAP", "cave": "CAVE"}


@dataclass(frozen=True)
class Measured:
    """Errors of one method on one pair, and the signs of them over their bands' level.

    Attributes:
        family: Of sensors.
        title: The pair in words.
        method: The method.
        squares: Squared errors over the level, shape (n,).
        signs: Logarithms of the signs by name, shape (n,).
    """

    family: str
    title: str
    method: str
    squares: torch.Tensor
    signs: Mapping[str, torch.Tensor]


def pairs() -> Iterator[tuple[str, str, Scene]]:
    """Yield family, title and scene of every pair: two factors and guides, some with noise, CAVE at three factors."""
    for factor in (4, 8):
        for name, scene in _REMOTE:
            for guide, snr_db in (("gaussian4", None), ("gaussian8", None), ("gaussian4", 30.0)):
                dataset = make_dataset(name, factor=factor, sensor=guide)
                given = dataset_scene(dataset, scene, seed=0)
                words = f"{scene}, x{factor}, {guide}" + ("" if snr_db is None else f", {snr_db:.0f} dB")
                yield FAMILY[name], words, given if snr_db is None else noisy(given, snr_db)
    for scene in _CAVE:
        for factor in (4, 8, 32):
            given = dataset_scene(make_dataset("cave", factor=factor), scene, seed=0)
            yield "CAVE", f"{scene}, x{factor}", given if factor == 32 else middle(given)


def noisy(scene: Scene, snr_db: float) -> Scene:
    """Add noise of one ratio to both images."""
    draw = generator(0, "expected-error")
    levels = [float(image.square().mean().sqrt()) * 10 ** (-snr_db / 20) for image in (scene.X, scene.Y)]
    X, Y = (
        image + level * torch.randn(image.shape, generator=draw)
        for image, level in zip((scene.X, scene.Y), levels, strict=True)
    )
    return Scene(X, Y, scene.observation, scene.Z, sigma_x=levels[0], sigma_y=levels[1], name=scene.name)


def middle(scene: Scene, side: int = 256) -> Scene:
    """Cut the middle out of a large scene."""
    assert scene.Z is not None
    assert scene.observation is not None
    first = [(length - side) // 2 for length in scene.Z.shape[-2:]]
    Z = scene.Z[..., first[0] : first[0] + side, first[1] : first[1] + side].contiguous()
    X, Y = scene.observation.observe(Z)
    return Scene(X, Y, scene.observation, Z, name=scene.name)


def measure() -> Iterator[Measured]:
    """Fuse every pair by every method, and read what the deviation is made of."""
    for family, title, scene in pairs():
        weights = "cave-x32-residual-16" if title.endswith("x32") else None
        methods = (Kriging(), KrigingLearned(), HsrDiffResidual(std=True, weights=weights))
        for method in methods:
            seen: list[tuple[torch.Tensor, Mapping[str, torch.Tensor]]] = []
            module = evidence if isinstance(method, HsrDiffResidual) else finish
            plain = module.EXPECTED
            module.EXPECTED = _Listening(seen)  # type: ignore[attr-defined]
            try:
                Z_hat = method.fuse(scene, generator=generator(0, "expected-error")).Z_hat
            finally:
                module.EXPECTED = plain  # type: ignore[attr-defined]
            level = torch.cat([some for some, _ in seen])
            signs = {name: torch.cat([each[name] for _, each in seen], dim=1) for name in seen[0][1]}
            assert scene.Z is not None
            chosen = np.random.default_rng(0).choice(Z_hat[0, 0].numel(), _PIXELS, replace=False)
            bands = np.linspace(0, Z_hat.shape[1] - 1, min(_BANDS, Z_hat.shape[1])).astype(int)

            def taken(image: torch.Tensor, bands: np.ndarray = bands, chosen: np.ndarray = chosen) -> torch.Tensor:
                return image[0].flatten(1)[bands][:, chosen].double().flatten()

            unit = level.double().clamp_min(torch.finfo(torch.float64).tiny)[:, None, None]
            squares = (Z_hat - scene.Z).double().square() / unit
            yield Measured(
                family,
                title,
                method.name,
                taken(squares),
                {name: taken(kept_off_0(sign).double() / unit).log() for name, sign in signs.items()},
            )
            print(f"{title}: {method.name}", file=sys.stderr, flush=True)


class _Listening:
    """Stands where powers are applied, and keeps what they would be applied to."""

    def __init__(self, seen: list[tuple[torch.Tensor, Mapping[str, torch.Tensor]]]) -> None:
        self.seen = seen

    def deviation(self, level: torch.Tensor, signs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        self.seen.append((level, signs))
        return next(iter(signs.values()))


def fit(measured: list[Measured]) -> torch.Tensor:
    """Return a and p with the largest likelihood of normal errors, every pair counted once.

    Args:
        measured: Pairs.

    Returns:
        a, then p in the order of the signs, float64.
    """
    names = list(measured[0].signs)
    A = torch.cat([torch.stack([torch.ones_like(m.squares), *(m.signs[n] for n in names)], dim=1) for m in measured])
    squares = torch.cat([m.squares for m in measured])
    weights = torch.cat([torch.full_like(m.squares, 1 / (len(m.squares) * len(measured))) for m in measured])
    mean, spread = A.mean(dim=0), A.std(dim=0)
    mean[0], spread[0] = 0.0, 1.0
    A = (A - mean) / spread
    powers = torch.zeros(A.shape[1], dtype=torch.float64)
    powers[0] = (weights @ squares).log()
    powers.requires_grad_()
    search = torch.optim.LBFGS([powers], max_iter=300, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        search.zero_grad()
        logs = A @ powers
        value = weights @ (logs + squares * (-logs).exp()) + _RIDGE * powers[1:].square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    search.step(loss)  # type: ignore[arg-type]
    found = powers.detach() / spread
    found[0] -= (found[1:] * mean[1:]).sum()
    return found


def foretold(measured: Measured, powers: torch.Tensor) -> torch.Tensor:
    """Return the variance over the level."""
    return (powers[0] + sum(p * sign for p, sign in zip(powers[1:], measured.signs.values(), strict=True))).exp()


def main() -> None:
    kept = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    measured = _read(kept) if kept is not None and kept.exists() else list(measure())
    if kept is not None and not kept.exists():
        _write(kept, measured)
    groups = {
        "kriging, kriging-learned": [m for m in measured if m.method.startswith("kriging")],
        "hsr-diff-residual": [m for m in measured if not m.method.startswith("kriging")],
    }
    for title, group in groups.items():
        names = list(group[0].signs)
        lines = []
        for family in (*sorted({m.family for m in group}), "none"):
            powers = fit([m for m in group if m.family != family])
            tried = [m for m in group if family in (m.family, "none")]
            lines.append([family, *(f"{p:.3f}" for p in powers), *_scores(tried, powers)])
        columns = ["left out", "a", *names, "ratio", "smallest", "largest", "within one", "within two"]
        print(f"{title}\n\n{markdown_table(columns, lines)}", flush=True)


def _scores(tried: list[Measured], powers: torch.Tensor) -> list[str]:
    ratios, shares = [], []
    for m in tried:
        variance = foretold(m, powers)
        ratios.append(float((m.squares.mean() / variance.mean()).sqrt()))
        shares.append([100 * float((m.squares < k**2 * variance).double().mean()) for k in (1, 2)])
    one, two = np.mean(shares, axis=0)
    middle_ratio = math.exp(float(np.mean(np.log(ratios))))
    return [f"{middle_ratio:.2f}", f"{min(ratios):.2f}", f"{max(ratios):.2f}", f"{one:.0f} %", f"{two:.1f} %"]


def _write(path: Path, measured: list[Measured]) -> None:
    arrays = {}
    for i, m in enumerate(measured):
        head = f"{i}|{m.family}|{m.title}|{m.method}"
        arrays[f"{head}|squares"] = m.squares.numpy()
        arrays.update({f"{head}|{name}": sign.numpy() for name, sign in m.signs.items()})
    np.savez(path, **arrays)


def _read(path: Path) -> list[Measured]:
    found: dict[str, dict[str, torch.Tensor]] = {}
    with np.load(path, allow_pickle=False) as kept:
        for key in kept.files:
            head, _, name = key.rpartition("|")
            found.setdefault(head, {})[name] = torch.from_numpy(kept[key])
    measured = []
    for head, arrays in found.items():
        _, family, title, method = head.split("|")
        squares = arrays.pop("squares")
        measured.append(Measured(family, title, method, squares, arrays))
    return measured


if __name__ == "__main__":
    main()
