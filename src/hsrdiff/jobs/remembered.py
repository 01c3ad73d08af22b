"""What a fused file remembers of how it was made, and the R and D that follow from it."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from hsrdiff.cubes.record import record_of
from hsrdiff.errors import InputError, SensorError
from hsrdiff.jobs.bent import bent
from hsrdiff.jobs.chosen import usable_sensor
from hsrdiff.jobs.images import Image
from hsrdiff.jobs.matched import read_match
from hsrdiff.jobs.named_file import NamedFile
from hsrdiff.jobs.named_options import found_options, read_options
from hsrdiff.jobs.pair import Pair
from hsrdiff.jobs.scaling import read_gain
from hsrdiff.jobs.told import own_sensor, told_sensor
from hsrdiff.jobs.told_psf import told_psf
from hsrdiff.observation import BandMatch, SpatialResponse, SpectralResponse
from hsrdiff.observation.gaussian_psf import gaussian_kernel
from hsrdiff.observation.shift_field import ShiftField
from hsrdiff.observation.spatial import FWHM_PER_SIGMA
from hsrdiff.sensors import Sensor
from hsrdiff.typing import PathLike

_GAUSSIAN = re.compile(r"Gaussian sigma (\S+) px, (\d+) x \d+ px, (?:(\w+) border, )?block-")
_ESTIMATED = re.compile(
    r"(estimated Gaussian sigma (\S+) px, centre (\S+), (\S+) px), (\d+) x \d+ px, (?:(\w+) border, )?block-"
)
_MOVED = re.compile(r"([-+.\deE]+) rows, ([-+.\deE]+) columns")


@dataclass(frozen=True)
class Remembered:
    """The record of a fused cube.

    Attributes:
        method: Name of the method that made it, or None.
        sensor: Name of the sensor and of its bands, ``"sentinel2: B2, B3"``, or None where R was fitted.
        psf: D as `SpatialResponse.describe` writes it, or None.
        peak: Value that meant 1, or None.
        gain: What the MSI's values were divided by to be in the HSI's unit.
        moved: (rows, columns) in fine pixels by which the HSI was moved before fusing.
        match: How the MSI's bands were matched, in words, or None.
        bend: The field by which the MSI was resampled after that, or None.
        weights: Weights that the method was given, or None.
        psf_file: The file of the kernel D, or None.
        srf: The table of the sensor's responses, or None for a sensor that comes with hsrdiff.
        steps: Steps that it was given, or None.
        more: Other options that it was given.
        seed: Seed of what it drew.
        interpolated: Whether the bands were interpolated to those of the weights.
        variables: What was read of the files of the images, by ``"hsi"`` and ``"msi"``, where it was asked for.
        beside: The path of the fused cube, or None where it is no file.
        factor: H / h, or None.
    """

    method: str | None = None
    sensor: str | None = None
    psf: str | None = None
    peak: float | None = None
    gain: float = 1.0
    moved: tuple[float, float] = (0.0, 0.0)
    match: str | None = None
    bend: ShiftField | None = None
    weights: NamedFile | None = None
    psf_file: NamedFile | None = None
    srf: NamedFile | None = None
    steps: int | None = None
    more: Mapping[str, object] = field(default_factory=dict)
    seed: int = 0
    interpolated: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    beside: PathLike | None = None
    factor: int | None = None

    @classmethod
    def of(cls, attributes: Mapping[Any, Any], beside: Image | None = None) -> Remembered:
        """Read the attributes of a cube.

        Args:
            attributes: Those of the fused cube.
            beside: The cube as it is given, where files that it names may be near.

        Returns:
            What they say; None for what they do not.
        """
        record = record_of(attributes)
        method, sensor, psf, match = (
            str(record[f"hsrdiff_{name}"]) if f"hsrdiff_{name}" in record else None
            for name in ("method", "sensor", "psf", "match")
        )
        try:
            peak = float(record["hsrdiff_peak"])
        except (KeyError, ValueError):
            peak = math.nan
        found = _MOVED.fullmatch(str(record.get("hsrdiff_moved", "")))
        moved = (float(found[1]), float(found[2])) if found is not None else (0.0, 0.0)
        return cls(
            method,
            sensor,
            psf,
            peak if 0 < peak < math.inf else None,
            read_gain(str(record.get("hsrdiff_units", ""))) or 1.0,
            moved,
            match,
            ShiftField.from_text(str(record.get("hsrdiff_bend", ""))),
            NamedFile.of(record, "weights"),
            NamedFile.of(record, "psf_file"),
            NamedFile.of(record, "srf"),
            _whole(record.get("hsrdiff_steps")),
            read_options(record.get("hsrdiff_options")),
            _whole(record.get("hsrdiff_seed")) or 0,
            "hsrdiff_interpolated_bands" in record,
            {
                image: str(record[f"hsrdiff_{image}_variable"])
                for image in ("hsi", "msi")
                if f"hsrdiff_{image}_variable" in record
            },
            beside if isinstance(beside, str | os.PathLike) else None,
            _whole(record.get("hsrdiff_factor")),
        )

    def variable_of(self, image: Image, which: str, named: str | None) -> str | None:
        """Return what to read of the file of an image: what the user names, else what the file remembers.

        Args:
            image: The image as it is given.
            which: ``"hsi"`` or ``"msi"``.
            named: What the user names, or None.

        Returns:
            A variable as `open_cube` takes it; None for its default, and for an image that is no file.
        """
        is_file = isinstance(image, str | os.PathLike)
        return named if named is not None or not is_file else self.variables.get(which)

    def placed(self, pair: Pair) -> Pair:
        """Put a pair where it lay when it was fused.

        Args:
            pair: The two images as they are given.

        Returns:
            The pair, the HSI moved and the MSI resampled as the file remembers.
        """
        if any(self.moved):
            pair = pair.moved(*self.moved)
        return pair if self.bend is None else bent(pair, self.bend)

    def options(
        self, method: str, weights: PathLike | None, steps: int | None
    ) -> tuple[PathLike | None, int | None, Mapping[str, object], bool]:
        """Return weights, steps, other options and whether bands are interpolated, to run a method as it was run.

        Args:
            method: The method to run; what the file remembers is for the one that made it only.
            weights: Weights that the user names, or None.
            steps: Steps that the user names, or None.

        Returns:
            What the user names, else what the file remembers, else None.

        Raises:
            WeightsError: The file of the weights is gone or another one.
        """
        if method != self.method:
            return weights, steps, {}, False
        if weights is None and self.weights is not None:
            weights = self.weights.find(self.beside)
        return weights, self.steps if steps is None else steps, found_options(self.more, self.beside), self.interpolated

    def spatial(self, psf: PathLike | npt.ArrayLike | None, psf_fwhm: float | None, factor: int) -> SpatialResponse:
        """Return D as the user tells it, else as the file remembers it, else the Gaussian that `fuse` takes.

        Args:
            psf: As `fuse` takes it.
            psf_fwhm: Full width at half maximum of the Gaussian in LR pixels, or None.
            factor: H / h.

        Returns:
            D.

        Raises:
            InputError: The file was made with a kernel that is not named or gone, or what is told is no PSF.
        """
        if psf is not None or psf_fwhm is not None or self.psf is None:
            return told_psf(psf, psf_fwhm, factor)
        if self.psf_file is not None:
            return told_psf(self.psf_file.find(self.beside), None, factor)
        estimated = _ESTIMATED.match(self.psf)
        if estimated is not None:
            name, sigma, down, right, size, border = estimated.groups()
            kernel = gaussian_kernel(float(sigma), (float(down), float(right)), int(size))
            return SpatialResponse(kernel, factor, border=border or "symmetric", name=name)
        found = _GAUSSIAN.match(self.psf)
        if found is None:
            raise InputError(
                f"the fused cube was made with the PSF '{self.psf}', which cannot be made again from its name",
                expected="the kernel itself",
                do="name it with --psf, or give the width of a Gaussian with --psf-fwhm",
            )
        sigma = float(found[1])
        # the record has four digits: a width that was given with three comes back as it was
        as_told = told_psf(None, float(f"{sigma * FWHM_PER_SIGMA / factor:.3g}"), factor)
        if as_told.describe() == self.psf:
            return as_told
        return SpatialResponse.gaussian(factor, sigma=sigma, size=int(found[2]), border=found[3] or "symmetric")

    def gain_of(self, spectral: SpectralResponse | None) -> float | None:
        """Return the MSI's unit in units of the HSI, where the file was made with a known R and so fixed it.

        Args:
            spectral: R; where it is not known it is fitted with the unit that the pair seems to have.

        Returns:
            The gain, or None where it is to be found from the pair.
        """
        return None if spectral is None or self.sensor is None else self.gain

    def match_of(self, spectral: SpectralResponse | None, pair: Pair) -> BandMatch | None:
        """Return how the MSI's bands were matched before fusing.

        Args:
            spectral: R; where it is not known nothing is matched.
            pair: The two images.

        Returns:
            Gains and offsets, or None where the bands were taken as they are.
        """
        if spectral is None or self.match is None:
            return None
        return read_match(self.match, pair.msi.sizes["band"])

    def known_sensor(
        self, pair: Pair, sensor: str | Sensor | None, srf: PathLike | None, bands: Sequence[str] | None
    ) -> Sensor | None:
        """Return the sensor that the user names, else the one that the file remembers, else what the image says.

        Args:
            pair: The two images.
            sensor: As `fuse` takes it.
            srf: Likewise.
            bands: Likewise.

        Returns:
            The sensor, or None where R has to be fitted to the pair, as `fuse` did.

        Raises:
            InputError: The file was made with a sensor that is not shipped and not named.
            SensorError: The sensor or a band does not exist, or its table is gone or another one.
            ShapeError: The sensor does not have as many bands as the image.
        """
        named = told_sensor(sensor, srf, bands, msi=pair.msi)
        if named is not None:
            return named
        if self.sensor is None:
            return usable_sensor(pair) if self.method is None else None
        name, _, names = self.sensor.rpartition(": ")
        own_bands = [band.strip() for band in names.split(",")]
        if self.srf is not None:
            return told_sensor(None, self.srf.find(self.beside), own_bands, msi=pair.msi)
        own = own_sensor(pair.msi)
        if own is not None and own.name == name:
            return own
        try:
            return told_sensor(name, None, own_bands, msi=pair.msi)
        except SensorError as error:
            raise InputError(
                f"the fused cube was made with the sensor '{self.sensor}', which does not come with hsrdiff",
                expected="its table of responses",
                do="name it with --srf",
            ) from error


def _whole(text: object) -> int | None:
    """Return a whole number that a record holds, as a number or as text; None for anything else."""
    try:
        return int(str(text))
    except ValueError:
        return None
