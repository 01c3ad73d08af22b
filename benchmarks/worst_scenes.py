"""Where kriging is wrong on the three CAVE test scenes with its lowest PSNR: a figure, and the shares of the error.

Usage: python -m benchmarks.worst_scenes docs/images    (finds CAVE through HSRDIFF_DATA)
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from benchmarks.panels import INK, QUIET, colour_bar, head, place_axes, quiet_plot, save, sheet, show
from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene
from hsrdiff.fusers import make_fuser
from hsrdiff.metrics import score
from hsrdiff.rng import generator

FACTOR = 32
NM = np.arange(400, 701, 10)
GREEN = 15  # 550 nm, to which the other bands' displacement is measured
WRONG = "#D55E00"
Part = tuple[slice, slice]


@dataclass(frozen=True)
class Shown:
    """What to point at in a scene.

    Attributes:
        name: The scene.
        marks: Letter -> (row, column) of a disc on the maps.
        parts: Words -> rectangle whose share of the error is printed.
        still: Rectangle in which the bands' displacement is measured.
        spots: Words -> rectangle whose mean error in the last band is printed.
    """

    name: str
    marks: dict[str, tuple[int, int]]
    parts: dict[str, Part]
    still: Part
    spots: dict[str, Part] = field(default_factory=dict)


SCENES = (
    Shown(
        "jelly_beans",
        {"A": (300, 250), "B": (168, 176), "C": (340, 440)},
        {},
        (slice(325, 500), slice(460, 508)),
    ),
    Shown(
        "paints",
        {"D": (412, 214), "E": (172, 168)},
        {"palette": (slice(250, 460), slice(0, 512)), "colour chart": (slice(0, 150), slice(0, 512))},
        (slice(30, 145), slice(50, 170)),
        {
            "blue pan": (slice(400, 425), slice(215, 235)),
            "tray left of it": (slice(384, 440), slice(196, 202)),
            "tray right of it": (slice(384, 440), slice(246, 252)),
            "white square": (slice(45, 125), slice(65, 145)),
        },
    ),
    Shown(
        "photo_and_face",
        {"F": (425, 262), "G": (425, 40)},
        {"shirt of the sitter": (slice(400, 512), slice(230, 512)), "face": (slice(190, 400), slice(310, 512))},
        (slice(420, 510), slice(260, 500)),
    ),
)


@dataclass(frozen=True)
class Result:
    """A scene fused again as the benchmark does.

    Attributes:
        shown: What to point at.
        psnr_db: As in the benchmark.
        X: Guide, (b, H, W), float64.
        Z: Truth, (B, H, W), float64.
        error: Fused less true, cut to 0..1 as scores are, (B, H, W), float64.
        std: (B, H, W), float64.
        seen: Share of each band's variance that the guide shows, diagonal of R^+ R, (B,).
    """

    shown: Shown
    psnr_db: float
    X: torch.Tensor
    Z: torch.Tensor
    error: torch.Tensor
    std: torch.Tensor
    seen: torch.Tensor


def fuse(shown: Shown) -> Result:
    scene = dataset_scene(make_dataset("cave"), shown.name, seed=0)
    fusion = make_fuser("kriging").fuse(replace(scene, Z=None), generator=generator(0, "fuse", "kriging", shown.name))
    R = scene.observation.spectral.matrix.double()
    return Result(
        shown,
        score(fusion.Z_hat, scene.Z, factor=FACTOR).psnr_db,
        scene.X[0].double(),
        scene.Z[0].double(),
        (fusion.Z_hat.clamp(0, 1) - scene.Z)[0].double(),
        fusion.std[0].double(),
        (torch.linalg.pinv(R) @ R).diagonal(),
    )


def displacement(Z: torch.Tensor, part: Part) -> torch.Tensor:
    """Rows and columns by which each band lies off the one at 550 nm, (B, 2), by least squares on its slopes."""
    A = Z[GREEN]
    slopes = ((A[2:, 1:-1] - A[:-2, 1:-1]) / 2, (A[1:-1, 2:] - A[1:-1, :-2]) / 2)
    inner = A[1:-1, 1:-1][part]
    M = torch.stack([q.flatten() for q in (inner, *(s[part] for s in slopes), torch.ones_like(inner))], dim=1)
    found = torch.linalg.lstsq(M, Z[:, 1:-1, 1:-1][:, part[0], part[1]].flatten(1).T).solution
    return (found[1:3] / found[0]).T


def explained_by_displacement(result: Result) -> float:
    """Share of the squared error that the guide's slopes give, with factors linear in position, fitted to the truth."""
    X = result.X
    down, across = torch.zeros_like(X), torch.zeros_like(X)
    down[:, 1:-1], across[:, :, 1:-1] = (X[:, 2:] - X[:, :-2]) / 2, (X[:, :, 2:] - X[:, :, :-2]) / 2
    row, column = (torch.linspace(-1, 1, n, dtype=X.dtype) for n in X.shape[-2:])
    terms = [slope * at for slope in (down, across) for at in (torch.ones(1, 1, dtype=X.dtype), row[:, None], column)]
    M, y = torch.cat(terms).flatten(1).T, result.error.flatten(1).T
    left = y - M @ torch.linalg.solve(M.T @ M, M.T @ y)
    return 1.0 - float(left.square().sum() / y.square().sum())


def left_at_same_colour(result: Result) -> torch.Tensor:
    """Share of each band's variance, brightness divided out, among pixels of one colour in the guide, (B,)."""
    brightness = result.X.norm(dim=0)
    lit = (brightness > brightness.flatten().quantile(0.4)) & (brightness < brightness.flatten().quantile(0.95))
    colour, spectra = (result.X / brightness)[:, lit], (result.Z / brightness)[:, lit]
    _, which, count = torch.unique((40 * colour).round(), dim=1, return_inverse=True, return_counts=True)
    groups = [spectra[:, which == k] for k in (count > 50).nonzero().flatten().tolist()]
    within = sum(g.var(dim=1) * g.shape[1] for g in groups) / sum(g.shape[1] for g in groups)
    return within / spectra.var(dim=1)


def describe(result: Result) -> None:
    squares = result.error.square()
    pixels, bands = squares.mean(dim=0), squares.mean(dim=(1, 2))
    brightness = result.X.norm(dim=0)
    slope = F.pad(brightness.diff(dim=0).abs(), (0, 0, 0, 1)) + F.pad(brightness.diff(dim=1).abs(), (0, 1))
    edges = F.max_pool2d(slope[None], 5, 1, 2)[0] > slope.flatten().quantile(0.9)
    means = F.avg_pool2d(pixels[None], FACTOR)[0].flatten().sort(descending=True).values
    shares = {
        "up to 430 nm": bands[:4].sum() / bands.sum(),
        "from 680 nm": bands[28:].sum() / bands.sum(),
        f"edges ({100 * edges.double().mean():.0f} % of the area)": pixels[edges].sum() / pixels.sum(),
        "worst tenth of the blocks": means[: len(means) // 10].sum() / means.sum(),
        "brightest hundredth": pixels[brightness > brightness.flatten().quantile(0.99)].sum() / pixels.sum(),
    }
    shares |= {words: pixels[part].sum() / pixels.sum() for words, part in result.shown.parts.items()}
    print(f"{result.shown.name}: PSNR {result.psnr_db:.2f} dB; share of the squared error, %:")
    print("  " + "; ".join(f"{words} {100 * float(share):.0f}" for words, share in shares.items()))
    off = displacement(result.Z, result.shown.still)
    print(
        f"  pixels off the band at 550 nm: {', '.join(f'{NM[k]} nm {off[k].norm():.1f}' for k in (0, 3, 10, 20, 30))}"
    )
    print(f"  largest: {off.norm(dim=1).max():.1f}")
    print(f"  of the squared error, explained by displacement: {100 * explained_by_displacement(result):.0f} %")
    left = left_at_same_colour(result)
    print("  left at the same colour, %: " + ", ".join(f"{NM[k]} nm {100 * left[k]:.0f}" for k in (1, 5, 15, 22, 30)))
    together = torch.corrcoef(result.error[[22, 30]].flatten(1))[0, 1]
    print(f"  correlation of the errors at {NM[22]} and {NM[30]} nm: {together:.2f}")
    for words, part in result.shown.spots.items():
        true, off_by = (cube[30][part].mean() for cube in (result.Z, result.error))
        print(f"  {words} at {NM[30]} nm: true {true:.3f}, error {off_by:+.3f}")
    within = (result.error.abs() < result.std).double().mean()
    print(f"  within one standard deviation: {100 * within:.0f} %")


def draw(results: list[Result], path: Path) -> None:
    figure = sheet(
        1640,
        "What is still wrong: the three CAVE test scenes with the lowest PSNR, factor 32",
        "Error: root mean square of fused less true. Ticks around a map stand one coarse pixel (32 pixels) apart.",
    )
    for number, result in enumerate(results):
        top = 160 + 500 * number
        axes = place_axes(figure, 60, top, 380, 380)
        rms = F.avg_pool2d(result.error.square().mean(dim=0)[None], 2)[0].sqrt()
        image = show(axes, rms, result.Z.shape[-2:], cmap="magma", vmin=0, vmax=float(rms.quantile(0.99)))
        axes.set_xticks(np.arange(-0.5, 512, FACTOR), labels=[])
        axes.set_yticks(np.arange(-0.5, 512, FACTOR), labels=[])
        head(
            axes,
            result.shown.name.replace("_", " "),
            f"error of each pixel, over all bands; PSNR {result.psnr_db:.2f} dB",
        )
        colour_bar(axes, image, "")
        for letter, (row, column) in result.shown.marks.items():
            axes.plot(column, row, "o", ms=16, color="white", mec=INK, mew=1.2, zorder=5)
            style = {"size": 10.5, "weight": "bold", "color": INK, "ha": "center", "va": "center_baseline", "zorder": 6}
            axes.annotate(letter, (column, row), **style)
        axes = place_axes(figure, 600, top, 950, 380)
        axes.plot(NM, result.error.square().mean(dim=(1, 2)).sqrt(), color=WRONG, lw=2.2, label="error of the band")
        quiet_plot(axes, "wavelength, nm" if number == 2 else "", "root mean square error")
        axes.set_ylim(bottom=0)
        under = axes.twinx()
        under.fill_between(NM, result.seen, color="#e5e7eb", lw=0, label="how much of the band the guide sees")
        under.set_ylim(0, 0.5)
        under.axis("off")
        axes.set_zorder(under.get_zorder() + 1)
        axes.patch.set_visible(False)
        head(axes, "Error by band", "grey: how much of the band the guide sees" if number == 0 else "")
        axes.tick_params(colors=QUIET)
    save(figure, path, colours=256)


def main(folder: str) -> None:
    torch.set_num_threads(1)
    results = [fuse(shown) for shown in SCENES]
    for result in results:
        describe(result)
    draw(results, Path(folder) / "kriging-worst.png")


if __name__ == "__main__":
    main(sys.argv[1])
