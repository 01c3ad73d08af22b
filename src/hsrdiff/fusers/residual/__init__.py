"""HSR-Diff in residual mode: the base, its evidence, the coordinates of what it leaves, and their diffusion."""

from hsrdiff.fusers.residual.condition import Conditioned, channel_count, condition
from hsrdiff.fusers.residual.coordinates import Coordinates
from hsrdiff.fusers.residual.evidence import Evidence
from hsrdiff.fusers.residual.fuser import HsrDiffResidual
from hsrdiff.fusers.residual.model import (
    ResidualCard,
    ResidualModel,
    ResidualModelConfig,
    fitting_residual,
    load_residual,
    read_residual,
    save_residual,
    shipped_residuals,
)

__all__ = [
    "Conditioned",
    "Coordinates",
    "Evidence",
    "HsrDiffResidual",
    "ResidualCard",
    "ResidualModel",
    "ResidualModelConfig",
    "channel_count",
    "condition",
    "fitting_residual",
    "load_residual",
    "read_residual",
    "save_residual",
    "shipped_residuals",
]
