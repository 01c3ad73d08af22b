import numpy as np
import pytest
from job_scenes import PLACE

from hsrdiff import info, write_cube
from hsrdiff.errors import CubeFormatError, InvalidValueError


def test_what_a_packed_file_holds(truth, tmp_path):
    good = np.ones(12, bool)
    good[[3, 4]] = False
    cube = truth.assign_coords(good_band=("band", good)).copy(deep=True)
    cube.values[:, 0, :] = np.nan
    cube.encoding = {"dtype": "int16", "scale_factor": 1e-4, "add_offset": 0.0, "_FillValue": -9999}
    found = info(write_cube(cube, tmp_path / "c.hdr"))
    assert (found.bands, found.height, found.width) == (12, 24, 24)
    assert found.wavelengths_nm == (450.0, 950.0)
    assert found.fwhm_nm == (40.0, 40.0)
    assert found.bad_bands == (4, 5)
    assert found.empty_bands == ()
    assert found.stored_type == "int16"
    assert found.scale == pytest.approx((1e-4, 0.0))
    assert found.nodata == -9999
    assert found.valid_percent == pytest.approx(100 * 23 / 24)
    assert found.minimum == pytest.approx(float(cube.min()), abs=1e-4)
    assert found.maximum == pytest.approx(float(cube.max()), abs=1e-4)
    assert found.mean == pytest.approx(float(cube.mean()), abs=1e-4)
    assert found.pixel_size == (10.0, 10.0)
    assert found.bounds == (PLACE.c, PLACE.f - 240.0, PLACE.c + 240.0, PLACE.f)
    assert "32633" in found.crs


def test_plain_array_says_what_it_lacks(truth, tmp_path):
    np.save(tmp_path / "a.npy", truth.values)
    found = info(tmp_path / "a.npy")
    assert found.wavelengths_nm is None
    assert found.crs is None
    assert found.bounds is None
    assert found.bad_bands == ()


def test_missing_and_empty_files(truth, tmp_path):
    with pytest.raises(CubeFormatError, match="does not exist"):
        info(tmp_path / "nothing.tif")
    path = write_cube(truth * np.nan, tmp_path / "nan.tif")
    with pytest.raises(InvalidValueError, match="no valid pixel"):
        info(path)
