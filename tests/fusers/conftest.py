"""Small weights for every fuser's tests."""

import pytest
import torch
from fuser_scenes import BANDS, FACTOR, WAVELENGTHS_NM

from hsrdiff.fusers.kriging import LearnedKernel
from hsrdiff.fusers.kriging.learned_weights import KernelCard, save_kernel
from hsrdiff.fusers.residual import Coordinates, ResidualCard, ResidualModel, ResidualModelConfig, save_residual
from hsrdiff.networks import DENOISERS, CDFormerConfig, ModelCard, save_weights
from hsrdiff.networks.ablations import UNetConfig
from hsrdiff.networks.competitors import COMPETITORS, save_competitor

# the smallest sensible shape of each
COMPETITOR_SHAPES = {
    "ual": {"channels": 4, "depth": 1},
    "brresnet": {"channels": 8, "blocks": 2},
    "cmhf-net": {"stages": 3, "rank": 2, "adjust": 1},
    "fusformer": {"channels": 6, "heads": 2, "head_channels": 3, "encoder": 1, "decoder": 1},
}


def tiny_card(msi_bands):
    """Return the card of weights for the small scenes."""
    return ModelCard(
        name="tiny",
        bands=BANDS,
        msi_bands=msi_bands,
        wavelengths_nm=[float(w) for w in WAVELENGTHS_NM],
        factor=FACTOR,
        peak=1.0,
        sensor=", ".join(f"band{i}" for i in range(msi_bands)),
        dataset="made up",
    )


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """Return a function (msi_bands, kind) -> path of tiny random weights of a denoiser for 6 bands."""
    folder = tmp_path_factory.mktemp("weights")
    made = {}

    def make(msi_bands=3, kind="cdformer"):
        config = CDFormerConfig(channels=8, layers=1, heads=2, window=4)
        if kind == "unet":
            config = UNetConfig(channels=8, multipliers=(1, 2), blocks=1)
        if (msi_bands, kind) not in made:
            with torch.random.fork_rng():
                torch.manual_seed(7)
                network = DENOISERS[kind].network(BANDS, msi_bands, config)
                # it starts at 0, and untrained weights would return the upsampled Y exactly
                torch.nn.init.normal_(network.reconstruct.weight, std=0.1)
            path = folder / f"{kind}{msi_bands}.safetensors"
            made[msi_bands, kind] = save_weights(path, network, tiny_card(msi_bands))
        return made[msi_bands, kind]

    return make


@pytest.fixture(scope="session")
def competitor_weights(tmp_path_factory):
    """Return a function (name, msi_bands) -> path of small random weights of a competitor for 6 bands."""
    folder = tmp_path_factory.mktemp("competitors")
    made = {}

    def make(name, msi_bands=3):
        if (name, msi_bands) not in made:
            entry = COMPETITORS[name]
            with torch.random.fork_rng():
                torch.manual_seed(7)
                network = entry.build(BANDS, msi_bands, FACTOR, entry.config(**COMPETITOR_SHAPES[name]))
            path = folder / f"{name}{msi_bands}.safetensors"
            made[name, msi_bands] = save_competitor(path, name, network, tiny_card(msi_bands))
        return made[name, msi_bands]

    return make


@pytest.fixture(scope="session")
def kernel_weights(tmp_path_factory):
    """Return the path of an untrained learned kernel."""
    with torch.random.fork_rng():
        torch.manual_seed(7)
        kernel = LearnedKernel()
    return save_kernel(tmp_path_factory.mktemp("kernel") / "kernel.safetensors", kernel, KernelCard(name="untrained"))


@pytest.fixture(scope="session")
def residual_weights(tmp_path_factory):
    """Return a function (msi_bands, basis) -> path of a small random residual model."""
    folder = tmp_path_factory.mktemp("residual")
    made = {}

    def make(msi_bands=3, basis="scene"):
        if (msi_bands, basis) not in made:
            with torch.random.fork_rng():
                torch.manual_seed(7)
                shape = {"coordinates": 2, "channels": 8, "layers": 1, "window": 4}
                model = ResidualModel(ResidualModelConfig.of(basis, BANDS, msi_bands, **shape))
                # it starts at 0, and an untrained model would return its base exactly
                torch.nn.init.normal_(model.network.reconstruct.weight, std=0.1)
                if basis == "sensors":
                    spread = torch.rand((BANDS, BANDS), dtype=torch.float64)
                    R = torch.rand((msi_bands, BANDS), dtype=torch.float64)
                    model.fix(Coordinates.of(spread @ spread.T, R, 2))
            card = ResidualCard(name="tiny", data="made up")
            made[msi_bands, basis] = save_residual(folder / f"tiny{msi_bands}{basis}.safetensors", model, card)
        return made[msi_bands, basis]

    return make
