"""Weights trained on the bands of one sensor, run on the image of another: section 4.6, PaviaU's network on HypSen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from hsrdiff.errors import WavelengthError, WeightsError
from hsrdiff.fusers.base import Fusion, Needs, require_observation
from hsrdiff.fusers.bicubic import upsample
from hsrdiff.fusers.card_remarks import WAVELENGTH_TOLERANCE_NM, check_bands
from hsrdiff.fusers.hsr_diff import HsrDiff
from hsrdiff.fusers.learned import OnePass
from hsrdiff.fusers.masking import fill_invalid, mask_output, output_mask
from hsrdiff.networks import ModelCard
from hsrdiff.observation import Observation, Scene, SpectralResponse
from hsrdiff.observation.band_places import BandPlaces
from hsrdiff.typing import FloatArray


class BandTransfer:
    """A method whose weights are for other bands: Y is interpolated to them, the answer is interpolated back.

    With A the bands of the training, B those of the image, I interpolation along the wavelength and U bicubic
    upsampling,

        Z_hat = U(Y) + I_AB (f(X', I_BA Y) - U(I_BA Y))

    so that what the network adds to the upsampled image is carried over, and the spectra of Y stay as sharp as they
    are. X' is the MSI's band for each of the training's guide.

    Args:
        fuser: The method with its weights.
    """

    def __init__(self, fuser: HsrDiff | OnePass[Any]) -> None:
        self.fuser = fuser

    @property
    def name(self) -> str:
        """Name of the method in the catalog."""
        return self.fuser.name

    @property
    def needs(self) -> Needs:
        """What the method must be told, and R, which says where the MSI's bands lie."""
        return replace(self.fuser.needs, response=True)

    @property
    def card(self) -> ModelCard:
        """What the weights were trained on."""
        return self.fuser.card

    def fuse(self, scene: Scene, *, generator: torch.Generator) -> Fusion:
        """Interpolate, run the method, interpolate back.

        Args:
            scene: The scene, with its observation and wavelengths.
            generator: Source of the method's randomness.

        Returns:
            The estimate in the bands of Y. Bands outside the range of the training are the upsampled Y; a note counts
            them. There is no standard deviation.

        Raises:
            InputError: If the scene does not fit together or has no observation.
            WavelengthError: If the scene has no wavelengths.
            WeightsError: If the weights do not say where their bands lie, lie elsewhere, or need a guide band that the
                scene has not.
        """
        scene.check()
        observation, weights = require_observation(scene, self.name), self.fuser.weights
        if scene.wavelengths_nm is None:
            raise WavelengthError(
                f"the weights '{weights}' are to be used on other bands, and the image has no wavelengths",
                expected="a band centre in nm for each of its bands",
                do="add them to the file, or use a method without weights, such as regression",
            )
        if self.card.wavelengths_nm is None or self.card.msi_wavelengths_nm is None or self.card.msi_widths_nm is None:
            raise WeightsError(
                f"the weights '{weights}' do not say at which wavelengths their bands and those of their guide lie",
                expected="weights trained on cubes with wavelengths, by this version or a later one",
                do="train again, or use a method without weights, such as regression",
            )
        own = np.asarray(scene.wavelengths_nm, dtype=np.float64)
        trained = np.asarray(self.card.wavelengths_nm, dtype=np.float64)
        inside = within(own, trained)
        if not inside.any():
            raise WeightsError(
                f"the weights '{weights}' are for {_range(trained)}, the image has {_range(own)}",
                expected="some bands in common",
                do="use weights for this range, or a method without weights, such as regression",
            )
        guide = BandPlaces.of(observation.spectral, own)
        chosen = matching_bands(self.card, guide, weights)
        there, back = interpolation(own, trained), interpolation(trained, own)
        spectral = observation.spectral
        names = tuple(spectral.band_names[band] for band in chosen) if spectral.band_names else ()
        Y = torch.einsum("ab,nbhw->nahw", there.to(scene.Y), scene.Y)
        inner = replace(
            scene,
            X=scene.X[:, chosen],
            Y=Y,
            Z=None,
            # what R sees of a spectrum that is interpolated from A to B
            observation=Observation(SpectralResponse(spectral.matrix[chosen] @ back, names), observation.spatial),
            wavelengths_nm=trained,
        )
        check_bands(self.card, inner, weights)
        fusion = self.fuser.fuse(inner, generator=generator)
        size = (scene.X.shape[-2], scene.X.shape[-1])
        mask = output_mask(scene)
        added = torch.where(mask, fusion.Z_hat - upsample(fill_invalid(Y, scene.valid_lr), size), 0.0)
        # P68: outside the range of the training there is nothing to add
        back = back * torch.from_numpy(inside)[:, None]
        Z = upsample(fill_invalid(scene.Y, scene.valid_lr), size)
        Z = Z + torch.einsum("ba,nahw->nbhw", back.to(added), added)
        return Fusion(
            mask_output(Z, mask), None, fusion.notes | self._notes(own, trained, inside, chosen, guide, names)
        )

    def _notes(
        self,
        own: FloatArray,
        trained: FloatArray,
        inside: np.ndarray[Any, np.dtype[np.bool_]],
        chosen: list[int],
        guide: BandPlaces,
        names: tuple[str, ...],
    ) -> dict[str, str]:
        """Say what was interpolated, what was not reached, and which MSI band stood for which."""
        words = (
            f"the {len(own)} bands of {_range(own)} were interpolated to the {len(trained)} of {_range(trained)} that "
            "the weights are for, and back"
        )
        outside = int((~inside).sum())
        if outside:
            words += f"; {outside} bands lie outside the training and are the bicubically upsampled HSI, not sharpened"
        lacking = int((~within(trained, own)).sum())
        if lacking:
            words += f"; {lacking} bands of the training lie outside the image and were given its nearest band"
        pairs = [
            f"{names[i] if names else band + 1} at {guide.centres_nm[band]:.0f} nm for {wanted:.0f} nm"
            for i, (band, wanted) in enumerate(zip(chosen, self.card.msi_wavelengths_nm or (), strict=True))
        ]
        return {"bands": words, "guide": ", ".join(pairs)}


def interpolation(source_nm: FloatArray, target_nm: FloatArray) -> torch.Tensor:
    """Return the matrix that interpolates spectra linearly along the wavelength and holds them beyond their ends.

    P68: linear, as the paper says only "interpolation".

    Args:
        source_nm: Centres (S,), nm, in any order.
        target_nm: Centres (T,), nm.

    Returns:
        (T, S), float64, rows that sum to 1.
    """
    order = np.argsort(source_nm, kind="stable")
    rows = np.empty((len(target_nm), len(source_nm)))
    for column, row in zip(order, np.eye(len(source_nm)), strict=True):
        rows[:, column] = np.interp(target_nm, source_nm[order], row)
    return torch.from_numpy(rows)


def within(centres_nm: FloatArray, range_nm: FloatArray) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Tell which centres lie in the range of others, up to half a band of an imaging spectrometer beyond its ends.

    Args:
        centres_nm: (T,) in nm.
        range_nm: (S,) in nm.

    Returns:
        Bool (T,).
    """
    low, high = range_nm.min() - WAVELENGTH_TOLERANCE_NM, range_nm.max() + WAVELENGTH_TOLERANCE_NM
    return np.asarray((centres_nm >= low) & (centres_nm <= high))


def matching_bands(card: ModelCard, guide: BandPlaces, weights: str) -> list[int]:
    """Return the MSI band that stands for each guide band of the training.

    P69: the one whose centre is nearest, if it lies inside the band of the training, and each for one only.

    Args:
        card: Of the weights, with the places of its guide's bands.
        guide: Places of the MSI's bands.
        weights: The weights as the user named them.

    Returns:
        Numbers of bands, one for each of the card's, counted from 0.

    Raises:
        WeightsError: If there is no such band.
    """
    chosen: list[int] = []
    for centre, width in zip(card.msi_wavelengths_nm or (), card.msi_widths_nm or (), strict=True):
        apart = np.abs(guide.centres_nm - centre)
        apart[chosen] = np.inf
        apart[np.isnan(apart)] = np.inf
        nearest = int(apart.argmin())
        if not apart[nearest] <= width / 2.0:
            seen = ", ".join(f"{at:.0f}" for at in guide.centres_nm)
            raise WeightsError(
                f"the weights '{weights}' need a multispectral band at {centre:.0f} nm, {width:.0f} nm wide, and those "
                f"of the image lie at {seen} nm",
                expected="one whose centre lies in it, for each band of the training's guide",
                do="use weights for another guide, or a method without weights, such as regression",
            )
        chosen.append(nearest)
    return chosen


def _range(centres_nm: FloatArray) -> str:
    return f"{centres_nm.min():.0f}-{centres_nm.max():.0f} nm"
