"""Files with mistakes in them, written into the current folder."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path

import h5py
import numpy as np
import rasterio.shutil
import scipy.io
import torch
from affine import Affine

from hsrdiff import simulate
from hsrdiff.cubes import FORMATS, as_cube, open_cube, write_cube
from hsrdiff.networks import CDFormer, CDFormerConfig, ModelCard, save_weights

BANDS, MSI_BANDS, SIDE, FACTOR = 8, 4, 16, 4
SENSOR = "sentinel2:B2,B3,B4,B8"
PLACE = Affine(10, 0, 4e5, 0, -10, 5e6)
COARSE = PLACE @ Affine.scale(FACTOR)
WAVELENGTHS = np.linspace(450, 900, BANDS)


def good_files():
    """Write a good pair, its truth, and weights for it and for others, into the current folder."""
    rng = np.random.default_rng(0)
    values = (0.2 + 0.6 * rng.random((BANDS, SIDE, SIDE))).astype(np.float32)
    cube = as_cube(values, wavelengths_nm=WAVELENGTHS, crs="EPSG:32633", transform=PLACE)
    write_cube(cube, "truth.tif")
    simulate(cube, sensor=SENSOR, factor=FACTOR, out_hsi="hsi.tif", out_msi="msi.tif")
    for name, bands in (("mine", BANDS), ("others", 31)):
        torch.manual_seed(0)
        network = CDFormer(bands, MSI_BANDS, CDFormerConfig(channels=8, layers=1, heads=2))
        save_weights(f"{name}.safetensors", network, ModelCard(bands=bands, msi_bands=MSI_BANDS, factor=FACTOR))


def random(*shape):
    return np.random.default_rng(1).random(shape).astype(np.float32)


def image(name, shape, *, values=None, **coordinates):
    def make():
        return write_cube(as_cube(random(*shape) if values is None else values, **coordinates), name)

    return make


def msi(name="other.tif", *, size=(SIDE, SIDE), values=None, **coordinates):
    return image(name, (MSI_BANDS, *size), values=values, **coordinates)


def hsi(name="other.tif", *, bands=BANDS, size=(4, 4), values=None, **coordinates):
    return image(name, (bands, *size), values=values, **coordinates)


def text_file(name, text):
    return lambda: Path(name).write_text(text)


def folder_of_text(name):
    def make():
        Path(name).mkdir()
        (Path(name) / "readme.txt").write_text("nothing to see\n")

    return make


def zipped(name, *inside):
    def make():
        with zipfile.ZipFile(name, "w") as archive:
            for file in inside:
                archive.writestr(file, "text")

    return make


def raw_file(name, content):
    return lambda: Path(name).write_bytes(content)


def header(**changed):
    """An ENVI image whose header says something wrong."""

    def make():
        lines = {
            "samples": "4",
            "lines": "4",
            "bands": str(BANDS),
            "data type": "4",
            "interleave": "bsq",
            "byte order": "0",
            "wavelength units": "Nanometers",
            "wavelength": "{" + ", ".join(f"{value:.1f}" for value in WAVELENGTHS) + "}",
        }
        lines |= {key.replace("_", " "): value for key, value in changed.items()}
        Path("other.hdr").write_text("ENVI\n" + "".join(f"{k} = {v}\n" for k, v in lines.items() if v))
        Path("other.img").write_bytes(random(BANDS, 4, 4).tobytes())

    return make


def listed(values):
    return "{" + ", ".join(f"{value:g}" for value in values) + "}"


def truncated():
    write_cube(open_cube("hsi.tif"), "other.nc")
    content = Path("other.nc").read_bytes()
    Path("other.nc").write_bytes(content[: len(content) // 2])


def half_weights():
    content = Path("mine.safetensors").read_bytes()
    Path("half.safetensors").write_bytes(content[: len(content) // 2])


def pickled(name, content):
    return lambda: Path(name).write_bytes(pickle.dumps(content))


def enmap_without_xml():
    write_cube(open_cube("hsi.tif"), "ENMAP01-____L2A-DT0000000001_20230101T000000Z_001_V010303_x-SPECTRAL_IMAGE.TIF")


def shifted():
    small = np.random.default_rng(1).random((1, 20, 20)).repeat(8, axis=1).repeat(8, axis=2)
    truth = (0.2 + small * np.linspace(0.3, 0.6, BANDS)[:, None, None]).astype(np.float32)
    for name, columns in (("a", slice(0, 128)), ("b", slice(10, 138))):
        cube = as_cube(truth[:, :, columns], wavelengths_nm=WAVELENGTHS)
        simulate(cube, sensor=SENSOR, factor=4, out_hsi=f"{name}-hsi.tif", out_msi=f"{name}-msi.tif")


def large():
    """A pair of 8 x 8 coarse pixels without a place on the map."""
    simulate(
        as_cube(0.2 + 0.6 * random(BANDS, 32, 32), wavelengths_nm=WAVELENGTHS),
        sensor=SENSOR,
        factor=FACTOR,
        out_hsi="large-hsi.tif",
        out_msi="large-msi.tif",
    )


def kernel(values):
    return lambda: np.savetxt("k.csv", np.asarray(values, dtype=float), delimiter=",")


def locked(patch, folder):
    # the suite may run as root, whom no permission stops: the question that the program asks is answered
    (folder / "locked").mkdir()
    allowed = os.access
    patch.setattr(os, "access", lambda path, mode: not str(path).endswith("locked") and allowed(path, mode))


def half_masked(name, size, left):
    values = random(MSI_BANDS if size == SIDE else BANDS, size, size)
    values[:, :, : size // 2] = np.nan if left else values[:, :, : size // 2]
    values[:, :, size // 2 :] = values[:, :, size // 2 :] if left else np.nan
    write_cube(as_cube(values), name)


def no_common_pixel():
    half_masked("left.tif", 4, True)
    half_masked("right.tif", SIDE, False)


def one_band(name, value, shape=(MSI_BANDS, SIDE, SIDE)):
    def make():
        values = random(*shape)
        values[1] = value
        write_cube(as_cube(values), name)

    return make


def undeclared(value):
    values = random(MSI_BANDS, SIDE, SIDE)
    values[:, :3, :5] = value
    return values


def stack_of_pages():
    """The bands of an image one behind the other, as microscopes write them."""
    for band in range(BANDS):
        write_cube(as_cube(random(1, 4, 4)), "page.tif")
        rasterio.shutil.copy("page.tif", "other.tif", driver="GTiff", APPEND_SUBDATASET="YES" if band else "NO")
    Path("page.tif").unlink()


def no_memory(patch, folder):
    # how much there is differs from machine to machine
    def read(path, **arguments):
        raise MemoryError("Unable to allocate 29.1 TiB for an array with shape (200, 200000, 200000)")

    patch.setattr(FORMATS["geotiff"], "read", read)


def two_variables():
    scipy.io.savemat("other.mat", {"one": random(4, 4, BANDS), "two": random(4, 4, BANDS)})


def flat_hdf5():
    with h5py.File("other.h5", "w") as file:
        file["spectrum"] = WAVELENGTHS


def changed_bands():
    large()
    msi = open_cube("large-msi.tif")
    msi.values[3] *= 1.5
    write_cube(msi, "other.tif")
