"""U: constants, mirror symmetry, one value by hand."""

import pytest
import torch

from hsrdiff.fusers.bicubic import upsample


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_constant_stays_constant(factor):
    Y = torch.full((1, 2, 4, 5), 0.37, dtype=torch.float64)
    U = upsample(Y, (4 * factor, 5 * factor))
    torch.testing.assert_close(U, torch.full_like(U, 0.37), rtol=0, atol=1e-15)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_blocks_are_aligned_so_mirroring_commutes(factor):
    Y = torch.rand((1, 2, 4, 6), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    size = (4 * factor, 6 * factor)
    for axes in ([-1], [-2], [-2, -1]):
        torch.testing.assert_close(upsample(Y.flip(axes), size), upsample(Y, size).flip(axes), rtol=0, atol=1e-14)


def test_impulse_by_hand():
    # factor 2: an HR pixel lies a quarter LR pixel from its block's centre; Keys' kernel with a = -3/4 there is
    # 5/4 (1/4)^3 - 9/4 (1/4)^2 + 1 = 0.87890625
    Y = torch.zeros((1, 1, 5, 5), dtype=torch.float64)
    Y[..., 2, 2] = 1.0
    U = upsample(Y, (10, 10))
    torch.testing.assert_close(U[0, 0, 4:6, 4:6], torch.full((2, 2), 0.87890625**2).double(), rtol=0, atol=1e-15)
