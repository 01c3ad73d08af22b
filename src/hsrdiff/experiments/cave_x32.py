"""The paper's first table: CAVE at factor 32, residual HSR-Diff against its base and what the paper says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from statistics import fmean

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import PUBLISHED, dataset_scene, mean_row
from hsrdiff.experiments.base import Rows, Trial, fusion_trials, markdown_table
from hsrdiff.experiments.methods import methods
from hsrdiff.fusers import Fuser, make_fuser
from hsrdiff.typing import PathLike

WEIGHTS = "cave-x32-residual"
BASE, OURS = "kriging-learned", "hsr-diff-residual"
VIEWS = "hsr-diff-residual, 8 views"


def fusers(weights: PathLike = WEIGHTS) -> Mapping[str, Callable[[], Fuser]]:
    """Return the methods of the table.

    Args:
        weights: Of the residual denoiser.

    Returns:
        Name -> makes the method.
    """
    simple = methods(("bicubic", "regression", "kriging", BASE))
    ours = partial(make_fuser, OURS, weights=weights)
    return {**simple, OURS: ours, VIEWS: partial(ours, views=8)}


class CaveX32:
    """Every method on the twelve test scenes; methods that share a base draw the same landmarks."""

    name = "cave-x32"
    summary = "CAVE at x32, the paper's protocol: residual HSR-Diff with shipped weights beside its base and the paper"

    def __init__(
        self, make: Callable[[], Mapping[str, Callable[[], Fuser]]] = fusers, split: str = "test", factor: int = 32
    ) -> None:
        self.make, self.split, self.factor = make, split, factor

    def trials(self, data: PathLike | None, seed: int) -> Iterator[Trial]:
        """Yield every method on every scene."""
        made = self.make()
        dataset = make_dataset("cave", data=data, factor=self.factor)
        for scene in dataset.scenes(self.split):
            yield from fusion_trials(
                (scene,), partial(dataset_scene, dataset, scene, seed=seed), made, seed, paired=True
            )

    def report(self, rows: Rows) -> str:
        """Return the means beside the paper's, and the error over that of the base scene by scene."""
        names = list(dict.fromkeys(method for _, method in rows))
        scenes = list(dict.fromkeys(scene for scene, _ in rows))
        lines = []
        for method in names:
            mean = mean_row([rows[scene, method] for scene in scenes])
            scores = (f"{mean.psnr_db:.2f}", f"{mean.ssim:.4f}", f"{mean.sam_deg:.2f}", f"{mean.ergas:.3f}")
            lines.append([method, *scores, f"{1e4 * mean.rmse:.1f}", f"{mean.seconds:.1f}", mean.told])
        for row in PUBLISHED["cave"]:
            scores = (f"{row.psnr_db:.2f}", f"{row.ssim:.4f}", f"{row.sam_deg:.2f}", f"{row.ergas:.3f}")
            lines.append([f"{row.method}, as published", *scores, "", "", ""])
        text = markdown_table(["method", "PSNR dB", "SSIM", "SAM °", "ERGAS", "RMSE, 1e-4", "s a scene", "told"], lines)
        if BASE not in names or OURS not in names:
            return text
        ratios = {scene: rows[scene, OURS].rmse / rows[scene, BASE].rmse for scene in scenes}
        gains = {scene: rows[scene, OURS].psnr_db - rows[scene, BASE].psnr_db for scene in scenes}
        worse = [scene for scene, ratio in ratios.items() if ratio > 1]
        text += (
            f"\nRMSE of {OURS} over that of {BASE}, paired: mean {fmean(ratios.values()):.3f}, "
            f"from {min(ratios.values()):.3f} to {max(ratios.values()):.3f}; "
            f"above 1 on {len(worse)} of {len(scenes)} scenes.\n\n"
        )
        table = [
            [
                scene,
                f"{rows[scene, BASE].psnr_db:.2f}",
                f"{rows[scene, OURS].psnr_db:.2f}",
                f"{gains[scene]:+.2f}",
                f"{ratios[scene]:.3f}",
            ]
            for scene in scenes
        ]
        return text + markdown_table(["scene", f"{BASE}, dB", f"{OURS}, dB", "gain, dB", "RMSE ratio"], table)
