"""Paris at ratio 3 as the satellite EO-1 saw it: Hyperion and the panchromatic band of ALI, without truth."""

from __future__ import annotations

import numpy as np
import xarray as xr

from hsrdiff.cubes import as_cube
from hsrdiff.datasets.base import data_root, require_scene
from hsrdiff.datasets.hyperion_ali_paris import BAND_NUMBERS, ORIGIN, HyperionAliParis, in_quantiles, nominal_centres_nm
from hsrdiff.errors import DatasetNotFoundError
from hsrdiff.typing import PathLike

PAIR = "paris"
FILE = "hyperion_ali_paris/paris_data_hs_pan.mat"


class HyperionAliPan:
    """One real pair: 128 Hyperion bands of 72 x 58 pixels of 30 m, and ALI's panchromatic band at 10 m.

    Each band is in units of its own 99.9 % quantile, as in `HyperionAliParis`, whose scene this is a part of.

    Args:
        data: Folder that holds the data sets; HSRDIFF_DATA when None.

    Raises:
        DatasetNotFoundError: If the folder does not exist.
    """

    name = "hyperion-ali-pan"
    citation = HyperionAliParis.citation
    factor = 3
    sensor = "eo1_ali:pan"

    def __init__(self, data: PathLike | None = None) -> None:
        self.root = data_root(data, holds=FILE, origin=ORIGIN)

    def pairs(self) -> tuple[str, ...]:
        """Return the name of the one pair.

        Returns:
            Names that `load_pair` takes.
        """
        return (PAIR,)

    def load_pair(self, pair: str) -> tuple[xr.DataArray, xr.DataArray]:
        """Read both images.

        Args:
            pair: ``"paris"``.

        Returns:
            Y, a cube (128, 72, 58) with nominal wavelengths, and X, a cube (1, 216, 174).

        Raises:
            DatasetNotFoundError: If the file is not there.
            CubeFormatError: If it cannot be read or has other shapes.
            InputError: For an unknown pair.
        """
        require_scene(pair, self.pairs(), self.name)
        path = self.root / FILE
        if not path.is_file():
            raise DatasetNotFoundError(
                f"the pair '{pair}' of the data set '{self.name}' is not at '{path}'",
                expected=f"the file {FILE} under the data folder",
                do=f"get it from {ORIGIN} and put it there",
            )
        hsi = in_quantiles(path, "HSim", (BAND_NUMBERS.size, 72, 58))
        msi = in_quantiles(path, "PCim", (1, 216, 174))
        return (
            as_cube(hsi.astype(np.float32), wavelengths_nm=nominal_centres_nm(BAND_NUMBERS)),
            as_cube(msi.astype(np.float32)),
        )
