"""Tucker products: a core G and a factor for rows, columns and bands.

What UTV-TD minimises is no plain Tucker decomposition, so that a library's would serve for three products alone, and
`tensorly` comes with an extra: it is what the tests hold these against.
"""

from __future__ import annotations

import torch

Factors = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def tucker(core: torch.Tensor, factors: Factors) -> torch.Tensor:
    """Return ``G x1 F1 x2 F2 x3 F3``.

    Args:
        core: G, shape (n1, n2, n3).
        factors: Shapes (m1, n1), (m2, n2), (m3, n3).

    Returns:
        Shape (m1, m2, m3).
    """
    # the product that shrinks most comes first
    order = sorted(range(3), key=lambda mode: factors[mode].shape[0] / factors[mode].shape[1])
    for mode in order:
        core = mode_product(core, factors[mode], mode)
    return core


def mode_product(tensor: torch.Tensor, matrix: torch.Tensor, mode: int) -> torch.Tensor:
    """Multiply every fibre along one axis by a matrix.

    Args:
        tensor: Shape (m1, m2, m3).
        matrix: Shape (p, m_mode).
        mode: 0, 1 or 2.

    Returns:
        The tensor with p in place of m_mode.
    """
    moved: torch.Tensor = torch.tensordot(matrix, tensor, dims=([1], [mode])).movedim(0, mode)
    return moved


def unfold(tensor: torch.Tensor, mode: int) -> torch.Tensor:
    """Lay the fibres along one axis side by side.

    Args:
        tensor: Shape (m1, m2, m3).
        mode: 0, 1 or 2.

    Returns:
        Shape (m_mode, the product of the other two).
    """
    return tensor.movedim(mode, 0).flatten(1)


def transposed(factors: Factors) -> Factors:
    """Return the three factors, each transposed.

    Args:
        factors: Three matrices.

    Returns:
        Likewise.
    """
    return factors[0].T, factors[1].T, factors[2].T


def leading_vectors(matrix: torch.Tensor, count: int) -> torch.Tensor:
    """Return the left singular vectors of the largest singular values, by the smaller Gram matrix's side.

    Args:
        matrix: Shape (m, N).
        count: From 1 to m.

    Returns:
        Orthonormal columns, shape (m, count).
    """
    vectors: torch.Tensor = torch.linalg.eigh(matrix @ matrix.T).eigenvectors
    return vectors.flip(1)[:, :count].contiguous()
