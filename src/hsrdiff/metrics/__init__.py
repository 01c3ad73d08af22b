"""Scores of a predicted image against the truth: PSNR, SSIM, SAM, ERGAS, RMSE, in float64 and with a mask."""

from hsrdiff.metrics.bandwise import ergas, psnr_db, rmse
from hsrdiff.metrics.sam import sam_deg, sam_map_deg
from hsrdiff.metrics.score import Scores, score
from hsrdiff.metrics.ssim import ssim

__all__ = ["Scores", "ergas", "psnr_db", "rmse", "sam_deg", "sam_map_deg", "score", "ssim"]
