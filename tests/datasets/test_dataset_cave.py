"""CAVE: both layouts, bit depths, the split, the response; tiny files in the true layout."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from rasterio.transform import Affine

from hsrdiff.cubes import open_cube
from hsrdiff.datasets import Cave, data_root
from hsrdiff.datasets.cave import TEST, TRAIN, WAVELENGTHS_NM
from hsrdiff.errors import CubeFormatError, DatasetNotFoundError, InputError, WavelengthError
from hsrdiff.observation import SpatialResponse

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def write_raster(path: Path, values: np.ndarray, driver: str, **creation: str) -> None:
    """Write (bands, H, W) without georeference, as both kinds of CAVE files are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    bands, height, width = values.shape
    with rasterio.open(
        path,
        "w",
        driver=driver,
        count=bands,
        height=height,
        width=width,
        dtype=values.dtype,
        transform=Affine.identity(),
        **creation,
    ) as target:
        target.write(values)


def write_jp2(path: Path, values: np.ndarray) -> None:
    write_raster(path, values, "JP2OpenJPEG", REVERSIBLE="YES", QUALITY="100", YCBCR420="NO", YCC="NO")


def write_doubled_folder(root: Path, scene: str, values: np.ndarray) -> Path:
    folder = root / f"{scene}_ms" / f"{scene}_ms"
    for i, band in enumerate(values, start=1):
        band = band if band.ndim == 3 else band[None]
        write_raster(folder / f"{scene}_ms_{i:02d}.png", band, "PNG")
    (folder / f"{scene}_RGB.bmp").write_bytes(b"BM not a band")
    (folder / "Thumbs.db").write_bytes(b"not a band either")
    return folder


def write_response(root: Path) -> np.ndarray:
    table = np.random.default_rng(3).random((31, 3))
    table /= table.sum(axis=0)
    (root / "srf").mkdir(exist_ok=True)
    rows = ["wavelength_nm,red,green,blue"]
    rows += [f"{nm:.0f}," + ",".join(f"{v:.8f}" for v in row) for nm, row in zip(WAVELENGTHS_NM, table, strict=True)]
    (root / "srf" / "nikon_d700_cave31.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return table


@pytest.fixture
def codes() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 2**11, (31, 8, 12)).astype(np.uint16)


def test_split_is_a_partition_and_choices_stay_inside_training(tmp_path):
    cave = Cave(tmp_path)
    train, fit, validation, test = (cave.scenes(s) for s in ("train", "fit", "validation", "test"))
    assert (len(train), len(fit), len(validation), len(test)) == (20, 16, 4, 12)
    assert fit + validation == train
    assert list(train + test) == sorted(train + test)
    assert {"thread_spools", "real_and_fake_peppers"} <= set(test)  # shown as test images in the paper's figures


def test_unknown_names_are_answered_with_the_nearest(tmp_path):
    with pytest.raises(InputError, match="use 'validation'"):
        Cave(tmp_path).scenes("validaton")
    with pytest.raises(InputError, match="use 'balloons'"):
        Cave(tmp_path).load("baloons")


@pytest.mark.parametrize(("split", "scene", "bits"), [("train", "beads", 11), ("test", "paints", 12)])
def test_jp2_holds_the_top_bits_of_sixteen(tmp_path, codes, split, scene, bits):
    write_jp2(tmp_path / "cave" / split / f"{scene}.jp2", codes)
    cube = Cave(tmp_path).load(scene)
    assert cube.dims == ("band", "y", "x")
    assert cube.dtype == np.float32
    np.testing.assert_array_equal(cube["wavelength"], np.arange(400, 701, 10))
    np.testing.assert_allclose(cube, codes * 2.0 ** (16 - bits) / 65535, rtol=1e-6)


def test_both_layouts_give_the_same_scene_within_half_a_code(tmp_path):
    full = np.random.default_rng(1).integers(0, 65535, (31, 6, 7)).astype(np.uint16)
    write_doubled_folder(tmp_path / "a" / "cave_original", "hairs", full)
    top = np.round(full / 2**5).astype(np.uint16)
    write_jp2(tmp_path / "b" / "cave" / "train" / "hairs.jp2", top)
    original, short = Cave(tmp_path / "a").load("hairs"), Cave(tmp_path / "b").load("hairs")
    assert float(abs(original - short).max()) <= 2**4 / 65535 + 1e-6
    np.testing.assert_allclose(original, full / 65535.0, rtol=1e-6)


def test_folder_of_the_database_itself_skips_preview_and_thumbnails(tmp_path):
    full = np.random.default_rng(2).integers(0, 65535, (31, 4, 5)).astype(np.uint16)
    write_doubled_folder(tmp_path, "face", full)  # the data folder is the unpacked database
    np.testing.assert_allclose(Cave(tmp_path).load("face"), full / 65535.0, rtol=1e-6)


def test_watercolors_is_eight_bits_with_four_channels(tmp_path):
    grey = np.random.default_rng(4).integers(0, 256, (31, 4, 5)).astype(np.uint8)
    alpha = np.full_like(grey[0], 255)
    rgba = [np.stack([band, band, band, alpha]) for band in grey]
    write_doubled_folder(tmp_path / "cave", "watercolors", np.array(rgba))
    np.testing.assert_allclose(Cave(tmp_path).load("watercolors"), grey / 255.0, rtol=1e-6)


def test_missing_scene_says_what_to_get_and_how_to_lay_it_out(tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"'clay'.*NAME\.jp2.*NAME_ms.*Columbia"):
        Cave(tmp_path).load("clay")


def test_incomplete_or_broken_files_are_one_sentence(tmp_path, codes):
    folder = write_doubled_folder(tmp_path, "cd", codes)
    (folder / "cd_ms_31.png").unlink()
    with pytest.raises(CubeFormatError, match="30 images"):
        Cave(tmp_path).load("cd")
    (folder / "cd_ms_31.png").write_bytes(b"\x89PNG truncated")
    with pytest.raises(CubeFormatError, match=r"cd_ms_31\.png"):
        Cave(tmp_path).load("cd")
    write_jp2(tmp_path / "cave" / "train" / "beads.jp2", codes[:30])
    with pytest.raises(CubeFormatError, match="30 bands"):
        Cave(tmp_path).load("beads")


def test_a_test_file_among_the_training_files_is_noticed(tmp_path, codes):
    write_jp2(tmp_path / "cave" / "train" / "beads.jp2", codes * 2)
    with pytest.raises(CubeFormatError, match="11 bits"):
        Cave(tmp_path).load("beads")


def test_observation_is_the_table_and_the_exact_kernel(tmp_path):
    table = write_response(tmp_path)
    observation = Cave(tmp_path).observation(WAVELENGTHS_NM)
    assert observation.spectral.band_names == ("red", "green", "blue")
    np.testing.assert_allclose(observation.spectral.matrix, table.T, atol=1e-7)
    torch.testing.assert_close(observation.spectral.matrix.sum(dim=1), torch.ones(3).double(), rtol=0, atol=1e-12)
    # ||k||^2 of the kernel stored with MHF-net, algorithms reference 0.1
    assert float((observation.spatial.kernel**2).sum()) == pytest.approx(1.2063e-3, abs=5e-8)
    assert observation.spatial.factor == Cave(tmp_path).factor == 32


def test_other_factors_have_the_gaussian_psf_and_other_guides_their_own_response(tmp_path):
    table = write_response(tmp_path)
    observation = Cave(tmp_path, factor=8).observation(WAVELENGTHS_NM)
    np.testing.assert_allclose(observation.spectral.matrix, table.T, atol=1e-7)
    torch.testing.assert_close(observation.spatial.kernel, SpatialResponse.gaussian(8).kernel)
    other = Cave(tmp_path, sensor="gaussian4").observation(WAVELENGTHS_NM)
    assert other.spectral.matrix.shape == (4, 31)
    torch.testing.assert_close(other.spatial.kernel, SpatialResponse.cave_x32().kernel)


def test_observation_without_table_or_for_other_bands_is_refused(tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"nikon_d700_cave31\.csv.*red, green, blue"):
        Cave(tmp_path).observation()
    write_response(tmp_path)
    with pytest.raises(WavelengthError, match="30 band centres"):
        Cave(tmp_path).observation(WAVELENGTHS_NM[:-1])


def test_data_root_prefers_what_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("HSRDIFF_DATA", str(tmp_path))
    other = tmp_path / "other"
    other.mkdir()
    assert data_root() == tmp_path
    assert data_root(other) == other
    with pytest.raises(DatasetNotFoundError, match="does not exist"):
        data_root(tmp_path / "gone")
    monkeypatch.delenv("HSRDIFF_DATA")
    with pytest.raises(DatasetNotFoundError, match="HSRDIFF_DATA is not set"):
        data_root()


@pytest.mark.data
def test_real_files_are_whole_and_the_two_layouts_agree():
    cave = Cave()
    for scene in (TRAIN[0], TEST[-1]):
        cube = cave.load(scene)
        assert cube.shape == (31, 512, 512)
        assert 0.3 < float(cube.max()) <= 1.0
        assert float(cube.min()) >= 0.0
    root = data_root()
    if (root / "cave_original").is_dir():
        original = open_cube(root / "cave_original" / "thread_spools_ms")
        difference = np.abs(original.values - cave.load("thread_spools").values)
        assert difference.max() <= 2**3 / 65535 + 1e-6  # half a code of 12 bits
