"""Residual HSR-Diff for any sensors against kriging on every small real scene."""

from __future__ import annotations

from hsrdiff.experiments.kriging_scenes import KrigingScenes

METHODS = ("kriging", "kriging-learned", "hsr-diff-residual")
RATIOS = (("hsr-diff-residual", "kriging"), ("hsr-diff-residual", "kriging-learned"))


class ResidualScenes(KrigingScenes):
    """All scenes of five data sets at two factors with four bands; all methods draw the same landmarks."""

    name = "residual-scenes"
    summary = (
        "Residual HSR-Diff with weights for any sensors on small real scenes: five data sets, factors 4 and 8, "
        "guides of 4 bands"
    )

    def __init__(self) -> None:
        super().__init__(factors=(4, 8), guides=("gaussian4",), methods=METHODS, ratios=RATIOS, paired=True)
