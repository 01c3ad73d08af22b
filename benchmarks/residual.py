"""Residual mode: what few steps, the cache, the kernels and the precision save, and how near the peak it runs."""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.literal import literal
from benchmarks.timing import Ratio, compare
from hsrdiff.fusers import make_fuser
from hsrdiff.fusers.residual import channel_count
from hsrdiff.networks import PRESETS, CDFormer
from hsrdiff.networks.convolutions import pointwise
from hsrdiff.networks.residual_cdformer import ResidualCDFormer, ResidualConfig
from hsrdiff.observation import Observation, Scene, SpatialResponse, SpectralResponse
from hsrdiff.rng import generator

SIDE, COORDINATES, BANDS = 256, 12, 31
LITERAL_STEPS = 100


def denoiser() -> tuple[ResidualCDFormer, torch.Tensor, torch.Tensor]:
    """Return the network of CAVE's shape, a condition and noisy coordinates."""
    torch.manual_seed(0)
    conditions = channel_count(COORDINATES, BANDS)
    network = ResidualCDFormer(ResidualConfig(coordinates=COORDINATES, conditions=conditions)).eval()
    return network, torch.randn(1, conditions, SIDE, SIDE), torch.randn(1, COORDINATES, SIDE, SIDE)


def residual_ratios() -> Iterator[Ratio]:
    """Yield one ratio for each thing that is saved, and the product."""
    network, condition, c_t = denoiser()
    gamma = torch.tensor([0.5], dtype=torch.float64)
    encoded = network.encode(condition)

    def uncached() -> torch.Tensor:
        return network(condition, c_t, gamma)

    def plain() -> torch.Tensor:
        return literal(network, condition, c_t, gamma)

    def cached() -> torch.Tensor:
        return network.denoise(encoded, c_t, gamma)

    def half() -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return network(condition, c_t, gamma)

    where = f"residual, {SIDE}x{SIDE}"
    yield compare(f"{where}, one step: SR stream run each time / remembered", uncached, cached)
    yield compare(f"{where}, one step: float32 / bfloat16", uncached, half)
    yield compare(f"{where}, one step: literal float32 / float32", plain, uncached)
    yield compare(f"{where}, one step: literal float32 / bfloat16", plain, half)
    for words, slow, fast in (
        ("literal, float32 / one step, float32, the default", plain, uncached),
        ("literal, float32 / one step, bfloat16", plain, half),
        ("SR stream run each time, float32 / one step, bfloat16", uncached, half),
    ):
        once = compare("", slow, fast)
        yield Ratio(
            f"{where}: {LITERAL_STEPS} steps, {words}",
            LITERAL_STEPS * once.slow_s,
            once.fast_s,
            LITERAL_STEPS * once.low,
            LITERAL_STEPS * once.high,
        )


def cost_ratios() -> Iterator[Ratio]:
    """Yield what more pixels and more bands cost: of the network, which sees no bands, and of its base."""
    network, condition, c_t = denoiser()
    gamma = torch.tensor([0.5], dtype=torch.float64)
    half = condition[..., : SIDE // 2, : SIDE // 2], c_t[..., : SIDE // 2, : SIDE // 2], gamma
    whole = condition, c_t, gamma
    yield compare(
        f"residual, one step: {SIDE}x{SIDE} / {SIDE // 2}x{SIDE // 2} (4 if linear in pixels)",
        lambda: network(*whole),
        lambda: network(*half),
    )
    few, many, large = (made_up(bands, side) for bands, side in ((BANDS, 96), (4 * BANDS, 96), (BANDS, 192)))
    fuser = make_fuser("hsr-diff-residual", weights="any-residual")

    def fuse(scene: Scene) -> torch.Tensor:
        return fuser.fuse(scene, generator=generator(0)).Z_hat

    yield compare(
        f"fuse by residual mode: 192x192 / 96x96 pixels, {BANDS} bands, factor 4 (4 if linear)",
        lambda: fuse(large),
        lambda: fuse(few),
        rounds=2,
    )
    yield compare(
        f"fuse by residual mode: {4 * BANDS} / {BANDS} bands, 96x96, factor 4 (4 if linear)",
        lambda: fuse(many),
        lambda: fuse(few),
        rounds=2,
    )


def made_up(bands: int, side: int, msi_bands: int = 4, D: SpatialResponse | None = None) -> Scene:
    """Return a pair of smooth random bands with a random response; D is a Gaussian of factor 4 when None."""
    draw = generator(0, "made up", bands)
    rough = torch.rand((1, bands, side + 8, side + 8), generator=draw)
    Z = F.avg_pool2d(rough, 9, stride=1).cumsum(dim=1)
    R = torch.rand((msi_bands, bands), generator=draw, dtype=torch.float64)
    D = SpatialResponse.gaussian(4) if D is None else D
    observation = Observation(SpectralResponse(R / R.sum(dim=1, keepdim=True)), D)
    X, Y = observation.observe(Z / Z.max())
    return Scene(X=X, Y=Y, observation=observation)


def matrix_peak(side: int = 1536, rounds: int = 5) -> float:
    """Return the floating-point operations a second of a large float32 matrix product, by the faster library."""
    a, b = torch.randn(side, side), torch.randn(side, side)
    rates = []
    for product in (torch.matmul, pointwise):
        product(a, b)
        begin = time.perf_counter()
        for _ in range(rounds):
            product(a, b)
        rates.append(2 * side**3 * rounds / (time.perf_counter() - begin))
    return max(rates)


def achieved() -> str:
    """Say how many operations a second one step does, over the peak of the same run."""
    network, condition, c_t = denoiser()
    gamma = torch.tensor([0.5], dtype=torch.float64)
    with FlopCounterMode(display=False) as counter:
        network(condition, c_t, gamma)
    operations = counter.get_total_flops()
    peak = matrix_peak()
    begin = time.perf_counter()
    network(condition, c_t, gamma)
    rate = operations / (time.perf_counter() - begin)
    return (
        f"residual, one float32 step: {operations / 1e9:.1f} GFLOP counted, "
        f"{rate / 1e9:.1f} GFLOP/s, {100 * rate / peak:.0f} % of a matrix product's "
        f"{peak / 1e9:.1f}"
    )


def training_ratios() -> Iterator[Ratio]:
    """Training steps of this network, of its literal form and of paper mode's preset `small`, patches of 128 x 128.

    A step is one patch: the forward and the backward pass, and AdamW's. Its inverse is patches a second.
    """
    network, condition, c_t = denoiser()
    network.train()
    paper = CDFormer(BANDS, 3, PRESETS["small"]).train()
    X, Y, Z = torch.randn(1, 3, 128, 128), torch.randn(1, BANDS, 4, 4), torch.randn(1, BANDS, 128, 128)
    gamma = torch.tensor([0.5], dtype=torch.float64)
    given = condition[..., :128, :128], c_t[..., :128, :128], gamma
    optimizers = {model: torch.optim.AdamW(model.parameters(), lr=1e-5) for model in (network, paper)}

    def learn(model: torch.nn.Module, loss: torch.Tensor) -> None:
        optimizers[model].zero_grad(set_to_none=True)
        loss.backward()
        optimizers[model].step()

    def theirs() -> None:
        learn(paper, paper(X, Y, Z, gamma.float()).square().mean())

    def plain() -> None:
        learn(network, literal(network, *given).square().mean())

    def ours() -> None:
        learn(network, network(*given).square().mean())

    def half() -> None:
        with torch.autocast("cpu", torch.bfloat16):
            loss = network(*given).square().mean()
        learn(network, loss)

    where = "training on a 128x128 patch"
    with torch.enable_grad():
        yield compare(f"{where}: paper mode, small / residual", theirs, ours)
        yield compare(f"{where}, residual: literal float32 / float32", plain, ours)
        yield compare(f"{where}, residual: float32 / bfloat16", ours, half)
        yield compare(f"{where}, residual: literal float32 / bfloat16", plain, half)
