"""Fusion methods behind one protocol."""

from hsrdiff.fusers.base import Fuser, FuserEntry, Fusion, Needs
from hsrdiff.fusers.bicubic import Bicubic
from hsrdiff.fusers.catalog import FUSERS, make_fuser
from hsrdiff.fusers.classical import HySure, UalDmi, UtvTd
from hsrdiff.fusers.hsr_diff import HsrDiff
from hsrdiff.fusers.regression import Regression
from hsrdiff.fusers.regression_projected import RegressionProjected
from hsrdiff.fusers.residual import HsrDiffResidual

__all__ = [
    "FUSERS",
    "Bicubic",
    "Fuser",
    "FuserEntry",
    "Fusion",
    "HsrDiff",
    "HsrDiffResidual",
    "HySure",
    "Needs",
    "Regression",
    "RegressionProjected",
    "UalDmi",
    "UtvTd",
    "make_fuser",
]
