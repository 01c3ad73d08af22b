"""The method chosen by evidence on the pair itself."""

from hsrdiff.choice.candidates import AUTO, PREFERRED, candidates
from hsrdiff.choice.choose import Choice, choose
from hsrdiff.choice.degraded import Degraded, degrade

__all__ = ["AUTO", "PREFERRED", "Choice", "Degraded", "candidates", "choose", "degrade"]
