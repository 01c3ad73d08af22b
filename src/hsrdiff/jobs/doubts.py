"""What makes a result doubtful, said beside it: pixels that look like fill, images that disagree."""

from __future__ import annotations

import numpy as np
import xarray as xr

from hsrdiff.observation.noise import NoiseLevels

# Disagreement above which a method should not trust both images, as a share of the values.
APART = 0.05
# Share of the pixels, and their number, from which equal values in every band are worth a word.
_SHARE, _FEWEST = 2e-3, 4


def blank_notes(hsi: xr.DataArray, msi: xr.DataArray) -> dict[str, str]:
    """Say of both images whether many of their pixels look like fill that the file does not declare.

    Args:
        hsi: LR-HSI as it was read.
        msi: HR-MSI, likewise.

    Returns:
        Topic -> what was found; empty where nothing was.
    """
    found = {"blank_hsi": blank_pixels(hsi, "hyperspectral"), "blank_msi": blank_pixels(msi, "multispectral")}
    return {topic: text for topic, text in found.items() if text}


def blank_pixels(cube: xr.DataArray, name: str) -> str:
    """Say how many pixels are exactly 0, or the largest number of the file's integer type, in every band of use.

    Args:
        cube: (band, y, x) as it was read.
        name: Which image.

    Returns:
        A sentence, empty where there are few such pixels.
    """
    ends = {"0": 0.0}
    kind = np.dtype(cube.encoding.get("dtype") or np.float32)
    scale, offset = cube.encoding.get("scale_factor", 1.0), cube.encoding.get("add_offset", 0.0)
    if kind.kind in "iu" and not (np.ndim(scale) or np.ndim(offset)):
        largest = np.iinfo(kind).max
        ends[f"{largest}, the largest number of its type,"] = float(np.float32(float(largest) * scale + offset))
    good = cube["good_band"].values if "good_band" in cube.coords else np.ones(len(cube.values), dtype=np.bool_)
    # an empty or bad band is left out of the fusion, and would hide what the others show
    measured = [band for band, known in zip(cube.values, good, strict=True) if known and np.isfinite(band).any()]
    said = []
    for words, value in ends.items():
        blank = np.ones(cube.shape[1:], dtype=np.bool_)
        for band in measured:
            blank &= band == value
        if blank.sum() >= max(_FEWEST, _SHARE * blank.size):
            said.append(f"{100 * blank.mean():.3g} % of the {name} pixels are exactly {words} in every band")
    if not said:
        return ""
    return f"{'; '.join(said)}: if nothing was measured there, declare it as nodata and fuse again"


def disagreement_note(levels: NoiseLevels) -> dict[str, str]:
    """Say that the two images disagree by more than a result can be trusted with.

    Args:
        levels: What the pair shows.

    Returns:
        One entry of a record, or none.
    """
    if levels.disagreement <= APART:
        return {}
    said = (
        f"the images disagree by {100 * levels.disagreement:.3g} % of their values, more than {100 * APART:g} %: "
        "see what 'hsrdiff check' says of them before the result is used"
    )
    return {"hsrdiff_note_disagreement": said}
