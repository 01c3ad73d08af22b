"""Initial weights (section 4.3: Kaiming)."""

from __future__ import annotations

import math

import torch
from torch import nn

from hsrdiff.networks.windows import RelativePositionBias


@torch.no_grad()
def kaiming(module: nn.Module) -> None:
    """Draw every weight from N(0, 1/fan_in), set biases to 0 (He et al. 2015).

    Gain 1, not sqrt(2): no ReLU follows any of these maps. Norms start at 1, temperatures at 1, and position tables
    at N(0, 0.02**2) as in Swin. Draws come from torch's global generator, so the caller decides the seed.

    Args:
        module: Changed in place.
    """
    # P13: "Kaiming initialization" leaves distribution, gain and the treatment of norms and tables open.
    for part in module.modules():
        if isinstance(part, RelativePositionBias):
            nn.init.trunc_normal_(part.table, std=0.02)
        for name, p in part.named_parameters(recurse=False):
            if name == "weight" and p.dim() >= 2:
                fan_in = p[0].numel()
                p.normal_(0.0, math.sqrt(1.0 / fan_in))
            elif name == "bias":
                p.zero_()
