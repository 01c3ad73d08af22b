"""Residual mode trained further on the pair itself by Wald's protocol: learnt where Y is the truth, then applied."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import replace

import torch

from hsrdiff.choice.degraded import LEAST_PIXELS, Degraded, FitResponse, degrade
from hsrdiff.fusers.base import Fusion, require_observation
from hsrdiff.fusers.options import positive
from hsrdiff.fusers.residual import Coordinates, Evidence, HsrDiffResidual, ResidualModel, condition
from hsrdiff.fusers.residual.left_alone import left_alone
from hsrdiff.fusers.residual.parts import USUAL
from hsrdiff.fusers.residual.sampling import REGRESSION
from hsrdiff.networks.residual_cdformer import ResidualCDFormer
from hsrdiff.observation import Scene
from hsrdiff.rng import generator as keyed
from hsrdiff.training.residual.loss import residual_loss
from hsrdiff.training.residual.loss_root import loss_root
from hsrdiff.training.residual.pairs import PreparedPair
from hsrdiff.training.residual.patches import draw_batch
from hsrdiff.training.residual.recipe import ResidualTraining

ADAPTED = "hsr-diff-residual-adapted"
# P74: the last quarter of the rows of Y, or of its columns where these are more, is watched and not learned
_LEARNED = 0.75
# P75: a tenth of the rate of the training, as the weights are to stay near what they know
_RATE, _BATCH, _SIZE = 1e-4, 4, 48
_IMAGES = ("channels", "optics", "target")
_LOOK, _PATIENCE = 10, 8  # steps between two looks at what is watched; looks without a gain that end the training


class AdaptedResidual:
    """`HsrDiffResidual` whose network is first trained on the scene itself, degraded once more, where Y is the truth.

    Three quarters of the LR pixels are learned, the rest is held out: of all states met, the one with the least error
    there is applied to the pair itself, the untrained one among them. What the network adds lies where neither image
    sees it (`Coordinates`, `Evidence.unseen`), whatever its weights: losses of consistency at full scale are 0 and
    have no gradient, so that they are met by construction.

    As a candidate of a comparison it adapts to the pair that it is compared on, degraded a second time, and is judged
    by what it did not learn from.

    Args:
        seconds: Wall time for the training, above 0; less where the held-out error no longer falls.
        method: Residual mode in its own options; the shipped weights that fit when None.
        model_error: Part of the noise of X that is no noise (see `degrade`).
        fit_response: Fits R to a pair, where R is not known but fitted.
        clock: Tells the time in seconds.

    Raises:
        InputError: If the time is out of range.
    """

    name = ADAPTED
    needs = HsrDiffResidual.needs

    def __init__(
        self,
        seconds: float,
        method: HsrDiffResidual | None = None,
        *,
        model_error: float = 0.0,
        fit_response: FitResponse | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.seconds = positive("adapt", seconds)
        self.method = HsrDiffResidual() if method is None else method
        self.model_error, self.fit_response, self.clock = model_error, fit_response, clock

    @torch.no_grad()
    def fuse(self, scene: Scene, *, generator: torch.Generator) -> Fusion:
        """Krige, train on the degraded pair, then sample what the base leaves.

        Args:
            scene: The scene, with its observation.
            generator: Source of the landmarks, the patches and the noise.

        Returns:
            The fusion of residual mode, with a note on the training.

        Raises:
            InputError: If the scene does not fit together or has no observation.
            InvalidValueError: If no LR pixel is valid in both images.
            WeightsError: If the weights are for other band counts, or none fit.
        """
        evidence = self.method.gather(scene, generator=generator)
        R = require_observation(scene, self.name).spectral.matrix
        model, card = self.method.fitting(R, scene.factor)
        degraded = degrade(scene, model_error=self.model_error, fit_response=self.fit_response)
        method = self.method.with_model(model, card)
        if left_alone(evidence, model, card):
            words = "none, as the network is left out"
        elif degraded is None:
            words = f"none, as the degraded pair would have fewer than {LEAST_PIXELS} valid pixels"
        elif model.config.parts != USUAL:
            words = "none, as the weights are those of an ablation"
        else:
            draw = keyed(generator.initial_seed(), "adaptation")
            coarse = method.gather(replace(degraded.scene, Z=None), generator=draw)
            given = prepare(degraded, coarse, model, model.coordinates(evidence.covariance, R))
            if given is None:
                words = "none, as there is nothing to mend"
            else:
                network, words = self._train(model.network, *given)
                model = copy.deepcopy(model)
                model.network.load_state_dict(network.state_dict())
        fusion = method.with_model(model, card).sample(evidence, generator=generator)
        return replace(fusion, notes=fusion.notes | {"adaptation": words})

    def _train(
        self, network: ResidualCDFormer, pair: PreparedPair, counted: torch.Tensor
    ) -> tuple[ResidualCDFormer, str]:
        """Return the best state that was met, and how it was found in words."""
        called = "rows"
        if pair.target.shape[1] < pair.target.shape[2]:  # a narrow image is cut along its length
            called, counted = "columns", counted.T
            pair = replace(pair, **{name: getattr(pair, name).transpose(1, 2) for name in _IMAGES})
        rows = pair.target.shape[1]
        cut = int(_LEARNED * rows)
        learned = replace(pair, **{name: getattr(pair, name)[:, :cut] for name in _IMAGES})
        options = ResidualTraining(steps=10**9, batch=_BATCH, size=_SIZE, regression=0.8)  # or what is learned
        trained = copy.deepcopy(network).requires_grad_(True)
        optimizer = torch.optim.AdamW(trained.parameters(), lr=_RATE, weight_decay=1e-2, betas=(0.9, 0.98))
        least = before = watched_error(network, pair, counted, cut)
        best, taken, step, looks, begin = network, 0, 0, 0, self.clock()
        while looks < _PATIENCE and self.clock() - begin < self.seconds:
            with torch.enable_grad():
                loss = residual_loss(trained, draw_batch([learned], step, options, signs=False))
                optimizer.zero_grad(set_to_none=True)
                torch.autograd.backward(loss)
            if torch.isfinite(torch.nn.utils.clip_grad_norm_(trained.parameters(), options.clip)):
                optimizer.step()
            step += 1
            if step % _LOOK == 0:
                error, looks = watched_error(trained, pair, counted, cut), looks + 1
                if error < least:
                    best, least, taken, looks = copy.deepcopy(trained).requires_grad_(False), error, step, 0
        found = f"{step} steps of training on {cut} of {rows} {called} of LR pixels"
        if not taken:
            return network, f"{found} did not lower the error of the others, so that the weights stay as they were"
        fell = f"lowered the error of the others from {before:.3g} to {least:.3g} of the base's"
        return best, f"{found} {fell} after {taken}"


def prepare(
    degraded: Degraded, evidence: Evidence, model: ResidualModel, coordinates: Coordinates
) -> tuple[PreparedPair, torch.Tensor] | None:
    """Return what the network reads of the degraded pair and is to find.

    Args:
        degraded: The pair whose truth is Y.
        evidence: Its base and companions.
        model: What is trained.
        coordinates: Those of the pair itself, so that both scales speak of the same.

    Returns:
        The pair, float32, and where its truth is measured, bool (H, W); None where there is nothing to mend.
    """
    scene = degraded.scene
    coordinates = coordinates.within(require_observation(scene, ADAPTED).spectral.matrix)
    given = condition(evidence, coordinates, spectrum=model.reads_spectrum, noise=model.reads_noise)
    counted = degraded.scored
    # what was not measured is filled: the base is right there
    missing = torch.where(counted, degraded.truth.to(evidence.base) - evidence.base, 0.0)
    if not given.scale or not bool(missing.any()):
        return None
    target = (evidence.unseen(coordinates.apply(missing)) / given.scale)[0].float()
    root = loss_root(coordinates, missing, given.scale)
    return PreparedPair(given.channels[0], given.optics[0], target, root, 1.0), counted[0, 0]


@torch.no_grad()
def watched_error(network: ResidualCDFormer, pair: PreparedPair, counted: torch.Tensor, cut: int) -> float:
    """Return the squared error of a regression over that of the base, in the loss's weights, on the rows held out.

    Args:
        network: The denoiser.
        pair: What it reads and is to find.
        counted: Where that is known, bool (H, W).
        cut: First row that is held out.

    Returns:
        The ratio; 1 where no pixel of these rows counts.
    """
    gamma = torch.tensor([REGRESSION], dtype=torch.float64)
    optics = pair.optics[None] if len(pair.optics) else None
    found = network.bind(pair.channels[None], optics)(torch.zeros_like(pair.target)[None], gamma)[0]
    seen = counted[cut:]
    error, before = (
        float(torch.einsum("ij,jn->in", pair.root, image[:, cut:][:, seen]).double().square().sum())
        for image in (found - pair.target, pair.target)
    )
    return error / before if before else 1.0
