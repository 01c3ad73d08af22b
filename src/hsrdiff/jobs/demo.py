"""`demo`: real data in, the whole way from a simulated pair to scores, cubes and a figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import xarray as xr

from hsrdiff._version import __version__
from hsrdiff.cubes import as_cube, write_cube
from hsrdiff.cubes.spectral_axis import band_numbers
from hsrdiff.datasets import IndianPines
from hsrdiff.datasets.indian_pines import SENSOR
from hsrdiff.errors import WeightsError, WriteError
from hsrdiff.evaluation import Row, dataset_scene, evaluate_fuser
from hsrdiff.fusers import make_fuser
from hsrdiff.jobs.output_files import check_new_folder
from hsrdiff.jobs.simulate import scene_cubes
from hsrdiff.networks.weights import shipped_weights
from hsrdiff.report.figure import figure_class, fusion_figure
from hsrdiff.rng import generator
from hsrdiff.sensors import load_sensor
from hsrdiff.typing import PathLike

METHODS = ("bicubic", "regression", "kriging-learned", "hsr-diff", "hsr-diff-residual")
PAPER = "hsr-diff"  # the paper's mode: weights of one pair of sensors
SHOWN = "hsr-diff-residual"
WEIGHTS = "indian-pines-x4"
UNIT = "digital number / 10 000"


@dataclass(frozen=True)
class DemoResult:
    """What the demo made.

    Attributes:
        rows: Scores of each method, in the order of `METHODS`.
        files: What was written, by what it is.
        weights: The weights that the paper's mode used, in words.
    """

    rows: tuple[Row, ...]
    files: Mapping[str, Path]
    weights: str


def demo(
    out: PathLike,
    *,
    weights: PathLike | None = None,
    steps: int | None = None,
    seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> DemoResult:
    """Sharpen a part of AVIRIS Indian Pines by 4 with five methods and compare them with the truth.

    The pair is simulated from the real scene with a six-band Landsat-like guide. The shipped weights were trained
    on other parts of the scene, or on other scenes, and never saw this one.

    Args:
        out: Folder for the cubes and the figure; made when missing.
        weights: Weights of HSR-Diff in the paper's mode; the shipped ones when None.
        steps: Sampling steps of it; its own default when None.
        seed: Seed of the sampling.
        progress: Called with the method, the steps done and the steps in all.

    Returns:
        Scores and files.

    Raises:
        MissingExtraError: tensorly, which brings the scene, or matplotlib is not installed.
        WeightsError: The weights are missing or do not fit.
        WriteError: The folder cannot be written.
    """
    check_new_folder(Path(out))
    if weights is None and WEIGHTS not in shipped_weights():
        raise WeightsError(
            f"the weights '{WEIGHTS}' did not come with this installation",
            expected="a complete installation of hsrdiff",
            do=f"train them with 'hsrdiff train {WEIGHTS}' and name the file with --weights",
        )
    figure_class()
    fusers = {method: make_fuser(method, **_options(method, weights, steps, progress)) for method in METHODS}
    dataset = IndianPines()
    part = dataset.scenes("test")[0]
    scene = dataset_scene(dataset, part)
    truth = dataset.load(part)
    pair = scene_cubes(scene, truth, load_sensor(SENSOR))
    cubes = {"hsi": pair.hsi, "msi": pair.msi, "truth": truth}
    rows: list[Row] = []
    for method, fuser in fusers.items():
        if progress is not None:
            progress(method, 0, 1)
        row, fusion = evaluate_fuser(fuser, scene, generator=generator(seed, "demo", method))
        rows.append(row)
        cubes[method] = _fused(fusion.Z_hat, truth, row)
    folder = _make_folder(Path(out))
    files = _write(folder, cubes)
    shown = rows[METHODS.index(SHOWN)]
    files["figure"] = fusion_figure(
        folder / "figure.png",
        hsi=pair.hsi,
        msi=pair.msi,
        fused=cubes[SHOWN],
        truth=truth,
        title=f"AVIRIS Indian Pines, {scene.factor} times sharper with HSR-Diff, residual mode",
        subtitle=f"A part the weights never saw   ·   PSNR {shown.psnr_db:.2f} dB   ·   SAM {shown.sam_deg:.2f}°",
        unit=UNIT,
    )
    return DemoResult(tuple(rows), files, rows[METHODS.index(PAPER)].notes.get("weights", WEIGHTS))


def _options(
    method: str, weights: PathLike | None, steps: int | None, progress: Callable[[str, int, int], None] | None
) -> dict[str, object]:
    """Return what the method's constructor is given; the classical ones take nothing."""
    if method != PAPER:
        return {"std": False} if method == "kriging-learned" else {}
    options: dict[str, object] = {"weights": WEIGHTS if weights is None else weights}
    if steps is not None:
        options["steps"] = steps
    if progress is not None:
        options["on_step"] = lambda done, in_all: progress(method, done, in_all)
    return options


def _make_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(
            f"the folder '{folder}' could not be made ({error.strerror})", do="choose another one"
        ) from error
    return folder


def _fused(Z_hat: torch.Tensor, truth: xr.DataArray, row: Row) -> xr.DataArray:
    """Make a cube of an estimate, with what decided it in its attributes."""
    cube = as_cube(
        Z_hat[0].cpu().numpy().astype(np.float32),
        wavelengths_nm=band_numbers(truth, "wavelength"),
        fwhm_nm=band_numbers(truth, "fwhm"),
    )
    cube.attrs.update(
        {
            "hsrdiff_method": row.method,
            "hsrdiff_version": __version__,
            "hsrdiff_factor": str(row.factor),
            "hsrdiff_told": row.told,
            **{f"hsrdiff_note_{topic}": text for topic, text in row.notes.items()},
        }
    )
    return cube


def _write(folder: Path, cubes: Mapping[str, xr.DataArray]) -> dict[str, Path]:
    """Write every cube as GeoTIFF, and the shown fusion as ENVI too."""
    files = {name: write_cube(cube, folder / f"{name}.tif") for name, cube in cubes.items()}
    files[f"{SHOWN} as ENVI"] = write_cube(cubes[SHOWN], folder / f"{SHOWN}.hdr")
    return files
