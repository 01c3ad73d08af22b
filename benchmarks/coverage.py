"""Does the expected standard deviation say how large errors are? On scenes that its powers (P76) were not fitted on.

Usage: python -m benchmarks.coverage
"""

from __future__ import annotations

import torch

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene
from hsrdiff.experiments.base import markdown_table
from hsrdiff.fusers import make_fuser
from hsrdiff.rng import generator

PAIRS = (
    ("aviris-la", "abu-urban-5", 4),
    ("aviris-la", "abu-urban-5", 8),
    ("indian-pines", "northeast", 4),
    ("enmap-potsdam", "B", 4),
    ("enmap-potsdam", "B", 8),
    ("jasper-ridge", "jasper-ridge", 4),
    ("samson", "samson", 4),
    ("samson", "samson", 8),
    ("cave", "jelly_beans", 32),
    ("cave", "pompoms", 32),
)
METHODS = ("kriging", "kriging-learned", "hsr-diff-residual")
GUIDE = "gaussian4"  # CAVE keeps its own


def main() -> None:
    lines = []
    for name, scene, factor in PAIRS:
        dataset = make_dataset(name, factor=factor, sensor=None if name == "cave" else GUIDE)
        pair = dataset_scene(dataset, scene, seed=0)
        for method in METHODS:
            fusion = make_fuser(method, std=True).fuse(pair, generator=generator(0, "coverage"))
            assert fusion.std is not None
            assert pair.Z is not None
            error, deviation = (fusion.Z_hat - pair.Z).double(), fusion.std.double()
            known = torch.isfinite(error) & torch.isfinite(deviation) & (deviation > 0)
            error, deviation = error[known].abs(), deviation[known]
            ratio = float((error.square().mean() / deviation.square().mean()).sqrt())
            shares = [100 * float((error < k * deviation).double().mean()) for k in (1, 2, 3)]
            # how much more error lies in the tenth of all values that is doubted most than in the tenth doubted least
            order = deviation.argsort()
            tenth = len(order) // 10
            first, last = (float(error[part].square().mean().sqrt()) for part in (order[:tenth], order[-tenth:]))
            title = f"{scene}, x{factor}" if method == METHODS[0] else ""
            cells = (f"{ratio:.2f}", *(f"{share:.1f} %" for share in shares), f"{last / first:.0f}")
            lines.append([title, method, *cells])
    columns = ["scene", "method", "RMS error over RMS deviation", "within one", "within two", "within three"]
    print(markdown_table([*columns, "most over least doubted tenth"], lines, left=2))


if __name__ == "__main__":
    main()
