"""Networks: CDFormer (Figure 3), its layers, the other denoisers, and weights in and out."""

from hsrdiff.networks.cdformer import PRESETS, CDFormer, CDFormerConfig, Condition
from hsrdiff.networks.denoiser import Denoiser
from hsrdiff.networks.denoisers import DENOISERS, DenoiserEntry
from hsrdiff.networks.embedding import noise_level_embedding
from hsrdiff.networks.store import shipped_digest
from hsrdiff.networks.weights import (
    ModelCard,
    NoiseRange,
    denoiser_of,
    load_network,
    read_card,
    save_weights,
    shipped_weights,
)

__all__ = [
    "DENOISERS",
    "PRESETS",
    "CDFormer",
    "CDFormerConfig",
    "Condition",
    "Denoiser",
    "DenoiserEntry",
    "ModelCard",
    "NoiseRange",
    "denoiser_of",
    "load_network",
    "noise_level_embedding",
    "read_card",
    "save_weights",
    "shipped_digest",
    "shipped_weights",
]
