"""A folder of one's own scenes: split, scale, observation, refusals."""

import numpy as np
import pytest
import torch

from hsrdiff.cubes import as_cube, write_cube
from hsrdiff.datasets import FolderDataset, make_dataset
from hsrdiff.errors import (
    DatasetNotFoundError,
    FactorError,
    InputError,
    InvalidValueError,
    SensorError,
    ShapeError,
    WavelengthError,
)

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

WAVELENGTHS_NM = np.linspace(430.0, 900.0, 12)


def write_scene(path, *, peak=3000.0, bands=12, wavelengths=True, seed=0):
    values = np.random.default_rng(seed).random((bands, 8, 8)).astype(np.float32)
    values *= peak / values.max()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_cube(as_cube(values, wavelengths_nm=WAVELENGTHS_NM[:bands] if wavelengths else None), path)
    return values


def test_every_scene_trains_where_there_is_no_split(tmp_path):
    for i, name in enumerate("abcdefghijk"):
        write_scene(tmp_path / f"{name}.tif", seed=i)
    (tmp_path / "notes.txt").write_text("not a scene")
    dataset = FolderDataset(tmp_path, factor=4, sensor="sentinel2:10m")
    train = dataset.scenes("train")
    assert train == tuple(f"{name}.tif" for name in "abcdefghijk")
    assert dataset.scenes("test") == ()
    assert dataset.scenes("fit") + dataset.scenes("validation") == train
    assert len(dataset.scenes("validation")) == 2


def test_subfolders_are_the_split_and_train_alone_sets_the_scale(tmp_path):
    a = write_scene(tmp_path / "train" / "a.tif", peak=2000.0)
    write_scene(tmp_path / "train" / "b.tif", peak=4000.0, seed=1)
    c = write_scene(tmp_path / "test" / "c.tif", peak=5000.0, seed=2)
    dataset = FolderDataset(tmp_path, factor=2, sensor="sentinel2:10m")
    assert dataset.scenes("train") == ("train/a.tif", "train/b.tif")
    assert dataset.scenes("test") == ("test/c.tif",)
    assert dataset.peak == pytest.approx(4000.0, rel=1e-6)
    np.testing.assert_allclose(dataset.load("train/a.tif"), a / 4000.0, rtol=1e-5)
    np.testing.assert_allclose(dataset.load("test/c.tif"), c / 4000.0, rtol=1e-5)
    given = FolderDataset(tmp_path, factor=2, sensor="sentinel2:10m", peak=1e4)
    np.testing.assert_allclose(given.load("train/a.tif"), a / 1e4, rtol=1e-5)


def test_invalid_pixels_stay_invalid(tmp_path):
    values = np.random.default_rng(0).random((12, 8, 8)).astype(np.float32)
    values[:, 2, 3] = np.nan
    write_cube(as_cube(values, wavelengths_nm=WAVELENGTHS_NM), tmp_path / "a.tif")
    cube = FolderDataset(tmp_path, factor=2, sensor="sentinel2:10m").load("a.tif")
    invalid = np.isnan(cube.values).all(axis=0)
    assert invalid.sum() == 1
    assert invalid[2, 3]


def test_observation_is_the_sensor_on_the_scenes_own_bands(tmp_path):
    write_scene(tmp_path / "a.tif")
    dataset = make_dataset(str(tmp_path), factor=4, sensor="sentinel2:10m")
    observation = dataset.observation()
    assert observation.spectral.matrix.shape == (4, 12)
    assert observation.spatial.factor == 4
    assert torch.equal(observation.spectral.matrix, dataset.observation(WAVELENGTHS_NM).spectral.matrix)


def test_band_widths_in_the_files_are_used(tmp_path):
    values = np.random.default_rng(0).random((12, 8, 8)).astype(np.float32)
    for name, fwhm_nm in (("narrow", 5.0), ("wide", 120.0)):
        cube = as_cube(values, wavelengths_nm=WAVELENGTHS_NM, fwhm_nm=np.full(12, fwhm_nm))
        (tmp_path / name).mkdir()
        write_cube(cube, tmp_path / name / "a.nc")
    rows = {
        name: FolderDataset(tmp_path / name, factor=2, sensor="sentinel2:10m").observation().spectral.matrix
        for name in ("narrow", "wide")
    }
    # a wide band sees the sensor's band from further away, so more of them take part
    assert (rows["wide"] > 1e-3).sum() > (rows["narrow"] > 1e-3).sum()


def test_bands_marked_as_bad_in_the_first_scene_are_left_out_of_all(tmp_path):
    values = np.random.default_rng(0).uniform(0.1, 1.0, (12, 8, 8)).astype(np.float32)
    good = np.ones(12, bool)
    good[[0, 7]] = False
    spoilt = values.copy()
    spoilt[7] = 1000.0
    write_cube(
        as_cube(spoilt, wavelengths_nm=WAVELENGTHS_NM).assign_coords(good_band=("band", good)), tmp_path / "a.nc"
    )
    write_cube(as_cube(values, wavelengths_nm=WAVELENGTHS_NM), tmp_path / "b.nc")
    dataset = FolderDataset(tmp_path, factor=2, sensor="sentinel2:10m")
    assert dataset.peak == pytest.approx(values[good].max())
    for name in ("a.nc", "b.nc"):
        cube = dataset.load(name)
        np.testing.assert_allclose(cube.values, values[good] / dataset.peak, rtol=1e-5)
        np.testing.assert_allclose(cube["wavelength"].values, WAVELENGTHS_NM[good])
    assert dataset.observation().spectral.matrix.shape == (4, 10)
    none = as_cube(values, wavelengths_nm=WAVELENGTHS_NM).assign_coords(good_band=("band", good & ~good))
    write_cube(none, tmp_path / "a.nc")
    with pytest.raises(InvalidValueError, match=r"every band of the scene 'a\.nc'"):
        FolderDataset(tmp_path, factor=2, sensor="sentinel2:10m").load("b.nc")


def test_scenes_of_other_wavelengths_are_refused(tmp_path):
    values = np.random.default_rng(0).uniform(0.1, 1.0, (12, 8, 8)).astype(np.float32)
    moved = WAVELENGTHS_NM.copy()
    for name, shift_nm in (("a", 0.0), ("b", 1.9), ("c", 2.1)):
        moved[3] = WAVELENGTHS_NM[3] + shift_nm
        write_cube(as_cube(values, wavelengths_nm=moved), tmp_path / f"{name}.nc")
    write_cube(as_cube(values), tmp_path / "d.nc")
    dataset = FolderDataset(tmp_path, factor=2, sensor="sentinel2:10m", peak=1.0)
    for name in ("a.nc", "b.nc", "d.nc"):  # the last has no wavelengths to compare
        assert dataset.load(name).shape == (12, 8, 8)
    with pytest.raises(WavelengthError, match=r"'c\.nc' has a band at 560\.282 nm; expected 558\.182 nm as in 'a\.nc'"):
        dataset.load("c.nc")


def test_refusals(tmp_path):
    with pytest.raises(DatasetNotFoundError, match="does not exist"):
        FolderDataset(tmp_path / "gone", factor=4, sensor="sentinel2")
    with pytest.raises(DatasetNotFoundError, match="no training scene"):
        FolderDataset(tmp_path, factor=4, sensor="sentinel2")
    write_scene(tmp_path / "a.tif")
    with pytest.raises(FactorError, match="whole number"):
        FolderDataset(tmp_path, factor=1, sensor="sentinel2")
    with pytest.raises(SensorError):
        FolderDataset(tmp_path, factor=4, sensor="sentinel99")
    with pytest.raises(InputError, match="peak"):
        FolderDataset(tmp_path, factor=4, sensor="sentinel2", peak=-1.0)
    write_scene(tmp_path / "b.tif", bands=5)
    dataset = FolderDataset(tmp_path, factor=4, sensor="sentinel2:10m")
    with pytest.raises(ShapeError, match=r"'b\.tif' has 5 bands.*12"):
        dataset.load("b.tif")
    with pytest.raises(InputError, match=r"no scene 'c\.tif'"):
        dataset.load("c.tif")


def test_scenes_without_wavelengths_or_values_say_so(tmp_path):
    write_scene(tmp_path / "plain" / "a.tif", wavelengths=False)
    with pytest.raises(WavelengthError, match="no wavelengths"):
        FolderDataset(tmp_path / "plain", factor=4, sensor="sentinel2:10m").observation()
    (tmp_path / "zero").mkdir()
    write_cube(as_cube(np.zeros((12, 8, 8), np.float32), wavelengths_nm=WAVELENGTHS_NM), tmp_path / "zero" / "a.tif")
    with pytest.raises(InvalidValueError, match="no positive value"):
        FolderDataset(tmp_path / "zero", factor=4, sensor="sentinel2:10m").load("a.tif")
