"""Spectral kriging: Gaussian-process regression from what the guide shows, and where, to spectra."""

from hsrdiff.fusers.kriging.area import AreaKriging
from hsrdiff.fusers.kriging.fuser import Kriging, KrigingPoint
from hsrdiff.fusers.kriging.kernel import SpectralKernel
from hsrdiff.fusers.kriging.learned import KrigingLearned
from hsrdiff.fusers.kriging.learned_kernel import LearnedKernel, LearnedKernelConfig
from hsrdiff.fusers.kriging.point import PointKriging

__all__ = [
    "AreaKriging",
    "Kriging",
    "KrigingLearned",
    "KrigingPoint",
    "LearnedKernel",
    "LearnedKernelConfig",
    "PointKriging",
    "SpectralKernel",
]
