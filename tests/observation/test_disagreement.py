"""R Y - X D: nothing in an exact pair, what was put there, and where."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from hsrdiff.errors import InputError
from hsrdiff.observation import Observation, Scene, SpatialResponse, SpectralResponse, disagreement


def pair(lr=32, factor=2):
    Z = torch.rand((1, 4, lr * factor, lr * factor), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    observation = Observation(
        SpectralResponse([[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]]), SpatialResponse.block_mean(factor)
    )
    X, Y = observation.observe(Z)
    return Scene(X=X, Y=Y, observation=observation)


def test_an_exact_pair_agrees():
    found = disagreement(pair())
    assert found.total < 1e-12
    np.testing.assert_allclose(found.gain, 1.0)
    np.testing.assert_allclose(found.correlation, 1.0)
    assert not found.changed.any()
    assert (found.pixels, found.of, found.side) == (1024, 1024, 8)


def test_values_by_hand():
    one = pair()
    found = disagreement(replace(one, X=one.X * torch.tensor([2.0, 1.0], dtype=torch.float64)[:, None, None]))
    # R Y is half of X D in the first band
    np.testing.assert_allclose(found.relative, [0.5, 0.0], atol=1e-12)
    np.testing.assert_allclose(found.gain, [2.0, 1.0])
    assert found.total == pytest.approx(0.5 / np.sqrt(2))
    assert found.rms[0] == pytest.approx(
        0.5 * float(one.observation.spatial.apply(2 * one.X[:, :1]).square().mean().sqrt())
    )


def test_a_changed_block_is_found_where_it_is():
    one = pair()
    noise = 0.01 * torch.randn(one.Y.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    Y = one.Y + noise
    assert not disagreement(replace(one, Y=Y)).changed.any()
    Y[..., 8:16, 16:24] += 0.2
    found = disagreement(replace(one, Y=Y))
    np.testing.assert_array_equal(np.argwhere(found.changed), [[1, 2]])
    assert found.worst(1)[0][:2] == (8, 16)


def test_masked_pixels_do_not_count():
    one = pair()
    valid_lr = torch.ones(1, 1, 32, 32, dtype=torch.bool)
    valid_lr[..., :8, :8] = False
    found = disagreement(replace(one, Y=one.Y.masked_fill(~valid_lr, torch.nan), valid_lr=valid_lr))
    assert found.total < 1e-12
    assert np.isnan(found.blocks[0, 0])
    assert np.isfinite(found.blocks).sum() == 15
    assert found.pixels == 1024 - 64
    assert (0, 0) not in [place[:2] for place in found.worst(16)]


def test_small_scenes_have_blocks_and_wrong_ones_are_refused():
    assert disagreement(pair(lr=6)).side == 1
    assert disagreement(pair(), side=5).blocks.shape == (7, 7)
    with pytest.raises(InputError):
        disagreement(pair(), side=0)
    with pytest.raises(InputError):
        disagreement(replace(pair(), observation=None))
