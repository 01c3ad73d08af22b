"""Eq. (1), X = R Z and Y = Z D, as torch operators with exact adjoints, and the scene they belong to."""

from __future__ import annotations

from hsrdiff.observation.band_match import BandMatch, likely_order, match_bands
from hsrdiff.observation.consistency import JointProjection, SoftConsistency
from hsrdiff.observation.disagreement import Disagreement, disagreement
from hsrdiff.observation.gram import LRGram
from hsrdiff.observation.image_noise import estimate_noise_hr, estimate_noise_lr
from hsrdiff.observation.model import Observation, add_noise
from hsrdiff.observation.noise import NoiseLevels, pair_noise
from hsrdiff.observation.non_negative import NonNegative, non_negative
from hsrdiff.observation.pair_estimate import PairEstimate, estimate_pair
from hsrdiff.observation.psf_estimate import PsfEstimate, estimate_psf
from hsrdiff.observation.registration import Registration, register
from hsrdiff.observation.residual import Residual, finite_pixels, residuals
from hsrdiff.observation.response_estimate import ResponseEstimate, estimate_response
from hsrdiff.observation.scene import Scene
from hsrdiff.observation.spatial import SpatialResponse
from hsrdiff.observation.spectral import CoverageWarning, SpectralResponse, coverage

__all__ = [
    "BandMatch",
    "CoverageWarning",
    "Disagreement",
    "JointProjection",
    "LRGram",
    "NoiseLevels",
    "NonNegative",
    "Observation",
    "PairEstimate",
    "PsfEstimate",
    "Registration",
    "Residual",
    "ResponseEstimate",
    "Scene",
    "SoftConsistency",
    "SpatialResponse",
    "SpectralResponse",
    "add_noise",
    "coverage",
    "disagreement",
    "estimate_noise_hr",
    "estimate_noise_lr",
    "estimate_pair",
    "estimate_psf",
    "estimate_response",
    "finite_pixels",
    "likely_order",
    "match_bands",
    "non_negative",
    "pair_noise",
    "register",
    "residuals",
]
