"""Learned methods that HSR-Diff is compared with: one pass, weights of their own."""

from hsrdiff.fusers.learned.brresnet import BRResNetFuser
from hsrdiff.fusers.learned.method import learned_method
from hsrdiff.fusers.learned.one_pass import OnePass

__all__ = ["BRResNetFuser", "OnePass", "learned_method"]
