"""EnMAP over Potsdam: three blocks of a satellite scene with exact wavelengths and widths."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import xarray as xr

from hsrdiff.cubes import open_cube
from hsrdiff.datasets.known_scenes import KnownScenes
from hsrdiff.errors import CubeFormatError
from hsrdiff.typing import FloatArray

DISTRIBUTED = 218
# bands that correlate less than 0.90 with both neighbours in one of the blocks: one in a water vapour line at 720 nm,
# three beside the water vapour band at 1.9 micrometres
NOISE_NM = (720.28, 1939.44, 1948.98, 1958.49)
TOLERANCE_NM = 0.5


class EnmapPotsdam(KnownScenes):
    """Surface reflectance of 2022-07-24, 30 m: blocks of 64 x 128, 64 x 96 and 128 x 64 pixels, 214 bands.

    Blocks A and C overlap and train, B tests; with nothing apart from both there is no validation scene. The files
    hold 218 of the instrument's 224 bands; four noise bands are left out and the rest put in the order of their
    wavelengths (the two spectrometers overlap). The few negative reflectances, over water, become 0.

    Args:
        data: Folder that holds the data sets; HSRDIFF_DATA when None.
        factor: Resolution ratio.
        sensor: The guide, as `Guide.named` takes it.

    Raises:
        DatasetNotFoundError: If the folder does not exist.
        FactorError: If the factor is not a whole number of at least 2.
        SensorError: If the guide is unknown.
    """

    name = "enmap-potsdam"
    citation = "EnMAP data (c) DLR 2022, scene of 2022-07-24; as distributed with EnMAP-Box"
    peak = 1.05  # the largest reflectance is 1.044
    files: ClassVar = {
        name[:1]: f"enmap_potsdam/enmap_potsdam_{name}.h5" for name in ("A_64x128", "B_64x96", "C_128x64")
    }
    splits: ClassVar = {"train": ("A", "C"), "fit": ("A", "C"), "validation": (), "test": ("B",)}
    bands = DISTRIBUTED - len(NOISE_NM)
    origin = "the test data of EnMAP-Box (specdeepmap), put together to blocks without gaps"
    layout = "cube (218, rows, columns), wavelength_nm and fwhm_nm"

    def axis(self) -> tuple[FloatArray | None, FloatArray | None]:
        """Return centres and widths as the first block that is there gives them."""
        there = [scene for scene in self.files if (self.root / self.files[scene]).is_file()]
        cube = _kept(self.path(there[0] if there else next(iter(self.files))))
        return np.asarray(cube["wavelength"].values, np.float64), np.asarray(cube["fwhm"].values, np.float64)

    def read(self, path: Path) -> FloatArray:
        """Read one block without the noise bands, by increasing wavelength, negative values as 0.

        Args:
            path: An HDF5 file with ``cube`` (218, rows, columns), ``wavelength_nm`` and ``fwhm_nm``.

        Returns:
            Reflectance, shape (214, H, W).

        Raises:
            CubeFormatError: If the file cannot be read or has other bands.
        """
        return np.asarray(_kept(path).values, dtype=np.float64).clip(0.0)


def _kept(path: Path) -> xr.DataArray:
    """Read a block without its noise bands, the rest by increasing wavelength."""
    cube = open_cube(path, variable="cube")
    if not {"wavelength", "fwhm"} <= set(cube.coords):
        raise CubeFormatError(f"'{path}' lacks 'wavelength_nm' or 'fwhm_nm'", do="get the file again")
    centres_nm = np.asarray(cube["wavelength"].values, dtype=np.float64)
    noise = (np.abs(centres_nm[:, None] - NOISE_NM) < TOLERANCE_NM).any(axis=1)
    kept = np.flatnonzero(~noise)
    if noise.size != DISTRIBUTED or kept.size != DISTRIBUTED - len(NOISE_NM):
        raise CubeFormatError(
            f"'{path}' has {noise.size} bands, {noise.sum()} of them known as noise",
            expected=f"{DISTRIBUTED} of EnMAP's 224, {len(NOISE_NM)} of them noise",
            do="get the file again",
        )
    return cube.isel(band=kept[np.argsort(centres_nm[kept], kind="stable")])
