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


# data set of the catalog -> rows: the mean of the 12 CAVE test scenes at factor 32, PaviaU's test square and the mean
# of the 8 Chikusei tiles at factor 4; their PSF is not published (P17)
PUBLISHED: dict[str, tuple[PublishedRow, ...]] = {
    "cave": (
        PublishedRow("UTV-TD", 38.66, 0.9799, 7.98, 0.329),
        PublishedRow("UAL", 40.55, 0.9933, 4.33, 0.271),
        PublishedRow("BRResNet", 41.36, 0.9929, 4.70, 0.250),
        PublishedRow("CMHF-Net", 42.54, 0.9939, 4.69, 0.216),
        PublishedRow("UAL-DMI", 42.74, 0.9950, 3.79, 0.213),
        PublishedRow("Fusformer", 41.52, 0.9934, 4.71, 0.243, "ICCV text"),
        PublishedRow("HSR-Diff", 44.33, 0.9951, 3.71, 0.179),
    ),
    "paviau": (
        PublishedRow("UTV-TD", 44.46, 0.9952, 1.80, 1.236),
        PublishedRow("UAL", 45.42, 0.9964, 1.54, 1.148),
        PublishedRow("BRResNet", 45.53, 0.9965, 1.53, 1.111),
        PublishedRow("CMHF-Net", 45.77, 0.9965, 1.50, 1.096),
        PublishedRow("UAL-DMI", 45.68, 0.9966, 1.49, 1.113),
        PublishedRow("Fusformer", 45.66, 0.9965, 1.52, 1.109, "ICCV text"),
        PublishedRow("HSR-Diff", 46.47, 0.9977, 1.45, 1.053),
    ),
    "chikusei": (
        PublishedRow("UTV-TD", 48.38, 0.9989, 0.99, 1.303),
        PublishedRow("UAL", 56.18, 0.9998, 0.49, 0.421),
        PublishedRow("BRResNet", 56.79, 0.9998, 0.46, 0.366),
        PublishedRow("CMHF-Net", 55.99, 0.9998, 0.50, 0.483),
        PublishedRow("UAL-DMI", 56.57, 0.9998, 0.47, 0.387),
        PublishedRow("Fusformer", 55.92, 0.9998, 0.52, 0.492, "ICCV text"),
        PublishedRow("HSR-Diff", 57.34, 0.9999, 0.43, 0.324),
    ),
}

# the network of the row "U-Net" of Table 2 is CD-CNN in the text; "Regression" stands in the ICCV text only
TABLE_2: dict[str, tuple[PublishedRow, ...]] = {
    "cave": (
        PublishedRow("CD-CNN", 38.84, 0.9797, 7.32, 0.318, "paper, Table 2"),
        PublishedRow("C-w/o-SR", 43.74, 0.9942, 3.94, 0.188, "paper, Table 2"),
        PublishedRow("CDFormer", 44.33, 0.9951, 3.71, 0.179, "paper, Table 2"),
        PublishedRow("Regression", 43.26, 0.9942, 4.03, 0.193, "ICCV text"),
    ),
    "paviau": (
        PublishedRow("CD-CNN", 42.75, 0.9962, 1.75, 1.362, "paper, Table 2"),
        PublishedRow("C-w/o-SR", 46.08, 0.9976, 1.47, 1.080, "paper, Table 2"),
        PublishedRow("CDFormer", 46.47, 0.9977, 1.45, 1.053, "paper, Table 2"),
        PublishedRow("Regression", 46.03, 0.9968, 1.52, 1.178, "ICCV text"),
    ),
    "chikusei": (
        PublishedRow("CD-CNN", 47.63, 0.9980, 1.20, 1.794, "paper, Table 2"),
        PublishedRow("C-w/o-SR", 56.68, 0.9999, 0.46, 0.425, "paper, Table 2"),
        PublishedRow("CDFormer", 57.34, 0.9999, 0.43, 0.324, "paper, Table 2"),
        PublishedRow("Regression", 56.71, 0.9999, 0.47, 0.372, "ICCV text"),
    ),
}
TABLE_3: dict[str, tuple[PublishedRow, ...]] = {
    "cave": (
        PublishedRow("Fixed", 43.17, 0.9927, 4.99, 0.203, "paper, Table 3"),
        PublishedRow("Progressive", 44.33, 0.9951, 3.71, 0.179, "paper, Table 3"),
    ),
    "paviau": (
        PublishedRow("Fixed", 45.06, 0.9970, 1.63, 1.173, "paper, Table 3"),
        PublishedRow("Progressive", 46.47, 0.9977, 1.45, 1.053, "paper, Table 3"),
    ),
    "chikusei": (
        PublishedRow("Fixed", 55.92, 0.9999, 0.50, 0.453, "paper, Table 3"),
        PublishedRow("Progressive", 57.34, 0.9999, 0.43, 0.324, "paper, Table 3"),
    ),
}
