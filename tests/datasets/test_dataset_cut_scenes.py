"""PaviaU and Chikusei: windows that stay apart, the published layout, what is read of a large file, refusals."""

import itertools

import h5py
import numpy as np
import pytest
import scipy.io
import torch

from hsrdiff.datasets import Chikusei, PaviaU
from hsrdiff.errors import CubeFormatError, DatasetNotFoundError
from hsrdiff.evaluation import dataset_scene
from hsrdiff.observation import SpatialResponse

pytestmark = pytest.mark.filterwarnings("ignore::hsrdiff.observation.spectral.CoverageWarning")

BOTH = (PaviaU, Chikusei)
PAVIAU = "paviau/PaviaU.mat"
CHIKUSEI = "chikusei/HyperspecVNIR_Chikusei_20140729.mat"


def write_paviau(root, values, name="paviaU"):
    (root / "paviau").mkdir(exist_ok=True)
    scipy.io.savemat(root / PAVIAU, {name: values})


def write_chikusei(root, *, shape=(2517, 2335, 128), fill=500, pixels=None, damaged=()):
    """Write as MATLAB 7.3 does: axes reversed behind a block of 512 bytes; chunks without values take no space.

    `pixels` maps (row, column, band) to a value; `damaged` are such places whose whole chunk cannot be read.
    """
    (root / "chikusei").mkdir(exist_ok=True)
    with h5py.File(root / CHIKUSEI, "w", userblock_size=512) as file:
        stored = file.create_dataset(
            "chikusei", shape[::-1], np.uint16, chunks=(2, 512, 512), compression="gzip", fillvalue=fill
        )
        stored.attrs["MATLAB_class"] = np.bytes_(b"uint16")
        for (row, column, band), value in (pixels or {}).items():
            stored[band, column, row] = value
        for row, column, band in damaged:
            stored.id.write_direct_chunk((band // 2 * 2, column // 512 * 512, row // 512 * 512), b"no gzip at all")


def grown(window, by):
    return tuple(slice(part.start - by, part.stop + by) for part in window)


def meet(first, second):
    return all(a.start < b.stop and b.start < a.stop for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("factor", [2, 3, 4, 5, 8, 16])
def test_no_window_with_its_blur_meets_one_of_another_split(kind, factor, tmp_path):
    dataset = kind(tmp_path, factor=factor)
    windows, halo = dataset.windows(), SpatialResponse.gaussian(factor).offset
    assert set(windows) == set(dataset.files)
    splits = [dataset.scenes(split) for split in ("fit", "validation", "test")]
    for one, other in itertools.permutations(splits, 2):
        for a, b in itertools.product(one, other):
            assert not meet(grown(windows[a], halo), windows[b]), (a, b)
    for a, b in itertools.combinations(windows, 2):
        assert not meet(windows[a], windows[b])


@pytest.mark.parametrize("kind", BOTH)
def test_the_windows_are_the_papers_less_the_margin(kind, tmp_path):
    dataset = kind(tmp_path)
    windows = dataset.windows()
    sizes = {name: tuple(part.stop - part.start for part in window) for name, window in windows.items()}
    pixels = {
        split: sum(int(np.prod(sizes[name])) for name in dataset.scenes(split))
        for split in ("train", "validation", "test")
    }
    if kind is PaviaU:
        assert windows["corner"] == (slice(0, 128), slice(0, 128))
        assert sizes["right"] == (128, 208)
        assert sizes["bottom"] == (478, 340)
        assert pixels["train"] > 0.98 * (610 * 340 - 128 * 128)
    else:
        assert [sizes[name] for name in dataset.scenes("test")] == [(512, 512)] * 8
        assert pixels["test"] == 1024 * 2048
        assert pixels["train"] > 0.99 * 1024 * 2048
        rows, columns = ([window[i] for window in windows.values()] for i in (0, 1))
        assert (min(part.start for part in rows), max(part.stop for part in rows)) == (234, 2282)
        assert (min(part.start for part in columns), max(part.stop for part in columns)) == (143, 2191)
    assert min(min(size) for size in sizes.values()) >= 128  # the paper's largest patches on PaviaU


def test_paviau_is_cut_in_the_right_place_and_its_pairs_see_no_other_pixel(tmp_path):
    values = np.full((610, 340, 103), 1000, np.uint16)
    values[:128, :128] = 5000
    values[:, :, 7] = np.arange(610)[:, None]
    values[:, :, 8] = np.arange(340)
    write_paviau(tmp_path, values)
    dataset = PaviaU(tmp_path)
    beside = dataset.load("right").values * dataset.peak
    assert beside.shape == (103, 128, 208)
    np.testing.assert_allclose(beside[7, :, 0], np.arange(128), atol=1e-3)
    np.testing.assert_allclose(beside[8, 0], np.arange(132, 340), atol=1e-3)
    np.testing.assert_allclose(beside[9:], 1000.0, rtol=1e-6)
    # at the border of the square the blur finds the square's own pixels again, mirrored
    scene = dataset_scene(dataset, "corner")
    assert scene.Y.shape == (1, 103, 32, 32)
    for image in (scene.Z, scene.Y):
        torch.testing.assert_close(image[:, 9:], torch.full_like(image[:, 9:], 5000 / 8000))


def test_chikusei_by_hand(tmp_path):
    marks = {
        (234 + 1024 + 512, 143 + 1024, 8): 1111,  # top left of tile-2-3, first band kept
        (2281, 143 + 1535, 117): 2222,  # bottom right of it, last band kept
    }
    write_chikusei(tmp_path, pixels=marks)
    dataset = Chikusei(tmp_path)
    tile = dataset.load("tile-2-3")
    assert tile.shape == (110, 512, 512)
    assert tile.dtype == np.float32
    for place, code in (((0, 0, 0), 1111), ((109, 511, 511), 2222), ((50, 60, 70), 500)):
        assert float(tile[place]) == pytest.approx(code / 15133)
    assert np.count_nonzero(tile.values == tile.values[50, 60, 70]) == tile.size - 2
    assert dataset.windows()["top-left"] == (slice(234, 1254), slice(143, 1675))
    assert dataset.windows()["top-right"] == (slice(234, 1254), slice(1679, 2191))
    centres_nm = tile["wavelength"].values
    assert centres_nm[0] > 400 > centres_nm[0] - 655 / 127
    assert centres_nm[-1] < 970 < centres_nm[-1] + 655 / 127


def test_of_chikusei_only_the_window_and_the_bands_kept_are_read(tmp_path):
    around = [(1000, 400, 40), (2100, 400, 40), (1500, 1100, 40), (1500, 400, 7), (1500, 400, 118)]
    write_chikusei(tmp_path, pixels={(1500, 400, 40): 600}, damaged=around)
    dataset = Chikusei(tmp_path)
    assert float(dataset.load("tile-1-1").max()) == pytest.approx(600 / 15133)
    with pytest.raises(CubeFormatError, match="damaged or cut short"):
        dataset.load("tile-2-1")  # which holds one of the damaged places


@pytest.mark.parametrize("kind", BOTH)
def test_guide_and_blur_are_those_of_worldview_and_a_pixel_wide_gaussian(kind, tmp_path):
    dataset = kind(tmp_path)
    observation = dataset.observation()
    centres_nm, _ = dataset.axis()
    assert observation.spectral.band_names == ("blue", "green", "red", "nir1")
    assert observation.spectral.matrix.shape == (4, dataset.bands)
    # centroids of the published curves; of near infrared 1 ROSIS sees the part below 860 nm
    centroids_nm = observation.spectral.matrix.numpy() @ centres_nm
    np.testing.assert_allclose(centroids_nm, [481.8, 546.7, 660.4, 817 if kind is PaviaU else 826.7], atol=5)
    torch.testing.assert_close(observation.spatial.kernel, SpatialResponse.gaussian(4).kernel)


@pytest.mark.parametrize("kind", BOTH)
def test_a_missing_file_says_what_to_get_from_where_and_where_it_goes(kind, tmp_path):
    dataset = kind(tmp_path)
    for scene, where in dataset.files.items():
        with pytest.raises(DatasetNotFoundError, match="get it from") as caught:
            dataset.load(scene)
        assert where in str(caught.value)
        assert dataset.layout in str(caught.value)
        assert dataset.origin in str(caught.value)


def test_files_of_another_shape_unit_or_kind_are_one_sentence(tmp_path):
    with_holes = np.full((610, 340, 103), 2000, np.uint16)
    write_paviau(tmp_path, with_holes[:, :, :102])
    with pytest.raises(CubeFormatError, match="102 bands of 610 x 340 pixels; expected 103 bands"):
        PaviaU(tmp_path).load("corner")
    write_paviau(tmp_path, with_holes[:100, :100], name="data")
    with pytest.raises(CubeFormatError, match="no variable 'paviaU'"):
        PaviaU(tmp_path).load("corner")
    write_paviau(tmp_path, (with_holes > 0).astype(np.uint8))
    with pytest.raises(CubeFormatError, match=r"from 1 to 1 in the scene 'corner'; expected the digital numbers"):
        PaviaU(tmp_path).load("corner")
    write_chikusei(tmp_path, shape=(2335, 2517, 128))
    with pytest.raises(CubeFormatError, match=r"shape \(2335, 2517, 128\); expected \(2517, 2335, 128\)"):
        Chikusei(tmp_path).load("tile-1-1")
    write_chikusei(tmp_path, fill=30000)
    with pytest.raises(CubeFormatError, match=r"from 30000 to 30000 in the scene"):
        Chikusei(tmp_path).load("tile-1-1")
    (tmp_path / CHIKUSEI).write_bytes(b"not HDF5")
    with pytest.raises(CubeFormatError, match=r"20140729\.mat is damaged"):
        Chikusei(tmp_path).load("tile-1-1")
