"""A good pair, its truth and weights that fit it, copied for each test."""

import shutil

import numpy as np
import pytest
import torch
from affine import Affine
from refusals import BANDS, MSI_BANDS, SENSOR

from hsrdiff import simulate
from hsrdiff.cubes import as_cube, write_cube
from hsrdiff.networks import CDFormer, CDFormerConfig, ModelCard, save_weights


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """A good pair, its truth, and weights that fit it."""
    folder = tmp_path_factory.mktemp("good")
    rng = np.random.default_rng(0)
    values = (0.2 + 0.6 * rng.random((BANDS, 16, 16))).astype(np.float32)
    cube = as_cube(
        values,
        wavelengths_nm=np.linspace(450, 900, BANDS),
        crs="EPSG:32633",
        transform=Affine(10, 0, 4e5, 0, -10, 5e6),
    )
    write_cube(cube, folder / "truth.tif")
    simulate(cube, sensor=SENSOR, factor=4, out_hsi=folder / "hsi.tif", out_msi=folder / "msi.tif")
    for name, bands in (("fits", BANDS), ("other-bands", 31)):
        torch.manual_seed(0)
        network = CDFormer(bands, MSI_BANDS, CDFormerConfig(channels=8, layers=1, heads=2))
        # it starts at 0, and untrained weights would return the upsampled Y exactly
        torch.nn.init.normal_(network.reconstruct.weight, std=0.1)
        card = ModelCard(bands=bands, msi_bands=MSI_BANDS, factor=4)
        save_weights(folder / f"{name}.safetensors", network, card)
    return folder


@pytest.fixture
def here(originals, tmp_path, monkeypatch):
    """The current folder holds copies of the good files."""
    for file in originals.iterdir():
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path
