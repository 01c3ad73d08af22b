"""The simulated guide: Gaussians over the band axis by their laws, by hand and against NumPy; sensors by name."""

import numpy as np
import pytest
import torch

from hsrdiff.datasets.guide import Guide, gaussians_over_bands
from hsrdiff.errors import SensorError, ShapeError, WavelengthError
from hsrdiff.observation import SpectralResponse
from hsrdiff.sensors import load_sensor


@pytest.mark.parametrize(("msi_bands", "bands"), [(1, 7), (4, 205), (8, 156), (6, 6)])
def test_rows_sum_to_one_mirror_each_other_and_follow_the_axis(msi_bands, bands):
    R = gaussians_over_bands(msi_bands, bands).matrix
    assert R.shape == (msi_bands, bands)
    torch.testing.assert_close(R.sum(dim=1), torch.ones(msi_bands).double(), rtol=0, atol=1e-12)
    torch.testing.assert_close(R.flip(0, 1), R, rtol=0, atol=1e-12)
    peaks = R.argmax(dim=1)
    assert (peaks.diff() > 0).all()


def test_width_at_half_maximum_is_the_spacing_by_hand():
    # 12 bands in three parts of 4: the second is centred between bands 5 and 6, and half as high two bands away
    row = gaussians_over_bands(3, 12).matrix[1]
    peak = row[5] / np.exp(-4 * np.log(2) * (0.5 / 4) ** 2)
    assert float(row[5]) == pytest.approx(float(row[6]))
    assert float(row[4] / peak) == pytest.approx(np.exp(-4 * np.log(2) * (1.5 / 4) ** 2))
    assert np.exp(-4 * np.log(2) * (2 / 4) ** 2) == pytest.approx(0.5)


def test_a_sensor_by_name_is_what_the_response_module_makes_of_it():
    wavelengths_nm = np.linspace(430.0, 900.0, 90)
    R = Guide.named("sentinel2:B2,B3,B4,B8").response(90, wavelengths_nm)
    expected = SpectralResponse.from_sensor(load_sensor("sentinel2:B2,B3,B4,B8"), wavelengths_nm)
    torch.testing.assert_close(R.matrix, expected.matrix, rtol=0, atol=0)
    assert Guide.named(" Gaussian12 ").response(90).msi_bands == 12


def test_refusals():
    with pytest.raises(SensorError, match="'gaussian0' has no band"):
        Guide.named("gaussian0")
    with pytest.raises(SensorError, match="there is no sensor 'gausian4'"):
        Guide.named("gausian4")
    with pytest.raises(ShapeError, match="9 Gaussians for 8 bands"):
        Guide.named("gaussian9").response(8)
    with pytest.raises(WavelengthError, match=r"'sentinel2'.*not known.*'gaussian4'"):
        Guide.named("sentinel2").response(8)
