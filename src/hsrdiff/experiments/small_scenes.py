"""The few small real scenes on which conditions and variants are compared."""

from __future__ import annotations

from dataclasses import dataclass

import xarray as xr

from hsrdiff.datasets import make_dataset
from hsrdiff.observation import Observation
from hsrdiff.typing import PathLike


@dataclass(frozen=True)
class SmallScene:
    """A scene, or a square in the middle of it, and how its pair is made.

    Attributes:
        dataset: Name in the catalog.
        scene: Name in the data set.
        factor: Resolution ratio.
        sensor: Guide; the data set's own when None.
        side: HR pixels of a square in the middle; the whole scene when None.
        band_nm: Distance of neighbouring bands, nm; nominal where wavelengths are not known.
    """

    dataset: str
    scene: str
    factor: int
    sensor: str | None
    side: int | None
    band_nm: float

    @property
    def label(self) -> str:
        """What tables call it."""
        return f"{self.scene} x{self.factor}"

    def load(self, data: PathLike | None) -> tuple[xr.DataArray, Observation]:
        """Read the truth.

        Args:
            data: Folder of the data sets; HSRDIFF_DATA when None.

        Returns:
            Z, a cube with values 0..1, and Eq. (1).

        Raises:
            DatasetNotFoundError: If the scene's files are not there.
        """
        dataset = make_dataset(self.dataset, data=data, factor=self.factor, sensor=self.sensor)
        cube = dataset.load(self.scene)
        if self.side is not None:
            top, left = ((cube.sizes[axis] - self.side) // 2 for axis in ("y", "x"))
            cube = cube.isel(y=slice(top, top + self.side), x=slice(left, left + self.side))
        return cube, dataset.observation(cube["wavelength"].values if "wavelength" in cube.coords else None)


# AVIRIS bands lie about 9.5 nm apart; CAVE scenes are training scenes
JASPER_RIDGE = SmallScene("jasper-ridge", "jasper-ridge", 4, "gaussian4", None, 9.5)
LOS_ANGELES = SmallScene("aviris-la", "abu-airport-1", 4, "gaussian4", None, 9.5)
SAMSON = SmallScene("samson", "samson", 4, "gaussian4", None, 488.0 / 155)
CAVE_CROP = SmallScene("cave", "flowers", 8, None, 192, 10.0)
CAVE_TRAINING = tuple(SmallScene("cave", scene, 32, None, None, 10.0) for scene in ("balloons", "flowers"))
