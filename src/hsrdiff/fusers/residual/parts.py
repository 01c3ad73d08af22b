"""The parts that residual mode is made of, and those that an ablation puts in their place: one table for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from hsrdiff.fusers.residual.condition import Conditioned
from hsrdiff.fusers.residual.coordinates import Coordinates
from hsrdiff.fusers.residual.diffused import ITSELF, Diffused, UnseenResidual, WholeImage
from hsrdiff.fusers.residual.evidence import Evidence
from hsrdiff.fusers.residual.plain_evidence import regression_evidence, upsampled_evidence
from hsrdiff.networks.ablations.literal_level import LiteralLevelCDFormer
from hsrdiff.networks.residual_cdformer import ResidualCDFormer

# Where the base comes from, and what tells of its errors; all take what `Evidence.of` takes.
EVIDENCE: Mapping[str, Callable[..., Evidence]] = {
    "kriging": Evidence.of,
    "regression": regression_evidence,
    "upsampled": upsampled_evidence,
}

# What Eq. (3) adds noise to.
DIFFUSED: Mapping[str, Callable[[Evidence, Coordinates, Conditioned], Diffused]] = {
    "unseen": lambda evidence, coordinates, given: UnseenResidual(evidence),
    "residual": lambda evidence, coordinates, given: ITSELF,
    "image": WholeImage.about,
}

# How the noise level reaches the network.
NETWORKS: Mapping[str, type[ResidualCDFormer]] = {"log-snr": ResidualCDFormer, "gamma": LiteralLevelCDFormer}


class Parts(BaseModel):
    """Which parts a residual denoiser works with; the defaults are residual mode, anything else an ablation of it.

    Attributes:
        evidence: The base, and what tells of its errors: "kriging"; "regression", made consistent with both images; or
            "upsampled", the Y of the paper's network.
        diffused: "unseen", what the base leaves without what Y has already said; "residual", all of it; or "image", Z
            itself, to whose base the network adds its answer.
        embedding: "log-snr", with the answer preconditioned; or "gamma", as the paper's text has it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    evidence: Literal["kriging", "regression", "upsampled"] = "kriging"
    diffused: Literal["unseen", "residual", "image"] = "unseen"
    embedding: Literal["log-snr", "gamma"] = "log-snr"

    def note(self) -> dict[str, str]:
        """Say that weights are those of an ablation: one note, or none."""
        if self == USUAL:
            return {}
        words = f"evidence {self.evidence}, diffused {self.diffused}, embedding {self.embedding}"
        consistent = "" if self.diffused == "unseen" else "; the result is not made consistent with the two images"
        return {"parts": f"the weights are those of an ablation: {words}{consistent}"}


USUAL = Parts()
