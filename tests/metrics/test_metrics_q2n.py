"""Q2n: its laws, UIQI by hand, quaternions written out, and the recursive product for more bands."""

import math

import numpy as np
import pytest

from hsrdiff.errors import InputError, InvalidValueError
from hsrdiff.metrics import q2n


def pair(bands, size=32, seed=0, noise=0.3):
    rng = np.random.default_rng(seed)
    Z = rng.random((bands, size, size)) + np.arange(1, bands + 1)[:, None, None] / bands
    return Z + noise * rng.standard_normal(Z.shape), Z


@pytest.mark.parametrize("bands", [1, 2, 3, 4, 7, 8, 31])
def test_equal_images_have_one_and_others_less(bands):
    Z_hat, Z = pair(bands)
    assert q2n(Z, Z) == pytest.approx(1.0, abs=1e-12)
    assert 0 <= q2n(Z_hat, Z) < 0.99
    assert q2n(Z_hat, Z) > q2n(pair(bands, noise=0.6)[0], Z)


@pytest.mark.parametrize("bands", [1, 4, 6])
def test_invariances(bands):
    Z_hat, Z = pair(bands)
    value = q2n(Z_hat, Z)
    assert q2n(Z, Z_hat) == pytest.approx(value)
    assert q2n(7.0 * Z_hat, 7.0 * Z) == pytest.approx(value)
    assert q2n(Z_hat[:, ::-1].transpose(0, 2, 1), Z[:, ::-1].transpose(0, 2, 1)) == pytest.approx(value)
    empty = np.zeros((1, 32, 32))
    assert q2n(np.concatenate([Z_hat, empty]), np.concatenate([Z, empty])) == pytest.approx(value)


def test_uiqi_by_hand():
    # means 2 and 3, population variances 1 and 4, covariance 2: 4 * 2 * 2 * 3 / ((1 + 4) (4 + 9)) = 48 / 65
    Z = np.array([[[1.0, 3.0], [1.0, 3.0]]])
    Z_hat = np.array([[[1.0, 5.0], [1.0, 5.0]]])
    assert q2n(Z_hat, Z) == pytest.approx(48 / 65)
    # the index of one band is signed, that of hypercomplex numbers a modulus
    assert q2n(Z_hat[..., ::-1], Z) == pytest.approx(48 / 65)


def test_constant_images_by_hand():
    one, three = np.full((2, 8, 8), 1.0), np.full((2, 8, 8), 3.0)
    assert q2n(one, three) == pytest.approx(2 * 3 / (1 + 9))
    assert q2n(0 * one, 0 * one) == 1.0
    assert q2n(one, one + np.eye(8)) == 0.0


def quaternion(p, q):
    """Hamilton's product, written out."""
    a, b, c, d = p
    e, f, g, h = q
    return np.stack(
        [
            a * e - b * f - c * g - d * h,
            a * f + b * e + c * h - d * g,
            a * g - b * h + c * e + d * f,
            a * h + b * g - c * f + d * e,
        ]
    )


def test_q4_by_quaternions():
    Z_hat, Z = (image.reshape(4, -1) for image in pair(4))
    star = Z_hat * np.array([1, -1, -1, -1])[:, None]
    m, m_hat = Z.mean(axis=1), Z_hat.mean(axis=1)
    cov = quaternion(Z, star).mean(axis=1) - quaternion(m, star.mean(axis=1))
    variances = (Z**2).sum(axis=0).mean() - m @ m + (Z_hat**2).sum(axis=0).mean() - m_hat @ m_hat
    sizes = np.linalg.norm(m), np.linalg.norm(m_hat)
    expected = 4 * np.linalg.norm(cov) * math.prod(sizes) / (variances * (m @ m + m_hat @ m_hat))
    assert q2n(*pair(4)) == pytest.approx(expected, rel=1e-12)


def product(x, y):
    """(a, b)(c, d) = (a c - d* b, d a + b c*), halving down to real numbers."""
    if len(x) == 1:
        return x * y
    (a, b), (c, d) = np.split(x, 2), np.split(y, 2)

    def star(z):
        return np.concatenate([z[:1], -z[1:]])

    return np.concatenate([product(a, c) - product(star(d), b), product(d, a) + product(b, star(c))])


@pytest.mark.parametrize("bands", [2, 5, 8, 13])
def test_more_bands_by_the_recursive_product(bands):
    size = 1 << (bands - 1).bit_length()
    Z_hat, Z = (np.pad(image.reshape(bands, -1), ((0, size - bands), (0, 0))) for image in pair(bands, size=16))
    star = np.concatenate([Z_hat[:1], -Z_hat[1:]])
    m, m_hat = Z.mean(axis=1), Z_hat.mean(axis=1)
    cov = product(Z, star).mean(axis=1) - product(m, star.mean(axis=1))
    variances = (Z**2).sum(axis=0).mean() - m @ m + (Z_hat**2).sum(axis=0).mean() - m_hat @ m_hat
    sizes = np.linalg.norm(m), np.linalg.norm(m_hat)
    expected = 4 * np.linalg.norm(cov) * math.prod(sizes) / (variances * (m @ m + m_hat @ m_hat))
    assert q2n(*pair(bands, size=16)) == pytest.approx(expected, rel=1e-12)


def test_blocks_cover_the_image_and_overlap_at_the_far_edge():
    Z_hat, Z = pair(3, size=40)
    parts = [q2n(Z_hat[:, r, c], Z[:, r, c]) for r in (slice(32), slice(8, 40)) for c in (slice(32), slice(8, 40))]
    assert q2n(Z_hat, Z) == pytest.approx(np.mean(parts))
    assert q2n(Z_hat, Z, block=64) == pytest.approx(q2n(Z_hat, Z, block=40))
    strided = [
        q2n(Z_hat[:, i : i + 32, j : j + 32], Z[:, i : i + 32, j : j + 32]) for i in (0, 4, 8) for j in (0, 4, 8)
    ]
    assert q2n(Z_hat, Z, stride=4) == pytest.approx(np.mean(strided))


def test_masked_pixels_do_not_count():
    Z_hat, Z = pair(3, size=16)
    mask = np.ones((16, 16), bool)
    mask[:, :6] = False
    expected = q2n(Z_hat[:, :, 6:].reshape(3, 10, 16), Z[:, :, 6:].reshape(3, 10, 16))
    Z_hat[:, :, :6], Z[:, :, :6] = np.nan, 1e9
    assert q2n(Z_hat, Z, mask=mask) == pytest.approx(expected)
    with pytest.raises(InvalidValueError, match="NaN"):
        q2n(Z_hat, Z)
    mask[:, :10] = False
    with pytest.raises(InvalidValueError, match="half"):
        q2n(Z_hat, Z, mask=mask)


@pytest.mark.parametrize("options", [{"block": 1}, {"stride": 0}])
def test_no_block(options):
    with pytest.raises(InputError, match="at least"):
        q2n(*pair(1), **options)
