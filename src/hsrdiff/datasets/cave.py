"""CAVE: 32 indoor scenes, 31 bands, Nikon D700 guide; the exact kernel of the literature at factor 32."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from hsrdiff.cubes import as_cube, open_cube
from hsrdiff.datasets.base import data_root, require_scene, require_split
from hsrdiff.datasets.guide import Guide
from hsrdiff.errors import CubeFormatError, DatasetNotFoundError, WavelengthError
from hsrdiff.observation import Observation, SpatialResponse, SpectralResponse
from hsrdiff.observation.spatial import check_factor
from hsrdiff.sensors import load_sensor
from hsrdiff.typing import FloatArray, PathLike

WAVELENGTHS_NM = np.arange(400.0, 701.0, 10.0)

# "the first 20" in alphabetical order, the order in which the paper's figures show test scenes
TRAIN = (
    "balloons",
    "beads",
    "cd",
    "chart_and_stuffed_toy",
    "clay",
    "cloth",
    "egyptian_statue",
    "face",
    "fake_and_real_beers",
    "fake_and_real_food",
    "fake_and_real_lemon_slices",
    "fake_and_real_lemons",
    "fake_and_real_peppers",
    "fake_and_real_strawberries",
    "fake_and_real_sushi",
    "fake_and_real_tomatoes",
    "feathers",
    "flowers",
    "glass_tiles",
    "hairs",
)
TEST = (
    "jelly_beans",
    "oil_painting",
    "paints",
    "photo_and_face",
    "pompoms",
    "real_and_fake_apples",
    "real_and_fake_peppers",
    "sponges",
    "stuffed_toys",
    "superballs",
    "thread_spools",
    "watercolors",
)
VALIDATION_SCENES = 4
SCENES_BY_SPLIT = {
    "train": TRAIN,
    "fit": TRAIN[:-VALIDATION_SCENES],
    "validation": TRAIN[-VALIDATION_SCENES:],
    "test": TEST,
}

# JPEG 2000 copies, which do not state their depth, keep the top bits of the 16-bit originals: 11 in train/, 12 in test/
JP2_BITS = {"train": 11, "test": 12}
FOLDERS = ("cave", "cave_original", "CAVE", "complete_ms_data", ".")
LAYOUT = (
    "either cave/train/NAME.jp2 and cave/test/NAME.jp2 (31 bands), or the database's own folders "
    "cave/NAME_ms/NAME_ms/NAME_ms_01.png to _31.png"
)
ORIGIN = "Columbia University's CAVE database"
EXACT_FACTOR = 32
RESPONSE_FILE = Path("srf") / "nikon_d700_cave31.csv"


class Cave:
    """The CAVE multispectral image database under the protocol of MHF-net and the paper (section 4.1).

    Values are the 16-bit originals divided by 65535. X comes from the Nikon D700 table that the fusion
    literature shares, Y from the 32 x 32 Gaussian kernel of sigma 10 applied block by block. At another factor Y comes
    from a Gaussian PSF as wide at half maximum as the factor (P17).

    Args:
        data: Folder that holds the data sets; HSRDIFF_DATA when None.
        factor: Resolution ratio.
        sensor: Another guide than the Nikon D700, as `Guide.named` takes it.

    Raises:
        DatasetNotFoundError: If the folder does not exist.
        FactorError: If the factor is not a whole number of at least 2.
        SensorError: If the guide is unknown.
    """

    name = "cave"
    citation = "Yasuma, Mitsunaga, Iso and Nayar, Generalized assorted pixel camera, IEEE TIP 2010"
    peak = 1.0

    def __init__(self, data: PathLike | None = None, *, factor: int = EXACT_FACTOR, sensor: str | None = None) -> None:
        self.root = data_root(data, holds=LAYOUT, origin=ORIGIN)
        self.factor = check_factor(factor)
        self._guide = None if sensor is None else Guide.named(sensor)

    def scenes(self, split: str) -> tuple[str, ...]:
        """Return the scene names of one split: 20 train (16 fit, 4 validation), 12 test.

        Args:
            split: One of train, fit, validation, test.

        Returns:
            Scene names in alphabetical order, whether or not their files are there.

        Raises:
            InputError: For an unknown split.
        """
        return SCENES_BY_SPLIT[require_split(split)]

    def load(self, scene: str) -> xr.DataArray:
        """Read one scene from whichever of the two layouts is there.

        Args:
            scene: A scene name, such as ``"thread_spools"``.

        Returns:
            A cube (31, H, W), float32, 0..1, with wavelengths 400..700 nm.

        Raises:
            DatasetNotFoundError: If the scene's files are in neither layout.
            CubeFormatError: If they cannot be read or are not 31 bands of one size.
            InputError: For an unknown scene.
        """
        require_scene(scene, TRAIN + TEST, self.name)
        split = "train" if scene in TRAIN else "test"
        for folder in FOLDERS:
            base = self.root / folder
            jp2, pngs = base / split / f"{scene}.jp2", base / f"{scene}_ms"
            if jp2.is_file():
                return self._cube(_read_jp2(jp2, JP2_BITS[split]), scene)
            if pngs.is_dir():
                return self._cube(open_cube(pngs).values, scene)
        raise DatasetNotFoundError(
            f"the CAVE scene '{scene}' is not under '{self.root}'",
            expected=LAYOUT,
            do=f"get the scenes from {ORIGIN} and put them there",
        )

    def observation(self, wavelengths_nm: FloatArray | None = None) -> Observation:
        """Return R of the Nikon D700 (red, green, blue) and, at factor 32, the exact kernel.

        Args:
            wavelengths_nm: Must be 400..700 nm in steps of 10 when given: the table has those rows only.

        Returns:
            Eq. (1), at factor 32 as used for all published CAVE numbers.

        Raises:
            DatasetNotFoundError: If the response table is not there.
            SensorError: If it cannot be read as one.
            WavelengthError: For other wavelengths, of the cube or of the table.
            SensorError: If the scenes do not cover a band of another guide.
        """
        if wavelengths_nm is not None and (
            np.shape(wavelengths_nm) != WAVELENGTHS_NM.shape
            or not np.allclose(wavelengths_nm, WAVELENGTHS_NM, atol=0.5)
        ):
            raise WavelengthError(
                f"{np.size(wavelengths_nm)} band centres that are not CAVE's",
                expected="the 31 centres 400, 410, ... 700 nm",
                do="pass cubes that Cave.load returned",
            )
        exact = self.factor == EXACT_FACTOR
        spatial = SpatialResponse.cave_x32() if exact else SpatialResponse.gaussian(self.factor)
        if self._guide is not None:
            return Observation(self._guide.response(WAVELENGTHS_NM.size, WAVELENGTHS_NM), spatial)
        table = self.root / RESPONSE_FILE
        if not table.is_file():
            raise DatasetNotFoundError(
                f"the camera response '{table}' is missing",
                expected="a CSV with columns wavelength_nm, red, green, blue and 31 rows from 400 to 700 nm "
                "(the Nikon D700 table R of MHF-net, each column summing to 1)",
                do="save that table there",
            )
        spectral = SpectralResponse.from_table(load_sensor(table), WAVELENGTHS_NM)
        return Observation(spectral, spatial)

    def _cube(self, values: FloatArray, scene: str) -> xr.DataArray:
        cube = as_cube(values, wavelengths_nm=WAVELENGTHS_NM)
        cube.name = f"{self.name}/{scene}"
        return cube


def _read_jp2(path: Path, bits: int) -> FloatArray:
    """Read a packed scene (31, H, W) on the scale of the 16-bit originals, 0..1."""
    values = open_cube(path).values.astype(np.float64)
    if values.shape[0] != WAVELENGTHS_NM.size:
        raise CubeFormatError(f"'{path}' has {values.shape[0]} bands", expected="31 bands", do="get the file again")
    if values.max() > 2**bits:
        raise CubeFormatError(
            f"'{path}' has values up to {values.max():.0f}",
            expected=f"the top {bits} bits of the 16-bit originals, at most {2**bits}",
            do=f"check that it lies in the right folder (train: {JP2_BITS['train']} bits, "
            f"test: {JP2_BITS['test']} bits)",
        )
    # rounding up the last code of the top bits can pass 65535 by less than one code
    scaled: FloatArray = np.minimum(values * 2.0 ** (16 - bits) / 65535.0, 1.0).astype(np.float32)
    return scaled
