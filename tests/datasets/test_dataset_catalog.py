"""The catalog: every data set keeps the protocol; names and arguments that do not fit are refused."""

import pytest

from hsrdiff.datasets import DATASETS, SPLITS, make_dataset
from hsrdiff.errors import DatasetNotFoundError, InputError, SensorError


@pytest.mark.parametrize("name", DATASETS)
def test_every_data_set_keeps_the_protocol(name, tmp_path):
    dataset = make_dataset(name, data=tmp_path)
    assert dataset.name == name
    assert dataset.citation == DATASETS[name].citation != ""
    assert DATASETS[name].summary
    assert dataset.factor >= 2
    assert dataset.peak > 0
    train, fit, validation, test = (dataset.scenes(split) for split in SPLITS)
    assert test  # there may be nothing to train on
    assert not set(train) & set(test)
    assert fit + validation == train
    with pytest.raises(InputError, match="unknown split"):
        dataset.scenes("nothing")
    with pytest.raises(InputError, match="no scene"):
        dataset.load("no such scene")


def test_unknown_names_and_missing_arguments(tmp_path):
    with pytest.raises(DatasetNotFoundError, match="use 'indian-pines'"):
        make_dataset("indian_pine")
    with pytest.raises(InputError, match="no factor"):
        make_dataset(str(tmp_path), sensor="sentinel2")
    with pytest.raises(InputError, match="no sensor"):
        make_dataset(str(tmp_path), factor=4)
    with pytest.raises(InputError, match="its protocol fixes it"):
        make_dataset("cave", data=tmp_path, peak=2.0)


@pytest.mark.parametrize("name", DATASETS)
def test_every_data_set_takes_another_factor_and_guide(name, tmp_path):
    assert make_dataset(name, data=tmp_path, factor=8).factor == 8
    assert make_dataset(name, data=tmp_path, sensor="gaussian2").factor == make_dataset(name, data=tmp_path).factor
    with pytest.raises(SensorError):
        make_dataset(name, data=tmp_path, sensor="no such sensor")
