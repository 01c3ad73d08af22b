"""Indian Pines: the package's own copy, the stated noise rule, parts that never touch."""

import itertools

import numpy as np
import pytest

from hsrdiff.datasets import IndianPines
from hsrdiff.datasets.aviris_1992 import CENTRES_NM, FWHM_NM
from hsrdiff.datasets.indian_pines import (
    NOISE_BANDS,
    PARTS,
    WATER_BANDS,
    distributed_wavelengths_nm,
    noise_bands,
    read_distributed,
)
from hsrdiff.errors import InputError, MissingExtraError, WavelengthError
from hsrdiff.networks import read_card, shipped_weights


@pytest.fixture(scope="module")
def distributed():
    pytest.importorskip("tensorly")
    return read_distributed()


@pytest.fixture(scope="module")
def pines():
    pytest.importorskip("tensorly")
    return IndianPines()


def test_noise_rule_on_made_up_bands():
    rng = np.random.default_rng(0)
    scene = rng.random((20, 20))
    cube = np.stack([scene, 2 * scene + 1, rng.random((20, 20)), 3 - scene, 5 - scene])
    assert noise_bands(cube).tolist() == [False, False, True, False, False]


def test_the_list_in_the_code_is_what_the_rule_finds(distributed):
    assert distributed.shape == (200, 145, 145)
    found = np.flatnonzero(noise_bands(distributed)) + 1
    assert tuple(found) == NOISE_BANDS
    assert len(NOISE_BANDS) == 24


def test_wavelengths_are_four_spectrometers_less_the_water_bands():
    assert len(WATER_BANDS) == 20
    assert CENTRES_NM.shape == FWHM_NM.shape == (220,)
    back = np.flatnonzero(np.diff(CENTRES_NM) < 0) + 2  # 1-based first band of the next spectrometer
    assert back.tolist() == [32, 95, 158]
    pieces = np.split(CENTRES_NM, back - 1)
    # inside one spectrometer the spacing is smooth: a misprint of 0.2 nm would show in the second difference
    assert max(np.abs(np.diff(piece, 2)).max() for piece in pieces) < 0.05
    assert np.all((FWHM_NM > 8) & (FWHM_NM < 16))
    centres_nm, _ = distributed_wavelengths_nm()
    assert centres_nm.size == 200
    water = CENTRES_NM[[b - 1 for b in WATER_BANDS if b != 220]]
    assert np.all(((water > 1350) & (water < 1405)) | ((water > 1815) & (water < 1940)))


def test_absorption_of_water_vapour_lies_where_the_wavelengths_say(distributed):
    # an oracle for a shifted list: the 940 and 1130 nm water vapour bands are minima of the mean spectrum
    centres_nm, _ = distributed_wavelengths_nm()
    mean = distributed.mean(axis=(1, 2))
    for low_nm, high_nm, minimum_nm in ((890, 990, 940), (1090, 1180, 1130)):
        inside = np.flatnonzero((centres_nm > low_nm) & (centres_nm < high_nm))
        deepest = centres_nm[inside[np.argmin(mean[inside])]]
        assert abs(deepest - minimum_nm) <= 15


def test_parts_are_separated_by_more_than_the_blur(pines):
    halo = pines.observation().spatial.offset
    assert {name for split in ("train", "test") for name in pines.scenes(split)} == set(PARTS)
    for (_, first), (_, second) in itertools.combinations(PARTS.items(), 2):
        gaps = [max(a.start - b.stop, b.start - a.stop) for a, b in zip(first, second, strict=True)]
        train_only = first is not PARTS["northeast"] and second is not PARTS["northeast"]
        assert max(gaps) >= (0 if train_only else halo + 1)
    for rows, columns in PARTS.values():
        assert (rows.stop - rows.start) % pines.factor == (columns.stop - columns.start) % pines.factor == 0


def test_load_is_the_distributed_scene_reordered_and_scaled(pines, distributed):
    cube = pines.load("northeast")
    assert cube.shape == (176, 72, 64)
    assert cube.dtype == np.float32
    centres_nm = cube["wavelength"].values
    assert np.all(np.diff(centres_nm) > 0)
    assert 0.0 < float(cube.min()) < float(cube.max()) < 1.0
    order, _ = distributed_wavelengths_nm()
    for band in (0, 40, 100, 175):
        source = int(np.flatnonzero(order == centres_nm[band])[0])
        assert source + 1 not in NOISE_BANDS
        np.testing.assert_allclose(cube[band], distributed[source, 0:72, 80:144] / pines.peak, rtol=1e-6)


def test_the_shipped_weights_are_in_the_unit_of_the_scene_as_distributed(pines, distributed):
    _, card = read_card(shipped_weights()["indian-pines-x4"])
    assert card.peak == pines.peak == 10000
    assert 900 < distributed.min() < distributed.max() < card.peak
    assert card.wavelengths_nm == pytest.approx(pines.load("west")["wavelength"].values, abs=1e-9)


def test_loaded_parts_are_copies(pines):
    first = pines.load("west")
    before = float(first[0, 0, 0])
    first[:] = 0
    assert float(pines.load("west")[0, 0, 0]) == before != 0


def test_guide_has_six_bands_in_the_right_places(pines):
    observation = pines.observation(pines.load("west")["wavelength"].values)
    matrix = observation.spectral.matrix.numpy()
    assert matrix.shape == (6, 176)
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0, atol=1e-12)
    centroids_nm = matrix @ pines.load("west")["wavelength"].values
    np.testing.assert_allclose(centroids_nm, [482, 561.5, 654.5, 865, 1608.5, 2200.5], atol=6)


def test_refusals(pines, monkeypatch):
    with pytest.raises(InputError, match="use 'northeast'"):
        pines.load("northeas")
    with pytest.raises(WavelengthError, match="3 band centres"):
        pines.observation(np.array([500.0, 600.0, 700.0]))
    monkeypatch.setitem(__import__("sys").modules, "tensorly.datasets", None)
    with pytest.raises(MissingExtraError, match="pip install"):
        IndianPines().load("west")
