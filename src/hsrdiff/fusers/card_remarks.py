"""What a model card says about a scene: a refusal where weights cannot serve, remarks where they may serve badly."""

from __future__ import annotations

import numpy as np

from hsrdiff.errors import InputError, WeightsError
from hsrdiff.networks import ModelCard
from hsrdiff.observation import Scene

# wavelengths further apart than this are worth a note: about half a band of an imaging spectrometer
WAVELENGTH_TOLERANCE_NM = 5.0


def check_peak(peak: float) -> float:
    """Return the value of the scene that means 1 to a network.

    Args:
        peak: As the user gave it.

    Returns:
        The same number.

    Raises:
        InputError: If it is not a positive number.
    """
    if not (np.isfinite(peak) and peak > 0):
        raise InputError(f"peak {peak}", expected="a positive number", do="change the option peak")
    return float(peak)


def check_bands(card: ModelCard, scene: Scene, weights: str) -> None:
    """Raise where the weights are for other band counts.

    Args:
        card: Of the weights.
        scene: The scene.
        weights: The weights as the user named them.

    Raises:
        WeightsError: If B or b differ.
    """
    if (scene.bands, scene.msi_bands) != (card.bands, card.msi_bands):
        raise WeightsError(
            f"the weights '{weights}' are for {card.bands} hyperspectral and {card.msi_bands} "
            f"multispectral bands, the images have {scene.bands} and {scene.msi_bands}",
            expected="the same band counts",
            do="have the bands interpolated with --interpolate-bands, train on scenes with these bands, or use a "
            "method without weights, such as regression",
        )


def check_factor(card: ModelCard, scene: Scene, weights: str) -> None:
    """Raise where the weights are for another factor, for networks that are built for one.

    Args:
        card: Of the weights.
        scene: The scene.
        weights: The weights as the user named them.

    Raises:
        WeightsError: If the factors differ.
    """
    if card.factor != scene.factor:
        raise WeightsError(
            f"the weights '{weights}' are for the ratio {card.factor}, the images have {scene.factor}",
            expected="the same ratio",
            do="train at this ratio, or use a method without weights, such as regression",
        )


def describe(card: ModelCard, weights: str) -> str:
    """Name weights and what they were trained on, in words."""
    parts = [card.name or weights]
    if card.dataset:
        parts.append(f"trained on {card.dataset}")
    if card.sensor:
        parts.append(f"sensor {card.sensor}")
    if card.factor:
        parts.append(f"factor {card.factor}")
    return ", ".join(parts)


def remarks(card: ModelCard, scene: Scene, peak: float, *, cut: bool) -> dict[str, str]:
    """Say where a scene is unlike the training: factor, wavelengths, values, guide.

    Args:
        card: Of the weights.
        scene: The scene.
        peak: Value of the scene that means 1.
        cut: Whether the method cuts values above the peak.

    Returns:
        Remarks by topic; none where all is alike.
    """
    notes = {}
    if card.factor and card.factor != scene.factor:
        notes["factor"] = (
            f"the images have ratio {scene.factor}, the weights were trained at {card.factor}: expect a poorer result"
        )
    if card.wavelengths_nm is not None and scene.wavelengths_nm is not None:
        apart_nm = float(np.abs(np.asarray(card.wavelengths_nm) - scene.wavelengths_nm).max())
        if apart_nm > WAVELENGTH_TOLERANCE_NM:
            notes["wavelengths"] = (
                f"the bands lie up to {apart_nm:.0f} nm from those the weights were trained on: expect a poorer result"
            )
    seen = scene.Y[0] if scene.valid_lr is None else scene.Y[0][:, scene.valid_lr[0, 0]]
    above = float((seen > peak).double().mean())
    if above > 0:
        consequence = "values above the peak are cut" if cut else "the training had none"
        notes["peak"] = f"{100 * above:.2g} % of the values of Y lie above the peak: {consequence}"
    # a card made from a data set lists its guide's bands; one made from a sensor's name says nothing to compare
    trained = tuple(card.sensor.split(", "))
    guide = scene.observation.spectral.band_names if scene.observation is not None else ()
    if len(trained) == len(guide) > 1 and trained != guide:
        notes["sensor"] = (
            f"the guide's bands are {', '.join(guide)}, those of the training were {card.sensor}: "
            "expect a poorer result"
        )
    return notes
