"""Does residual mode gain by training on the user's own pair, degraded once more? On a training scene of CAVE at x4.

Three quarters of the degraded pair are learned, one is watched; the truth at full scale is printed beside it.

Usage: python -m benchmarks.adaptation SIDE SECONDS RATE, such as 256 100 3e-4 (SIDE 0: the whole scene)
"""

from __future__ import annotations

import sys
import time

import torch

from hsrdiff.choice import degrade
from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_truth, simulate_scene
from hsrdiff.fusers.kriging import KrigingLearned
from hsrdiff.fusers.residual import Coordinates, Evidence, condition, load_residual
from hsrdiff.fusers.residual.sampling import REGRESSION
from hsrdiff.networks.residual_cdformer import ResidualCDFormer
from hsrdiff.observation import Scene
from hsrdiff.rng import generator
from hsrdiff.training.residual.loss import residual_loss
from hsrdiff.training.residual.loss_root import loss_root
from hsrdiff.training.residual.pairs import PreparedPair
from hsrdiff.training.residual.patches import draw_batch
from hsrdiff.training.residual.recipe import ResidualTraining

SCENE, FACTOR, GUIDE, LOOKS = "flowers", 4, "gaussian4", 8


def prepare(scene: Scene, coordinates: Coordinates, given: Evidence) -> tuple[PreparedPair, float]:
    """Return what the network reads and is to find, and the unit of the latter."""
    assert scene.Z is not None
    conditioned = condition(given, coordinates, noise=True)  # as the shipped weights read it
    missing, unit = scene.Z - given.base, conditioned.scale or 1.0
    target = (given.unseen(coordinates.apply(missing)) / unit)[0].float()
    root = loss_root(coordinates, missing, unit)
    return PreparedPair(conditioned.channels[0], conditioned.optics[0], target, root, 1.0), unit


@torch.no_grad()
def estimate(network: ResidualCDFormer, pair: PreparedPair) -> torch.Tensor:
    """One step from pure noise, (r, H, W)."""
    network.eval()
    gamma = torch.tensor([REGRESSION], dtype=torch.float64)
    found: torch.Tensor = network.bind(pair.channels[None], None)(torch.zeros_like(pair.target)[None], gamma)[0]
    network.train()
    return found


def left(network: ResidualCDFormer, pair: PreparedPair, rows: slice) -> float:
    """Squared error over that of the base, in the loss's weights."""
    found, target = estimate(network, pair)[:, rows], pair.target[:, rows]
    error, before = (torch.einsum("ij,jhw->ihw", pair.root, e).square().mean() for e in (found - target, target))
    return float(error / before)


def main(side: int, seconds: float, rate: float) -> None:
    truth = dataset_truth(make_dataset("cave", factor=FACTOR, sensor=GUIDE), SCENE)
    Z = truth.Z
    if side:
        top, begin = ((Z.sizes[axis] - side) // 2 for axis in ("y", "x"))
        Z = Z.isel(y=slice(top, top + side), x=slice(begin, begin + side))
    scene = simulate_scene(Z, truth.observation, seed=0)
    degraded = degrade(scene)
    assert degraded is not None
    assert scene.Z is not None
    base = KrigingLearned(std=False)
    with torch.no_grad():
        full = Evidence.of(scene, base, generator=generator(0, "full"), register=True)
        coarse = Evidence.of(degraded.scene, base, generator=generator(0, "coarse"), register=True)
    R = truth.observation.spectral.matrix
    model, _ = load_residual("any-residual")
    coordinates = Coordinates.of(full.covariance, R, model.config.network.coordinates).within(R)
    own, _ = prepare(degraded.scene, coordinates, coarse)
    whole, unit = prepare(scene, coordinates, full)
    cut = own.target.shape[1] * 3 // 4 // 4 * 4
    learned = PreparedPair(own.channels[:, :cut], own.optics[:, :cut], own.target[:, :cut], own.root, 1.0)
    network = model.network.requires_grad_(True).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=1e-2, betas=(0.9, 0.98))
    options = ResidualTraining(steps=10**6, batch=4, size=min(48, cut), regression=0.8)
    print("| seconds | steps | watched, of the base's | learned, of the base's | RMSE at full scale, 1e-4 |")
    print("|---:|---:|---:|---:|---:|")
    step, trained, look = 0, 0.0, 0
    while True:
        if trained >= look * seconds / LOOKS:
            added = full.unseen((unit * coordinates.spectra(estimate(network, whole)[None].double())).to(full.base))
            rmse = 1e4 * float((full.base + added - scene.Z).double().square().mean().sqrt())
            watched, kept = left(network, own, slice(cut, None)), left(network, own, slice(cut))
            print(f"| {trained:.0f} | {step} | {watched:.3f} | {kept:.3f} | {rmse:.2f} |", flush=True)
            look += 1
        if trained >= seconds:
            return
        tick = time.perf_counter()
        optimizer.zero_grad()
        residual_loss(network, draw_batch([learned], step, options, signs=False)).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        step, trained = step + 1, trained + time.perf_counter() - tick


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))
