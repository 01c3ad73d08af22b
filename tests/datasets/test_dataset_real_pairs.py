"""Pairs without truth: the catalog, HypSen's layout, and fusing one."""

import numpy as np
import pytest
import scipy.io

import hsrdiff
from hsrdiff.datasets import DATASETS, REAL_PAIRS, HypSen, make_dataset, make_pairs
from hsrdiff.errors import CubeFormatError, DatasetNotFoundError, InputError
from hsrdiff.jobs.benchmark import benchmark
from hsrdiff.sensors import load_sensor

CENTRES_NM = np.linspace(430.0, 2300.0, 84)


def write_hypsen(root, hsi=(250, 330, 84), msi=(750, 990, 4), level=40):
    (root / "hypsen").mkdir(exist_ok=True)
    for stem, shape, beside in (
        ("hyperion", hsi, {"wavelength_nm": CENTRES_NM[None, : hsi[2]]}),
        ("sentinel2", msi, {}),
    ):
        values = np.full(shape, level, np.uint8)
        values[0, 1, 2] = 2 * level
        scipy.io.savemat(root / "hypsen" / f"{stem}.mat", {"cube": values, **beside}, do_compression=True)


@pytest.mark.parametrize("name", REAL_PAIRS)
def test_every_set_of_pairs_keeps_the_protocol(name, tmp_path):
    pairs = make_pairs(name, data=tmp_path)
    assert pairs.name == name
    assert pairs.citation == REAL_PAIRS[name].citation != ""
    assert REAL_PAIRS[name].summary
    assert name not in DATASETS
    assert pairs.factor >= 2
    assert load_sensor(pairs.sensor).bands
    assert pairs.pairs()
    with pytest.raises(InputError, match="no scene"):
        pairs.load_pair("no such pair")
    for pair in pairs.pairs():
        with pytest.raises(DatasetNotFoundError, match="under the data folder"):
            pairs.load_pair(pair)


@pytest.mark.parametrize("name", REAL_PAIRS)
def test_what_has_no_truth_is_not_scored_or_trained_on(name, tmp_path):
    for ask in (lambda: benchmark(name, ["bicubic"], data=tmp_path), lambda: make_dataset(name, data=tmp_path)):
        with pytest.raises(InputError, match=r"without a known Z.*hsrdiff\.fuse"):
            ask()


def test_unknown_names(tmp_path):
    with pytest.raises(DatasetNotFoundError, match="use 'hypsen'"):
        make_pairs("hypsenn", data=tmp_path)
    with pytest.raises(DatasetNotFoundError, match="use 'hypsen'"):
        make_dataset("hypsenn", data=tmp_path)


def test_hypsen_is_read_as_it_is_with_its_wavelengths(tmp_path):
    write_hypsen(tmp_path)
    Y, X = HypSen(tmp_path).load_pair("hypsen")
    assert Y.shape == (84, 250, 330)
    assert X.shape == (4, 750, 990)
    np.testing.assert_allclose(Y["wavelength"], CENTRES_NM)
    for cube in (Y, X):
        assert float(cube[2, 0, 1]) == 80
        assert int((cube == 40).sum()) == cube.size - 1


def test_a_small_pair_goes_through_fuse(tmp_path):
    class Small(HypSen):
        shapes = {"hyperion": (84, 8, 10), "sentinel2": (4, 24, 30)}  # noqa: RUF012

    write_hypsen(tmp_path, (8, 10, 84), (24, 30, 4))
    pairs = Small(tmp_path)
    # a slope, as images that are the same everywhere are refused
    Y, X = (image + np.linspace(-1, 1, image.sizes["x"], dtype=np.float32) for image in pairs.load_pair("hypsen"))
    Z = hsrdiff.fuse(Y, X, method="bicubic", sensor=pairs.sensor)
    assert Z.shape == (84, 24, 30)
    assert float(Z[0].mean()) == pytest.approx(40, rel=1e-3)


def test_other_shapes_and_empty_files_are_one_sentence(tmp_path):
    write_hypsen(tmp_path, hsi=(25, 33, 80))
    with pytest.raises(
        CubeFormatError, match=r"80 bands of 25 x 33 pixels; expected 84 bands of 250 x 330.*hsrdiff fuse"
    ):
        HypSen(tmp_path).load_pair("hypsen")
    write_hypsen(tmp_path, level=0)
    with pytest.raises(CubeFormatError, match="no value above 0"):
        HypSen(tmp_path).load_pair("hypsen")
