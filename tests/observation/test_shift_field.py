"""An affine field of shifts: found in spite of blocks that lie off it, and not where one shift says as much."""

import math

import numpy as np
import pytest

from hsrdiff.observation.shift_field import ShiftField, fit_field

SIZE = (48, 64)
PLACES = np.array([(r, c) for r in range(4, 48, 8) for c in range(4, 64, 8)], dtype=float)


def shifts_of(field):
    return field.at(PLACES.T).T


def rotated(degrees, shift=(0.3, -0.2), scale=0.0):
    t = math.radians(degrees)
    return ShiftField(shift, ((scale, t), (-t, scale)), (23.5, 31.5))


def test_the_field_by_hand():
    field = ShiftField((1.0, 2.0), ((0.0, 0.01), (-0.02, 0.0)), (10.0, 20.0))
    assert field.at(np.array([10.0, 20.0])).tolist() == [1.0, 2.0]
    np.testing.assert_allclose(field.at(np.array([20.0, 30.0])), [1.1, 1.8])
    assert field.at(np.zeros((2, 3, 4))).shape == (2, 3, 4)
    # the corner lies 10.5 rows and 20.5 columns from the centre
    assert field.bend == pytest.approx(math.hypot(0.205, 0.21))


@pytest.mark.parametrize("field", [rotated(0.5), rotated(-0.4, scale=0.005), rotated(0, scale=-0.006)])
def test_an_exact_field_is_found_with_a_fifth_of_the_blocks_elsewhere(field):
    rng = np.random.default_rng(0)
    shifts = shifts_of(field)
    wrong = rng.random(len(PLACES)) < 0.2
    shifts[wrong] += rng.choice([-2.0, 1.5], (wrong.sum(), 2))
    found = fit_field(PLACES, shifts, np.full(len(PLACES), 0.03), SIZE)
    np.testing.assert_allclose(shifts_of(found), shifts_of(field), atol=1e-6)
    assert found.centre == field.centre


def test_noise_of_blocks_is_no_field():
    rng = np.random.default_rng(1)
    for _ in range(200):
        shifts = (0.4, -0.1) + 0.15 * rng.standard_normal(PLACES.shape)
        assert fit_field(PLACES, shifts, np.full(len(PLACES), 0.1), SIZE) is None


def test_a_step_a_small_bend_and_few_blocks_are_no_field():
    errors = np.full(len(PLACES), 0.03)
    step = np.where(PLACES[:, 1:] > 32, (1.0, 0.0), (0.0, 0.0))
    assert fit_field(PLACES, step, errors, SIZE) is None
    small = shifts_of(rotated(0.1))
    assert fit_field(PLACES, small, errors, SIZE) is None
    assert fit_field(PLACES, small, errors, SIZE, least=False).bend == pytest.approx(rotated(0.1).bend)
    large = shifts_of(rotated(1.0))
    assert fit_field(PLACES[:7], large[:7], errors[:7], SIZE) is None
    in_a_row = PLACES[:, 0] == 4.0
    assert fit_field(PLACES[in_a_row], large[in_a_row], errors[in_a_row], SIZE) is None


def test_the_error_is_that_of_the_corner():
    """Against the spread of many fits."""
    rng, true, found = np.random.default_rng(2), rotated(0.5), []
    corner = np.array([-0.5, -0.5])
    for _ in range(200):
        noisy = shifts_of(true) + 0.05 * rng.standard_normal(PLACES.shape)
        found.append(fit_field(PLACES, noisy, np.full(len(PLACES), 0.05), SIZE))
    spread = np.std([field.at(corner) - true.at(corner) for field in found])
    assert np.mean([field.error for field in found]) == pytest.approx(spread, rel=0.2)


def test_words_and_text():
    field = rotated(0.5, scale=0.005)
    assert ShiftField.from_text(field.to_text()) == ShiftField(
        field.shift, tuple(tuple(float(f"{v:.9g}") for v in row) for row in field.slope), field.centre
    )
    assert ShiftField.from_text("3 rows") is None
    assert field.describe().startswith("rotated by +0.50° and scaled by +0.50 %, up to 0.40 hyperspectral pixels")
    assert "sheared by up to 1 %" in ShiftField((0, 0), ((0.01, 0), (0, -0.01)), (23.5, 31.5)).describe()
