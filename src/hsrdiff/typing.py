"""Shape aliases: letters as in the paper, read at a border, checked by the code that needs them.

X is the HR-MSI ``(n, b, H, W)``, Y the LR-HSI ``(n, B, h, w)``, Z the HR-HSI ``(n, B, H, W)``, R ``(b, B)``;
``factor = H / h``; n is the batch. The tensors are named in quotes: what only reads files does not load torch.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

PathLike: TypeAlias = str | os.PathLike[str]
FloatArray: TypeAlias = npt.NDArray[np.floating[Any]]
BoolArray: TypeAlias = npt.NDArray[np.bool_]

MSI: TypeAlias = "torch.Tensor"  # X: (n, b, H, W)
LRHSI: TypeAlias = "torch.Tensor"  # Y: (n, B, h, w)
HRHSI: TypeAlias = "torch.Tensor"  # Z: (n, B, H, W)

# denoise(Z_t, gamma) -> Z_hat, with X and Y already bound; gamma has shape (n,)
Denoise: TypeAlias = "Callable[[torch.Tensor, torch.Tensor], torch.Tensor]"
