"""One's own folder of scenes: any files that open_cube reads."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
import xarray as xr

from hsrdiff.cubes import open_cube
from hsrdiff.datasets.base import require_scene, require_split
from hsrdiff.datasets.guide import Guide
from hsrdiff.errors import (
    DatasetNotFoundError,
    FactorError,
    InputError,
    InvalidValueError,
    ShapeError,
    WavelengthError,
)
from hsrdiff.observation import Observation, SpatialResponse
from hsrdiff.typing import BoolArray, FloatArray, PathLike

# an ENVI header, a world file or a statistics file goes with its image and is not a scene of its own
SIDE_FILES = (".hdr", ".xml", ".tfw", ".ovr", ".txt", ".md", ".json", ".csv", ".part")
VALIDATION_SHARE = 0.2
# R is made from the first scene's bands; a fifth of a usual band of 10 nm changes it little
WAVELENGTH_TOLERANCE_NM = 2.0


class FolderDataset:
    """HR-HSI cubes in one folder, one file or Zarr folder a scene; factor and guide are given.

    With sub-folders ``train`` and ``test`` these are the split; without, every scene is a training scene and
    there is no test. ``validation`` is the last fifth of the training scenes in alphabetical order (at least
    one where there are two), ``fit`` the rest. Bands that the first training scene marks as bad, or that are empty
    in it, are left out of every scene.

    Args:
        folder: Where the scenes are.
        factor: Resolution ratio, a whole number of at least 2.
        sensor: Name or CSV of the guide's sensor, as `Guide.named` takes it.
        peak: Value of the files that becomes 1; the largest valid value of the training scenes when None.

    Raises:
        DatasetNotFoundError: If the folder does not exist or holds no scene.
        FactorError: If the factor is not a whole number of at least 2.
        SensorError: If the sensor is unknown.
        InputError: If the peak is not a positive number.
    """

    citation = "the user's own scenes"

    def __init__(self, folder: PathLike, *, factor: int, sensor: str, peak: float | None = None) -> None:
        self.root = Path(folder).expanduser()
        if int(factor) != factor or factor < 2:
            raise FactorError(f"factor {factor}", expected="a whole number of at least 2", do="change the factor")
        if peak is not None and not (np.isfinite(peak) and peak > 0):
            raise InputError(f"peak {peak}", expected="a positive number", do="change the peak")
        self.name = self.root.name
        self.factor = int(factor)
        self._guide = Guide.named(sensor)
        self._given_peak = peak
        self._files = _list_scenes(self.root)

    def scenes(self, split: str) -> tuple[str, ...]:
        """Return the scene names of one split, in alphabetical order.

        Args:
            split: One of train, fit, validation, test.

        Returns:
            Names that `load` takes; none for a test split that the folder does not have.

        Raises:
            InputError: For an unknown split.
        """
        require_split(split)
        if split == "test":
            return tuple(name for name in self._files if name.startswith("test/"))
        train = tuple(name for name in self._files if not name.startswith("test/"))
        held_out = min(max(1, int(VALIDATION_SHARE * len(train))), len(train) - 1)
        fitted = len(train) - held_out
        return {"train": train, "fit": train[:fitted], "validation": train[fitted:]}[split]

    def load(self, scene: str) -> xr.DataArray:
        """Read one scene.

        Args:
            scene: A name from `scenes`.

        Returns:
            A cube (B, H, W), float32, in units of `peak`, invalid pixels NaN.

        Raises:
            CubeFormatError: If the file cannot be read.
            ShapeError: If it has another number of bands than the first training scene.
            WavelengthError: If its wavelengths are not those of the first training scene.
            InputError: For an unknown scene.
        """
        cube = self._open(require_scene(scene, tuple(self._files), self.name))
        scaled = (cube / np.float32(self.peak)).astype(np.float32)
        scaled.name = f"{self.name}/{scene}"
        return scaled

    @cached_property
    def peak(self) -> float:
        """Value of the files that becomes 1."""
        if self._given_peak is not None:
            return float(self._given_peak)
        largest = max(float(self._open(scene).max(skipna=True)) for scene in self.scenes("train"))
        if not (np.isfinite(largest) and largest > 0):
            raise InvalidValueError(
                f"the training scenes in '{self.root}' have no positive value", do="give the peak of the data"
            )
        return largest

    def observation(self, wavelengths_nm: FloatArray | None = None) -> Observation:
        """Return R of the given sensor and a Gaussian PSF whose FWHM is the factor.

        Args:
            wavelengths_nm: Band centres (B,); those of the first training scene when None.

        Returns:
            Eq. (1) for these scenes.

        Raises:
            WavelengthError: If neither gives wavelengths and the guide is a sensor.
            SensorError: If the scenes do not cover a band of the sensor.
        """
        first = self._open(self.scenes("train")[0])
        own_nm = np.asarray(first["wavelength"].values, dtype=np.float64) if "wavelength" in first.coords else None
        centres_nm = own_nm if wavelengths_nm is None else np.asarray(wavelengths_nm, dtype=np.float64)
        if centres_nm is None and self._guide.sensor is not None:
            raise WavelengthError(
                f"the scene '{self.scenes('train')[0]}' in '{self.root}' has no wavelengths",
                expected="a centre in nm for every band",
                do="write the scenes in a format that keeps them, such as ENVI or NetCDF",
            )
        # widths go with the scenes' own centres only
        fwhm_nm = None
        if (
            "fwhm" in first.coords
            and own_nm is not None
            and centres_nm is not None
            and np.array_equal(own_nm, centres_nm)
        ):
            fwhm_nm = np.asarray(first["fwhm"].values, dtype=np.float64)
        spectral = self._guide.response(first.sizes["band"], centres_nm, fwhm_nm)
        return Observation(spectral, SpatialResponse.gaussian(self.factor))

    @cached_property
    def _bands(self) -> tuple[BoolArray, FloatArray | None]:
        """Mark the bands of the files to keep, and the centres in nm of those kept, by the first training scene.

        Bands that it marks as bad or that are empty in it are not kept; without wavelengths there are no centres.
        """
        scene = self.scenes("train")[0]
        cube = open_cube(self._files[scene])
        usable: BoolArray = np.isfinite(cube.values).any(axis=(1, 2))
        if "good_band" in cube.coords:
            usable = usable & np.asarray(cube["good_band"].values, dtype=bool)
        if not usable.any():
            raise InvalidValueError(
                f"every band of the scene '{scene}' in '{self.root}' is marked as bad or empty",
                expected="at least one good band",
                do="check its good_band marks",
            )
        if "wavelength" not in cube.coords:
            return usable, None
        return usable, np.asarray(cube["wavelength"].values, dtype=np.float64)[usable]

    def _open(self, scene: str) -> xr.DataArray:
        usable, centres_nm = self._bands
        cube = open_cube(self._files[scene])
        if cube.sizes["band"] != usable.size:
            raise ShapeError(
                f"the scene '{scene}' has {cube.sizes['band']} bands",
                expected=f"{usable.size} as in '{self.scenes('train')[0]}'",
                do="keep scenes of one instrument in one folder",
            )
        kept = cube.isel(band=usable)
        if centres_nm is not None and "wavelength" in kept.coords:
            self._check_wavelengths(scene, np.asarray(kept["wavelength"].values, dtype=np.float64), centres_nm)
        return kept

    def _check_wavelengths(self, scene: str, own_nm: FloatArray, centres_nm: FloatArray) -> None:
        """Refuse a scene whose bands lie elsewhere in the spectrum than those of the first training scene."""
        worst = int(np.abs(own_nm - centres_nm).argmax())
        if abs(own_nm[worst] - centres_nm[worst]) > WAVELENGTH_TOLERANCE_NM:
            raise WavelengthError(
                f"the scene '{scene}' has a band at {own_nm[worst]:g} nm",
                expected=f"{centres_nm[worst]:g} nm as in '{self.scenes('train')[0]}', within "
                f"{WAVELENGTH_TOLERANCE_NM:g} nm",
                do="keep scenes of one instrument in one folder, or resample them to the same bands",
            )


def _list_scenes(root: Path) -> dict[str, Path]:
    """Return scene name -> path: ``train/NAME`` and ``test/NAME`` with such sub-folders, else ``NAME``."""
    expected = "image files that open_cube reads, or sub-folders train/ and test/ of them"
    if not root.is_dir():
        raise DatasetNotFoundError(f"the folder '{root}' does not exist", expected=expected, do="check its name")
    split = [root / name for name in ("train", "test") if (root / name).is_dir()]
    files = {
        path.relative_to(root).as_posix(): path
        for folder in (split or [root])
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".") and path.suffix.lower() not in SIDE_FILES
    }
    if not any(not name.startswith("test/") for name in files):
        raise DatasetNotFoundError(f"the folder '{root}' holds no training scene", expected=expected, do="add some")
    return files
