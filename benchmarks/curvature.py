"""What measuring a band's curvature or keystone on leave-one-out errors, beside its shift, does to the base.

Usage: python -m benchmarks.curvature
"""

from __future__ import annotations

from math import exp, log
from statistics import fmean

import torch
from torch.nn import functional as F

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene
from hsrdiff.fusers.kriging import KrigingLearned
from hsrdiff.fusers.residual.evidence import Evidence, hide, unseen
from hsrdiff.fusers.residual.registration import gradients
from hsrdiff.rng import generator

SETS = ("aviris-la", "enmap-potsdam", "indian-pines", "jasper-ridge", "samson")
KINDS = ("shift", "shift and curvature", "shift and keystone")
MOST_SIGMAS = 2.5


def changes(z: torch.Tensor, kind: str) -> list[torch.Tensor]:
    """What a band of each kind is changed by, to first order."""
    down, right = gradients(z)
    found = [down, right]
    if "curvature" in kind:
        e = F.pad(z, (1, 1, 1, 1), mode="replicate")
        found.append(e[..., 2:, 1:-1] + e[..., :-2, 1:-1] + e[..., 1:-1, 2:] + e[..., 1:-1, :-2] - 4 * z)
    if "keystone" in kind:
        width = z.shape[-1]
        found.append(((torch.arange(width) - (width - 1) / 2) / (width / 2)).to(z) * right)
    return found


def multiples(given: Evidence, made: list[torch.Tensor]) -> torch.Tensor:
    """Multiples for each band, (B, K), shrunk by what all bands say of their reliability."""
    assert given.scene.observation is not None
    D = given.scene.observation.spatial
    slopes = torch.stack([D.apply(image)[0].flatten(1).double() for image in made], dim=1)
    weights = given.precision.flatten().double()
    count = int((weights > 0).sum())
    weights = weights / weights.sum() * count
    errors = given.left_out[0].flatten(1).double()
    typical = 1.4826 * errors[:, weights > 0].abs().median(dim=1, keepdim=True).values
    errors = errors.clamp(-MOST_SIGMAS * typical, MOST_SIGMAS * typical)
    size = (slopes.square() * weights).sum(dim=2, keepdim=True).mean(dim=0, keepdim=True).sqrt()
    slopes = slopes / size
    A = torch.einsum("bin,bjn,n->bij", slopes, slopes, weights)
    power = A.diagonal(dim1=1, dim2=2).mean(dim=1)
    inverse = torch.linalg.inv(A + 1e-9 * power[:, None, None] * torch.eye(len(made), dtype=torch.float64))
    found = torch.einsum("bij,bjn,bn,n->bi", inverse, slopes, errors, weights)
    left = errors - torch.einsum("bi,bin->bn", found, slopes)
    noise = (left.square() * weights).sum(dim=1) / (count - len(made))
    variance = inverse.diagonal(dim1=1, dim2=2) * noise[:, None]
    spread = (found.square() - variance).mean(dim=0).clamp_min(0.0)
    return spread / (spread + variance) * found / size[0, :, 0]


@torch.no_grad()
def main() -> None:
    print(f"| scene | {' | '.join(KINDS)} |")
    print(f"|---|{'---:|' * len(KINDS)}")
    for factor in (4, 8):
        ratios: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for name in SETS:
            dataset = make_dataset(name, factor=factor, sensor="gaussian4")
            for scene in (*dataset.scenes("train"), *dataset.scenes("test")):
                pair = dataset_scene(dataset, scene, seed=0)
                assert pair.Z is not None
                assert pair.observation is not None
                given = Evidence.of(pair, KrigingLearned(std=False), generator=generator(0, "curvature", scene))
                known = torch.isfinite(pair.Z)
                before = (given.base - pair.Z)[known].double().square().mean()
                for kind in KINDS:
                    made = changes(given.base, kind)
                    found = multiples(given, made).to(given.base)
                    moved = torch.stack([found[:, k, None, None] * image for k, image in enumerate(made)]).sum(dim=0)
                    moved = unseen(hide(moved, pair.observation.spectral), given.gram)
                    after = (given.base + moved - pair.Z)[known].double().square().mean()
                    ratios[kind].append(float((after / before).sqrt()))
                print(f"| {scene}, x{factor} | {' | '.join(f'{ratios[kind][-1]:.3f}' for kind in KINDS)} |", flush=True)
        means = [exp(fmean(log(ratio) for ratio in ratios[kind])) for kind in KINDS]
        print(f"| geometric mean, x{factor} | {' | '.join(f'{mean:.3f}' for mean in means)} |", flush=True)


if __name__ == "__main__":
    main()
