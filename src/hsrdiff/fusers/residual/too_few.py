"""Pairs too small and noisy for a network for any sensors, whose base is left as it is."""

from __future__ import annotations

from hsrdiff.fusers.residual.evidence import Evidence
from hsrdiff.fusers.residual.model import ResidualModel

# coarse pixels of the smallest pair that such networks are trained on (`check_side`)
LEAST_NOISY = 64


def too_few(evidence: Evidence, model: ResidualModel) -> str:
    """Say that a noisy pair is smaller than any of the training, where the network made errors up to twice as large.

    Args:
        evidence: Of the pair.
        model: The network, of any kind.

    Returns:
        A note; empty where the network is to be applied.
    """
    scene, samples = evidence.scene, int((evidence.precision > 0).sum())
    if not (model.reads_noise and (scene.sigma_x or scene.sigma_y)) or samples >= LEAST_NOISY:
        return ""
    return f"left out: {samples} noisy coarse pixels, and it was trained on {LEAST_NOISY} and more"
