"""Model-based methods of the literature, one file each, on the same R and D as every other method."""

from hsrdiff.fusers.classical.hysure import HySure
from hsrdiff.fusers.classical.ual_dmi import UalDmi
from hsrdiff.fusers.classical.utv_td import UtvTd

__all__ = ["HySure", "UalDmi", "UtvTd"]
