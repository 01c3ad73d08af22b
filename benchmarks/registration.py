"""What a displaced HSI costs `fuse`, and what is left of it when the shift is measured and mended.

Usage: python -m benchmarks.registration
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import torch
import xarray as xr
from affine import Affine
from scipy import ndimage

from hsrdiff import check, fuse
from hsrdiff.cubes import as_cube
from hsrdiff.cubes.georeference import georeference_of
from hsrdiff.datasets import make_dataset, make_pairs
from hsrdiff.experiments.small_scenes import LOS_ANGELES, SAMSON
from hsrdiff.observation import SpatialResponse, SpectralResponse
from hsrdiff.sensors import load_sensor

FACTOR, ROOM, EDGE = 4, 4, 8  # ROOM fine pixels around what the MSI shows, so that the displaced HSI sees real ground
SENSOR = "sentinel2:10m"
AVIRIS_NM = (370.0, 2500.0)  # about; the list of removed bands is not published
METHODS, WAYS = ("regression", "kriging"), ("as it lies", "registered")
CORNER = Affine(1.0, 0.0, 0.0, 0.0, -1.0, 1000.0)


def displaced(Z: np.ndarray, centres_nm: np.ndarray, columns: int) -> tuple[xr.DataArray, xr.DataArray, np.ndarray]:
    """Return the HSI `columns` fine pixels off, the MSI, and the truth on the MSI's grid."""
    side = (min(Z.shape[1:]) - 2 * ROOM) // FACTOR * FACTOR
    truth = Z[:, ROOM : ROOM + side, ROOM : ROOM + side]
    moved = Z[:, ROOM : ROOM + side, ROOM - columns : ROOM - columns + side]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Samson ends within the last band of the sensor
        R = SpectralResponse.from_sensor(load_sensor(SENSOR), centres_nm)
    X = R.apply(torch.from_numpy(truth)[None])[0].numpy()
    Y = SpatialResponse.gaussian(FACTOR).apply(torch.from_numpy(moved)[None])[0].numpy()
    coarse = CORNER @ Affine.scale(FACTOR)
    hsi = as_cube(Y.astype(np.float32), wavelengths_nm=centres_nm, crs="EPSG:32633", transform=coarse)
    return hsi, as_cube(X.astype(np.float32), crs="EPSG:32633", transform=CORNER), truth


def rmse(fused: xr.DataArray, truth: np.ndarray) -> float:
    """Return the error of a fused cube, which may be cut, without its edges."""
    transform = georeference_of(fused)[1]
    assert transform is not None
    row, column = round(CORNER.f - transform.f), round(transform.c)
    part = truth[:, row : row + fused.sizes["y"], column : column + fused.sizes["x"]]
    apart = (fused.values - part)[:, EDGE:-EDGE, EDGE:-EDGE]
    return float(np.sqrt(np.nanmean(np.square(apart))))  # what was read beyond the MSI's edge is NaN


def turned(
    Z: np.ndarray, centres_nm: np.ndarray, sensor: str, degrees: float, scale: float
) -> tuple[xr.DataArray, xr.DataArray]:
    """Return the HSI of a truth, and the MSI of the same ground turned about its middle and larger by a share."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        R = SpectralResponse.from_sensor(load_sensor(sensor), centres_nm)
    X = R.apply(torch.from_numpy(Z)[None])[0].numpy()
    if degrees or scale:
        middle = (np.array(X.shape[1:]) - 1) / 2
        at = np.stack(np.meshgrid(*(np.arange(side) for side in X.shape[1:]), indexing="ij")) - middle[:, None, None]
        angle = np.radians(degrees)
        matrix = (1 + scale) * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        places = np.tensordot(matrix, at, axes=1) + middle[:, None, None]
        X = np.stack([ndimage.map_coordinates(band, places, order=3, mode="mirror") for band in X])
    Y = SpatialResponse.gaussian(FACTOR).apply(torch.from_numpy(Z)[None])[0].numpy()
    coarse = CORNER @ Affine.scale(FACTOR)
    hsi = as_cube(Y.astype(np.float32), wavelengths_nm=centres_nm, crs="EPSG:32633", transform=coarse)
    return hsi, as_cube(X.astype(np.float32), crs="EPSG:32633", transform=CORNER)


def scenes() -> Iterator[tuple[str, str, np.ndarray, np.ndarray]]:
    """Yield name, guide, truth and band centres of three scenes, cut to whole coarse pixels."""
    for dataset, scene, sensor, side in (
        ("cave", "flowers", "sentinel2:B2,B3,B4", 256),
        ("aviris-la", "abu-airport-1", SENSOR, None),
        ("enmap-potsdam", "A", SENSOR, None),
    ):
        cube = make_dataset(dataset, factor=FACTOR, sensor="gaussian4").load(scene)
        Z = np.asarray(cube.values, dtype=np.float64)
        height, width = (min(side or size, size) // FACTOR * FACTOR for size in Z.shape[1:])
        top, left = (Z.shape[1] - height) // 2, (Z.shape[2] - width) // 2
        centres_nm = np.linspace(*AVIRIS_NM, len(Z))
        if "wavelength" in cube.coords:
            centres_nm = np.asarray(cube["wavelength"].values, dtype=np.float64)
        yield f"{scene}, {height} x {width}", sensor, Z[:, top : top + height, left : left + width], centres_nm


def rotations() -> None:
    """Print what a rotation and an error of scale cost, and what is left when they are mended."""
    print(
        "\n| scene, x4 | rotation, ° | scale, % | "
        + " | ".join(f"{m} {w}" for m in METHODS for w in WAYS)
        + " | bent |"
    )
    print("|---|---:|---:|" + "---:|" * len(METHODS) * len(WAYS) + "---|")
    for name, sensor, Z, centres_nm in scenes():
        for degrees, scale in ((0.0, 0.0), (0.2, 0.0), (0.5, 0.0), (0.0, 0.005), (0.5, 0.005)):
            hsi, msi = turned(Z, centres_nm, sensor, degrees, scale)
            cells = []
            for method in METHODS:
                for register in (False, True):
                    fused = fuse(hsi, msi, method=method, sensor=sensor, register=register)
                    cells.append(f"{1e4 * rmse(fused, Z):.1f}")
            bent = "yes" if "hsrdiff_bend" in fused.attrs else "no"
            print(f"| {name} | {degrees:g} | {100 * scale:g} | {' | '.join(cells)} | {bent} |", flush=True)


def main() -> None:
    print("| scene, x4, Sentinel-2's four bands | displacement, LR pixels | as it lies | registered |")
    print("|---|---:|---:|---:|")
    for scene in (LOS_ANGELES, SAMSON):
        cube, _ = scene.load(None)
        Z = np.asarray(cube.values, dtype=np.float64)
        centres_nm = np.linspace(*AVIRIS_NM, len(Z))
        if "wavelength" in cube.coords:
            centres_nm = np.asarray(cube["wavelength"].values, dtype=np.float64)
        for columns in range(3):
            hsi, msi, truth = displaced(Z, centres_nm, columns)
            errors = [
                1e4 * rmse(fuse(hsi, msi, method="kriging", sensor=SENSOR, register=register), truth)
                for register in (False, True)
            ]
            print(f"| {scene.scene} | {columns / FACTOR:g} | {errors[0]:.1f} | {errors[1]:.1f} |", flush=True)
    rotations()
    pairs = make_pairs("hyperion-ali-pan")
    found = check(*pairs.load_pair(pairs.pairs()[0]), sensor=pairs.sensor).finding("registration")
    print(f"\nHyperion and ALI's panchromatic band over Paris: {found.words}")


if __name__ == "__main__":
    main()
