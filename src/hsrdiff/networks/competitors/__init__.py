"""Learned methods that HSR-Diff is compared with, from their publications."""

from hsrdiff.networks.competitors.base import Competitor, CompetitorConfig
from hsrdiff.networks.competitors.catalog import COMPETITORS, CompetitorEntry
from hsrdiff.networks.competitors.weights import competitor_of, load_competitor, save_competitor

__all__ = [
    "COMPETITORS",
    "Competitor",
    "CompetitorConfig",
    "CompetitorEntry",
    "competitor_of",
    "load_competitor",
    "save_competitor",
]
