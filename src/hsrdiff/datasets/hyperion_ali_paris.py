"""Paris seen by both imagers of the satellite EO-1: Hyperion as the truth, ALI as a measured guide."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import xarray as xr

from hsrdiff.cubes import as_cube, open_cube
from hsrdiff.datasets.known_scenes import KnownScenes
from hsrdiff.errors import CubeFormatError
from hsrdiff.typing import FloatArray, PathLike

# Hyperion's band numbers kept (1-based, of 242): the variable non_del_bands of the files
BAND_NUMBERS = np.concatenate(
    [
        np.arange(first, last + 1)
        for first, last in ((8, 56), (83, 96), (102, 118), (135, 162), (194, 196), (202, 214), (216, 219))
    ]
)
SENSOR = "eo1_ali:ms"
# bands of both images are divided by this quantile of their own, as those who distribute them do
QUANTILE = 0.999
ORIGIN = "the data folder of HySure (github.com/alfaiate/HySure)"


class HyperionAliParis(KnownScenes):
    """One test scene of 72 x 72 pixels of 30 m: 128 Hyperion bands as Z, and the nine ALI bands as a measured X.

    Y is simulated from Z; X is not R Z but what ALI saw on the same grid, with its own noise, stripes and misfit. Asked
    for with another guide, X is simulated. The two images are on different scales, so each band is divided by its
    own 99.9 % quantile; R, of the nominal bands of ALI, holds for these units only roughly. There is nothing to train
    on.

    Args:
        data: Folder that holds the data sets; HSRDIFF_DATA when None.
        factor: Resolution ratio.
        sensor: A guide to simulate, as `Guide.named` takes it; None for the real ALI image.

    Raises:
        DatasetNotFoundError: If the folder does not exist.
        FactorError: If the factor is not a whole number of at least 2.
        SensorError: If the guide is unknown.
    """

    name = "hyperion-ali-paris"
    citation = (
        "EO-1 Hyperion and ALI, NASA and USGS; Simoes, Bioucas-Dias, Almeida and Chanussot, A convex formulation for "
        "hyperspectral image superresolution via subspace-based regularization, IEEE TGRS 2015"
    )
    peak = 1.8  # in units of the quantile; the largest value of Z is 1.794
    files: ClassVar = {"paris": "hyperion_ali_paris/paris_data_hs_ms.mat"}
    splits: ClassVar = {"train": (), "fit": (), "validation": (), "test": ("paris",)}
    bands = BAND_NUMBERS.size
    origin = ORIGIN
    layout = "HSim (72, 72, 128) and MSim (72, 72, 9)"

    def __init__(self, data: PathLike | None = None, *, factor: int = 3, sensor: str | None = None) -> None:
        super().__init__(data, factor=factor, sensor=SENSOR if sensor is None else sensor)
        self._measured = sensor is None

    def axis(self) -> tuple[FloatArray | None, FloatArray | None]:
        """Return the nominal centres; widths are not used."""
        return nominal_centres_nm(BAND_NUMBERS), None

    def read(self, path: Path) -> FloatArray:
        """Read the Hyperion image.

        Args:
            path: A MATLAB file with ``HSim`` (72, 72, 128).

        Returns:
            Shape (128, 72, 72), in units of each band's quantile.

        Raises:
            CubeFormatError: If the file cannot be read or has another shape.
        """
        return in_quantiles(path, "HSim", (self.bands, 72, 72))

    def load_guide(self, scene: str) -> xr.DataArray | None:
        """Read what ALI saw of one scene.

        Args:
            scene: ``"paris"``.

        Returns:
            A cube (9, 72, 72), float32, in units of `peak`, bands 1p, 1, 2, 3, 4, 4p, 5p, 5, 7; None where another
            guide is simulated.

        Raises:
            DatasetNotFoundError: If the file is not there.
            CubeFormatError: If it cannot be read or has another shape.
            InputError: For an unknown scene.
        """
        path = self.path(scene)
        if not self._measured:
            return None
        return as_cube((in_quantiles(path, "MSim", (9, 72, 72)) / self.peak).astype(np.float32))


def nominal_centres_nm(numbers: FloatArray) -> FloatArray:
    """Return nominal centres of Hyperion bands: 355.59 + 10.175 (n - 1) nm up to n = 70, 851.92 + 10.09 (n - 71) above.

    Args:
        numbers: Band numbers n, 1 to 242.

    Returns:
        Centres in nm, same shape.
    """
    n = np.asarray(numbers, dtype=np.float64)
    return np.where(n <= 70, 355.59 + 10.175 * (n - 1), 851.92 + 10.09 * (n - 71))


def in_quantiles(path: Path, variable: str, shape: tuple[int, int, int]) -> FloatArray:
    """Read one image, each band in units of its 99.9 % quantile.

    Args:
        path: A MATLAB file.
        variable: Name of the array.
        shape: What it must have: bands, rows, columns.

    Returns:
        Shape (bands, rows, columns).

    Raises:
        CubeFormatError: If the file cannot be read, has another shape or values that are no image's.
    """
    values = np.asarray(open_cube(path, variable=variable).values, dtype=np.float64)
    if values.shape != shape:
        raise CubeFormatError(
            f"'{variable}' in '{path}' has {len(values)} bands of {values.shape[1]} x {values.shape[2]} pixels",
            expected=f"{shape[0]} bands of {shape[1]} x {shape[2]}",
            do="get the file again",
        )
    quantiles = np.quantile(values, QUANTILE, axis=(1, 2), keepdims=True)
    if not (np.isfinite(values).all() and values.min() >= 0.0 and (quantiles > 0.0).all()):
        raise CubeFormatError(
            f"'{variable}' in '{path}' has negative or no values, or an empty band",
            expected="positive numbers in every band",
            do="get the file again",
        )
    return np.asarray(values / quantiles)
