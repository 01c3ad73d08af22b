"""D of Eq. (1): adjoint, constants, phase and symmetry as laws; values by hand; a dense loop as oracle."""

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d

from hsrdiff.errors import FactorError, HsrdiffError, InputError, InvalidValueError, ShapeError
from hsrdiff.observation import SpatialResponse

BORDERS = ("symmetric", "circular", "replicate")
NUMPY_MODE = {"symmetric": "symmetric", "circular": "wrap", "replicate": "edge"}
# factor, kernel size: K = s, K > s, K much larger, K < s
SIZES = [(2, 2), (2, 4), (2, 8), (3, 3), (3, 7), (3, 1), (4, 4), (4, 8), (5, 5), (5, 11), (8, 8), (8, 16)]


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def operator(factor, size, border, separable):
    if separable:
        return SpatialResponse.gaussian(factor, sigma=0.4 * size, size=size, border=border)
    return SpatialResponse.from_kernel(draw(size, size).abs() + 0.1, factor, border)


@pytest.mark.parametrize(("total", "said"), [(1.0, False), (1.0004, False), (0.9, True), (16.0, True)])
def test_weights_that_do_not_sum_to_one_are_divided_and_said(total, said):
    D = SpatialResponse.from_kernel(np.full((4, 4), total / 16), 4)
    np.testing.assert_allclose(D.kernel, SpatialResponse.block_mean(4).kernel)
    assert ("its weights, whose sum was" in D.describe()) == said
    assert not said or f"{total:g}, divided by that" in D.describe()


@pytest.mark.parametrize("separable", [True, False])
@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize(("factor", "size"), SIZES)
def test_eq1_adjoint_of_d(factor, size, border, separable):
    D = operator(factor, size, border, separable)
    Z, Y = draw(2, 3, 3 * factor, 4 * factor, seed=1), draw(2, 3, 3, 4, seed=2)
    left, right = (D.apply(Z) * Y).sum(), (Z * D.adjoint(Y, size=Z.shape[-2:])).sum()
    scale = D.apply(Z).norm() * Y.norm()
    assert abs(left - right) < 1e-12 * scale


@pytest.mark.parametrize("separable", [True, False])
@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize(("factor", "size"), SIZES)
def test_eq1_d_agrees_with_dense_correlation(factor, size, border, separable):
    D = operator(factor, size, border, separable)
    assert (D.rank == 1) == (separable or size == 1)
    Z = draw(1, 2, 3 * factor, 5 * factor, seed=3)
    o = (size - factor) // 2
    for band in range(2):
        image = Z[0, band].numpy()
        padded = np.pad(image, max(o, 0), mode=NUMPY_MODE[border])
        if o < 0:
            padded = padded[-o:o, -o:o]
        dense = correlate2d(padded, D.kernel.numpy(), mode="valid")[::factor, ::factor]
        np.testing.assert_allclose(D.apply(Z)[0, band].numpy(), dense, atol=1e-13)


@pytest.mark.parametrize("border", BORDERS)
def test_image_smaller_than_the_kernel(border):
    D = SpatialResponse.gaussian(2, sigma=3.0, size=14, border=border)  # reaches 6 pixels beyond a 4 x 4 image
    Z, Y = draw(1, 1, 4, 4), draw(1, 1, 2, 2, seed=5)
    dense = correlate2d(np.pad(Z[0, 0].numpy(), 6, mode=NUMPY_MODE[border]), D.kernel.numpy(), mode="valid")
    np.testing.assert_allclose(D.apply(Z)[0, 0].numpy(), dense[::2, ::2], atol=1e-13)
    assert torch.allclose((D.apply(Z) * Y).sum(), (Z * D.adjoint(Y)).sum(), atol=1e-13)


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize(("factor", "size"), SIZES)
def test_constants_are_kept(factor, size, border):
    D = operator(factor, size, border, separable=False)
    constant = torch.full((1, 2, 4 * factor, 4 * factor), 0.7, dtype=torch.float64)
    torch.testing.assert_close(D.apply(constant), torch.full((1, 2, 4, 4), 0.7, dtype=torch.float64))


@pytest.mark.parametrize(("factor", "size"), SIZES)
def test_moving_z_by_a_factor_moves_y_by_one_pixel(factor, size):
    D = operator(factor, size, "circular", separable=False)
    Z = draw(1, 1, 4 * factor, 6 * factor)
    moved = torch.roll(Z, (factor, 2 * factor), dims=(-2, -1))
    torch.testing.assert_close(D.apply(moved), torch.roll(D.apply(Z), (1, 2), dims=(-2, -1)))


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize(("factor", "size"), SIZES)
def test_flips_commute_with_a_symmetric_kernel(factor, size, border):
    D = operator(factor, size, border, separable=True)
    Z = draw(1, 1, 4 * factor, 3 * factor)
    torch.testing.assert_close(D.apply(Z.flip(-1)), D.apply(Z).flip(-1))
    torch.testing.assert_close(D.apply(Z.flip(-2)), D.apply(Z).flip(-2))
    torch.testing.assert_close(D.apply(Z.mT), D.apply(Z).mT)


@pytest.mark.parametrize(("factor", "size"), SIZES)
def test_phase_is_the_centre_of_each_block(factor, size):
    D = operator(factor, size, "symmetric", separable=True)
    ramp = torch.arange(10.0 * factor, dtype=torch.float64).expand(1, 1, 10 * factor, -1)
    centres = factor * torch.arange(10, dtype=torch.float64) + (factor - 1) / 2
    inner = slice(3, 7)  # away from the border a ramp is blurred to itself
    torch.testing.assert_close(D.apply(ramp)[0, 0, 5, inner], centres[inner])


def test_value_by_hand():
    taps = np.array([1.0, 3.0, 3.0, 1.0]) / 8
    Z = torch.zeros(1, 1, 4, 4, dtype=torch.float64)
    Z[0, 0, 0, 0] = 1.0
    # Mirrored, pixel 0 is read by taps 0 and 1 of the first block only: (1 + 3) / 8 in each direction.
    mirrored = SpatialResponse(np.outer(taps, taps), 2).apply(Z)[0, 0]
    torch.testing.assert_close(mirrored, torch.tensor([[0.25, 0.0], [0.0, 0.0]], dtype=torch.float64))
    # Wrapped, the first block reads it by tap 1 and the last by tap 3.
    wrapped = SpatialResponse(np.outer(taps, taps), 2, border="circular").apply(Z)[0, 0]
    torch.testing.assert_close(wrapped, torch.tensor([[9.0, 3.0], [3.0, 1.0]], dtype=torch.float64) / 64)


def test_cave_kernel():
    D = SpatialResponse.cave_x32()
    i = np.arange(32)
    gauss = np.exp(-((i[:, None] - 15.5) ** 2 + (i[None, :] - 15.5) ** 2) / (2 * 10.0**2))
    np.testing.assert_allclose(D.kernel.numpy(), gauss / gauss.sum(), atol=1e-17)
    assert (D.factor, D.size, D.offset, D.rank) == (32, 32, 0, 1)
    # D^T D = ||k||^2 I on the LR grid, ||k||^2 = 1.2063e-3 (algorithms 0.1)
    Y = draw(1, 1, 2, 3)
    torch.testing.assert_close(D.apply(D.adjoint(Y)), D.kernel.square().sum() * Y)
    assert float(D.kernel.square().sum()) == pytest.approx(1.2063e-3, rel=1e-4)


def test_default_gaussian_has_a_fwhm_of_one_lr_pixel():
    for factor, size in [(2, 4), (3, 7), (4, 8), (5, 11), (8, 16)]:
        D = SpatialResponse.gaussian(factor)
        assert D.size == size
        profile = D.kernel.numpy().sum(axis=0)
        u = np.arange(size) - (size - 1) / 2
        # log k = c - u^2 / (2 sigma^2), so two samples give sigma; FWHM = 2.35482 sigma
        sigma = np.sqrt((u[0] ** 2 - u[-2] ** 2) / (2 * np.log(profile[-2] / profile[0])))
        assert 2.35482 * sigma == pytest.approx(factor, rel=1e-5)


def test_block_mean_is_the_mean():
    Z = draw(2, 3, 6, 9)
    expected = Z.reshape(2, 3, 2, 3, 3, 3).mean(dim=(3, 5))
    torch.testing.assert_close(SpatialResponse.block_mean(3).apply(Z), expected)


def test_crop_commutes_with_d_when_blocks_are_disjoint():
    D = operator(4, 4, "symmetric", separable=False)
    Z = draw(1, 2, 16, 24)
    torch.testing.assert_close(D.apply(Z[..., 4:12, 8:24]), D.apply(Z)[..., 1:3, 2:6])


def test_border_rule_does_not_matter_when_blocks_are_disjoint():
    Z = draw(1, 1, 8, 8)
    results = [operator(4, 4, border, separable=False).apply(Z) for border in BORDERS]
    assert torch.equal(results[0], results[1])
    assert torch.equal(results[0], results[2])


@pytest.mark.parametrize("border", BORDERS)
def test_gradients(border):
    D = operator(3, 7, border, separable=False)
    assert torch.autograd.gradcheck(D.apply, draw(1, 1, 6, 9).requires_grad_())
    assert torch.autograd.gradcheck(D.adjoint, draw(1, 1, 2, 3).requires_grad_())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_dtype_is_kept_also_under_autocast(dtype):
    D = SpatialResponse.gaussian(4)
    Z = draw(1, 2, 8, 8).to(dtype)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        Y, back = D.apply(Z), D.adjoint(D.apply(Z))
    assert Y.dtype == back.dtype == dtype
    assert torch.equal(Y, D.apply(Z))


def test_nan_stays_inside_the_windows_that_hold_it():
    D = SpatialResponse.gaussian(3)  # 7 x 7: block 1 reads pixels 1..7 of each axis
    Z = draw(1, 1, 12, 12)
    Z[..., 8, 8] = torch.nan
    expected = torch.zeros(4, 4, dtype=torch.bool)
    expected[2:, 2:] = True  # blocks 2 (4..10) and 3 (7..13)
    assert torch.equal(D.apply(Z)[0, 0].isnan(), expected)


def test_inputs_are_left_alone_and_describe_says_all():
    kernel = np.full((6, 6), 1.0 / 36)
    D = SpatialResponse(kernel, 4, "replicate")
    kernel[:] = 0
    assert float(D.kernel.sum()) == pytest.approx(1)
    text = SpatialResponse.gaussian(4).describe()
    assert all(part in text for part in ("1.699", "8 x 8", "symmetric", "block-centred", "factor 4"))
    assert "no border" in SpatialResponse.cave_x32().describe()


@pytest.mark.parametrize("factor", [1, 0, -2, 2.5, "4", None])
def test_bad_factor(factor):
    with pytest.raises(FactorError, match="whole number of at least 2"):
        SpatialResponse.gaussian(factor)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: SpatialResponse.gaussian(4, size=7), InputError, "even.*size 8"),
        (lambda: SpatialResponse.gaussian(4, sigma=0.0), InputError, "positive"),
        (lambda: SpatialResponse.gaussian(4, size=0), InputError, "at least 1"),
        (lambda: SpatialResponse.gaussian(4, border="reflect"), InputError, "symmetric"),
        (lambda: SpatialResponse(np.ones((4, 4)), 4), InputError, "sums to 16"),
        (lambda: SpatialResponse(np.ones((4, 3)), 4), ShapeError, "square"),
        (lambda: SpatialResponse(np.full((4, 4), np.nan), 4), InvalidValueError, "NaN"),
        (lambda: SpatialResponse.from_kernel(np.full((4, 4), np.inf), 4), InvalidValueError, "infinite"),
        (lambda: SpatialResponse.from_kernel(-np.ones((4, 4)), 4), InputError, "positive sum"),
        (lambda: SpatialResponse.gaussian(4).apply(torch.ones(1, 1, 10, 16)), ShapeError, "10 x 16.*8 x 16"),
        (lambda: SpatialResponse.gaussian(4).apply(torch.ones(1, 1, 3, 8)), ShapeError, "larger image"),
        (lambda: SpatialResponse.gaussian(4).apply(torch.ones(8, 8)), ShapeError, "floating"),
        (
            lambda: SpatialResponse.gaussian(4).apply(torch.ones(1, 1, 8, 8, dtype=torch.int64)),
            ShapeError,
            "int64",
        ),
        (
            lambda: SpatialResponse.gaussian(4).adjoint(torch.ones(1, 1, 2, 2), size=(8, 9)),
            ShapeError,
            "8 x 9.*8 x 8",
        ),
    ],
)
def test_errors_name_what_was_found(make, error, words):
    with pytest.raises(error, match=words) as caught:
        make()
    assert isinstance(caught.value, HsrdiffError)
    assert str(caught.value).endswith(".")
