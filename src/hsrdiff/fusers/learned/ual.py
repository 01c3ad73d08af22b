"""UAL as a fuser: the fusion network once, then an adaptor fitted to the pair itself."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional as F

from hsrdiff.errors import InputError
from hsrdiff.fusers.base import Needs, require_observation
from hsrdiff.fusers.learned.competitor import CompetitorFuser
from hsrdiff.networks.competitors.ual_adaptor import Adaptor, LearnedPSF
from hsrdiff.observation import Scene
from hsrdiff.typing import PathLike

_RATE, _DECAY = 9e-5, 1e-3  # of the adaptor
_PSF_RATE, _PSF_DECAY = 1e-4, 1e-5
_SEEDS = 2**62


class UALFuser(CompetitorFuser):
    """Three branches and an adaptor without truth (Zhang et al., CVPR 2020); see `networks.competitors.ual`.

    The adaptor and a PSF, of which it is told nothing, are fitted by Adam to

        |PSF(Adaptor(Z)) - Y|_1 + |R Adaptor(Z) - X|_1        (means over elements)

    with Z the answer of the fusion network; the last step's answer is the result.

    Args:
        weights: A safetensors file written by the training.
        steps: Steps of the adaptation; the authors take 1500; 0 leaves the fusion network's answer.
        peak: Value of the scene that means 1.
        device: Where the network runs, such as ``"cpu"`` or ``"cuda"``.
        on_step: Called after each step with the steps done and the steps in all.

    Raises:
        WeightsError: If the weights cannot be read or are for another method.
        InputError: If an option is out of range.
    """

    name = "ual"
    needs = Needs(response=True, weights=True, tuning=True)

    def __init__(
        self,
        *,
        weights: PathLike,
        steps: int = 1500,
        peak: float = 1.0,
        device: str = "cpu",
        on_step: Callable[[int, int], None] | None = None,
    ) -> None:
        if int(steps) != steps or steps < 0:
            raise InputError(f"steps {steps}", expected="a whole number of at least 0", do="change the option steps")
        self.steps, self.on_step = int(steps), on_step
        super().__init__(weights=weights, peak=peak, device=device)

    def check(self, scene: Scene) -> None:
        """Raise where the weights are for other images, or R is not known."""
        require_observation(scene, self.name)
        super().check(scene)

    def estimate(self, scene: Scene, X: torch.Tensor, Y: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Run the fusion network, then adapt its answer to X and Y."""
        response = require_observation(scene, self.name).spectral
        Z = super().estimate(scene, X, Y, generator)
        if self.steps == 0:
            return Z
        seed = int(torch.randint(_SEEDS, (), generator=generator, device=generator.device))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            adaptor = Adaptor(scene.bands).to(self.device)
        psf = LearnedPSF(scene.factor).to(self.device)
        optimizer = torch.optim.Adam(
            [
                {"params": adaptor.parameters(), "lr": _RATE, "weight_decay": _DECAY},
                {"params": psf.parameters(), "lr": _PSF_RATE, "weight_decay": _PSF_DECAY},
            ]
        )
        with torch.enable_grad():
            for step in range(self.steps):
                adapted: torch.Tensor = adaptor(Z)
                loss = F.l1_loss(psf(adapted), Y) + F.l1_loss(response.apply(adapted), X)
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                optimizer.step()
                if self.on_step is not None:
                    self.on_step(step + 1, self.steps)
        return adapted.detach()

    def notes(self) -> dict[str, str]:
        """Return how long the adaptor was fitted."""
        return {"adaptation": f"{self.steps} steps on the pair itself"}
