"""Scores of a predicted image against the truth, and of a fused one against its pair; float64, with a mask."""

from hsrdiff.metrics.agreement import Agreement, agreement
from hsrdiff.metrics.bandwise import ergas, psnr_db, rmse
from hsrdiff.metrics.full_resolution import FullResolution, full_resolution
from hsrdiff.metrics.ndvi import NdviAgreement, ndvi_agreement
from hsrdiff.metrics.q2n import q2n
from hsrdiff.metrics.sam import sam_deg, sam_map_deg
from hsrdiff.metrics.score import Scores, score
from hsrdiff.metrics.spatial_distortion import spatial_distortion
from hsrdiff.metrics.ssim import ssim

__all__ = [
    "Agreement",
    "FullResolution",
    "NdviAgreement",
    "Scores",
    "agreement",
    "ergas",
    "full_resolution",
    "ndvi_agreement",
    "psnr_db",
    "q2n",
    "rmse",
    "sam_deg",
    "sam_map_deg",
    "score",
    "spatial_distortion",
    "ssim",
]
