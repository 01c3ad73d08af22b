"""Paris by Hyperion and ALI: the measured guide beside the truth, units, the panchromatic pair."""

import numpy as np
import pytest
import scipy.io
import torch

from hsrdiff.datasets import HyperionAliPan, HyperionAliParis, RealGuide, data_root
from hsrdiff.datasets.hyperion_ali_paris import BAND_NUMBERS, nominal_centres_nm
from hsrdiff.errors import CubeFormatError, DatasetNotFoundError
from hsrdiff.evaluation import dataset_scene, dataset_truth
from hsrdiff.jobs.benchmark import benchmark

pytestmark = pytest.mark.filterwarnings("ignore::hsrdiff.observation.spectral.CoverageWarning")

MS = "paris_data_hs_ms.mat"
PAN = "paris_data_hs_pan.mat"


def write_paris(root, name=MS, **changed):
    rng = np.random.default_rng(0)
    shapes = {MS: {"HSim": (72, 72, 128), "MSim": (72, 72, 9)}, PAN: {"HSim": (72, 58, 128), "PCim": (216, 174)}}
    arrays = {key: 0.1 + rng.random(shape) for key, shape in shapes[name].items()}
    (root / "hyperion_ali_paris").mkdir(exist_ok=True)
    scipy.io.savemat(root / "hyperion_ali_paris" / name, {**arrays, "non_del_bands": BAND_NUMBERS[None], **changed})
    return arrays


def test_centres_by_hand():
    assert BAND_NUMBERS.shape == (128,)
    np.testing.assert_allclose(nominal_centres_nm([1, 70, 71, 219]), [355.59, 1057.665, 851.92, 2345.24])
    assert (np.diff(nominal_centres_nm(BAND_NUMBERS)) > 0).all()


def test_each_band_is_in_units_of_its_own_quantile_whatever_its_scale(tmp_path):
    arrays = write_paris(tmp_path)
    dataset = HyperionAliParis(tmp_path)
    first = dataset.load("paris"), dataset.load_guide("paris")
    assert first[0].shape == (128, 72, 72)
    assert first[1].shape == (9, 72, 72)
    for cube, key in zip(first, ("HSim", "MSim"), strict=True):
        quantiles = np.quantile(cube.values, 0.999, axis=(1, 2))
        np.testing.assert_allclose(quantiles * dataset.peak, 1.0, rtol=1e-5)
        band = arrays[key][:, :, 3]
        np.testing.assert_allclose(cube[3] * dataset.peak, band / np.quantile(band, 0.999), rtol=1e-5)
    gains = np.linspace(0.2, 9.0, 9)
    write_paris(tmp_path, MSim=arrays["MSim"] * gains)
    np.testing.assert_allclose(dataset.load_guide("paris"), first[1], rtol=1e-5)


def test_the_scene_has_the_measured_guide_and_with_another_sensor_a_simulated_one(tmp_path):
    write_paris(tmp_path)
    dataset = HyperionAliParis(tmp_path)
    assert isinstance(dataset, RealGuide)
    scene = dataset_scene(dataset, "paris")
    np.testing.assert_array_equal(scene.X[0], dataset.load_guide("paris"))
    assert scene.observation.spectral.band_names == ("b1p", "b1", "b2", "b3", "b4", "b4p", "b5p", "b5", "b7")
    rms_x, rms_y = scene.observation.residuals(scene.Z, scene.X, scene.Y)
    assert rms_y < 1e-6 < 1e-2 < rms_x
    assert scene.factor == 3
    simulated = HyperionAliParis(tmp_path, sensor="eo1_ali:ms", factor=4)
    assert simulated.load_guide("paris") is None
    assert dataset_truth(simulated, "paris").X is None
    other = dataset_scene(simulated, "paris")
    assert max(other.observation.residuals(other.Z, other.X, other.Y)) < 1e-6
    torch.testing.assert_close(other.observation.spectral.matrix, scene.observation.spectral.matrix)


def test_benchmark_scores_it_and_tells_measured_guides_apart(tmp_path):
    arrays = write_paris(tmp_path)
    ask = {"data": tmp_path, "out": tmp_path / "out"}
    first = benchmark("hyperion-ali-paris", ["bicubic", "regression"], **ask)
    assert [row.factor for row in first.rows] == [3, 3]
    # the made-up guide knows nothing of the truth; one that is the truth's own bands does
    write_paris(tmp_path, MSim=arrays["HSim"][:, :, 5:50:5])
    second = benchmark("hyperion-ali-paris", ["bicubic", "regression"], **ask)
    assert second.rows[0].psnr_db == first.rows[0].psnr_db
    assert second.rows[1].psnr_db > first.rows[1].psnr_db
    assert len((tmp_path / "out" / "rows.jsonl").read_text().splitlines()) == 4


def test_files_of_other_contents_are_one_sentence(tmp_path):
    dataset = HyperionAliParis(tmp_path)
    for read in (dataset.load, dataset.load_guide):
        with pytest.raises(
            DatasetNotFoundError, match=r"hyperion_ali_paris/paris_data_hs_ms\.mat.*get it from.*HySure"
        ):
            read("paris")
    write_paris(tmp_path, MSim=np.ones((70, 72, 9)))
    with pytest.raises(CubeFormatError, match="9 bands of 70 x 72 pixels; expected 9 bands of 72 x 72"):
        dataset.load_guide("paris")
    dark = np.ones((72, 72, 128))
    dark[:, :, 5] = 0
    write_paris(tmp_path, HSim=dark)
    with pytest.raises(CubeFormatError, match="an empty band"):
        dataset.load("paris")


def test_the_panchromatic_pair(tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"paris_data_hs_pan\.mat.*get it from.*HySure"):
        HyperionAliPan(tmp_path).load_pair("paris")
    arrays = write_paris(tmp_path, PAN)
    Y, X = HyperionAliPan(tmp_path).load_pair("paris")
    assert Y.shape == (128, 72, 58)
    assert X.shape == (1, 216, 174)
    np.testing.assert_allclose(X[0], arrays["PCim"] / np.quantile(arrays["PCim"], 0.999), rtol=1e-5)
    np.testing.assert_allclose(Y["wavelength"], nominal_centres_nm(BAND_NUMBERS))


@pytest.mark.data
def test_the_real_images_are_where_the_code_says_they_are():
    folder = data_root() / "hyperion_ali_paris"
    if not folder.is_dir():
        pytest.skip("the images are not there")
    np.testing.assert_array_equal(scipy.io.loadmat(folder / MS)["non_del_bands"].ravel(), BAND_NUMBERS)
    scene = dataset_scene(HyperionAliParis(), "paris")
    assert 0.9 < float(scene.Z.max()) <= 1.0
    # an oracle for the order and place of the bands: what R makes of the truth looks like what ALI saw
    modelled = scene.observation.spectral.apply(scene.Z).flatten(2)[0].numpy()
    seen = scene.X.flatten(2)[0].numpy()
    correlation = np.corrcoef(modelled, seen)[: len(seen), len(seen) :]
    assert correlation.diagonal().min() > 0.79
    assert abs(np.log(seen.mean(axis=1) / modelled.mean(axis=1))).max() < 0.3
    Y, X = HyperionAliPan().load_pair("paris")
    # the panchromatic pair is a part of the same Hyperion image
    whole = scipy.io.loadmat(folder / MS)["HSim"][:, 13:71].transpose(2, 0, 1)
    assert (
        np.corrcoef(Y.values.ravel()[::97], (whole / whole.max(axis=(1, 2), keepdims=True)).ravel()[::97])[0, 1] > 0.9
    )
    blocks = X.values.reshape(72, 3, 58, 3).mean(axis=(1, 3))
    assert np.corrcoef(blocks.ravel(), Y.values[6:27].mean(axis=0).ravel())[0, 1] > 0.85
