"""Two real instruments, Hyperion and ALI over Paris: every method with R and D told, and with both estimated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np
import torch
from scipy import ndimage

from hsrdiff.choice import AUTO, candidates, choose
from hsrdiff.datasets import make_dataset
from hsrdiff.errors import InputError
from hsrdiff.evaluation import Row, dataset_scene, score_fusion
from hsrdiff.experiments.base import Rows, Trial, fusion_trials, markdown_table, scene_digest
from hsrdiff.experiments.methods import methods
from hsrdiff.fusers import Fuser, Fusion, Needs
from hsrdiff.networks import shipped_digest
from hsrdiff.observation import (
    Observation,
    Scene,
    SpatialResponse,
    SpectralResponse,
    estimate_pair,
    estimate_response,
    match_bands,
    pair_noise,
    register,
)
from hsrdiff.observation.pair_estimate import BLUR_LR
from hsrdiff.rng import generator
from hsrdiff.typing import PathLike

DATASET = "hyperion-ali-paris"
METHODS = (
    "bicubic",
    "regression",
    "regression-projected",
    "hysure",
    "kriging",
    "kriging-learned",
    "hsr-diff-residual",
)
AS_GIVEN, REGISTERED = "as given", "registered"
TOLD, MATCHED, ESTIMATED = "R told, D known", "R told, bands matched, D known", "R and D estimated"
LINEAR = "best linear map of X"
SHIFT = "moved"  # topic of a note


@dataclass(frozen=True, eq=False)
class _Arm:
    """A scene as a method is given it, and what `auto` is told besides."""

    scene: Scene
    model_error: float = 0.0
    fits: bool = False


class Paris:
    """The measured ALI image as X, as given and moved onto Hyperion's grid; three ways to come to R and D."""

    name = "paris"
    summary = "Hyperion with the real ALI: R and D told or estimated, the guide as given or registered"

    def __init__(
        self,
        methods: Sequence[str] = METHODS,
        ways: Sequence[str] = (TOLD, MATCHED, ESTIMATED),
        *,
        automatic: bool = True,
    ) -> None:
        self.methods, self.ways, self.automatic = methods, ways, automatic

    def trials(self, data: PathLike | None, seed: int) -> Iterator[Trial]:
        """Yield every method with each way to come to R and D, first on the pair as given, then registered."""
        dataset = make_dataset(DATASET, data=data)
        given = cache(partial(dataset_scene, dataset, *dataset.scenes("test"), seed=seed))
        registered = cache(lambda: moved_guide(given()))
        fusers = methods(self.methods)
        for place, make in ((AS_GIVEN, given), (REGISTERED, registered)):
            for way in self.ways:
                arm = cache(partial(_arm, make, way))

                def scene(arm: Callable[[], _Arm] = arm) -> Scene:
                    return arm().scene

                yield from fusion_trials((place, way), scene, fusers, seed)
                if self.automatic:
                    yield _auto_trial((place, way), arm, seed)
            yield _linear_trial(place, make)

    def report(self, rows: Rows) -> str:
        """Return a table for each place of the guide."""
        parts = []
        for place in (AS_GIVEN, REGISTERED):
            here = {labels: row for labels, row in rows.items() if labels[0] == place}
            linear = here[(place, "", LINEAR)]
            lines = []
            for name in (*self.methods, *((AUTO,) if self.automatic else ())):
                cells = [name]
                for way in self.ways:
                    row = here[(place, way, name)]
                    cells += [f"{row.psnr_db:.2f}", f"{row.sam_deg:.2f}", f"{row.ergas:.3f}"]
                lines.append(cells)
            titles = ["method", *(f"{score}: {way}" for way in self.ways for score in ("PSNR dB", "SAM °", "ERGAS"))]
            chosen = [
                f"{way}: {here[(place, way, AUTO)].notes['chosen']}" for way in self.ways if (place, way, AUTO) in here
            ]
            parts.append(
                f"## The guide {place}\n\n"
                + (f"{linear.notes[SHIFT]}\n\n" if SHIFT in linear.notes else "")
                + markdown_table(titles, lines)
                + (f"\nauto took: {'; '.join(chosen)}.\n" if chosen else "")
                + "\nThe best linear map of X pixel by pixel, fitted to the truth itself, has "
                f"{linear.psnr_db:.2f} dB and SAM {linear.sam_deg:.2f}°; what lies above comes from Y and neighbours.\n"
            )
        return (
            "Z is Hyperion, Y = Z D with a Gaussian D as wide as the factor, X what ALI saw. With R told, the noise of "
            "X is estimated and Y has none; in the other two columns both noises are estimated, as fuse does. R and D "
            "are estimated from X and Y alone. The shift is measured from X and Y alone too, without R; X is moved "
            "by it once, by cubic splines, for all methods alike, so that results lie where the truth does.\n\n"
            + "\n".join(parts)
        )


def moved_guide(scene: Scene) -> Scene:
    """Move X by the shift of Y against it, so that a result on X's grid lies where Z does.

    Args:
        scene: The pair, with D; R is not used, so that the shift is the same whether R is told or not.

    Returns:
        The scene with X moved by cubic splines; as it is where no shift can be measured.
    """
    spatial = _observation(scene).spatial
    found = register(scene, spatial)
    if found is None or not found.reliable:
        return scene
    shift = [scene.factor * part for part in found.shift]
    bands = [ndimage.shift(band, shift, order=3, mode="nearest") for band in scene.X[0].double().numpy()]
    X = torch.from_numpy(np.stack(bands))[None].to(scene.X)
    return replace(scene, X=X)


def _observation(scene: Scene) -> Observation:
    if scene.observation is None:
        raise InputError(f"the scene '{scene.name}' has neither R nor D", do="take it from a data set")
    return scene.observation


def _arm(make: Callable[[], Scene], way: str) -> _Arm:
    """Return the scene with R, D and noise as one way to come to them has it."""
    scene = make()
    observation = _observation(scene)
    spectral, spatial = observation.spectral, observation.spatial
    if way == TOLD:
        levels = pair_noise(scene, sigma_y=scene.sigma_y)
        return _Arm(replace(scene, sigma_x=levels.sigma_x), levels.model_error)
    if way == MATCHED:
        match = match_bands(scene, spectral, spatial)
        scene = scene if match is None else replace(scene, X=match.apply(scene.X))
    else:
        # D is begun with as `fuse` does: the Gaussian as wide as the factor, whatever D is
        found = estimate_pair(scene, assumed=SpatialResponse.gaussian(scene.factor))
        scene = replace(scene, observation=found.observation)
    levels = pair_noise(scene)
    scene = replace(scene, sigma_x=levels.sigma_x, sigma_y=levels.sigma_y)
    return _Arm(scene, levels.model_error, fits=way == ESTIMATED)


def _auto_trial(labels: tuple[str, ...], arm: Callable[[], _Arm], seed: int) -> Trial:
    """Return the trial that chooses a method on the degraded pair and fuses with it."""

    def run() -> Row:
        given = arm()
        fusers = candidates()
        choice = choose(
            given.scene, fusers, seed=seed, model_error=given.model_error, fit_response=_fitted if given.fits else None
        )
        trial = next(iter(fusion_trials(labels, lambda: given.scene, {choice.method: fusers[choice.method]}, seed)))
        row = trial.run()
        degraded = {f"degraded {name}": f"{error:.6g}" for name, error in choice.errors}
        return replace(row, method=AUTO, notes=row.notes | {"chosen": choice.method} | degraded)

    return Trial((*labels, AUTO), lambda: scene_digest(arm().scene) + shipped_digest(), run)


def _fitted(scene: Scene, spatial: SpatialResponse) -> SpectralResponse:
    return estimate_response(scene, spatial, blur_lr=BLUR_LR).spectral


class _Linear:
    """``A X + c`` with A and c fitted to Z itself: a bound on what X says without neighbours."""

    name, needs = LINEAR, Needs()

    def fuse(self, scene: Scene, *, generator: torch.Generator) -> Fusion:
        """Return the map of the scene, whose Z is seen."""
        if scene.Z is None:
            raise InputError(f"the scene '{scene.name}' has no truth to fit a bound to")
        height, width = scene.X.shape[-2:]
        X, Z = (image[0].double().flatten(1) for image in (scene.X, scene.Z))
        A = torch.cat([X, torch.ones_like(X[:1])]).T
        found = (A @ torch.linalg.lstsq(A, Z.T, driver="gelsd").solution).T
        return Fusion(found.reshape(1, -1, height, width).float(), None, {})


def _linear_trial(place: str, make: Callable[[], Scene]) -> Trial:
    """Return the trial of the bound; its row says how far X was moved."""

    def run() -> Row:
        scene = make()
        fuser: Fuser = _Linear()
        row = score_fusion(fuser, fuser.fuse(scene, generator=generator(0, LINEAR)), scene, seconds=float("nan"))
        found = register(scene, _observation(scene).spatial)
        left = "No shift can be measured." if found is None else f"{found.describe()}."
        return replace(row, method=LINEAR, scene=place, notes={SHIFT: left[0].upper() + left[1:]})

    return Trial((place, "", LINEAR), lambda: scene_digest(make()), run)
