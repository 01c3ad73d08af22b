"""The made-up scene is a scene, and a size is measured in a process of its own."""

import pytest
import torch

from hsrdiff.errors import InputError
from hsrdiff.experiments.cost_probe import made_up_scene
from hsrdiff.experiments.kriging_cost import BANDS, STD, KrigingCost, _measure


def test_the_made_up_pair_agrees_and_has_detail():
    scene = made_up_scene(64, 0).check()
    assert scene.bands == BANDS
    R, D = scene.observation.spectral, scene.observation.spatial
    torch.testing.assert_close(R.apply(scene.Y), D.apply(scene.X), rtol=0, atol=1e-5)
    assert float(scene.X.std()) > 0.02
    assert torch.equal(scene.X, made_up_scene(64, 0).X)
    assert not torch.equal(scene.X, made_up_scene(64, 1).X)


def test_one_size_in_its_own_process():
    experiment = KrigingCost((64,), ("bicubic",))
    (trial,) = experiment.trials(None, 0)
    row = trial.run()
    assert row.seconds > 0
    assert float(row.notes["peak MiB"]) >= float(row.notes["MiB before"]) > 50
    assert "| 64 x 64 | bicubic |" in experiment.report({trial.labels: row})


def test_a_method_is_measured_without_its_standard_deviation_and_with_it():
    plain, with_std = (trial.run() for trial in KrigingCost((64,), ("kriging", "kriging" + STD)).trials(None, 0))
    assert (plain.method, with_std.method) == ("kriging", "kriging --std")


def test_a_process_that_fails_is_a_sentence():
    with pytest.raises(InputError, match=r"bicubik on 64 x 64 pixels ended early \(.*unknown method 'bicubik'"):
        _measure(64, "bicubik", 0, 1)
