"""R of Eq. (1): adjoint, constants and order as laws; values by hand; closed forms and integrals as oracles."""

import warnings

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from hsrdiff.errors import InvalidValueError, SensorError, ShapeError, WavelengthError
from hsrdiff.observation import CoverageWarning, SpatialResponse, SpectralResponse, coverage
from hsrdiff.sensors import Sensor, gaussian_sensor, load_sensor
from hsrdiff.sensors.shapes import band_sensor

HYPERSPECTRAL = np.arange(400.0, 2501.0, 10.0)


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def box(low, high, name="box"):
    return band_sensor(name, ("b1",), ("box",), [(low + high) / 2], [high - low])


def test_eq1_adjoint_of_r():
    R = SpectralResponse(draw(4, 9))
    Z, X = draw(2, 9, 3, 5, seed=1), draw(2, 4, 3, 5, seed=2)
    assert abs((R.apply(Z) * X).sum() - (Z * R.adjoint(X)).sum()) < 1e-12


def test_eq1_r_is_a_matrix_product_at_each_pixel():
    R, Z = SpectralResponse(draw(3, 7)), draw(1, 7, 2, 4, seed=1)
    np.testing.assert_allclose(R.apply(Z)[0, :, 1, 2].numpy(), R.matrix.numpy() @ Z[0, :, 1, 2].numpy(), atol=1e-14)


def test_eq1_r_and_d_commute():
    R, D = SpectralResponse(draw(3, 7)), SpatialResponse.gaussian(3)
    Z = draw(1, 7, 9, 12)
    torch.testing.assert_close(R.apply(D.apply(Z)), D.apply(R.apply(Z)), atol=1e-13, rtol=0)


@pytest.mark.parametrize("fwhm_nm", [None, 12.0])
@pytest.mark.parametrize("name", ["sentinel2", "landsat8", "eo1_ali", "worldview3", "superdove", "rgb"])
def test_constant_spectrum_maps_to_itself(name, fwhm_nm):
    fwhm = None if fwhm_nm is None else np.full(HYPERSPECTRAL.size, fwhm_nm)
    R = SpectralResponse.from_sensor(load_sensor(name), HYPERSPECTRAL, fwhm)
    torch.testing.assert_close(R.matrix.sum(dim=1), torch.ones(R.msi_bands, dtype=torch.float64))
    assert R.matrix.min() >= 0


@pytest.mark.parametrize("fwhm", [None, 8.0])
def test_order_of_the_bands_does_not_matter(fwhm):
    order = np.random.default_rng(0).permutation(HYPERSPECTRAL.size)
    widths = None if fwhm is None else np.linspace(fwhm, 2 * fwhm, HYPERSPECTRAL.size)
    sensor = load_sensor("landsat8:ms")
    straight = SpectralResponse.from_sensor(sensor, HYPERSPECTRAL, widths).matrix
    shuffled = SpectralResponse.from_sensor(
        sensor, HYPERSPECTRAL[order], None if widths is None else widths[order]
    ).matrix
    torch.testing.assert_close(shuffled, straight[:, order])


def test_overlapping_detectors_do_not_count_twice():
    # Two detectors cover 500..600 nm; a spectrum linear in wavelength must keep its mean over the box.
    centres = np.concatenate([np.arange(400.0, 601.0, 10.0), np.arange(503.0, 801.0, 10.0)])
    R = SpectralResponse.from_sensor(box(450, 700), centres).matrix.numpy()[0]
    assert R @ centres == pytest.approx(575.0, abs=0.2)
    in_overlap = (centres > 520) & (centres < 580)
    assert R[in_overlap].mean() == pytest.approx(R[(centres > 620) & (centres < 680)].mean() / 2, rel=0.05)


def test_value_by_hand():
    # Bands at 400, 500, 600 stand for 350-450, 450-550, 550-650.
    R = SpectralResponse.from_sensor(box(475, 575), [400.0, 500.0, 600.0]).matrix
    np.testing.assert_allclose(R.numpy(), [[0.0, 0.75, 0.25]], atol=1e-3)
    # The table's 1 nm steps let a quarter nanometre of each edge reach the neighbours.
    R = SpectralResponse.from_sensor(box(450, 550), [600.0, 400.0, 500.0]).matrix
    np.testing.assert_allclose(R.numpy(), [[0.0, 0.0, 1.0]], atol=6e-3)


def test_gaussian_bands_have_a_closed_form():
    # The overlap of two Gaussians is a Gaussian whose squared widths add.
    sensor = gaussian_sensor([550.0, 640.0], [40.0, 25.0])
    centres, fwhm = np.arange(450.0, 751.0, 5.0), 9.0
    R = SpectralResponse.from_sensor(sensor, centres, np.full(centres.size, fwhm)).matrix.numpy()
    for row, centre, width in zip(R, [550.0, 640.0], [40.0, 25.0], strict=True):
        exact = np.exp(-4 * np.log(2) * (centres - centre) ** 2 / (width**2 + fwhm**2))
        # Linear interpolation of the 1 nm table widens the response by 0.15 % of its variance.
        np.testing.assert_allclose(row, exact / exact.sum(), atol=2e-4)


def test_narrow_bands_sample_the_response():
    sensor = gaussian_sensor([550.0], 40.0)
    centres = np.arange(450.0, 651.0, 5.0)
    R = SpectralResponse.from_sensor(sensor, centres, np.full(centres.size, 1e-3)).matrix.numpy()[0]
    sampled = np.interp(centres, sensor.wavelengths_nm, sensor.response[0], left=0.0, right=0.0)
    np.testing.assert_allclose(R, sampled / sampled.sum(), atol=2e-6)


def test_unknown_fwhm_of_some_bands_falls_back_to_their_interval():
    centres = np.arange(400.0, 801.0, 10.0)
    fwhm = np.full(centres.size, 14.0)
    fwhm[20] = np.nan
    sensor = gaussian_sensor([600.0], 30.0)  # centred on band 20
    mixed = SpectralResponse.from_sensor(sensor, centres, fwhm).matrix.numpy()[0]
    bare = SpectralResponse.from_sensor(sensor, centres).matrix.numpy()[0]
    full = SpectralResponse.from_sensor(sensor, centres, np.full(centres.size, 14.0)).matrix.numpy()[0]
    # Only band 20 changes its unnormalised weight, to the one it has without any FWHM.
    others = np.arange(centres.size) != 20
    np.testing.assert_allclose(mixed[others] / mixed[19], full[others] / full[19], atol=1e-12)
    assert full[20] / full[19] < mixed[20] / mixed[19]
    assert mixed.argmax() == bare.argmax() == 20


def test_simulated_band_is_the_integral_of_the_spectrum():
    def spectrum(nm):
        return 0.3 + 0.2 * np.sin(nm / 60.0)

    sensor = gaussian_sensor([520.0, 660.0], [50.0, 30.0])
    centres = np.arange(400.0, 800.0, 4.0)
    R = SpectralResponse.from_sensor(sensor, centres).matrix.numpy()
    for simulated, centre, width in zip(R @ spectrum(centres), [520.0, 660.0], [50.0, 30.0], strict=True):

        def response(nm, centre=centre, width=width):
            return np.exp(-4 * np.log(2) * ((nm - centre) / width) ** 2)

        exact = quad(lambda nm: response(nm) * spectrum(nm), centre - 120, centre + 120)[0]
        exact /= quad(response, centre - 120, centre + 120)[0]
        assert simulated == pytest.approx(exact, abs=2e-4)


def test_coverage_is_the_share_of_the_integral():
    # Bands 400..600 step 10 stand for 395..605; a box 505..705 has half of itself inside.
    centres = np.arange(400.0, 601.0, 10.0)
    assert coverage(box(505, 705), centres)[0] == pytest.approx(0.5, abs=1e-3)
    assert coverage(box(450, 550), centres)[0] == pytest.approx(1.0, abs=1e-9)
    assert coverage(box(700, 800), centres)[0] == 0.0


def test_coverage_leaves_out_removed_bands():
    centres = np.concatenate([np.arange(1000.0, 1345.0, 10.0), np.arange(1430.0, 1700.0, 10.0)])
    assert coverage(box(1363, 1384), centres)[0] == 0.0
    with pytest.raises(SensorError, match=r"B10.*sentinel2.*with a gap there"):
        SpectralResponse.from_sensor(load_sensor("sentinel2:B10"), centres)
    # One missing band is no hole.
    assert coverage(box(1100, 1200), np.delete(centres, 12))[0] == pytest.approx(1.0)


def test_low_coverage_is_an_error_that_names_the_band():
    with pytest.raises(SensorError, match=r"band B12 of sensor 'sentinel2' \(2\d+-2\d+ nm\).*400-1000 nm.*leave") as e:
        SpectralResponse.from_sensor(load_sensor("sentinel2:B2,B12"), np.arange(400.0, 1001.0, 10.0))
    assert "5 %" in str(e.value)


def test_partial_coverage_is_a_warning_that_names_the_band():
    rosis = np.linspace(430.0, 860.0, 103)
    with pytest.warns(CoverageWarning, match="nir1.*worldview3"):
        R = SpectralResponse.from_sensor(load_sensor("worldview3:bgrn"), rosis)
    assert R.band_names == ("blue", "green", "red", "nir1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SpectralResponse.from_sensor(load_sensor("worldview3:blue,green,red"), rosis)


def test_table_at_the_bands_is_taken_as_it_is():
    centres = np.arange(400.0, 701.0, 10.0)
    counts = np.random.default_rng(0).integers(1, 30, (3, 31)).astype(float)
    sensor = Sensor("camera", ("red", "green", "blue"), centres, counts)
    R = SpectralResponse.from_table(sensor, centres)
    np.testing.assert_allclose(R.matrix.numpy(), counts / counts.sum(axis=1, keepdims=True), rtol=1e-15)
    with pytest.raises(WavelengthError, match=r"31 at 400-700 nm.*from_sensor"):
        SpectralResponse.from_table(sensor, centres[:30])


def test_gradients_dtype_and_autocast():
    R = SpectralResponse(draw(2, 3))
    assert torch.autograd.gradcheck(R.apply, draw(1, 3, 2, 2).requires_grad_())
    assert torch.autograd.gradcheck(R.adjoint, draw(1, 2, 2, 2).requires_grad_())
    Z = draw(1, 3, 4, 4).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        X, back = R.apply(Z), R.adjoint(R.apply(Z))
    assert X.dtype == back.dtype == torch.float32
    assert torch.equal(X, R.apply(Z))


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: SpectralResponse(np.ones(3)), ShapeError, "MSI bands, HSI bands"),
        (lambda: SpectralResponse(np.ones((2, 3)), ["red"]), ShapeError, "1 band names"),
        (lambda: SpectralResponse(np.full((2, 3), np.nan)), InvalidValueError, "NaN"),
        (lambda: SpectralResponse(np.ones((2, 3))).apply(torch.ones(1, 4, 2, 2)), ShapeError, r"\(n, 3, H, W\)"),
        (lambda: SpectralResponse(np.ones((2, 3))).adjoint(torch.ones(1, 3, 2, 2)), ShapeError, r"\(n, 2, H"),
        (lambda: coverage(box(450, 550), [0.4, 0.5, 0.6]), WavelengthError, "micrometres.*1000"),
        (lambda: coverage(box(450, 550), [400.0, np.nan]), WavelengthError, "positive numbers"),
        (lambda: coverage(box(450, 550), []), WavelengthError, "one centre"),
        (lambda: coverage(box(450, 550), [400.0, 500.0], [10.0]), WavelengthError, "2 positive widths"),
        (lambda: coverage(box(450, 550), [500.0]), WavelengthError, "two wavelengths or a FWHM"),
    ],
)
def test_errors_name_what_was_found(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_single_band_with_fwhm():
    R = SpectralResponse.from_sensor(box(490, 510), [500.0], [30.0])
    assert R.matrix.tolist() == [[1.0]]
