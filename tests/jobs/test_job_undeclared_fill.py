"""Fill values that are not declared are refused, and light that only looks like one is not."""

import numpy as np
import pytest

from hsrdiff.cubes import as_cube
from hsrdiff.errors import InvalidValueError
from hsrdiff.jobs.undeclared_fill import check_fill


def image(low=0.0, high=1000.0, bands=3):
    rng = np.random.default_rng(2)
    return rng.uniform(low, high, (bands, 12, 10)).astype(np.float32)


def refused(values, said):
    with pytest.raises(InvalidValueError, match=said):
        check_fill(as_cube(values), "the image")


@pytest.mark.parametrize("fill", [1e20, 9.969209968386869e36, 3.4028235e38, -1e34, -3.4028235e38])
def test_numbers_beyond_any_light(fill):
    values = image()
    values[1, 2, 3] = fill
    refused(values, r"the image holds 1 value\(s\) such as .*, which no image has, which looks like nodata")


@pytest.mark.parametrize("fill", [-999, -9999, -32767, -32768, -2147483648])
def test_a_usual_fill_in_every_band_of_a_pixel(fill):
    values = image()
    values[:, :2, 3] = fill
    refused(values, rf"2 pixel\(s\) of {fill} in every band")
    # one low value that was measured does not hide it
    values[0, 5, 5] = 0.15 * fill
    refused(values, rf"2 pixel\(s\) of {fill} in every band")


def test_a_usual_fill_in_one_band_with_nothing_near_it():
    values = image()
    values[1, :2, 3] = -9999
    refused(values, r"2 value\(s\) of -9999 and none near it")
    values[2, 5, 5] = -1200
    refused(values, r"2 value\(s\) of -9999 and none near it")
    alone = image(bands=1)
    alone[0, 0, 0] = -32768
    refused(alone, r"1 value\(s\) of -32768 and none near it")


def test_values_that_were_measured_pass():
    check_fill(as_cube(image(-12000.0)), "the image")
    values = image(-12000.0)
    values[0, 0, 0] = -9999  # one of many about it
    check_fill(as_cube(values), "the image")
    values[1, 3, 3], values[1, 4, 4] = np.inf, -np.inf  # invalid as it is
    check_fill(as_cube(values), "the image")
    brightness = image(200.0, 350.0)
    brightness[0, 0, 0] = np.nan
    check_fill(as_cube(brightness), "the image")
