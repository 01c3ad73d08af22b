"""The cases of the robustness table: each condition with what the method knows of the noise levels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from hsrdiff.experiments.conditions import (
    Condition,
    Truth,
    clean,
    dead_bands,
    displaced,
    living_bands,
    missing,
    noise,
    psf_width,
    response,
    saturated,
)
from hsrdiff.observation import Scene, pair_noise

SNR_DB = (50.0, 40.0, 30.0, 20.0)


@dataclass(frozen=True)
class Estimated:
    """A condition with the noise levels that are estimated from its pair, as `fuse` estimates them.

    Attributes:
        condition: Makes the pair.
    """

    condition: Condition

    def __call__(self, truth: Truth) -> Scene:
        """Make the pair and estimate its noise, also where what is wrong with it is no noise.

        Args:
            truth: Z and what the method is told.

        Returns:
            The scene with the levels that were found.
        """
        scene = self.condition(truth)
        levels = pair_noise(scene)
        return replace(scene, sigma_x=levels.sigma_x, sigma_y=levels.sigma_y)


def partly_counted(condition: Condition) -> bool:
    """Return whether only the bands that `dead_bands` leaves are to be counted.

    Args:
        condition: Any condition, also an estimated one.

    Returns:
        True for dead bands and for what to compare them with.
    """
    made = condition.condition if isinstance(condition, Estimated) else condition
    return made in (dead_bands, living_bands)


def cases() -> Mapping[str, Condition]:
    """Return every case by the name that tables give it, the clean pair first.

    Returns:
        Name -> condition. Where the name says nothing of noise levels, both images are taken for exact.
    """
    found: dict[str, Condition] = {"clean": clean, "clean, estimated": Estimated(clean)}
    for images in ("Y", "X", "X and Y"):
        for snr_db in SNR_DB:
            levels = (snr_db if "X" in images else math.inf, snr_db if "Y" in images else math.inf)
            name = f"noise in {images}, {snr_db:g} dB"
            found[name] = noise(*levels, told=False)
            found[f"{name}, estimated"] = Estimated(noise(*levels, told=False))
            found[f"{name}, told"] = noise(*levels, told=True)
    wrong: dict[str, Condition] = {
        "PSF 30 % wider than told": psf_width(1.3),
        "PSF 30 % narrower than told": psf_width(0.7),
        "response 5 nm off": response(shift_nm=5.0),
        "response 20 % wider than told": response(width=1.2),
        "response 20 % narrower than told": response(width=0.8),
        "Y off by 0.25 LR pixel": displaced(0.25),
        "Y off by 0.5 LR pixel": displaced(0.5),
        "clean, 95 % of the bands counted": living_bands,
        "5 % of the bands of Y dead, the others counted": dead_bands,
        "saturated above the 99 % quantile": saturated,
        "5 % of X missing": missing("X"),
        "5 % of Y missing": missing("Y"),
    }
    for name, condition in wrong.items():
        found[name] = condition
        found[f"{name}, estimated"] = Estimated(condition)
    return found
