"""All scores at once: equal to the single functions, clipped, with the convention said."""

import math
import tracemalloc

import numpy as np
import pytest
import torch

from hsrdiff.errors import FactorError, InvalidValueError
from hsrdiff.metrics import ergas, psnr_db, rmse, sam_deg, score, ssim
from hsrdiff.metrics import pair as pair_module


def pair(bands=3, height=20, width=20):
    rng = np.random.default_rng(5)
    Z = rng.uniform(0, 1, (bands, height, width))
    return Z + rng.normal(0, 0.2, Z.shape), Z


def test_scores_are_the_single_functions_on_the_clipped_prediction():
    Z_hat, Z = pair()
    mask = np.ones((20, 20), dtype=bool)
    mask[:2] = False
    for clip, prediction in ((True, np.clip(Z_hat, 0, 1)), (False, Z_hat)):
        scores = score(Z_hat, Z, factor=4, mask=mask, clip=clip)
        assert scores.psnr_db == psnr_db(prediction, Z, mask=mask)
        assert scores.ssim == ssim(prediction, Z, mask=mask)
        assert scores.sam_deg == sam_deg(prediction, Z, mask=mask)
        assert scores.ergas == ergas(prediction, Z, factor=4, mask=mask)
        assert scores.rmse == rmse(prediction, Z, mask=mask)
        assert scores.remarks == ()
    assert score(Z_hat, Z, factor=4).psnr_db > score(Z_hat, Z, factor=4, clip=False).psnr_db


def test_the_convention_is_one_line_that_says_everything():
    Z_hat, Z = pair()
    mask = np.ones((20, 20), dtype=bool)
    mask[0, :7] = False  # 393 of 400
    scores = score(Z_hat, Z, factor=32, mask=mask)
    assert scores.convention == (
        "PSNR mean over bands, exact ones left out, peak 1.0; SSIM 11x11 Gaussian; SAM degrees; ERGAS 100/32; "
        "predictions clipped to [0, 1]; 98.2 % of pixels valid"
    )
    assert scores.valid_share == pytest.approx(0.9825)
    whole = score(Z_hat, Z, factor=32)
    assert whole.protocol == scores.protocol
    assert whole.convention.endswith("; 100 % of pixels valid")
    assert "not clipped" in score(Z_hat, Z, factor=32, clip=False).convention
    large = np.ones((1, 200, 200))
    mask = np.ones((200, 200), dtype=bool)
    mask[0, 0] = False
    assert "99.9 % of pixels valid" in score(large, large, factor=2, mask=mask).convention


def test_the_peak_is_the_unit_of_every_score():
    Z_hat, Z = pair()
    ours, scaled = score(Z_hat, Z, factor=4), score(1000 * Z_hat, 1000 * Z, factor=4, peak=1000)
    for name in ("psnr_db", "ssim", "sam_deg", "ergas", "rmse"):
        assert getattr(scaled, name) == pytest.approx(getattr(ours, name), rel=1e-10)
    assert "peak 1000.0" in scaled.convention
    assert "[0, 1000]" in scaled.convention


def test_equal_images():
    Z = pair()[1]
    scores = score(torch.from_numpy(Z)[None], Z, factor=4)
    assert (scores.psnr_db, scores.ssim, scores.sam_deg, scores.ergas, scores.rmse) == (math.inf, 1.0, 0.0, 0.0, 0.0)


def test_what_is_left_out_is_said():
    Z_hat, Z = pair()
    Z[:, 3, 4:6] = 0.0
    Z[1] = 0.0
    Z_hat[1] = 0.0
    scores = score(Z_hat, Z, factor=4, clip=False)
    assert scores.remarks == (
        "pixels left out of SAM for a zero spectrum: 2",
        "bands left out of ERGAS for a mean of zero: 1",
        "exact bands left out of PSNR: 1",
    )
    others = [0, *range(2, len(Z))]
    assert scores.psnr_db == pytest.approx(score(Z_hat[others], Z[others], factor=4, clip=False).psnr_db, rel=1e-12)
    assert math.isfinite(scores.ergas)
    assert math.isfinite(scores.sam_deg)


def test_a_score_without_meaning_is_nan_and_said():
    Z_hat, Z = pair(height=8)
    small = score(Z_hat, Z, factor=4)
    assert math.isnan(small.ssim)
    assert math.isfinite(small.psnr_db)
    assert small.remarks == ("SSIM is undefined without a fully valid 11 x 11 window",)
    dark = score(Z_hat, np.zeros_like(Z), factor=4)
    assert math.isnan(dark.sam_deg)
    assert math.isnan(dark.ergas)
    assert math.isfinite(dark.rmse)
    assert len(dark.remarks) == 3


def test_bad_input_is_refused_before_anything_else():
    Z_hat, Z = pair()
    with pytest.raises(FactorError):
        score(Z_hat, np.zeros_like(Z), factor=1)
    Z_hat[0, 0, 0] = np.nan
    with pytest.raises(InvalidValueError, match="prediction"):
        score(Z_hat, Z, factor=4)


def test_no_copy_of_the_cube_is_made(monkeypatch):
    monkeypatch.setattr(pair_module, "BLOCK_BYTES", 2**18)
    Z = np.random.default_rng(0).uniform(0, 1, (100, 64, 64)).astype(np.float32)
    Z_hat = Z + np.float32(0.01)
    tracemalloc.start()
    try:
        score(Z_hat, Z, factor=4, mask=Z[0] < 2)
        _, largest = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert largest < Z.nbytes * 2  # one cube in float64
