"""Known cubes on disk whose pair is simulated, at the factor and with the guide of one's choice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import xarray as xr

from hsrdiff.cubes import as_cube
from hsrdiff.datasets.base import data_root, require_scene, require_split
from hsrdiff.datasets.guide import Guide
from hsrdiff.errors import CubeFormatError, DatasetNotFoundError, WavelengthError
from hsrdiff.observation import Observation, SpatialResponse
from hsrdiff.observation.spatial import check_factor
from hsrdiff.typing import FloatArray, PathLike


class KnownScenes:
    """What the data sets of remote sensing cubes share: a data set adds its names, its table of files and `read`.

    Args:
        data: Folder that holds the data sets; HSRDIFF_DATA when None.
        factor: Resolution ratio, a whole number of at least 2.
        sensor: The guide, as `Guide.named` takes it.

    Raises:
        DatasetNotFoundError: If the folder does not exist.
        FactorError: If the factor is not a whole number of at least 2.
        SensorError: If the guide is unknown.

    Attributes:
        files: Scene name -> where its file is, seen from the data folder.
        splits: Split -> scene names.
        bands: B, bands kept.
        origin: Where the files come from, for the message when they are missing.
        layout: What each file has in it, likewise.
    """

    name: ClassVar[str]
    citation: ClassVar[str]
    peak: ClassVar[float]
    files: ClassVar[Mapping[str, str]]
    splits: ClassVar[Mapping[str, tuple[str, ...]]]
    bands: ClassVar[int]
    origin: ClassVar[str]
    layout: ClassVar[str]

    def __init__(self, data: PathLike | None = None, *, factor: int = 4, sensor: str = "gaussian4") -> None:
        first = next(iter(self.files.values()))
        self.root = data_root(data, holds=f"{first} ({self.layout})", origin=self.origin)
        self.factor = check_factor(factor)
        self.sensor = sensor
        self._guide = Guide.named(sensor)

    def scenes(self, split: str) -> tuple[str, ...]:
        """Return the scene names of one split, whether or not their files are there.

        Args:
            split: One of train, fit, validation, test.

        Returns:
            Names that `load` takes; none where the data set has no such scene.

        Raises:
            InputError: For an unknown split.
        """
        return self.splits[require_split(split)]

    def load(self, scene: str) -> xr.DataArray:
        """Read one scene.

        Args:
            scene: A name from `scenes`.

        Returns:
            A cube (B, H, W), float32, in units of `peak`, invalid pixels NaN.

        Raises:
            DatasetNotFoundError: If its file is not there.
            CubeFormatError: If the file cannot be read or is not laid out as it should be.
            InputError: For an unknown scene.
        """
        values = (self.read_scene(scene) / self.peak).astype(np.float32, copy=False)
        if len(values) != self.bands:
            raise CubeFormatError(
                f"the scene '{scene}' of the data set '{self.name}' has {len(values)} bands to keep",
                expected=f"{self.bands}, those of {self.files[scene]} with {self.layout}",
                do=f"get the file again from {self.origin}",
            )
        centres_nm, fwhm_nm = self.axis()
        cube = as_cube(values, wavelengths_nm=centres_nm, fwhm_nm=fwhm_nm)
        cube.name = f"{self.name}/{scene}"
        return cube

    def read_scene(self, scene: str) -> FloatArray:
        """Read the bands kept of one scene: the whole file, unless a data set cuts scenes out of one.

        Args:
            scene: A name from `scenes`.

        Returns:
            Shape (B, H, W), in the file's units, invalid pixels NaN.

        Raises:
            DatasetNotFoundError: If its file is not there.
            CubeFormatError: If the file cannot be read or is not laid out as it should be.
            InputError: For an unknown scene.
        """
        return self.read(self.path(scene))

    def path(self, scene: str) -> Path:
        """Return where the file of a scene is.

        Args:
            scene: A name from `scenes`.

        Returns:
            An existing file.

        Raises:
            DatasetNotFoundError: If it is not there.
            InputError: For an unknown scene.
        """
        where = self.files[require_scene(scene, tuple(self.files), self.name)]
        path = self.root / where
        if not path.is_file():
            raise DatasetNotFoundError(
                f"the scene '{scene}' of the data set '{self.name}' is not at '{path}'",
                expected=f"the file {where} with {self.layout} under the data folder",
                do=f"get it from {self.origin} and put it there",
            )
        return path

    def axis(self) -> tuple[FloatArray | None, FloatArray | None]:
        """Return centre and width of the bands kept.

        Returns:
            Two arrays (B,) in nm, centres increasing; None for what is not known.

        Raises:
            DatasetNotFoundError: If they stand in files that are not there.
        """
        return None, None

    def guide_axis(self) -> tuple[FloatArray | None, FloatArray | None]:
        """Return centre and width of the bands to simulate a sensor with: `axis`, or a guess good enough for that.

        Returns:
            Two arrays (B,) in nm; None for what is not known.

        Raises:
            DatasetNotFoundError: If they stand in files that are not there.
        """
        return self.axis()

    def read(self, path: Path) -> FloatArray:
        """Read the bands kept from one file.

        Args:
            path: An existing file.

        Returns:
            Shape (B, H, W), in the file's units, invalid pixels NaN.

        Raises:
            CubeFormatError: If the file cannot be read or is not laid out as it should be.
        """
        raise NotImplementedError

    def observation(self, wavelengths_nm: FloatArray | None = None) -> Observation:
        """Return R of the guide and a Gaussian PSF whose FWHM is the factor.

        Args:
            wavelengths_nm: Those of the data set when given.

        Returns:
            Eq. (1) for these scenes.

        Raises:
            WavelengthError: If the centres are not those of these scenes, or a sensor needs them and they are not
                known.
            SensorError: If the scenes do not cover a band of the sensor.
        """
        own, _ = self.axis()
        if wavelengths_nm is not None and (
            own is None or np.shape(wavelengths_nm) != own.shape or not np.allclose(wavelengths_nm, own, atol=0.5)
        ):
            raise WavelengthError(
                f"{np.size(wavelengths_nm)} band centres that are not those of '{self.name}'",
                expected="none, as they are not known" if own is None else f"its {own.size} centres",
                do="pass cubes that its load returned",
            )
        return Observation(self._guide.response(self.bands, *self.guide_axis()), SpatialResponse.gaussian(self.factor))
