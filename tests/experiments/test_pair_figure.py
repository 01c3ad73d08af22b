"""Figure 9: a pair without truth in any units, judged without it, drawn from what is kept."""

import numpy as np
import pytest
import torch

from hsrdiff.cubes import as_cube
from hsrdiff.errors import DatasetNotFoundError, InputError
from hsrdiff.experiments import pair_figure as module
from hsrdiff.experiments import reproduce
from hsrdiff.experiments.protocols import Entry
from hsrdiff.experiments.real_pair import REDUCED_ERROR, fuse_pair, real_scene
from hsrdiff.fusers import Bicubic, RegressionProjected
from hsrdiff.observation import Observation, SpatialResponse, SpectralResponse

B, FACTOR = 12, 3
CENTRES_NM = np.linspace(450.0, 900.0, B)


class Pairs:
    """One pair of three mixed spectra, each image in its own unit."""

    name, citation, factor, sensor = "made-up", "", FACTOR, "ikonos:blue,green,red,nir"

    def __init__(self, unit_x=1.0, unit_y=1.0, side=72):
        rows, columns = np.meshgrid(np.arange(side), np.arange(side + 12), indexing="ij")
        rng = np.random.default_rng(0)
        shares = rng.dirichlet(np.ones(3), (side // 2, side // 2 + 6)).repeat(2, 0).repeat(2, 1)
        shares = shares + 0.2 * (1 + np.sin(rows / 9 + columns / 5))[..., None]
        axis = np.arange(B)
        spectra = np.stack([0.3 + 0.2 * np.sin(axis / 3), axis / B, np.exp(-0.5 * ((axis - 5) / 2.0) ** 2)])
        Z = torch.from_numpy(np.einsum("hwk,kb->bhw", shares, spectra))[None]
        R = np.exp(-0.5 * ((axis - np.array([[1.0], [4.0], [6.0], [10.0]])) / 1.2) ** 2)
        self.observation = Observation(
            SpectralResponse(R / R.sum(axis=1, keepdims=True)), SpatialResponse.gaussian(FACTOR)
        )
        self.X, self.Y = (image[0].numpy() for image in self.observation.observe(Z))
        self.units = unit_x, unit_y

    def pairs(self):
        return ("here",)

    def load_pair(self, pair):
        assert pair == "here"
        return as_cube(self.Y * self.units[1], wavelengths_nm=CENTRES_NM), as_cube(self.X * self.units[0])


@pytest.fixture(scope="module")
def made():
    return real_scene(Pairs(), "here")


def test_units_do_not_matter(made):
    scene, _ = made
    other, _ = real_scene(Pairs(unit_x=7.0, unit_y=1e4), "here")
    for one, two in ((scene.X, other.X), (scene.Y, other.Y)):
        torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-6)
        assert float(one.max()) == 1.0
    torch.testing.assert_close(other.observation.spatial.kernel, scene.observation.spatial.kernel, rtol=0, atol=1e-3)


def test_the_psf_is_found_and_both_images_agree_by_what_is_found(made):
    scene, _ = made
    truth = SpatialResponse.gaussian(FACTOR)
    assert scene.observation.spatial.factor == FACTOR
    Y_seen, X_seen = scene.observation.spectral.apply(scene.Y), scene.observation.spatial.apply(scene.X)
    assert float((Y_seen - X_seen).norm() / X_seen.norm()) < 0.01
    assert scene.Z is None
    assert float(scene.observation.spatial.kernel.max()) == pytest.approx(float(truth.kernel.max()), rel=0.1)


def test_a_row_judges_a_result_by_its_pair_and_the_method_by_the_degraded_pair(made):
    scene, degraded = made
    rows = {}
    for make in (Bicubic, RegressionProjected):
        row, Z_hat = fuse_pair(make, scene, degraded, 0)
        assert Z_hat.shape == (1, B, *scene.X.shape[-2:])
        rows[make] = row
    bicubic, projected = rows.values()
    assert float(projected.notes["Z D - Y"]) < 0.01 < float(bicubic.notes["R Z - X"])
    assert float(projected.notes["HQNR"]) > float(bicubic.notes["HQNR"])
    assert float(projected.notes[REDUCED_ERROR]) < float(bicubic.notes[REDUCED_ERROR])
    assert projected.psnr_db > bicubic.psnr_db
    alone, _ = fuse_pair(Bicubic, scene, None, 0)
    assert np.isnan(alone.psnr_db)
    assert REDUCED_ERROR not in alone.notes


@pytest.fixture
def figure(monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(module, "make_pairs", lambda name, data: Pairs())
    monkeypatch.setattr(module, "ENTRIES", (Entry("bicubic", "bicubic"), Entry("Regression", "regression")))


def test_it_keeps_three_bands_and_draws_them_again(figure, tmp_path):
    done = reproduce("fig9", out=tmp_path)
    assert [(row.scene, row.method) for row in done.rows] == [
        ("made-up, here", "bicubic"),
        ("made-up, here", "Regression"),
    ]
    assert (tmp_path / "fig9.png").exists()
    assert "| bicubic | " in done.markdown
    images = tmp_path / "fig9-images" / "made-up"
    assert sorted(path.name for path in images.iterdir()) == [
        "bicubic.npy", "hyperspectral.npy", "multispectral.npy", "regression.npy"
    ]  # fmt: skip
    coarse = np.load(images / "hyperspectral.npy")
    # near infrared at 850, red at 660 and green at 560 nm
    nearest = [int(np.abs(CENTRES_NM - nm).argmin()) for nm in (850.0, 660.0, 560.0)]
    pair = Pairs()
    np.testing.assert_allclose(coarse[:, ::FACTOR, ::FACTOR], (pair.Y / pair.Y.max())[nearest], rtol=1e-5)
    np.testing.assert_allclose(np.load(images / "multispectral.npy"), (pair.X / pair.X.max())[[3, 2, 1]], rtol=1e-5)
    assert reproduce("fig9", out=tmp_path).rows == done.rows  # with the seconds of the first run: nothing is fused
    own = np.load(images / "bicubic.npy")
    (images / "bicubic.npy").write_bytes((images / "regression.npy").read_bytes())  # as another run would leave it
    (images / "multispectral.npy").unlink()
    reproduce("fig9", out=tmp_path)
    np.testing.assert_array_equal(np.load(images / "bicubic.npy"), own)
    assert (images / "multispectral.npy").exists()


def test_missing_files_and_sets_are_sentences(tmp_path):
    pytest.importorskip("matplotlib")
    with pytest.raises(DatasetNotFoundError, match=r"hypsen/hyperion\.mat.*Copernicus"):
        reproduce("fig9", data=tmp_path, out=tmp_path / "a")
    with pytest.raises(DatasetNotFoundError, match=r"paris_data_hs_pan\.mat"):
        reproduce("fig9", dataset="hyperion-ali-pan", data=tmp_path, out=tmp_path / "a")
    with pytest.raises(InputError, match="does not know the data set 'cave'"):
        reproduce("fig9", dataset="cave", data=tmp_path, out=tmp_path / "a")
