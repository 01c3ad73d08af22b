"""What `fuse` did, for programs: inputs, outputs, the record of the cube, and the comparison of methods."""

from __future__ import annotations

import os
from collections.abc import Mapping

import xarray as xr

from hsrdiff.choice import Choice
from hsrdiff.jobs.images import Image
from hsrdiff.jobs.json_report import to_json
from hsrdiff.typing import PathLike

_ARRAY = "an array"


def fusion_report(
    cube: xr.DataArray, choice: Choice | None, inputs: Mapping[str, Image], outputs: Mapping[str, PathLike | None]
) -> str:
    """Put a fusion into JSON.

    Args:
        cube: The result with its record.
        choice: The comparison, where methods were compared.
        inputs: The images by their roles.
        outputs: The files by theirs; None for those that were not asked for.

    Returns:
        The text: the fields of the choice, the files as they were named, the shape, and what the cube remembers
        under ``record``, without the prefix of its attributes.
    """
    named = {role: str(image) if isinstance(image, str | os.PathLike) else _ARRAY for role, image in inputs.items()}
    written = {role: None if path is None else str(path) for role, path in outputs.items()}
    record = {
        name.removeprefix("hsrdiff_"): text
        for name, text in ((str(key), value) for key, value in cube.attrs.items())
        if name.startswith("hsrdiff_")
    }
    content = {} if choice is None else choice.as_dict()
    content |= {"method": record["method"], **named, **written}
    return to_json(content | {"shape": [int(size) for size in cube.shape], "record": record})
