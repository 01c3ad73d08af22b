"""The method chosen by evidence on the pair itself."""

from hsrdiff.choice.comparison import Choice, choose
from hsrdiff.choice.degraded import Degraded, degrade
from hsrdiff.choice.methods import AUTO, PREFERRED, candidates
from hsrdiff.choice.reduced import ReducedScores, reduced_scores

__all__ = [
    "AUTO",
    "PREFERRED",
    "Choice",
    "Degraded",
    "ReducedScores",
    "candidates",
    "choose",
    "degrade",
    "reduced_scores",
]
