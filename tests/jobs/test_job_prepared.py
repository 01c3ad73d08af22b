"""Weights on other bands through `fuse`, and what a fused file remembers of its weights, steps and seed."""

import numpy as np
import pytest
import torch
from job_scenes import material_cube

from hsrdiff import fuse, quality, simulate
from hsrdiff.cubes import open_cube
from hsrdiff.errors import InputError, WeightsError
from hsrdiff.jobs import quality as quality_module
from hsrdiff.networks import CDFormer, CDFormerConfig, ModelCard, save_weights

SENSOR = "sentinel2:B2,B3,B4,B8"


@pytest.fixture(scope="module")
def images():
    hsi, msi = simulate(material_cube(size=64), sensor=SENSOR, factor=4)
    hsi.attrs["hsrdiff_quantity"] = "reflectance"
    return hsi, msi


@pytest.fixture
def weights(tmp_path):
    """Weights of 10 bands of 430 to 900 nm."""
    torch.manual_seed(0)
    network = CDFormer(10, 4, CDFormerConfig(channels=8, layers=1, heads=2, window=4))
    torch.nn.init.normal_(network.reconstruct.weight, std=0.1)
    card = ModelCard(
        bands=10,
        msi_bands=4,
        wavelengths_nm=np.linspace(430.0, 900.0, 10).tolist(),
        msi_wavelengths_nm=[490.0, 560.0, 665.0, 830.0],
        msi_widths_nm=[70.0, 50.0, 50.0, 110.0],
        factor=4,
    )
    return save_weights(tmp_path / "w.safetensors", network, card)


def test_other_bands_are_refused_with_the_option_and_fused_with_it(images, weights):
    hsi, msi = images
    given = {"method": "hsr-diff", "weights": weights, "steps": 2, "sensor": SENSOR}
    with pytest.raises(WeightsError, match=r"have 12 and 4.*--interpolate-bands"):
        fuse(hsi, msi, **given)
    fused = fuse(hsi, msi, **given, interpolate_bands=True)
    np.testing.assert_allclose(fused["wavelength"], hsi["wavelength"])
    assert "12 bands of 450-950 nm were interpolated to the 10 of 430-900 nm" in fused.attrs["hsrdiff_note_bands"]
    assert "1 bands lie outside" in fused.attrs["hsrdiff_note_bands"]
    assert fused.attrs["hsrdiff_method"] == "hsr-diff"
    plain = fuse(hsi, msi, method="bicubic", sensor=SENSOR)
    np.testing.assert_allclose(fused[-1], plain[-1], atol=1e-6)


def test_where_there_is_nothing_to_interpolate_to(images, weights):
    hsi, msi = images
    for method in ("auto", "regression", "hsr-diff"):
        with pytest.raises(InputError, match="none are named"):
            fuse(hsi, msi, method=method, sensor=SENSOR, interpolate_bands=True)
    residual = {"method": "hsr-diff-residual", "weights": "any-residual"}
    with pytest.raises(InputError, match="for any number of bands"):
        fuse(hsi, msi, **residual, sensor=SENSOR, interpolate_bands=True)
    bare = msi.drop_vars([name for name in ("wavelength", "fwhm", "band_name") if name in msi.coords])
    with pytest.raises(InputError, match="'hsr-diff' must know the multispectral sensor"):
        fuse(hsi, bare, method="hsr-diff", weights=weights, steps=2, interpolate_bands=True)


def test_quality_runs_the_method_as_the_file_was_made(images, weights, tmp_path, monkeypatch):
    hsi, msi = images
    seen = []
    original = quality_module.reduced_scores

    def noted(degraded, fuser, *, seed):
        seen.append((fuser.fuser.weights, fuser.fuser.steps, seed))
        return original(degraded, fuser, seed=seed)

    monkeypatch.setattr(quality_module, "reduced_scores", noted)
    given = {"method": "hsr-diff", "weights": weights, "steps": 2, "sensor": SENSOR, "interpolate_bands": True}
    fuse(hsi, msi, **given, seed=5, out=tmp_path / "fused.tif")
    found = quality(tmp_path / "fused.tif", hsi, msi, reduced=True)
    assert np.isfinite(found.reduced.scores.psnr_db)
    quality(tmp_path / "fused.tif", hsi, msi, reduced=True, steps=3, seed=1)
    assert seen == [(str(weights), 2, 5), (str(weights), 3, 1)]
    other = weights.with_name("other.safetensors")
    weights.rename(other)
    with pytest.raises(WeightsError, match=r"is not there; .*--weights"):
        quality(tmp_path / "fused.tif", hsi, msi, reduced=True)
    quality(tmp_path / "fused.tif", hsi, msi, reduced=True, weights=other)
    assert seen[-1] == (str(other), 2, 5)
    weights.write_bytes(other.read_bytes() + b"0")
    with pytest.raises(WeightsError, match="is another one now"):
        quality(tmp_path / "fused.tif", hsi, msi, reduced=True)


def test_a_fused_file_says_its_physical_quantity(images, tmp_path):
    hsi, msi = images
    fuse(hsi, msi, method="regression", out=tmp_path / "fused.tif")
    assert open_cube(tmp_path / "fused.tif").attrs["hsrdiff_quantity"] == "reflectance"
    fused = fuse(hsi.drop_attrs(), msi, method="regression")
    assert "hsrdiff_quantity" not in fused.attrs
    assert "hsrdiff_weights" not in fused.attrs
