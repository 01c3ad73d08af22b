"""From a pair in any units to a scene of about 0..1, and back."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

import numpy as np
import torch

from hsrdiff.errors import InputError
from hsrdiff.jobs.pair import Pair
from hsrdiff.observation import BandMatch, Scene, SpectralResponse

# Two images of one place in one unit agree this well in their mean: with R known, and without it.
SAME_UNIT, SAME_UNIT_WITHOUT_R = 1.25, 3.0
# The largest value of data in the unit that weights were trained in lies in this range of it.
TRAINED_UNIT = (0.05, 1.5)
_GAIN = re.compile(r"multispectral values were divided by ([-+.\deE]+) to the hyperspectral unit")


@dataclass(frozen=True)
class Scale:
    """How values were made to lie about 0..1: ``Y / peak`` and ``X / (gain peak)``, X matched to Y in between.

    Args:
        peak: Value of the HSI that becomes 1.
        gain: Unit of the MSI in units of the HSI; 1 where both are the same.
        note: What a reader of the result should know about the peak; empty for nothing.
        match: Gain and offset of each MSI band, in the HSI's unit; None where they are left as they are.
    """

    peak: float
    gain: float
    note: str = ""
    match: BandMatch | None = None

    @property
    def unit_msi(self) -> float:
        """What one unit of the scene's X is in the unit of the MSI's file, over bands that differ in it on average."""
        return self.gain * self.peak * (1.0 if self.match is None else self.match.unit)

    def apply(self, scene: Scene) -> Scene:
        """Return the scene in units of the peak.

        Args:
            scene: A scene in the files' units.

        Returns:
            A new scene.
        """
        if self.match is None:
            return replace(scene, X=scene.X / (self.gain * self.peak), Y=scene.Y / self.peak)
        return replace(scene, X=self.match.apply(scene.X / self.gain) / self.peak, Y=scene.Y / self.peak)

    def undo(self, image: torch.Tensor) -> torch.Tensor:
        """Bring a fused image to the HSI's unit, where it is: there may be no memory for another.

        Args:
            image: (1, B, H, W) in units of the peak.

        Returns:
            The same tensor.
        """
        return image.mul_(self.peak)


def raw_scene(pair: Pair) -> Scene:
    """Make a scene in the files' own units; a pixel with one invalid band is masked in all.

    Args:
        pair: The two images.

    Returns:
        A float32 scene without observation.

    Raises:
        InvalidValueError: An image has no pixel that is valid in all its bands.
    """
    X = torch.from_numpy(np.array(pair.msi.values, dtype=np.float32))[None]
    Y = torch.from_numpy(np.array(pair.hsi.values, dtype=np.float32))[None]
    valid = torch.isfinite(X).all(dim=1, keepdim=True)
    valid_lr = torch.isfinite(Y).all(dim=1, keepdim=True)
    return Scene(
        X=X,
        Y=Y,
        valid=None if bool(valid.all()) else valid,
        valid_lr=None if bool(valid_lr.all()) else valid_lr,
        wavelengths_nm=pair.wavelengths_nm,
        name=str(pair.hsi.name or ""),
    ).check()


def common_gain(scene: Scene, spectral: SpectralResponse | None) -> float:
    """Decide whether the two images are in one unit, by their means.

    Args:
        scene: A scene in the files' own units.
        spectral: R, or None.

    Returns:
        Unit of the MSI in units of the HSI; 1 where both are the same.
    """
    shared, shared_lr = _shared_pixels(scene)
    mean_x, largest_x = _mean_and_largest(scene.X, shared)
    mean_y, largest_y = _mean_and_largest(scene.Y, shared_lr)
    expected = mean_y.mean() if spectral is None else (spectral.matrix @ mean_y).mean()
    ratio = float(mean_x.mean() / expected) if float(expected) else 1.0
    tolerance = SAME_UNIT_WITHOUT_R if spectral is None else SAME_UNIT
    if ratio <= 0 or 1 / tolerance <= ratio <= tolerance:
        return 1.0
    return ratio if spectral is not None else largest_x / largest_y


def describe_gain(gain: float) -> str:
    """Say in words, and in a number that `read_gain` reads, what the MSI was divided by.

    Args:
        gain: Unit of the MSI in units of the HSI.
    """
    return f"multispectral values were divided by {gain:.9g} to the hyperspectral unit"


def read_gain(words: str) -> float | None:
    """Read what `describe_gain` wrote.

    Args:
        words: Its words.

    Returns:
        The gain, or None where the words do not hold a positive number.
    """
    found = _GAIN.fullmatch(words)
    try:
        gain = math.nan if found is None else float(found[1])
    except ValueError:
        return None
    return gain if 0 < gain < math.inf else None


def find_scale(
    scene: Scene,
    spectral: SpectralResponse | None,
    *,
    peak: float | None,
    trained_peak: float | None = None,
    match: BandMatch | None = None,
    gain: float | None = None,
) -> Scale:
    """Decide what becomes 1, and whether the two images are in one unit.

    Args:
        scene: A scene in the files' own units.
        spectral: R, or None.
        peak: The HSI's value that becomes 1; when None, the peak of the training where the data are in that unit, 1
            where they seem to be divided by it already, and otherwise the largest valid value of both images.
        trained_peak: Peak on the card of the weights, if there are any.
        match: Gain and offset of each MSI band, in the HSI's unit, if they are to be matched.
        gain: Unit of the MSI in units of the HSI; found from the scene when None.

    Returns:
        The scale.

    Raises:
        InputError: The peak given is not a positive number.
    """
    if gain is None:
        gain = common_gain(scene, spectral)
    if peak is not None:
        if not (np.isfinite(peak) and peak > 0):
            raise InputError(f"the peak is {peak}", expected="a positive number, the value that becomes 1")
        return Scale(float(peak), gain, match=match)
    X = scene.X if match is None else match.apply(scene.X / gain) * gain
    _, largest_x = _mean_and_largest(X, scene.valid)
    _, largest_y = _mean_and_largest(scene.Y, scene.valid_lr)
    largest = max(largest_y, largest_x / gain)
    if trained_peak is None:
        return Scale(largest, gain, match=match)
    low, high = TRAINED_UNIT
    for unit in (float(trained_peak), 1.0):
        if low * unit <= largest <= high * unit:
            return Scale(unit, gain, match=match)
    note = (
        f"the weights were trained on data in which {trained_peak:g} means 1, and the images end at {largest:.4g}: "
        "that was taken for 1; name the right value with --peak if it is another"
    )
    return Scale(largest, gain, note, match)


def _shared_pixels(scene: Scene) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """Mark in X and in Y the ground that both see: LR pixels valid in Y whose HR pixels are all valid in X.

    Where there is none, each image's own valid pixels are all there is to compare.
    """
    if scene.valid is None and scene.valid_lr is None:
        return None, None
    factor, (height, width) = scene.factor, scene.Y.shape[-2:]
    shared_lr = torch.ones((1, 1, height, width), dtype=torch.bool, device=scene.Y.device)
    if scene.valid is not None:
        shared_lr = scene.valid.reshape(1, 1, height, factor, width, factor).all(dim=5).all(dim=3)
    if scene.valid_lr is not None:
        shared_lr = shared_lr & scene.valid_lr
    if not shared_lr.any():
        return scene.valid, scene.valid_lr
    return shared_lr.repeat_interleave(factor, -2).repeat_interleave(factor, -1), shared_lr


def _mean_and_largest(image: torch.Tensor, valid: torch.Tensor | None) -> tuple[torch.Tensor, float]:
    """Return the mean of each band, float64, and the largest magnitude (1 for an image of zeros), valid pixels only."""
    pixels = image[0].flatten(1)
    if valid is not None:
        pixels = pixels[:, valid.flatten()]
    low, high = pixels.aminmax()
    return pixels.mean(dim=1, dtype=torch.float64), max(-float(low), float(high)) or 1.0
