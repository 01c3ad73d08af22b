"""Spectral angle: scale invariance, angles by hand down to nanoradians, zero spectra, torchmetrics."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hsrdiff.errors import InvalidValueError
from hsrdiff.metrics import pair as pair_module
from hsrdiff.metrics import sam_deg, sam_map_deg


def spectra(*vectors):
    """One image of a row of pixels."""
    return np.array(vectors, dtype=np.float64).T[:, None, :]


@settings(deadline=None, max_examples=60)
@given(st.floats(1e-300, 1e300), st.floats(1e-300, 1e300), st.integers(0, 10_000))
def test_scale_of_a_spectrum_does_not_matter(left, right, seed):
    rng = np.random.default_rng(seed)
    Z_hat, Z = rng.uniform(0.1, 1, (2, 7, 2, 3))
    np.testing.assert_allclose(sam_map_deg(left * Z_hat, right * Z), sam_map_deg(Z_hat, Z), rtol=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.floats(1e-9, math.pi))
def test_a_rotation_is_measured_to_its_last_digits(radians):
    Z = spectra([1.0, 0.0, 0.0])
    Z_hat = spectra([math.cos(radians), math.sin(radians), 0.0])
    assert sam_deg(Z_hat, Z) == pytest.approx(math.degrees(radians), rel=1e-7)


def test_angles_by_hand():
    Z = spectra([1, 0], [1, 0], [1, 0], [1, 1])
    Z_hat = spectra([1, 1], [0, 3], [-2, 0], [2, 2])
    np.testing.assert_allclose(sam_map_deg(Z_hat, Z), [[45, 90, 180, 0]], atol=1e-13)
    assert sam_deg(Z_hat, Z) == pytest.approx(78.75)


def test_many_equal_spectra_give_zero_where_arccos_does_not():
    Z = np.random.default_rng(0).uniform(0, 1, (110, 40, 40)).astype(np.float32)
    assert sam_deg(Z.copy(), Z) == 0.0


def test_a_zero_spectrum_is_left_out_not_nan():
    Z = spectra([1, 0], [0, 0], [1, 0], [0, 0])
    Z_hat = spectra([1, 1], [1, 0], [0, 0], [0, 0])
    assert sam_deg(Z_hat, Z) == pytest.approx(45.0)
    np.testing.assert_array_equal(np.isnan(sam_map_deg(Z_hat, Z)), [[False, True, True, True]])
    with pytest.raises(InvalidValueError, match="zero spectrum"):
        sam_deg(Z_hat[..., 1:], Z[..., 1:])


def test_the_map_is_nan_outside_the_mask():
    Z = spectra([1, 0], [1, 0])
    Z_hat = spectra([1, 1], [0, 1])
    found = sam_map_deg(Z_hat, Z, mask=np.array([[True, False]]))
    np.testing.assert_allclose(found, [[45, np.nan]])


def test_reading_in_small_blocks_changes_nothing(monkeypatch):
    rng = np.random.default_rng(1)
    Z_hat, Z = rng.uniform(0, 1, (2, 5, 9, 4))
    mask = rng.uniform(size=(9, 4)) < 0.7
    whole = sam_map_deg(Z_hat, Z, mask=mask)
    for rows in (1, 2, 4):
        monkeypatch.setattr(pair_module, "BLOCK_BYTES", rows * 8 * 5 * 4)
        np.testing.assert_array_equal(sam_map_deg(Z_hat, Z, mask=mask), whole)


def test_against_torchmetrics_which_speaks_radians():
    functional = pytest.importorskip("torchmetrics.functional.image")
    Z_hat, Z = torch.rand(2, 1, 8, 6, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    theirs = math.degrees(float(functional.spectral_angle_mapper(Z_hat, Z)))
    assert sam_deg(Z_hat, Z) == pytest.approx(theirs, rel=1e-9)
