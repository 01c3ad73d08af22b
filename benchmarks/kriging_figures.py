"""The two figures of docs/kriging.md, from the AVIRIS scene that comes with tensorly.

Usage: python -m benchmarks.kriging_figures docs/images
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from benchmarks.panels import INK, QUIET, colour_bar, colours, head, place_axes, quiet_plot, save, sheet, show
from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import dataset_scene
from hsrdiff.fusers import make_fuser
from hsrdiff.fusers.base import Fusion
from hsrdiff.fusers.kriging import SpectralKernel
from hsrdiff.fusers.kriging.samples import Samples
from hsrdiff.fusers.kriging.tuning import TuningProblem, tune
from hsrdiff.metrics import score
from hsrdiff.observation import Scene
from hsrdiff.report.spectra import broken_at_gaps
from hsrdiff.rng import generator

# blue, green, red, near infrared: nothing beyond 900 nm
SENSOR = "landsat8:B2,B3,B4,B5"
HIDDEN_NM = 1650.0
# at a field's edge; the error there is the median of the tenth of pixels that differ most from their coarse pixel
TARGET = (34, 15)
STAR = "#111111"
LETTERS = {"A": "#D55E00", "B": "#CC79A7", "C": "#0072B2"}
FOUND = "#009E73"
FALSE_COLOUR = (3, 2, 1)
UNIT = "digital number / 10000"


@dataclass(frozen=True)
class Example:
    """A scene, its fusion, and how alike every coarse pixel is to the target.

    Attributes:
        scene: With its truth.
        Z: Truth, (B, H, W).
        fused: (B, H, W).
        std: (B, H, W).
        alike: Shape (h, w), 1 for the same colour, brightness and place.
        band: The band shown, which the guide does not see.
    """

    scene: Scene
    Z: torch.Tensor
    fused: torch.Tensor
    std: torch.Tensor
    alike: torch.Tensor
    band: int

    @property
    def wavelengths_nm(self) -> np.ndarray:
        return np.asarray(self.scene.wavelengths_nm, dtype=np.float64)

    @property
    def size(self) -> tuple[int, int]:
        return int(self.Z.shape[-2]), int(self.Z.shape[-1])

    @property
    def own(self) -> tuple[int, int]:
        """The coarse pixel in which the target lies."""
        return TARGET[0] // self.scene.factor, TARGET[1] // self.scene.factor


def make_example() -> Example:
    scene = dataset_scene(make_dataset("indian-pines", sensor=SENSOR), "northeast", seed=0)
    blind = replace(scene, Z=None)
    fusion = make_fuser("kriging").fuse(blind, generator=generator(0, "kriging figures"))
    # the same samples and draws as inside the fuser, so this is the kernel that it chose
    samples = Samples.of(blind, scene.observation.spatial)
    kernel = tune(SpectralKernel(), TuningProblem.draw(samples, generator(0, "kriging figures")))
    alike = likeness(kernel, samples).reshape(scene.Y.shape[-2:])
    band = int(np.argmin(np.abs(np.asarray(scene.wavelengths_nm) - HIDDEN_NM)))
    describe(blind, scene.Z, fusion, band)
    return Example(scene, scene.Z[0], fusion.Z_hat[0], fusion.std[0], alike, band)


def describe(blind: Scene, Z: torch.Tensor, fusion: Fusion, band: int) -> None:
    scores = score(fusion.Z_hat, Z, factor=blind.factor)
    print(f"{fusion.notes}\nPSNR {scores.psnr_db:.2f} dB, SAM {scores.sam_deg:.2f} degrees")
    bicubic = make_fuser("bicubic").fuse(blind, generator=generator(0, "kriging figures")).Z_hat
    rmse = [float((cube - Z)[0, band].square().mean().sqrt()) for cube in (fusion.Z_hat, bicubic)]
    print(f"RMSE of the band: kriging {rmse[0]:.4f}, bicubic {rmse[1]:.4f}")
    nm = torch.tensor(np.asarray(blind.wavelengths_nm))
    for words, chosen in (("all", nm > 0), ("below 1100 nm", nm < 1100), ("beyond 1400 nm", nm > 1400)):
        ratio = ((fusion.Z_hat - Z) / fusion.std)[0, chosen]
        share, size = (ratio.abs() < 1).double().mean(), ratio.square().mean().sqrt()
        print(f"{words}: {100 * share:.0f} % within one standard deviation, error over it {size:.2f}")


def likeness(kernel: SpectralKernel, samples: Samples) -> torch.Tensor:
    """The kernel between the target and every coarse pixel, without brightness factors and the linear term."""
    target = samples.pixels().at(slice(TARGET[0] * samples.X.shape[-1] + TARGET[1], None)).at(slice(0, 1))
    both = [torch.cat(pair) for pair in zip(*((s.guide, s.place) for s in (target, samples.sites())), strict=True)]
    P = replace(kernel, linear=0.0).coordinates(type(target)(*both))
    K = replace(kernel, linear=0.0).matrix(P.at(slice(0, 1)), P.at(slice(1, None)))[0]
    return K / (P.brightness[0] * P.brightness[1:, 0]) / (kernel.everywhere + kernel.nearby)


def chosen_samples(example: Example) -> dict[str, tuple[int, int]]:
    """A and B: the most alike, not near the target nor each other; C: the least alike of its neighbours."""
    rows, columns = example.alike.shape
    r, c = example.own
    found: list[tuple[int, int]] = []
    for at in example.alike.flatten().argsort(descending=True).tolist():
        place = (at // columns, at % columns)
        if all(max(abs(place[0] - a), abs(place[1] - b)) > 2 for a, b in [(r, c), *found]):
            found.append(place)
        if len(found) == 2:
            break
    near = [(i, j) for i in range(max(0, r - 1), min(rows, r + 2)) for j in range(max(0, c - 1), min(columns, c + 2))]
    return {"A": found[0], "B": found[1], "C": min(near, key=lambda at: float(example.alike[at]))}


def mark(axes: Axes, example: Example, samples: dict[str, tuple[int, int]]) -> None:
    s = example.scene.factor
    for letter, (i, j) in samples.items():
        axes.add_patch(Rectangle((j * s - 0.5, i * s - 0.5), s, s, fill=False, ec="white", lw=4.5))
        axes.add_patch(Rectangle((j * s - 0.5, i * s - 0.5), s, s, fill=False, ec=LETTERS[letter], lw=2.5))
        disc(axes, letter, ((j + 0.5) * s - 0.5 + 1.35 * s, (i + 0.5) * s - 0.5))
    axes.plot(TARGET[1], TARGET[0], "*", ms=19, color=STAR, mec="white", mew=1.4)


def disc(axes: Axes, letter: str, at: tuple[float, float]) -> None:
    axes.plot(*at, "o", ms=17, color=LETTERS[letter], mec="white", mew=1.6, zorder=5)
    style = {"size": 11, "weight": "bold", "color": "white", "ha": "center", "va": "center_baseline", "zorder": 6}
    axes.annotate(letter, at, **style)


def draw_idea(example: Example, path: Path) -> None:
    scene, samples = example.scene, chosen_samples(example)
    figure = sheet(
        1200,
        "The idea: pixels that look alike have like spectra",
        "The fine image shows 4 colours of every pixel. The coarse image shows 176 bands, but only of means over about"
        " 4 × 4 pixels.",
    )
    axes = place_axes(figure, 48, 182, 400, 450)
    show(axes, colours(scene.X[0], FALSE_COLOUR), example.size)
    words = "near infrared, red and green shown as red, green and\nblue; ★ is the pixel whose spectrum we want"
    head(axes, "1  The fine image", words)
    mark(axes, example, samples)

    axes = place_axes(figure, 520, 182, 400, 450)
    least = math.floor(10 * float(example.alike.min())) / 10
    image = show(axes, example.alike, example.size, cmap="Greys", vmin=least, vmax=1)
    words = "dark: alike in colour, brightness and place,\nas the method weighs them on this scene"
    head(axes, "2  How alike is each coarse pixel to ★ ?", words)
    mark(axes, example, samples)
    colour_bar(axes, image, "likeness; 1 is the same", extend="neither")

    axes = place_axes(figure, 1060, 182, 500, 450)
    draw_plane(axes, example, samples)
    draw_samples(place_axes(figure, 96, 800, 640, 330), example, samples)
    upper, lower = place_axes(figure, 896, 800, 664, 200), place_axes(figure, 896, 1040, 664, 90)
    draw_foretold(upper, lower, example)
    save(figure, path)


def draw_plane(axes: Axes, example: Example, samples: dict[str, tuple[int, int]]) -> None:
    """Coarse pixels by what the fine image sees of them, tinted by what it does not see."""
    X = example.scene.X[0].double()
    guide = example.scene.observation.spatial.apply(example.scene.X)[0].double()
    plane = torch.stack([guide[3] / guide.norm(dim=0), guide.norm(dim=0)])
    star = X[:, TARGET[0], TARGET[1]]
    dots = axes.scatter(*plane.flatten(1), c=example.scene.Y[0, example.band].flatten(), cmap="viridis", s=36, lw=0)
    for letter, (i, j) in samples.items():
        disc(axes, letter, (float(plane[0, i, j]), float(plane[1, i, j])))
    axes.plot(float(star[3] / star.norm()), float(star.norm()), "*", ms=19, color=STAR, mec="white", mew=1.4)
    quiet_plot(axes, "colour: share of the near infrared", "brightness")
    nm = example.wavelengths_nm[example.band]
    words = f"each dot is a coarse pixel, tinted by its value at {nm:.0f} nm,\nwhich the fine image does not see"
    head(axes, "3  What is seen foretells what is not", words)
    bar = axes.figure.colorbar(dots, ax=axes, pad=0.02)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=11, colors=QUIET, length=3)


def draw_samples(axes: Axes, example: Example, samples: dict[str, tuple[int, int]]) -> None:
    for letter, (i, j) in samples.items():
        spectrum = example.scene.Y[0, :, i, j].double().numpy()
        axes.plot(*broken_at_gaps(example.wavelengths_nm, spectrum), color=LETTERS[letter], lw=2.2, label=letter)
    head(
        axes,
        "4  The spectra of three coarse pixels",
        "A and B lie apart from ★ and are like it; C is beside it and unlike",
    )
    spectral(axes, example, UNIT)


def draw_foretold(upper: Axes, lower: Axes, example: Example) -> None:
    """The spectrum at the target, and below it the error on a larger scale."""
    cubes = (example.Z, example.fused, example.std)
    truth, fused, std = (cube[:, TARGET[0], TARGET[1]].double().numpy() for cube in cubes)
    i, j = example.own
    coarse = example.scene.Y[0, :, i, j].double().numpy()
    w = example.wavelengths_nm
    upper.plot(*broken_at_gaps(w, coarse), color="#9aa1ab", lw=1.8, ls=(0, (3, 2)), label="the coarse pixel it lies in")
    upper.plot(*broken_at_gaps(w, truth), color=INK, lw=3.2, label="truth")
    upper.plot(*broken_at_gaps(w, fused), color=FOUND, lw=1.8, label="foretold")
    head(upper, "5  The spectrum foretold at ★", "its own coarse pixel is a mixture with its surroundings")
    spectral(upper, example, UNIT)
    upper.set_xlabel("")
    at, high = broken_at_gaps(w, std)
    lower.fill_between(at, -high, high, color=FOUND, alpha=0.25, lw=0, label="± 1 standard deviation")
    lower.plot(*broken_at_gaps(w, fused - truth), color=FOUND, lw=1.6, label="foretold − truth")
    spectral(lower, example, "difference")
    lower.legend(loc="lower right", frameon=False, fontsize=11, labelcolor=INK, ncols=2)


def spectral(axes: Axes, example: Example, label: str) -> None:
    """Finish a plot over wavelength: grey where the guide sees."""
    w = example.wavelengths_nm
    quiet_plot(axes, "wavelength, nm", label)
    for number, row in enumerate(example.scene.observation.spectral.matrix.numpy()):
        seen = w[row > 0.5 * row.max()]
        name = "seen by the fine image" if number == 0 and label == UNIT else None
        axes.axvspan(seen.min() - 5, seen.max() + 5, color="#e5e7eb", lw=0, zorder=0, label=name)
    axes.margins(x=0.01)
    axes.legend(loc="upper right", frameon=False, fontsize=11, labelcolor=INK)


def draw_gain(example: Example, path: Path) -> None:
    scene, k = example.scene, example.band
    Z, fused, std = (cube[k].double() for cube in (example.Z, example.fused, example.std))
    error = (fused - Z).abs()
    stretch = {"cmap": "viridis", "vmin": float(Z.quantile(0.01)), "vmax": float(Z.quantile(0.99))}
    errors = {"cmap": "magma", "vmin": 0, "vmax": float(error.quantile(0.99))}
    figure = sheet(
        1350,
        f"What it gives: the band at {example.wavelengths_nm[k]:.0f} nm, which the fine image does not see",
        "AVIRIS Indian Pines, made four times finer; one of 176 bands. The first three maps share a scale, the last two"
        " another.",
    )
    shown = (
        ("Coarse image", "given", scene.Y[0, k], stretch),
        ("Fused by kriging", "from the coarse image and the fine one", fused, stretch),
        ("Truth", "not given", Z, stretch),
        ("Fine image", "given: near infrared, red, green as red, green, blue", None, {}),
        ("Error", "distance of the fused value from the truth", error, errors),
        ("Standard deviation", "what kriging says about its error, without the truth", std, errors),
    )
    for number, (name, words, picture, how) in enumerate(shown):
        axes = place_axes(figure, 48 + 530 * (number % 3), 160 + 600 * (number // 3), 400, 450)
        if picture is None:
            show(axes, colours(scene.X[0], FALSE_COLOUR), example.size)
        else:
            image = show(axes, picture, example.size, **how)
            colour_bar(axes, image, UNIT, extend="max" if how is errors else "both")
        head(axes, name, words)
    save(figure, path)


def main(folder: str) -> None:
    torch.set_num_threads(1)
    example = make_example()
    draw_idea(example, Path(folder) / "kriging-idea.png")
    draw_gain(example, Path(folder) / "kriging-gain.png")


if __name__ == "__main__":
    main(sys.argv[1])
