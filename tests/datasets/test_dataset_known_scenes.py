"""Los Angeles, Jasper Ridge, Samson, EnMAP: small files in the true layout, what is left out, what a message says."""

import h5py
import numpy as np
import pytest
import scipy.io
import torch

from hsrdiff.datasets import AvirisLa, EnmapPotsdam, JasperRidge, Samson, make_dataset, make_pairs
from hsrdiff.datasets.aviris_la import LANDMARKS
from hsrdiff.datasets.catalog import DATASETS, REAL_PAIRS
from hsrdiff.datasets.enmap_potsdam import NOISE_NM
from hsrdiff.datasets.indian_pines import noise_bands
from hsrdiff.errors import CubeFormatError, DatasetNotFoundError, FactorError, WavelengthError
from hsrdiff.observation import SpatialResponse

ALL = (AvirisLa, JasperRidge, Samson, EnmapPotsdam)


def write_la(root, scene="abu-airport-1", **changed):
    data = np.random.default_rng(0).integers(0, 7000, (5, 6, 205)).astype(np.int16)
    for (row, column, band), value in changed.get("values", {}).items():
        data[row, column, band] = value
    data = data[..., : changed.get("bands", 205)]
    (root / "aviris_la").mkdir(exist_ok=True)
    scipy.io.savemat(root / "aviris_la" / f"{scene}.mat", {"data": data, "map": np.zeros((5, 6), np.uint8)})
    return data


def write_unfolded(root, name, cube, matrix="Y"):
    """MATLAB counts pixels down the columns."""
    (root / "small").mkdir(exist_ok=True)
    unfolded = cube.transpose(0, 2, 1).reshape(len(cube), -1)
    beside = {"nRow": np.uint8([[cube.shape[1]]]), "A": np.ones((4, unfolded.shape[1]))}
    scipy.io.savemat(root / "small" / name, {matrix: unfolded, **beside})


def write_enmap(root, block="A_64x128", bands=218):
    values = np.random.default_rng(2).integers(-400, 10000, (bands, 4, 5)).astype(np.int16)
    # the second spectrometer begins before the first one ends
    centres = np.concatenate([np.linspace(418, 993, 91), np.linspace(902, 2446, 127)])
    centres[[47, 175, 176, 177]] = NOISE_NM
    centres = centres[:bands].astype(np.float32)
    (root / "enmap_potsdam").mkdir(exist_ok=True)
    with h5py.File(root / "enmap_potsdam" / f"enmap_potsdam_{block}.h5", "w") as file:
        file["cube"], file["band_number"] = values, np.arange(bands, dtype=np.int16)
        file["wavelength_nm"], file["fwhm_nm"] = centres, (centres / 100).astype(np.float32)
        file.attrs["divide_by"], file.attrs["layout"] = 10000.0, "band,row,col"
    return values, centres


def test_los_angeles_leaves_out_hot_pixels_and_keeps_the_rest(tmp_path):
    data = write_la(tmp_path, "abu-urban-4", values={(1, 2, 7): 19492, (3, 3, 0): -2, (4, 4, 9): 10000})
    cube = AvirisLa(tmp_path).load("abu-urban-4")
    assert cube.shape == (205, 5, 6)
    assert "wavelength" not in cube.coords
    hot = np.isnan(cube.values)
    assert hot[:, 1, 2].all()
    assert hot.sum() == 205
    assert float(cube[0, 3, 3]) == 0.0
    assert float(cube[9, 4, 4]) == 1.0
    np.testing.assert_allclose(cube[:, 0, 0], data[0, 0] / 10000.0, rtol=1e-6)


def test_jasper_ridge_is_folded_down_the_columns_without_its_noise_band(tmp_path):
    cube = np.random.default_rng(1).integers(0, 5437, (198, 4, 4)).astype(np.uint16)
    write_unfolded(tmp_path, "jasperRidge2_R198.mat", cube)
    loaded = JasperRidge(tmp_path).load("jasper-ridge")
    np.testing.assert_allclose(loaded, cube[1:] / 5437.0, rtol=1e-6)
    assert "wavelength" not in loaded.coords


def test_samson_has_its_wavelengths(tmp_path):
    cube = np.random.default_rng(1).random((156, 3, 3))
    write_unfolded(tmp_path, "Samson.mat", cube)
    loaded = Samson(tmp_path).load("samson")
    np.testing.assert_allclose(loaded, cube, rtol=1e-6)
    assert loaded["wavelength"].values[[0, -1]].tolist() == [401.0, 889.0]


def test_enmap_drops_noise_bands_and_sorts_the_rest(tmp_path):
    values, centres = write_enmap(tmp_path)
    loaded = EnmapPotsdam(tmp_path).load("A")
    assert loaded.shape == (214, 4, 5)
    assert (np.diff(loaded["wavelength"]) > 0).all()
    assert {"wavelength", "fwhm"} <= set(loaded.coords)
    by_centre = dict(zip(centres.tolist(), range(len(centres)), strict=True))
    kept = [by_centre[np.float32(nm).item()] for nm in loaded["wavelength"].values]
    assert np.abs(loaded["wavelength"].values[:, None] - NOISE_NM).min() > 1
    np.testing.assert_allclose(loaded, values[kept].clip(0) / 10000.0 / 1.05, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(loaded["fwhm"], loaded["wavelength"] / 100, rtol=1e-6)


def test_overlapping_blocks_are_on_one_side_of_the_split(tmp_path):
    enmap = EnmapPotsdam(tmp_path)
    assert any({"A", "C"} <= set(enmap.scenes(split)) for split in ("train", "test"))


@pytest.mark.parametrize("kind", ALL)
def test_a_missing_scene_says_what_to_get_from_where_and_where_it_goes(kind, tmp_path):
    dataset = kind(tmp_path)
    for scene, where in dataset.files.items():
        with pytest.raises(DatasetNotFoundError, match="get it from") as caught:
            dataset.load(scene)
        assert where in str(caught.value)
        assert dataset.layout in str(caught.value)
        assert dataset.origin in str(caught.value)


@pytest.mark.parametrize("name", [*DATASETS, *REAL_PAIRS])
def test_without_a_folder_each_set_says_what_to_get_and_from_where(name, tmp_path, monkeypatch):
    monkeypatch.delenv("HSRDIFF_DATA", raising=False)
    make = make_dataset if name in DATASETS else make_pairs
    if name == "indian-pines":  # it comes inside a package
        assert make(name).scenes("test")
        return
    for given in (None, tmp_path / "gone"):
        with pytest.raises(DatasetNotFoundError, match=r"and in it .*; the files come from ..."):
            make(name, data=given)


def test_other_bands_than_the_set_has_are_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(AvirisLa, "read_scene", lambda self, scene: np.ones((204, 4, 4)))
    with pytest.raises(CubeFormatError, match=r"'abu-airport-1'.*has 204 bands to keep; expected 205.*; get the file"):
        AvirisLa(tmp_path).load("abu-airport-1")


def test_factor_and_guide_are_those_asked_for(tmp_path):
    observation = AvirisLa(tmp_path, factor=3, sensor="gaussian8").observation()
    assert observation.spatial.factor == 3
    assert observation.spectral.matrix.shape == (8, 205)
    torch.testing.assert_close(observation.spatial.kernel, SpatialResponse.gaussian(3).kernel)
    samson = Samson(tmp_path, sensor="ikonos:blue,green,red").observation()
    assert samson.spectral.band_names == ("blue", "green", "red")
    with pytest.raises(FactorError, match="factor is 1"):
        Samson(tmp_path, factor=1)
    with pytest.raises(WavelengthError, match=r"sensor 'ikonos'.*'gaussian4'"):
        JasperRidge(tmp_path, sensor="ikonos:blue").observation()
    with pytest.raises(WavelengthError, match=r"156 band centres.*not known"):
        JasperRidge(tmp_path).observation(np.linspace(401, 889, 156))


def test_a_sensor_can_be_the_guide_of_cubes_whose_wavelengths_are_known_roughly(tmp_path):
    dataset = AvirisLa(tmp_path, sensor="worldview3:ms")
    centres_nm, widths_nm = dataset.guide_axis()
    assert widths_nm is None
    assert (np.diff(centres_nm) > 5).all()
    assert (np.diff(centres_nm) < 15).all()
    R = dataset.observation().spectral
    torch.testing.assert_close(R.matrix.sum(dim=1), torch.ones(8, dtype=R.matrix.dtype))
    for row, (low_nm, high_nm) in zip(R.matrix[[1, 4, 7]], ((452, 510), (631, 689), (863, 948)), strict=True):
        centre_nm = float(row.double() @ torch.from_numpy(centres_nm))
        assert centre_nm == pytest.approx((low_nm + high_nm) / 2, abs=6)
        outside = (centres_nm < low_nm - 10) | (centres_nm > high_nm + 10)
        assert not row[torch.from_numpy(outside)].any()
    with pytest.raises(WavelengthError, match=r"205 band centres.*none, as they are not known"):
        dataset.observation(centres_nm)


@pytest.mark.data
def test_the_air_absorbs_at_the_landmarks_of_the_rough_axis():
    dataset = AvirisLa()
    scenes = [dataset.load(scene).values for scene in (*dataset.scenes("train"), *dataset.scenes("test"))]
    spectrum = np.mean([np.nanmedian(values, axis=(1, 2)) for values in scenes], axis=0)
    for place, _ in LANDMARKS[1:-1]:
        near = slice(place - 2, place + 3)
        assert abs(int(spectrum[near].argmin()) - 2) <= 1, place


def test_files_of_other_contents_are_one_sentence(tmp_path):
    write_la(tmp_path, bands=200)
    with pytest.raises(CubeFormatError, match="200 bands; expected 205"):
        AvirisLa(tmp_path).load("abu-airport-1")
    write_unfolded(tmp_path, "jasperRidge2_R198.mat", np.ones((9, 4, 4)))
    with pytest.raises(CubeFormatError, match=r"shape \(9, 16\)"):
        JasperRidge(tmp_path).load("jasper-ridge")
    write_unfolded(tmp_path, "Samson.mat", np.ones((156, 3, 3)), matrix="V")
    with pytest.raises(CubeFormatError, match="no variable 'Y'"):
        Samson(tmp_path).load("samson")
    (tmp_path / "small" / "Samson.mat").write_bytes(b"not MATLAB at all")
    with pytest.raises(CubeFormatError, match=r"Samson\.mat"):
        Samson(tmp_path).load("samson")
    write_enmap(tmp_path, "B_64x96", 100)
    with pytest.raises(CubeFormatError, match="100 bands"):
        EnmapPotsdam(tmp_path).load("B")
    (tmp_path / "enmap_potsdam" / "enmap_potsdam_B_64x96.h5").write_bytes(b"\x89HDF\r\n\x1a\n cut")
    with pytest.raises(CubeFormatError, match=r"B_64x96\.h5"):
        EnmapPotsdam(tmp_path).load("B")


@pytest.mark.data
@pytest.mark.parametrize("kind", ALL)
def test_real_scenes_are_whole_within_range_and_without_noise_bands(kind):
    dataset = kind()
    for scene in dataset.files:
        cube = dataset.load(scene).values
        assert len(cube) == dataset.bands
        valid = np.isfinite(cube).all(axis=0)
        assert valid.mean() > 0.998
        assert 0.4 < np.nanmax(cube) <= 1.0
        assert np.nanmin(cube) >= 0.0
        assert not noise_bands(np.nan_to_num(cube).astype(np.float64)).any()
    assert dataset.observation().spectral.bands == dataset.bands
