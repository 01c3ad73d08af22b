"""What the learned kernel costs or gains on CAVE when it never saw CAVE: middles of all training scenes, four bands.

WEIGHTS are those of the recipe `kriging-without-cave`. RMSE of kriging-learned over that of the plain kernel, both from
the same landmarks, with the share that is used and with others.

Usage: python -m benchmarks.stacking_middles WEIGHTS
"""

from __future__ import annotations

import sys
from dataclasses import replace
from math import exp, log
from pathlib import Path
from statistics import fmean, median

from benchmarks.stacking import kriged, rmse
from hsrdiff.datasets import make_dataset
from hsrdiff.experiments.base import markdown_table
from hsrdiff.experiments.middles import middle_scene
from hsrdiff.fusers.base import require_observation
from hsrdiff.fusers.kriging.finish import agree
from hsrdiff.fusers.kriging.left_out_band import FEWEST

FACTORS, SIDE = (4, 8), 160
SHARES = (0.1, 0.25, 0.5, 1.0)


def main() -> None:
    """Print a line for each factor: the share that is used, and RMSE with it and with SHARES."""
    weights = Path(sys.argv[1])
    lines = []
    for factor in FACTORS:
        dataset = make_dataset("cave", factor=factor, sensor=f"gaussian{FEWEST}")
        ratios: list[list[float]] = []
        for name in dataset.scenes("train"):
            scene = middle_scene(dataset, name, SIDE, 0)
            found, used = kriged(weights, scene, FEWEST)
            both, apart = found.spectra.chunk(2, dim=1)
            observation, Z = require_observation(scene, "stacking"), scene.Z
            assert Z is not None
            # both = share first + (1 - share) second, apart = second - first
            errors = [
                rmse(agree(scene, observation, replace(found, spectra=both + (used - w) * apart))[0], Z)
                for w in (0.0, used, *SHARES)
            ]
            ratios.append([error / errors[0] for error in errors[1:]])
            print(factor, name, f"{used:.2f}", *(f"{r:.3f}" for r in ratios[-1]), file=sys.stderr, flush=True)
        columns = list(zip(*ratios, strict=True))
        cells = [f"{exp(fmean(map(log, c))):.3f}, {median(c):.3f}, {max(c):.3f}" for c in columns]
        lines.append([f"x{factor}", str(len(ratios)), *cells])
    print(markdown_table(["factor", "scenes", "share used", *(f"{w:g}" for w in SHARES)], lines))


if __name__ == "__main__":
    main()
