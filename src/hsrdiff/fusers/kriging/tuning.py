"""The kernel's constants chosen on the scene itself, by leave-one-out errors in closed form."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch

from hsrdiff.fusers.kriging.kernel import Sites, SpectralKernel
from hsrdiff.fusers.kriging.samples import Samples
from hsrdiff.fusers.kriging.system import solve_kernel

_NEGLIGIBLE = 1e-9  # of the trace of the landmarks' kernel

TUNED = (
    "colour",
    "brightness",
    "reach_lr",
    "everywhere",
    "nearby",
    "linear",
    "noise",
    "mixing",
)
WINDOW = 8  # LR pixels: samples are taken in whole windows, so that neighbours are among them
SAMPLES = 400
POINTS = 12  # pixels that stand for an LR pixel; the fewer, the more the constants depend on the draw
LANDMARKS = 256  # of these points span the process, as in AreaKriging
STEPS = 25
RATE = 0.12  # of Adam, natural logarithms a step
# weight of the squared distance of the logarithms from their start: a factor e costs this much log error
PRIOR = 0.03


@dataclass(frozen=True)
class TuningProblem:
    """A small exact area-to-point problem drawn from the scene.

    Attributes:
        sites: Points that stand for each sample, sample after sample, N times q sites.
        Y: Samples, shape (N, B), float64.
        spread: var_j of the samples, shape (N,), float64.
        landmarks: Positions of the sites that span the process; None for all of them.
    """

    sites: Sites
    Y: torch.Tensor
    spread: torch.Tensor
    landmarks: torch.Tensor | None = None

    @classmethod
    def draw(cls, samples: Samples, generator: torch.Generator, points: int = POINTS) -> TuningProblem:
        """Draw samples in windows and, for each, pixels as its PSF weighs them, shifted to its mean guide.

        Args:
            samples: The scene's samples.
            generator: Source of the draw.
            points: Pixels that stand for an LR pixel; 1 puts its mean guide at its centre.

        Returns:
            The problem, in float64.
        """
        height, width = samples.X.shape[-2:]
        lr_width = samples.Y.shape[-1]
        chosen = _windows(samples.usable.reshape(-1, lr_width), generator)
        lr = (chosen[:, 0] * lr_width + chosen[:, 1]).to(samples.X.device)
        guide = samples.guide_lr[0].flatten(1).T.double()[lr][:, None]  # (N, 1, b)
        place = chosen[:, None].double() + 0.5  # (N, 1, 2)
        if points > 1:
            spatial, s = samples.spatial, samples.spatial.factor
            k = spatial.kernel.abs().flatten()
            # each sample draws its own pixels: the same ones everywhere would alias with texture
            drawn = torch.rand((len(chosen), points), generator=generator, device=generator.device)
            taps = torch.searchsorted(k.cumsum(0) / k.sum(), drawn.cpu().double()).clamp_max(len(k) - 1)
            rows = (chosen[:, :1] * s + taps // spatial.size - spatial.offset).clamp(0, height - 1)
            columns = (chosen[:, 1:] * s + taps % spatial.size - spatial.offset).clamp(0, width - 1)
            pixels = samples.X[0].flatten(1).T[(rows * width + columns).to(samples.X.device)].double()
            guide = pixels + guide - pixels.mean(dim=1, keepdim=True)
            place = (torch.stack([rows, columns], dim=-1).double() + 0.5) / s
        sites = Sites((guide / samples.scale).flatten(0, 1), place.to(samples.X.device).flatten(0, 1))
        landmarks = None
        if len(sites) > LANDMARKS:
            landmarks = torch.randperm(len(sites), generator=generator, device=generator.device)[:LANDMARKS]
            landmarks = landmarks.to(samples.X.device)
        return cls(sites, samples.Y[0].flatten(1).T.double()[lr], samples.spread[lr], landmarks)

    def loss(self, kernel: SpectralKernel) -> torch.Tensor:
        """Mean over bands of the logarithm of the leave-one-out error, pure samples weighted up.

        The logarithm makes errors relative to each band; what is to be predicted are pixels, which are pure.

        Args:
            kernel: The kernel to judge.

        Returns:
            A scalar, smaller is better.
        """
        K = self._means(kernel)
        noise = kernel.noise * K.diagonal().mean() + kernel.mixing * self.spread
        errors = solve_kernel((K + K.T) / 2, noise, self.Y).left_out
        typical = self.spread.median() + torch.finfo(torch.float64).tiny
        weights = 1.0 / (1.0 + self.spread / typical)
        energy = (errors.square() * weights[:, None]).sum(dim=0) / weights.sum()
        return 0.5 * (energy + torch.finfo(torch.float64).tiny).log().mean()

    def _means(self, kernel: SpectralKernel) -> torch.Tensor:
        """K between the samples: its mean over their points, shape (N, N)."""
        n, points = len(self.Y), len(self.sites) // len(self.Y)
        P = kernel.coordinates(self.sites)
        if self.landmarks is None:
            direct: torch.Tensor = kernel.matrix(P, P).reshape(n, points, n, points).mean(dim=(1, 3))
            return direct
        C = P.at(self.landmarks)
        K = kernel.matrix(C, C)
        jitter = _NEGLIGIBLE * K.diagonal().sum() + torch.finfo(torch.float32).tiny
        eye = torch.eye(len(K), dtype=K.dtype, device=K.device)
        factor = torch.linalg.cholesky((K + K.T) / 2 + jitter * eye)
        means = kernel.matrix(P, C).reshape(n, points, -1).mean(dim=1)
        features = torch.linalg.solve_triangular(factor, means.T, upper=False)
        product: torch.Tensor = features.T @ features
        return product


def tune(
    kernel: SpectralKernel, problem: TuningProblem, steps: int = STEPS, prior: float | None = None
) -> SpectralKernel:
    """Move the kernel's constants to smaller leave-one-out errors, by gradient and not far from where they were.

    Args:
        kernel: Where to start.
        problem: What to judge by.
        steps: Steps of Adam.
        prior: Weight of the squared distance of the logarithms from where they were; `PRIOR` when None.

    Returns:
        The best kernel met, with plain numbers.
    """
    weight = PRIOR if prior is None else prior
    start = torch.tensor([float(getattr(kernel, name)) for name in TUNED], dtype=torch.float64).log()
    moved = start.clone().requires_grad_()
    optimiser = torch.optim.Adam([moved], lr=RATE)
    best, smallest = start, torch.inf
    for step in range(steps + 1):
        with torch.enable_grad():
            values = moved.exp()
            trial = dataclasses.replace(kernel, **dict(zip(TUNED, values, strict=True)))
            loss = problem.loss(trial) + weight * (moved - start).square().sum()
        if loss.item() < smallest:
            best, smallest = moved.detach().clone(), loss.item()
        if step < steps:
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return dataclasses.replace(kernel, **dict(zip(TUNED, best.exp().tolist(), strict=True)))


def _windows(usable: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Rows and columns of up to about SAMPLES usable LR pixels, in whole windows where there are more."""
    usable = usable.cpu()
    places = usable.nonzero()
    if len(places) <= SAMPLES:
        return places
    window = places // WINDOW
    names = window[:, 0] * (usable.shape[1] // WINDOW + 1) + window[:, 1]
    known, inverse, counts = torch.unique(names, return_inverse=True, return_counts=True)
    order = torch.randperm(len(known), generator=generator, device=generator.device).cpu()
    taken = order[: int((counts[order].cumsum(0) <= SAMPLES).sum().clamp_min(1))]
    return places[torch.isin(inverse, taken)]
