"""Registration: limits, shifts in both axes and signs, masks, images that show nothing, local shifts; a real scene."""

import numpy as np
import pytest
import torch

from hsrdiff.experiments.small_scenes import SAMSON
from hsrdiff.observation import Scene, SpatialResponse, SpectralResponse, register

BANDS, FACTOR, LR = 12, 4, 30
MARGIN = 16  # HR pixels of the ground beyond the image


def ground(seed=0):
    """Mixes of three materials, smooth over about an LR pixel, with ground beyond the image on all sides."""
    size = LR * FACTOR + 2 * MARGIN
    noise = torch.randn((1, 3, size, size), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    smooth = SpatialResponse.gaussian(2, sigma=2.5, size=14).dense(noise)
    position = torch.arange(BANDS).double() / BANDS
    spectra = torch.stack([0.3 + position, 1 - position, 0.5 + (3 * position).sin()])
    return 1.0 + torch.einsum("kb,nkyx->nbyx", spectra, smooth)


def R():
    matrix = torch.zeros(3, BANDS, dtype=torch.float64)
    for i in range(3):
        matrix[i, 4 * i : 4 * i + 4] = 0.25
    return SpectralResponse(matrix)


D = SpatialResponse.gaussian(FACTOR)


def scene(rows=0, columns=0, sigma=0.0, **masks):
    """A pair whose Y shows the ground this many HR pixels further down and to the right than X."""
    Z = ground()
    X = R().apply(Z[..., MARGIN:-MARGIN, MARGIN:-MARGIN])
    # D seen from every HR pixel: any of its phases is an exact Y
    Y = D.dense(Z)[..., MARGIN - rows :: FACTOR, MARGIN - columns :: FACTOR][..., :LR, :LR]
    draw = torch.Generator().manual_seed(7)
    X = X + sigma * torch.randn(X.shape, generator=draw, dtype=torch.float64)
    Y = Y + sigma * torch.randn(Y.shape, generator=draw, dtype=torch.float64)
    return Scene(X=X, Y=Y, **masks)


@pytest.mark.parametrize("spectral", [R(), None], ids=["R known", "R not known"])
def test_images_that_lie_on_each_other_have_no_shift(spectral):
    found = register(scene(), D, spectral)
    assert found.length < 1e-3
    assert found.error < 0.01
    assert found.correlation > 0.999
    assert found.reliable
    assert found.everywhere


@pytest.mark.parametrize("spectral", [R(), None], ids=["R known", "R not known"])
@pytest.mark.parametrize("shift", [(4, 0), (0, -4), (1, -2), (-3, 2), (9, -7), (-12, 10)])
def test_known_shifts_are_found_in_both_axes_and_signs(shift, spectral):
    found = register(scene(*shift), D, spectral)
    # exact but for the cubic spline between pixels that are a quarter of an LR pixel apart
    np.testing.assert_allclose(found.shift, np.array(shift) / FACTOR, atol=2e-3)
    assert found.reliable
    assert found.everywhere
    assert found.bands.shape == (3, 2)
    np.testing.assert_allclose(found.bands, np.tile(found.shift, (3, 1)), atol=5e-3)


def test_swapping_rows_and_columns_swaps_the_shift():
    pair = scene(3, -1)
    turned = Scene(X=pair.X.mT.contiguous(), Y=pair.Y.mT.contiguous())
    np.testing.assert_allclose(register(turned, D, R()).shift, register(pair, D, R()).shift[::-1], atol=1e-6)


def test_units_do_not_matter():
    pair = scene(3, -1)
    other = Scene(X=pair.X * 8000.0 + 300.0, Y=pair.Y * 0.01)
    np.testing.assert_allclose(register(other, D, R()).shift, register(pair, D, R()).shift, atol=1e-6)


def test_a_psf_that_is_moved_alike_leaves_no_shift():
    assert register(scene(2, -3), D.moved(-2, 3), R()).length < 1e-6


def test_noise_costs_certainty_and_the_error_says_how_much():
    spread = float(ground().std())
    apart = []
    for sigma in (0.05, 0.3):
        found = register(scene(1, -2, sigma=sigma * spread), D, R())
        apart.append(found.error)
        assert np.abs(np.array(found.shift) - (0.25, -0.5)).max() < max(0.01, 4 * found.error)
    assert apart[0] < apart[1]


def test_values_under_a_mask_do_not_matter_and_holes_cost_little():
    draw = torch.Generator().manual_seed(3)
    plain = scene(1, 2)
    valid = torch.rand(plain.X[:, :1].shape, generator=draw) > 0.01
    valid_lr = torch.rand(plain.Y[:, :1].shape, generator=draw) > 0.1
    found = []
    for filling in (float("nan"), 1e6):
        X = torch.where(valid, plain.X, torch.tensor(filling, dtype=torch.float64))
        Y = torch.where(valid_lr, plain.Y, torch.tensor(-filling, dtype=torch.float64))
        found.append(register(Scene(X=X, Y=Y, valid=valid, valid_lr=valid_lr), D, R()))
    assert found[0].shift == found[1].shift
    assert found[0].error == found[1].error
    np.testing.assert_allclose(found[0].shift, (0.25, 0.5), atol=0.01)


def test_x_full_of_holes_is_still_measured():
    """No kernel is whole: LR pixels with most of it on valid pixels count."""
    plain = scene(1, 2)
    valid = torch.rand(plain.X[:, :1].shape, generator=torch.Generator().manual_seed(3)) > 0.15
    found = register(Scene(X=plain.X, Y=plain.Y, valid=valid), D, R())
    np.testing.assert_allclose(found.shift, (0.25, 0.5), atol=0.03)


def test_flat_images_and_noise_alone_are_not_reliable():
    flat = Scene(X=torch.ones(1, 3, 120, 120), Y=torch.ones(1, BANDS, 30, 30))
    for spectral in (R(), None):
        found = register(flat, D, spectral)
        assert found.shift == (0.0, 0.0)
        assert found.error == np.inf
        assert not found.reliable
        assert "too little detail" in found.describe()
    draw = torch.Generator().manual_seed(0)
    noise = Scene(X=torch.randn((1, 3, 120, 120), generator=draw), Y=torch.randn((1, BANDS, 30, 30), generator=draw))
    for spectral in (R(), None):
        assert not register(noise, D, spectral).reliable


def test_stripes_tell_nothing_of_their_own_direction():
    rows = torch.sin(torch.arange(120.0).double() / 5)[None, None, :, None].expand(1, 3, 120, 120)
    Y = D.apply(rows)[:, :1].expand(1, BANDS, 30, 30)
    found = register(Scene(X=rows.contiguous(), Y=Y.contiguous()), D, R())
    assert found.error == np.inf


def test_small_images_are_not_measured():
    pair = scene()
    assert register(Scene(X=pair.X[..., :32, :32], Y=pair.Y[..., :8, :8]), D, R()) is None


def test_blocks_find_a_local_shift():
    here, there = scene(0, 0), scene(0, 4)
    Y = here.Y.clone()
    Y[..., :, 20:] = there.Y[..., :, 20:]
    found = register(Scene(X=here.X, Y=Y), D, R())
    assert not found.everywhere
    sides = {left: [b.shift[1] for b in found.blocks if b.column == left and b.telling] for left in (0, 10, 20)}
    assert len(found.blocks) == 9
    np.testing.assert_allclose(sides[0], 0.0, atol=0.02)
    np.testing.assert_allclose(sides[20], 1.0, atol=0.02)


def test_moved_kernels_keep_sum_and_width_and_move_their_centre():
    for kernel in (D, SpatialResponse.block_mean(3), SpatialResponse.gaussian(3)):
        rows, columns = 0.3, -1.45
        moved = kernel.moved(rows, columns)
        for axis, length in ((1, rows), (0, columns)):
            before, after = (k.kernel.sum(dim=axis) for k in (kernel, moved))
            u, v = (torch.arange(len(p)).double() - (len(p) - 1) / 2 for p in (before, after))
            centre = float((after * v).sum())
            assert float(after.sum()) == pytest.approx(1.0, abs=1e-12)
            assert centre - float((before * u).sum()) == pytest.approx(length, abs=1e-12)
            assert float((after * (v - centre) ** 2).sum()) == pytest.approx(float((before * u**2).sum()), abs=1e-12)
        assert "moved by 0.3 rows and -1.45 columns" in moved.describe()
    assert D.moved(0, 0) is D


def test_moving_by_whole_pixels_reads_other_pixels():
    Z = ground()[..., :120, :120]
    np.testing.assert_allclose(D.moved(1, -2).apply(Z)[..., 2:-2, 2:-2], D.dense(Z)[..., 1::4, 2::4][..., 2:-2, 1:-3])
    np.testing.assert_allclose(D.moved(1, -2).moved(-1, 2).kernel, D.kernel, atol=1e-12)


@pytest.mark.parametrize("kernel", [D, SpatialResponse.block_mean(4), SpatialResponse(np.eye(6) / 6, 4)])
def test_dense_is_d_at_every_phase(kernel):
    Z = ground()[..., :40, :48]
    np.testing.assert_allclose(kernel.dense(Z)[..., ::4, ::4][..., 2:-2, 2:-2], kernel.apply(Z)[..., 2:-2, 2:-2])


@pytest.fixture(scope="module")
def samson():
    return SAMSON.load(None)


@pytest.mark.data
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("pixels", [(1, -2), (0, 3), (-4, 0)])
def test_real_scene(pixels, known, samson):
    """Samson, Y displaced by whole HR pixels: within a hundredth of an LR pixel."""
    cube, observation = samson
    Z = torch.from_numpy(np.asarray(cube.values, dtype=np.float64))[None]
    part = Z[..., 4:84, 4:84]
    moved = Z[..., 4 - pixels[0] : 84 - pixels[0], 4 - pixels[1] : 84 - pixels[1]]
    pair = Scene(X=observation.spectral.apply(part), Y=observation.spatial.apply(moved))
    found = register(pair, observation.spatial, observation.spectral if known else None)
    np.testing.assert_allclose(found.shift, np.array(pixels) / 4, atol=0.01)
    assert found.reliable
