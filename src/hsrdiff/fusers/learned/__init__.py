"""Learned methods that HSR-Diff is compared with: one pass, weights of their own."""

from hsrdiff.fusers.learned.brresnet import BRResNetFuser
from hsrdiff.fusers.learned.cmhf_net import CMHFNetFuser
from hsrdiff.fusers.learned.fusformer import FusformerFuser
from hsrdiff.fusers.learned.method import learned_method
from hsrdiff.fusers.learned.one_pass import OnePass
from hsrdiff.fusers.learned.regression_cdformer import RegressionCDFormerFuser
from hsrdiff.fusers.learned.ual import UALFuser

__all__ = [
    "BRResNetFuser",
    "CMHFNetFuser",
    "FusformerFuser",
    "OnePass",
    "RegressionCDFormerFuser",
    "UALFuser",
    "learned_method",
]
