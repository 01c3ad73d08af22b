"""Pairs too unlike those that a network for any sensors was trained on, whose base is left as it is."""

from __future__ import annotations

from hsrdiff.fusers.residual.evidence import Evidence
from hsrdiff.fusers.residual.model import ResidualCard, ResidualModel

# coarse pixels of the smallest pair that such networks are trained on (`check_side`)
LEAST_NOISY = 64
FARTHEST = 2  # times the largest factor of the training


def left_alone(evidence: Evidence, model: ResidualModel, card: ResidualCard) -> str:
    """Say that a pair is one on whose like networks for any sensors made the base worse (docs/numbers.md).

    Those are noisy pairs smaller than any of the training, where errors became up to 2.4 times as large, and factors
    above twice the largest of the training, where they became up to a tenth larger.

    Args:
        evidence: Of the pair.
        model: The network, of any kind.
        card: What it was trained on.

    Returns:
        A note; empty where the network is to be applied, as one for a pair of sensors always is.
    """
    if model.config.basis != "scene":
        return ""
    scene, samples = evidence.scene, int((evidence.precision > 0).sum())
    if model.reads_noise and (scene.sigma_x or scene.sigma_y) and samples < LEAST_NOISY:
        return f"left out: {samples} noisy coarse pixels, and it was trained on {LEAST_NOISY} and more"
    if card.factors and scene.factor > FARTHEST * max(card.factors):
        return f"left out: factor {scene.factor}, and it was trained at {max(card.factors)} at most"
    return ""
