"""What decided a result, written down for the attributes of its cube."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
import xarray as xr

from hsrdiff._version import __version__
from hsrdiff.cubes import as_cube
from hsrdiff.fusers import Fuser, Fusion
from hsrdiff.jobs.matched import describe_match
from hsrdiff.jobs.named_file import escaped
from hsrdiff.jobs.pair import Pair
from hsrdiff.jobs.scaling import Scale, describe_gain
from hsrdiff.observation import Scene, SpatialResponse, finite_pixels
from hsrdiff.sensors import Sensor


def fusion_record(
    fuser: Fuser,
    fusion: Fusion,
    scene: Scene,
    pair: Pair,
    scale: Scale,
    sensor: Sensor | None,
    told: SpatialResponse,
    seed: int,
) -> dict[str, str]:
    """Write down what decided a result, for the cube's attributes.

    Args:
        fuser: The method.
        fusion: What it made.
        scene: What it was given.
        pair: The two images as they were brought together.
        scale: Units.
        sensor: Of the MSI, where known.
        told: D, of LR pixels that lie on their blocks.
        seed: Of all random draws.

    Returns:
        Names and texts.
    """
    record = {
        "hsrdiff_method": fuser.name,
        "hsrdiff_version": __version__,
        "hsrdiff_seed": str(seed),
        "hsrdiff_factor": str(pair.factor),
        "hsrdiff_told": str(fuser.needs),
        "hsrdiff_peak": f"{scale.peak:.9g}",
    }
    if scene.observation is not None:
        record["hsrdiff_psf"] = told.describe()
        if any(pair.offset):
            record["hsrdiff_psf_offset"] = "{:.3g} rows, {:.3g} columns of fine pixels".format(*pair.offset)
    if any(pair.mended):
        record["hsrdiff_moved"] = "{:.6g} rows, {:.6g} columns".format(*pair.mended)
    if pair.bend is not None:
        record["hsrdiff_bend"] = pair.bend.to_text()
    if sensor is not None:
        record["hsrdiff_sensor"] = f"{sensor.name}: {', '.join(sensor.bands)}"
    if scale.gain != 1.0:
        record["hsrdiff_units"] = describe_gain(scale.gain)
    if scale.match is not None:
        record["hsrdiff_match"] = describe_match(scale.match)
    valid_share = float(finite_pixels(fusion.Z_hat).double().mean())
    if valid_share < 1.0:
        # A pixel that lacks one band lacks all: one nearly empty band can blank a whole result.
        record["hsrdiff_valid_pixels"] = f"{100 * valid_share:.3g} %"
    if pair.dropped:
        record["hsrdiff_dropped_bands"] = ",".join(str(band) for band in pair.dropped)
    notes = pair.notes | ({"unit": scale.note} if scale.note else {}) | fusion.notes
    record.update({f"hsrdiff_note_{topic}": text for topic, text in notes.items()})
    return record


def finished_cube(image: torch.Tensor, pair: Pair, scale: Scale, record: Mapping[str, str], name: str) -> xr.DataArray:
    """Give what the method made back the HSI's unit and bands and the MSI's place on the map.

    Args:
        image: (1, B, H, W) in units of the peak.
        pair: The two images as they were brought together.
        scale: Units.
        record: What decided it.
        name: Of the cube.

    Returns:
        The cube with the record.
    """
    values = scale.undo(image.detach().cpu())[0].numpy().astype(np.float32, copy=False)
    cube = as_cube(
        values,
        wavelengths_nm=pair.wavelengths_nm,
        fwhm_nm=pair.fwhm_nm,
        crs=pair.crs,
        transform=pair.transform,
    )
    for known in ("good_band", "band_name"):
        if known in pair.hsi.coords:
            cube = cube.assign_coords({known: ("band", pair.hsi[known].values)})
    for kept in ("units", "hsrdiff_quantity"):
        if kept in pair.hsi.attrs:
            cube.attrs[kept] = pair.hsi.attrs[kept]
    cube.attrs.update({topic: escaped(text) for topic, text in record.items()})
    cube.name = name
    return cube
