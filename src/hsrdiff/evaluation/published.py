"""The paper's own numbers (Table 1), to stand beside ours."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedRow:
    """One line of a published table.

    Attributes:
        method: Name as published.
        psnr_db: Peak signal-to-noise ratio in dB.
        ssim: Structural similarity.
        sam_deg: Spectral angle in degrees.
        ergas: Relative global error.
        source: Where it stands.
    """

    method: str
    psnr_db: float
    ssim: float
    sam_deg: float
    ergas: float
    source: str = "paper, Table 1"


# data set of the catalog -> rows; the mean of the 12 CAVE test scenes at factor 32
PUBLISHED: dict[str, tuple[PublishedRow, ...]] = {
    "cave": (
        PublishedRow("UTV-TD", 38.66, 0.9799, 7.98, 0.329),
        PublishedRow("UAL", 40.55, 0.9933, 4.33, 0.271),
        PublishedRow("BRResNet", 41.36, 0.9929, 4.70, 0.250),
        PublishedRow("CMHF-Net", 42.54, 0.9939, 4.69, 0.216),
        PublishedRow("UAL-DMI", 42.74, 0.9950, 3.79, 0.213),
        PublishedRow("HSR-Diff", 44.33, 0.9951, 3.71, 0.179),
    ),
}
