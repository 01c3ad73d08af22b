import numpy as np
import pytest
import xarray as xr

from hsrdiff.errors import InvalidValueError
from hsrdiff.report.places import different_places


def _four_fields(size=48):
    """Four square fields of one spectrum each, with a little texture."""
    rng = np.random.default_rng(1)
    spectra = np.array([[1, 0.1, 0.1, 0.1], [0.1, 1, 0.1, 0.1], [0.1, 0.1, 1, 0.1], [0.1, 0.1, 0.1, 1.0]])
    field = np.zeros((size, size), int)
    field[: size // 2, size // 2 :] = 1
    field[size // 2 :, : size // 2] = 2
    field[size // 2 :, size // 2 :] = 3
    values = spectra[field].transpose(2, 0, 1) + 0.01 * rng.random((4, size, size))
    return xr.DataArray(values.astype(np.float32), dims=("band", "y", "x")), field


def test_places_lie_in_different_fields_away_from_the_border():
    cube, field = _four_fields()
    places = different_places(cube, count=3, block=4)
    assert [p.letter for p in places] == ["A", "B", "C"]
    assert len({field[p.row, p.column] for p in places}) == 3
    assert all(4 <= p.row < 44 and 4 <= p.column < 44 for p in places)


def test_brightness_does_not_change_the_places():
    cube, _ = _four_fields()
    assert different_places(cube) == different_places(cube * 1000.0)


def test_places_avoid_invalid_pixels():
    cube, _ = _four_fields()
    holed = cube.copy()
    holed.values[:, :, :24] = np.nan
    assert all(p.column >= 24 for p in different_places(holed))


def test_few_pixels_give_few_places_and_none_an_error():
    tiny = xr.DataArray(np.ones((2, 1, 1)), dims=("band", "y", "x"))
    assert len(different_places(tiny)) == 1
    with pytest.raises(InvalidValueError, match="whole spectrum"):
        different_places(tiny * np.nan)
