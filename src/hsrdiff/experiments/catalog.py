"""Every experiment by name: the one table to add a line to."""

from __future__ import annotations

from hsrdiff.errors import InputError, did_you_mean
from hsrdiff.experiments.ablations import TABLES
from hsrdiff.experiments.auto_choice import AutoChoice
from hsrdiff.experiments.band_figures import BandFigure
from hsrdiff.experiments.base import Experiment
from hsrdiff.experiments.cave_x32 import CaveX32
from hsrdiff.experiments.error_figure import ErrorFigure
from hsrdiff.experiments.hypsen_transfer import HypSenTransfer
from hsrdiff.experiments.kriging_ablation import KrigingAblation
from hsrdiff.experiments.kriging_cave import KrigingCave
from hsrdiff.experiments.kriging_cost import KrigingCost
from hsrdiff.experiments.kriging_scenes import KrigingScenes
from hsrdiff.experiments.left_out import LeftOut
from hsrdiff.experiments.pair_figure import PairFigure
from hsrdiff.experiments.paris import Paris
from hsrdiff.experiments.quality_without_truth import QualityWithoutTruth
from hsrdiff.experiments.residual_ablation import ResidualAblation
from hsrdiff.experiments.residual_scenes import ResidualScenes
from hsrdiff.experiments.residual_seeds import ResidualSeeds
from hsrdiff.experiments.residual_steps import ResidualSteps
from hsrdiff.experiments.robustness import Robustness
from hsrdiff.experiments.table1 import Table1

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        Table1(),
        *TABLES,
        BandFigure(6, "cave", "thread_spools", 4),
        BandFigure(7, "paviau", "", 81),
        BandFigure(8, "chikusei", "", 67),
        PairFigure(),
        ErrorFigure(),
        CaveX32(),
        ResidualSeeds(),
        ResidualAblation(),
        ResidualSteps(),
        ResidualScenes(),
        LeftOut(),
        KrigingScenes(),
        KrigingCave(),
        Robustness(),
        KrigingAblation(),
        KrigingCost(),
        AutoChoice(),
        AutoChoice(
            factors=(4,),
            guides=("gaussian4",),
            snr_db=(25.0, 35.0),
            name="auto-choice-noisy",
            summary="The same with white noise in both images, its levels estimated on the pair",
        ),
        AutoChoice(
            sets=("cave",),
            factors=(4,),
            guides=(None,),
            side=160,
            name="auto-choice-cave",
            summary="The same on the middles of all scenes of CAVE, which are too few coarse pixels at its own factor",
        ),
        QualityWithoutTruth(),
        Paris(),
        HypSenTransfer(),
    )
}


def find_experiment(name: str) -> Experiment:
    """Return an experiment of the catalog.

    Args:
        name: A name in `EXPERIMENTS`.

    Returns:
        The experiment.

    Raises:
        InputError: If there is none of that name.
    """
    if name not in EXPERIMENTS:
        raise InputError(f"there is no experiment '{name}'", do=did_you_mean(name, EXPERIMENTS))
    return EXPERIMENTS[name]
