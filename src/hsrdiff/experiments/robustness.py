"""What noise, a wrong observation and missing data cost each method on small real scenes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from statistics import fmean

import numpy as np
import torch

from hsrdiff.experiments.base import Rows, Trial, fusion_trials, markdown_table
from hsrdiff.experiments.cases import cases, partly_counted
from hsrdiff.experiments.conditions import Condition, Truth, alive
from hsrdiff.experiments.methods import METHODS, methods
from hsrdiff.experiments.small_scenes import CAVE_CROP, JASPER_RIDGE, LOS_ANGELES, SAMSON, SmallScene
from hsrdiff.fusers import Fuser, Fusion, Needs
from hsrdiff.observation import Scene
from hsrdiff.typing import PathLike

SCENES = (JASPER_RIDGE, LOS_ANGELES, SAMSON, CAVE_CROP)


class Robustness:
    """Every condition on every small scene with every method; the method is told what may not be true."""

    name = "robustness"
    summary = (
        "What noise, a wrong PSF or response, misregistration, and dead, saturated or missing data cost each method"
    )

    def __init__(
        self,
        scenes: Sequence[SmallScene] = SCENES,
        methods: Sequence[str] = METHODS,
        among: Mapping[str, Condition] | None = None,
    ) -> None:
        self.scenes, self.methods = scenes, methods
        self.conditions = cases() if among is None else among

    def trials(self, data: PathLike | None, seed: int) -> Iterator[Trial]:
        """Yield every method on every scene under every condition."""
        for scene in self.scenes:
            truth = cache(partial(_truth, scene, data, seed))
            for name, condition in self.conditions.items():
                partly = partly_counted(condition)
                fusers = methods(self.methods)
                if partly:
                    fusers = {name: partial(_partly, make) for name, make in fusers.items()}
                yield from fusion_trials((scene.label, name), partial(_scene, truth, condition, partly), fusers, seed)

    def report(self, rows: Rows) -> str:
        """Return the clean scores, then what each condition costs, mean over the scenes."""
        scenes = [scene.label for scene in self.scenes]
        clean = next(iter(self.conditions))
        lines = [
            [s, m, f"{r.psnr_db:.2f}", f"{r.sam_deg:.2f}", f"{1e4 * r.rmse:.1f}"]
            for s in scenes
            for m in self.methods
            for r in (rows[s, clean, m],)
        ]
        parts = [
            "## The clean pair\n\n"
            + markdown_table(["scene", "method", "PSNR dB", "SAM °", "RMSE, 1e-4"], lines, left=2)
        ]
        lines = []
        for name in self.conditions:
            cells = [name]
            for method in self.methods:
                pairs = [(rows[s, name, method], rows[s, clean, method]) for s in scenes]
                ratio = float(np.exp(fmean(np.log(now.rmse / was.rmse) for now, was in pairs)))
                psnr = fmean(now.psnr_db - was.psnr_db for now, was in pairs)
                sam = fmean(now.sam_deg - was.sam_deg for now, was in pairs)
                cells.append(f"{ratio:.2f} / {psnr:+.1f} / {sam:+.2f}")
            lines.append(cells)
        parts.append(
            "## The cost: RMSE over that of the clean pair (geometric mean over the scenes) / change of PSNR in dB / "
            "change of SAM in degrees\n\n" + markdown_table(["condition", *self.methods], lines)
        )
        lines = [
            [name, *(f"{1e4 * rows[s, name, m].rmse:.1f}" for s in scenes for m in self.methods)]
            for name in self.conditions
        ]
        titles = ["condition", *(f"{s}, {m}" for s in scenes for m in self.methods)]
        parts.append("## RMSE scene by scene, 1e-4 of the peak\n\n" + markdown_table(titles, lines))
        if {"bicubic", "kriging"} <= set(self.methods):
            lost = [
                f"{s}, {name}"
                for s in scenes
                for name in self.conditions
                if rows[s, name, "kriging"].rmse > rows[s, name, "bicubic"].rmse
            ]
            cases = len(scenes) * len(self.conditions)
            parts.append(
                f"Kriging is worse than bicubic in {len(lost)} of {cases} cases{': ' if lost else ''}"
                f"{'; '.join(lost)}.\n"
            )
        return "\n".join(parts)


@dataclass(frozen=True)
class _Partly:
    """A method whose result counts in the bands that are alive only."""

    fuser: Fuser

    @property
    def name(self) -> str:
        return self.fuser.name

    @property
    def needs(self) -> Needs:
        return self.fuser.needs

    def fuse(self, scene: Scene, *, generator: torch.Generator) -> Fusion:
        fusion = self.fuser.fuse(scene, generator=generator)
        return replace(fusion, Z_hat=fusion.Z_hat[:, alive(scene.bands)], std=None)


def _partly(make: Callable[[], Fuser]) -> Fuser:
    return _Partly(make())


def _truth(scene: SmallScene, data: PathLike | None, seed: int) -> Truth:
    """Read a scene, rows and columns that do not fill a block of the factor left out."""
    cube, observation = scene.load(data)
    height, width = (cube.sizes[axis] // scene.factor * scene.factor for axis in ("y", "x"))
    values = np.asarray(cube.transpose("band", "y", "x").values[:, :height, :width], dtype=np.float64)
    return Truth(torch.from_numpy(values)[None], observation, scene.band_nm, seed, scene.label)


def _scene(truth: Callable[[], Truth], condition: Condition, partly: bool) -> Scene:
    scene = condition(truth()).to(dtype=torch.float32)
    return replace(scene, Z=scene.Z[:, alive(scene.bands)]) if partly and scene.Z is not None else scene
