import numpy as np
import pytest
import xarray as xr

from hsrdiff.errors import InvalidValueError
from hsrdiff.report.colour import Stretch, colour_bands, colour_picture, fit_stretch


def _cube(values, wavelengths_nm=None):
    coords = {} if wavelengths_nm is None else {"wavelength": ("band", np.asarray(wavelengths_nm, float))}
    return xr.DataArray(np.asarray(values, np.float32), dims=("band", "y", "x"), coords=coords)


@pytest.mark.parametrize("shift_nm", [-20.0, 0.0, 20.0])
def test_infrared_bands_are_the_nearest(shift_nm):
    wavelengths = np.array([450.0, 560.0, 660.0, 750.0, 850.0, 1600.0]) + shift_nm
    bands, words = colour_bands(_cube(np.zeros((6, 2, 2)), wavelengths))
    assert bands == (4, 2, 1)
    assert words.startswith("NIR")


def test_visible_cube_is_shown_in_true_colour_and_order_of_bands_does_not_matter():
    wavelengths = np.arange(400.0, 701.0, 10.0)
    cube = _cube(np.zeros((31, 2, 2)), wavelengths)
    bands, words = colour_bands(cube)
    assert [wavelengths[b] for b in bands] == [640.0, 550.0, 460.0]
    assert words == "red, green, blue"
    turned, _ = colour_bands(cube.isel(band=slice(None, None, -1)))
    assert turned == tuple(30 - b for b in bands)


def test_bands_without_wavelengths_are_named():
    assert colour_bands(_cube(np.zeros((6, 2, 2)))) == ((5, 3, 1), "bands 6, 4, 2")
    assert colour_bands(_cube(np.zeros((1, 2, 2)))) == ((0, 0, 0), "one band")


def test_shortwave_cube_is_not_called_infrared():
    _, words = colour_bands(_cube(np.zeros((4, 2, 2)), [1500.0, 1600.0, 1700.0, 2200.0]))
    assert words.startswith("bands")


def test_picture_does_not_change_with_unit():
    rng = np.random.default_rng(0)
    cube = _cube(rng.random((3, 8, 8)))
    bands = (2, 1, 0)
    one = colour_picture(cube, bands, fit_stretch(cube, bands))
    scaled = cube * 4000.0 + 100.0
    two = colour_picture(scaled, bands, fit_stretch(scaled, bands))
    np.testing.assert_allclose(one, two, atol=1e-4)


def test_picture_by_hand_and_invalid_pixels_grey():
    cube = _cube([[[0.0, 1.0, np.nan]], [[0.5, 2.0, 1.0]], [[1.0, -1.0, 1.0]]])
    picture = colour_picture(cube, (0, 1, 2), Stretch((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)))
    np.testing.assert_allclose(picture[0], [[0.0, 0.5, 1.0], [1.0, 1.0, 0.0], [0.85, 0.85, 0.85]])


def test_flat_band_has_a_stretch_and_an_empty_band_is_an_error():
    flat = fit_stretch(_cube(np.ones((1, 3, 3))), (0, 0, 0))
    assert all(h > low for low, h in zip(flat.low, flat.high, strict=True))
    with pytest.raises(InvalidValueError, match="band 1 has no valid pixel"):
        fit_stretch(_cube(np.full((1, 3, 3), np.nan)), (0, 0, 0))
