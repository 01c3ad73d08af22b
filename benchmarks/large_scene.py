"""Memory and accuracy of a scene fused in blocks, against the same scene fused as a whole.

A mosaic of turned and flipped training scenes of CAVE, 512 x 512 pixels each, seen at x4 by a camera and a Gaussian
PSF, is fused from files to a file, each time by a process of its own. Memory is what no file stands behind (RssAnon of
/proc, Linux only), looked at a hundred times a second: the pages of a result in a file are the system's to take back.

Usage: python -m benchmarks.large_scene FOLDER [--tiles 4] [--method regression-projected] [--only-blocks]
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import torch
from affine import Affine

import hsrdiff
from hsrdiff.cubes import as_cube, open_cube, write_cube
from hsrdiff.datasets import make_dataset
from hsrdiff.experiments.base import markdown_table
from hsrdiff.memory import keep_memory
from hsrdiff.observation import SpatialResponse, SpectralResponse
from hsrdiff.sensors import load_sensor

FACTOR, SIDE, SENSOR = 4, 512, "rgb"


def make(folder: Path, tiles: int) -> None:
    """Write truth.npy, hsi.tif and msi.tif."""
    dataset = make_dataset("cave", factor=FACTOR)
    names = dataset.scenes("train")
    draw = np.random.default_rng(0)
    first = dataset.load(names[0])
    bands, side = first.sizes["band"], tiles * SIDE
    wavelengths = first["wavelength"].values
    path = folder / "truth.npy"
    truth = np.lib.format.open_memmap(path, "w+", np.float32, (bands, side, side))
    for row in range(tiles):
        for column in range(tiles):
            Z = np.rot90(dataset.load(names[draw.integers(len(names))]).values, draw.integers(4), (1, 2))
            Z = Z[:, :, ::-1] if draw.integers(2) else Z
            truth[:, row * SIDE : (row + 1) * SIDE, column * SIDE : (column + 1) * SIDE] = Z
    R = SpectralResponse.from_sensor(load_sensor(SENSOR), wavelengths).matrix
    D = SpatialResponse.gaussian(FACTOR)
    X = torch.zeros((len(R), side, side), dtype=torch.float64)
    Y = torch.empty((bands, side // FACTOR, side // FACTOR))
    for band in range(bands):
        layer = torch.from_numpy(np.array(truth[band], dtype=np.float64))
        X += R[:, band, None, None] * layer
        Y[band] = D.apply(layer[None, None])[0, 0].float()
    place = Affine(1.0, 0.0, 4e5, 0.0, -1.0, 5.8e6)
    for image, scale, path in ((Y, FACTOR, folder / "hsi.tif"), (X.float(), 1, folder / "msi.tif")):
        known = wavelengths if image is Y else None
        cube = as_cube(image.numpy(), wavelengths_nm=known, crs="EPSG:32633", transform=place @ Affine.scale(scale))
        write_cube(cube, path, compress="none")


def fuse(folder: Path, method: str, block: int | None) -> dict[str, float]:
    """Fuse in this process; return its peak memory and time."""
    keep_memory()
    peak = [0.0]

    def watch() -> None:
        while True:
            text = Path("/proc/self/status").read_text()
            found = re.search(r"RssAnon:\s+(\d+)", text)
            peak[0] = max(peak[0], int(found[1]) / 2**20 if found else 0.0)
            time.sleep(0.01)

    threading.Thread(target=watch, daemon=True).start()
    begin = time.perf_counter()
    hsrdiff.fuse(
        folder / "hsi.tif",
        folder / "msi.tif",
        method=method,
        sensor=SENSOR,
        out=folder / f"fused-{block}.tif",
        block=block,
        threads=1,
    )
    return {"GiB": peak[0], "s": time.perf_counter() - begin}


def rmse(folder: Path, block: int | None) -> float:
    """Root mean square error of a result, read part by part."""
    truth = np.load(folder / "truth.npy", mmap_mode="r")
    fused = open_cube(folder / f"fused-{block}.tif", chunks={"y": 512})
    total = 0.0
    for start in range(0, truth.shape[1], 512):
        rows = slice(start, start + 512)
        apart = fused[:, rows].values.astype(np.float64) - truth[:, rows]
        total += float(np.square(apart).sum())
    return float(np.sqrt(total / truth.size))


def main() -> None:
    """Print a line for the whole and one for the blocks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tiles", type=int, default=4)
    parser.add_argument("--method", default="regression-projected")
    parser.add_argument("--only-blocks", action="store_true")
    parser.add_argument("--block", type=int, help="fuse once, in this process")
    given = parser.parse_args()
    if given.block is not None:
        side = None if given.block < 0 else given.block
        print(json.dumps(fuse(given.folder, given.method, side)))
        return
    given.folder.mkdir(parents=True, exist_ok=True)
    if not (given.folder / "msi.tif").exists():
        make(given.folder, given.tiles)
    truth = np.load(given.folder / "truth.npy", mmap_mode="r")
    lines = []
    for words, block in (("blocks", -1), ("whole", 0))[: 1 if given.only_blocks else 2]:
        call = [sys.executable, "-m", "benchmarks.large_scene", str(given.folder), "--method", given.method]
        told = subprocess.run([*call, "--block", str(block)], capture_output=True, text=True, check=True)
        found = json.loads(told.stdout)
        error = rmse(given.folder, None if block < 0 else block)
        shape = " x ".join(map(str, truth.shape))
        result = f"{truth.nbytes / 2**30:.2f}"
        lines.append([given.method, shape, result, words, f"{found['GiB']:.2f}", f"{found['s']:.0f}", f"{error:.6f}"])
    titles = ["method", "result", "its GiB", "fused as", "memory GiB", "s", "RMSE"]
    print(markdown_table(titles, lines, left=2))


if __name__ == "__main__":
    main()
