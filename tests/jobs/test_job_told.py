import numpy as np
import pytest
import torch

from hsrdiff import check, fuse
from hsrdiff.cubes import as_cube
from hsrdiff.cubes.spectral_axis import BAND_SHAPE
from hsrdiff.errors import InputError
from hsrdiff.jobs.chosen import usable_sensor
from hsrdiff.jobs.pair import make_pair
from hsrdiff.jobs.scaling import Scale, find_scale
from hsrdiff.jobs.told import fitted_response, own_sensor, told_response, told_sensor
from hsrdiff.jobs.told_psf import told_psf
from hsrdiff.observation import Scene, SpatialResponse, SpectralResponse
from hsrdiff.sensors import load_sensor


def _scene(R, size=16, factor=4):
    generator = torch.Generator().manual_seed(0)
    Z = torch.rand((1, R.shape[1], size, size), generator=generator, dtype=torch.float64)
    D = SpatialResponse.gaussian(factor)
    return Scene(X=SpectralResponse(R).apply(Z), Y=D.apply(Z)), D


def test_fitted_response_recovers_a_non_negative_one():
    R = torch.tensor([[0.5, 0.5, 0.0, 0.0], [0.0, 0.2, 0.3, 0.5]], dtype=torch.float64)
    scene, D = _scene(R)
    np.testing.assert_allclose(fitted_response(scene, D).matrix, R, atol=1e-9)


def test_fitted_response_of_a_guide_that_is_no_mix_is_not_negative():
    R = torch.tensor([[1.0, -0.5, 0.2]], dtype=torch.float64)
    scene, D = _scene(R)
    assert (fitted_response(scene, D).matrix >= 0).all()


@pytest.mark.parametrize("shape", ["box", "gaussian"])
def test_an_image_describes_its_own_bands_by_name_and_shape(shape):
    msi = as_cube(np.ones((2, 3, 3), np.float32), wavelengths_nm=[500.0, 600.0], fwhm_nm=[60.0, 40.0])
    msi = msi.assign_coords(band_name=("band", ["B2", "B3"]))
    if shape == "box":
        msi.attrs[BAND_SHAPE] = "box"
    sensor = own_sensor(msi)
    assert sensor.bands == ("B2", "B3")
    at = np.stack([np.interp([500, 520, 528, 532, 560], sensor.wavelengths_nm, row) for row in sensor.response])
    # half the width of B2 is 30 nm: a box ends there, a Gaussian has its half
    by_hand = [1, 1, 1, 0, 0] if shape == "box" else np.exp(-4 * np.log(2) * np.array([0, 20, 28, 32, 60]) ** 2 / 3600)
    np.testing.assert_allclose(at[0], by_hand, atol=2e-3)
    unnamed = own_sensor(msi.assign_coords(band_name=("band", ["B2", "b2"])))
    assert unnamed.bands == ("b1", "b2")


def test_default_psf_is_the_observation_models_own():
    for factor in (2, 3, 4, 5):
        mine, theirs = told_psf(None, 1.0, factor), SpatialResponse.gaussian(factor)
        torch.testing.assert_close(mine.kernel, theirs.kernel)


def test_psf_width_is_its_half_maximum():
    # A Gaussian of FWHM w is 2^-(2 d / w)^2 at distance d; 2 coarse pixels of 4 are w = 8 fine ones. K is even, so the
    # pixels lie at 0.5, 1.5, ... from the centre.
    kernel = told_psf("gaussian", 2.0, 4).kernel
    row = kernel[kernel.shape[0] // 2, kernel.shape[0] // 2 :]
    assert float(row[4] / row[0]) == pytest.approx(2.0 ** (-((9 / 8) ** 2) + (1 / 8) ** 2), rel=1e-9)


@pytest.mark.parametrize("unit", [1.0, 7000.0, 1e-4])
def test_unit_of_the_guide_is_found_through_r(unit):
    R = torch.full((2, 4), 0.25, dtype=torch.float64)
    scene, _ = _scene(R)
    scaled = Scene(X=scene.X * unit, Y=scene.Y)
    assert find_scale(scaled, SpectralResponse(R), peak=None).gain == pytest.approx(unit, rel=0.02)


def test_scale_is_undone():
    scene, _ = _scene(torch.eye(3, dtype=torch.float64))
    scale = Scale(peak=250.0, gain=3.0)
    torch.testing.assert_close(scale.undo(scale.apply(scene).Y), scene.Y)
    torch.testing.assert_close(scale.apply(scene).X * 750.0, scene.X)


def test_images_of_zeros_have_a_scale():
    zeros = Scene(X=torch.zeros(1, 2, 8, 8), Y=torch.zeros(1, 4, 2, 2))
    assert find_scale(zeros, None, peak=None) == Scale(1.0, 1.0)


def test_own_bands_make_a_sensor_where_widths_are_known(pair):
    assert own_sensor(pair.msi) is None
    sensor = own_sensor(pair.msi.assign_coords(fwhm=("band", [60.0, 35.0, 30.0, 110.0])))
    np.testing.assert_allclose(sensor.centroids_nm, pair.msi["wavelength"], atol=0.5)


def _uneven_scene(dark):
    """A scene whose left quarter is bright and the rest dark, in one unit, and R."""
    R = torch.full((2, 4), 0.25, dtype=torch.float64)
    Y = torch.cat([torch.full((1, 4, 4, 1), 1.0), torch.full((1, 4, 4, 3), dark)], dim=3).double()
    X = SpectralResponse(R).apply(Y).repeat_interleave(4, -2).repeat_interleave(4, -1)
    return X, Y, SpectralResponse(R)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("masked", ["X", "Y"])
def test_images_that_see_different_ground_in_one_unit_are_in_one_unit(known, masked):
    # One image lacks the dark ground (X but for a strip), so that its own mean is many times the other's.
    X, Y, R = _uneven_scene(dark=0.001)
    valid = torch.ones((1, 1, 16, 16), dtype=torch.bool)
    valid_lr = torch.ones((1, 1, 4, 4), dtype=torch.bool)
    if masked == "X":
        valid[..., 5:] = False
        X[:, :, ~valid[0, 0]] = torch.nan
    else:
        valid_lr[..., 1:] = False
        Y[:, :, ~valid_lr[0, 0]] = torch.nan
    scene = Scene(X=X, Y=Y, valid=valid, valid_lr=valid_lr)
    scale = find_scale(scene, R if known else None, peak=None)
    assert scale == Scale(1.0, 1.0)


def test_images_that_share_no_ground_are_compared_by_what_each_has():
    X, Y, R = _uneven_scene(dark=1.0)
    valid = torch.ones((1, 1, 16, 16), dtype=torch.bool)
    valid[..., ::4, ::4] = False
    assert find_scale(Scene(X=X * 50.0, Y=Y, valid=valid), R, peak=None).gain == pytest.approx(50.0)


def test_fitted_response_does_not_learn_from_pixels_that_one_image_lacks():
    R = torch.tensor([[0.5, 0.5, 0.0, 0.0], [0.0, 0.2, 0.3, 0.5]], dtype=torch.float64)
    scene, D = _scene(R, size=32)
    valid = torch.ones((1, 1, 32, 32), dtype=torch.bool)
    valid[..., :10, 20:] = False
    valid_lr = torch.ones((1, 1, 8, 8), dtype=torch.bool)
    valid_lr[..., 6, :3] = False
    X = scene.X.masked_fill(~valid, torch.nan)
    Y = scene.Y.masked_fill(~valid_lr, torch.nan)
    fitted = fitted_response(Scene(X=X, Y=Y, valid=valid, valid_lr=valid_lr), D)
    np.testing.assert_allclose(fitted.matrix, R, atol=1e-9)


@pytest.mark.parametrize("hole", [2, 4])
def test_fitted_response_of_a_guide_with_holes_everywhere_is_finite(hole):
    # With holes of 2 x 2 every LR pixel is partly seen; with holes of 4 x 4 only one HR pixel is valid at all.
    R = torch.tensor([[0.5, 0.5, 0.0, 0.0], [0.0, 0.2, 0.3, 0.5]], dtype=torch.float64)
    scene, D = _scene(R, size=32)
    valid = torch.ones((1, 1, 32, 32), dtype=torch.bool)
    for row in range(hole):
        for column in range(hole):
            valid[..., row::4, column::4] = False
    valid[..., 0, 0] = True
    fitted = fitted_response(Scene(X=scene.X.masked_fill(~valid, torch.nan), Y=scene.Y, valid=valid), D)
    assert torch.isfinite(fitted.matrix).all()
    assert (fitted.matrix >= 0).all()


@pytest.mark.parametrize("name", ["empty.npy", "empty.csv", "text.npy"])
def test_kernel_file_that_holds_none_is_refused(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"words" if name.startswith("text") else b"")
    with pytest.raises(InputError):
        told_psf(path, 1.0, 4)


def test_the_images_own_band_names_decide_the_order() -> None:
    """A file with its bands from red to blue, and a sensor group that lists them from blue to red."""
    image = as_cube(np.zeros((4, 2, 2), dtype=np.float32))
    image = image.assign_coords(band_name=("band", ["B8", "B4", "B3", "B2"]))
    found = told_sensor("sentinel2:10m", None, None, msi=image)
    assert found is not None
    assert found.bands == ("B8", "B4", "B3", "B2")


def test_bands_of_no_known_width_are_no_sensor_and_no_obstacle(pair):
    own = pair.msi.assign_coords(fwhm=("band", [60.0, 35.0, 30.0, 110.0]))
    centres, widths = pair.hsi["wavelength"].values.copy(), pair.hsi["fwhm"].values.copy()
    centres[4] = centres[3]
    widths[5] = 0.0
    twice = pair.hsi.assign_coords(wavelength=("band", centres))
    unknown = pair.hsi.assign_coords(fwhm=("band", widths))
    lacking = pair.msi.assign_coords(fwhm=("band", [60.0, 0.0, 30.0, 110.0]))
    absurd = pair.msi.assign_coords(fwhm=("band", [60.0, 35.0, 30.0, 5000.0]))
    assert usable_sensor(make_pair(pair.hsi, own)) is not None
    # a width of the HSI that is not known stands for the distance to its neighbours
    assert usable_sensor(make_pair(unknown, own)) is not None
    for hsi, msi in ((twice, own), (pair.hsi, lacking), (pair.hsi, absurd)):
        assert usable_sensor(make_pair(hsi, msi)) is None
        assert "sensor" not in str(check(hsi, msi).finding("response").concern)
        assert "hsrdiff_sensor" not in fuse(hsi, msi).attrs
    assert "hsrdiff_sensor" in fuse(unknown, own).attrs
    with pytest.raises(InputError, match="must know the multispectral sensor"):
        fuse(pair.hsi, lacking, method="kriging")
    sensor = load_sensor("sentinel2:B2,B3,B4,B8")
    widths[5] = np.nan
    torch.testing.assert_close(
        told_response(sensor, pair.hsi["wavelength"].values, np.nan_to_num(widths)).matrix,
        SpectralResponse.from_sensor(sensor, pair.hsi["wavelength"].values, widths).matrix,
    )
