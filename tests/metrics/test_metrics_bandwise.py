"""RMSE, PSNR and ERGAS: laws, values by hand, torchmetrics; and what every metric accepts and refuses."""

import math

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from hsrdiff.errors import FactorError, InputError, InvalidValueError, ShapeError
from hsrdiff.metrics import ergas, psnr_db, rmse, sam_deg, sam_map_deg, ssim

METRICS = {
    "rmse": rmse,
    "psnr_db": psnr_db,
    "ergas": lambda Z_hat, Z, mask=None: ergas(Z_hat, Z, factor=4, mask=mask),
    "sam_deg": sam_deg,
    "ssim": ssim,
}


def pair(bands=4, height=16, width=15, seed=0):
    rng = np.random.default_rng(seed)
    Z = rng.uniform(0.05, 1.0, (bands, height, width))
    return Z + rng.normal(0, 0.05, Z.shape), Z


@settings(deadline=None, max_examples=40)
@given(st.floats(1e-6, 0.9), st.sampled_from(["band", "cube"]), st.sampled_from([1.0, 255.0]))
def test_psnr_of_an_added_constant_is_its_level(shift, average, peak):
    Z = pair()[1]
    found = psnr_db(Z * peak + shift * peak, Z * peak, peak=peak, average=average)
    assert found == pytest.approx(-20 * math.log10(shift), abs=1e-6)


@settings(deadline=None, max_examples=25)
@given(st.randoms(use_true_random=False), st.sampled_from(sorted(METRICS)))
def test_order_of_bands_and_pixels_does_not_matter(random, name):
    Z_hat, Z = pair()
    order = list(range(Z.shape[0]))
    random.shuffle(order)
    metric = METRICS[name]
    assert metric(Z_hat[order], Z[order]) == pytest.approx(metric(Z_hat, Z), rel=1e-12)
    if name == "ssim":  # windows know their neighbours: turning the image over is all that is free
        turned = Z_hat[:, ::-1].swapaxes(1, 2), Z[:, ::-1].swapaxes(1, 2)
    else:
        pixels = list(range(Z[0].size))
        random.shuffle(pixels)
        turned = tuple(z.reshape(len(z), -1)[:, pixels].reshape(z.shape) for z in (Z_hat, Z))
    assert metric(*turned) == pytest.approx(metric(Z_hat, Z), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "best"), [("rmse", 0.0), ("psnr_db", math.inf), ("ergas", 0.0), ("sam_deg", 0.0), ("ssim", 1.0)]
)
def test_equal_images_have_the_best_score_exactly(name, best):
    Z = pair()[1]
    assert METRICS[name](Z.copy(), Z) == best


def test_an_exact_band_neither_raises_the_psnr_nor_makes_it_infinite():
    # mean squares of 0.01, 0 and 0.0001: 20 and 40 dB count; over the cube the mean square is 0.0101 / 3
    Z = np.full((3, 2, 2), 0.5)
    Z_hat = Z + np.array([0.1, 0.0, 0.01])[:, None, None]
    assert psnr_db(Z_hat, Z) == pytest.approx(30.0)
    assert psnr_db(Z_hat, Z, average="cube") == pytest.approx(10 * math.log10(3 / 0.0101))


@pytest.mark.parametrize("name", METRICS)
def test_the_mask_means_the_pixels_are_not_there(name):
    Z_hat, Z = pair(height=24)
    mask = np.zeros(Z.shape[1:], dtype=bool)
    mask[3:19, 1:14] = True
    inside = Z_hat[:, 3:19, 1:14], Z[:, 3:19, 1:14]
    spoilt_hat, spoilt = Z_hat.copy(), Z.copy()
    spoilt_hat[:, ~mask], spoilt[:, ~mask] = np.nan, -1e9
    assert METRICS[name](spoilt_hat, spoilt, mask=mask) == pytest.approx(METRICS[name](*inside), rel=1e-12)


def test_two_bands_worked_by_hand():
    Z = np.stack([np.full((2, 2), 0.5), np.full((2, 2), 0.2)])
    Z_hat = Z + np.array([0.1, 0.01])[:, None, None]
    # mean squares 0.01 and 0.0001: 20 dB and 40 dB; over both 0.00505
    assert psnr_db(Z_hat, Z) == pytest.approx(30.0)
    assert psnr_db(Z_hat, Z, average="cube") == pytest.approx(-10 * math.log10(0.00505))
    assert psnr_db(Z_hat, Z, peak=10.0) == pytest.approx(50.0)
    assert rmse(Z_hat, Z) == pytest.approx(math.sqrt(0.00505))
    # relative errors 0.2 and 0.05
    for factor in (4, 32):
        assert ergas(Z_hat, Z, factor=factor) == pytest.approx(100 / factor * math.sqrt((0.04 + 0.0025) / 2))


def test_ergas_leaves_out_an_empty_band():
    Z_hat, Z = pair()
    Z[2] = 0.0
    Z_hat[2] = 0.3
    rest = [0, 1, 3]
    assert ergas(Z_hat, Z, factor=4) == pytest.approx(ergas(Z_hat[rest], Z[rest], factor=4), rel=1e-12)
    with pytest.raises(InvalidValueError, match="mean zero"):
        ergas(Z_hat, np.zeros_like(Z), factor=4)


def test_ergas_refers_to_the_mean_of_the_truth_and_psnr_to_neither():
    Z_hat, Z = pair()
    assert ergas(Z_hat * 2, Z * 2, factor=4) == pytest.approx(ergas(Z_hat, Z, factor=4))
    Z_hat = Z + 0.3  # the same error both ways round, against different means
    assert ergas(Z_hat, Z, factor=4) > 1.2 * ergas(Z, Z_hat, factor=4)
    assert psnr_db(Z_hat, Z) == pytest.approx(psnr_db(Z, Z_hat))


def test_against_torchmetrics():
    functional = pytest.importorskip("torchmetrics.functional.image")
    Z_hat, Z = (torch.from_numpy(z)[None] for z in pair())
    theirs = functional.peak_signal_noise_ratio(Z_hat, Z, data_range=1.0)
    assert psnr_db(Z_hat, Z, average="cube") == pytest.approx(float(theirs), rel=1e-6)
    # torchmetrics has no mean over bands: one band at a time
    bands = [float(functional.peak_signal_noise_ratio(Z_hat[:, b], Z[:, b], data_range=1.0)) for b in range(4)]
    assert psnr_db(Z_hat, Z) == pytest.approx(np.mean(bands), rel=1e-6)
    for factor in (4, 32):
        theirs = functional.error_relative_global_dimensionless_synthesis(Z_hat, Z, ratio=factor)
        assert ergas(Z_hat, Z, factor=factor) == pytest.approx(float(theirs), rel=1e-6)


@pytest.mark.parametrize("name", METRICS)
def test_numpy_torch_xarray_dask_and_batches_of_one_agree(name):
    Z_hat, Z = pair()
    mask = np.ones(Z.shape[1:], dtype=bool)
    mask[0, :3] = False
    metric = METRICS[name]
    expected = metric(Z_hat, Z, mask=mask)
    cube = xr.DataArray(Z_hat, dims=("band", "y", "x"))
    batch, batch_mask = torch.from_numpy(Z)[None], torch.from_numpy(mask)[None, None]
    assert metric(cube, batch, mask=batch_mask) == expected
    turned = cube.transpose("y", "x", "band")
    assert metric(turned, Z[None], mask=xr.DataArray(mask, dims=("y", "x"))) == expected
    assert metric(cube.chunk({"band": 2, "y": 5}), Z, mask=mask[None]) == expected
    leaf = torch.from_numpy(Z_hat).requires_grad_()
    assert metric(leaf, Z, mask=mask) == expected


@pytest.mark.parametrize("name", METRICS)
def test_narrow_types_are_scored_in_float64_and_stay_unchanged(name):
    Z_hat, Z = (z.astype(np.float32) for z in pair())
    kept = Z_hat.copy(), Z.copy()
    assert METRICS[name](Z_hat, Z) == METRICS[name](Z_hat.astype(np.float64), Z.astype(np.float64))
    np.testing.assert_array_equal(Z_hat, kept[0])
    np.testing.assert_array_equal(Z, kept[1])


def test_unsigned_integers_do_not_wrap_and_bfloat16_is_read():
    a, b = np.full((1, 2, 2), 10, np.uint8), np.full((1, 2, 2), 13, np.uint8)
    assert rmse(a, b) == 3.0
    assert psnr_db(a, b, peak=255.0) == pytest.approx(20 * math.log10(255 / 3))
    assert rmse(torch.tensor([[[0.5]]], dtype=torch.bfloat16), torch.tensor([[[0.25]]])) == 0.25


def test_a_tiny_error_on_large_values_is_seen():
    Z = np.full((2, 4, 4), 1000.0)
    assert rmse(Z + 1e-9, Z) == pytest.approx(1e-9, rel=1e-3)


@pytest.mark.parametrize("metric", [*METRICS.values(), sam_map_deg])
def test_misfits_are_refused(metric):
    Z_hat, Z = pair()
    with pytest.raises(ShapeError, match="same"):
        metric(Z_hat[:3], Z)
    with pytest.raises(ShapeError, match="one image"):
        metric(np.stack([Z, Z]), np.stack([Z, Z]))
    with pytest.raises(ShapeError, match="band"):
        metric(Z[0], Z[0])
    with pytest.raises(ShapeError, match="mask"):
        metric(Z_hat, Z, mask=np.ones((3, 3), dtype=bool))
    with pytest.raises(InputError, match="booleans"):
        metric(Z_hat, Z, mask=np.ones(Z.shape[1:]))
    with pytest.raises(InputError, match="real numbers"):
        metric(Z_hat * 1j, Z)
    with pytest.raises(InvalidValueError, match="no valid pixel"):
        metric(Z_hat, Z, mask=np.zeros(Z.shape[1:], dtype=bool))


@pytest.mark.parametrize("metric", METRICS.values())
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_is_allowed_under_the_mask_only(metric, bad):
    Z_hat, Z = pair()
    mask = np.ones(Z.shape[1:], dtype=bool)
    mask[0, 0] = False
    for image, name in ((Z_hat, "prediction"), (Z, "truth")):
        image[1, 0, 0] = bad
        metric(Z_hat, Z, mask=mask)
        with pytest.raises(InvalidValueError, match=name):
            metric(Z_hat, Z)
        image[1, 0, 0] = 0.5


def test_bad_options_are_refused():
    Z_hat, Z = pair()
    for peak in (0, -1.0, math.nan, math.inf):
        with pytest.raises(InputError, match="peak"):
            psnr_db(Z_hat, Z, peak=peak)
        with pytest.raises(InputError, match="peak"):
            ssim(Z_hat, Z, peak=peak)
    with pytest.raises(InputError, match="average"):
        psnr_db(Z_hat, Z, average="pixel")
    for factor in (0, 1, 2.5, math.nan):
        with pytest.raises(FactorError):
            ergas(Z_hat, Z, factor=factor)
