import numpy as np
import pytest
import torch

from hsrdiff import demo, evaluate, open_cube
from hsrdiff.datasets import IndianPines
from hsrdiff.errors import WeightsError, WriteError
from hsrdiff.jobs.demo import METHODS, SHOWN
from hsrdiff.networks import CDFormer, CDFormerConfig, ModelCard, save_weights

pytest.importorskip("tensorly")
pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    torch.manual_seed(0)
    network = CDFormer(176, 6, CDFormerConfig(channels=8, layers=1, heads=2))
    # it starts at 0, and untrained weights would return the upsampled Y exactly
    torch.nn.init.normal_(network.reconstruct.weight, std=0.1)
    weights = save_weights(folder / "w.safetensors", network, ModelCard(bands=176, msi_bands=6, factor=4))
    told = []
    result = demo(folder / "out", weights=weights, steps=2, progress=lambda *words: told.append(words))
    return result, folder / "out", told


def test_every_method_is_scored_and_fusion_beats_upsampling(ran):
    result, _, told = ran
    assert tuple(row.method for row in result.rows) == METHODS
    psnr_db = {row.method: row.psnr_db for row in result.rows}
    assert psnr_db["regression"] > psnr_db["bicubic"] + 3
    assert psnr_db["hsr-diff-residual"] >= psnr_db["kriging-learned"] - 0.05 > psnr_db["regression"]
    assert ("hsr-diff", 2, 2) in told


def test_files_hold_what_was_scored(ran):
    result, folder, _ = ran
    assert sorted(p.name for p in folder.iterdir()) == sorted(
        ["figure.png", f"{SHOWN}.img", *(f"{n}.tif" for n in ("hsi", "msi", "truth", *METHODS)), f"{SHOWN}.hdr"]
    )
    again = evaluate(result.files["regression"], result.files["truth"], factor=4, peak=1.0)
    row = result.rows[METHODS.index("regression")]
    assert again.psnr_db == pytest.approx(row.psnr_db, abs=1e-3)
    np.testing.assert_array_equal(
        open_cube(result.files[SHOWN]).values, open_cube(result.files[f"{SHOWN} as ENVI"]).values
    )


def test_cubes_carry_wavelengths(ran):
    result, _, _ = ran
    dataset = IndianPines()
    wavelengths = dataset.load(dataset.scenes("test")[0])["wavelength"].values
    for name in ("hsi", "truth", f"{SHOWN} as ENVI"):
        np.testing.assert_allclose(open_cube(result.files[name])["wavelength"].values, wavelengths, atol=1e-3)


def test_missing_weights_and_folder_leave_nothing(tmp_path):
    with pytest.raises(WeightsError):
        demo(tmp_path / "out", weights=tmp_path / "none.safetensors")
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="is a file"):
        demo(tmp_path / "file" / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
