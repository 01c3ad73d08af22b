"""R of Eq. (1), X = R Z: each MSI band is a weighted mean of the HSI bands."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from hsrdiff.errors import InvalidValueError, SensorError, ShapeError, WavelengthError
from hsrdiff.sensors import Sensor
from hsrdiff.typing import HRHSI, MSI, FloatArray

MIN_COVERAGE, GOOD_COVERAGE = 0.05, 0.90
_FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))
_NODES = 321  # quadrature points across one HSI band
_GAP = 3.0  # centres further apart than this many median spacings have a hole between them


class CoverageWarning(UserWarning):
    """A sensor band lies partly outside the hyperspectral range."""


class SpectralResponse:
    """R of Eq. (1): ``X[i] = sum_j R[i, j] Z[j]``.

    Args:
        matrix: R, shape (b, B), finite.
        band_names: Names of the b MSI bands, or none.

    Raises:
        ShapeError: The matrix is not (b, B), or the names are not b.
        InvalidValueError: The matrix holds NaN or infinite values.
    """

    def __init__(self, matrix: torch.Tensor | npt.ArrayLike, band_names: Sequence[str] = ()) -> None:
        self.matrix = torch.as_tensor(matrix).detach().to("cpu", torch.float64, copy=True)
        self.band_names = tuple(band_names)
        if self.matrix.ndim != 2 or not self.matrix.numel():
            raise ShapeError(f"R has shape {tuple(self.matrix.shape)}", expected="(MSI bands, HSI bands)")
        if self.band_names and len(self.band_names) != self.msi_bands:
            raise ShapeError(f"R has {self.msi_bands} rows but {len(self.band_names)} band names")
        if not torch.isfinite(self.matrix).all():
            raise InvalidValueError("R contains NaN or infinite values", expected="finite weights")

    @property
    def msi_bands(self) -> int:
        """b, the number of MSI bands."""
        return int(self.matrix.shape[0])

    @property
    def bands(self) -> int:
        """B, the number of HSI bands."""
        return int(self.matrix.shape[1])

    def apply(self, Z: HRHSI) -> MSI:
        """Return X = R Z, Eq. (1).

        Args:
            Z: Shape (n, B, H, W), floating point.

        Returns:
            X, shape (n, b, H, W), same dtype and device.

        Raises:
            ShapeError: Z does not have B bands.
        """
        self._check(Z, "Z", self.bands)
        # Numerics: under autocast einsum would drop to half precision; R stays in the precision of Z.
        with torch.autocast(Z.device.type, enabled=False):
            return torch.einsum("cb,nbhw->nchw", self.matrix.to(Z), Z)

    def adjoint(self, X: MSI) -> HRHSI:
        """Return R^T X, the exact adjoint: <R Z, X> = <Z, R^T X>.

        Args:
            X: Shape (n, b, H, W), floating point.

        Returns:
            Shape (n, B, H, W), same dtype and device.

        Raises:
            ShapeError: X does not have b bands.
        """
        self._check(X, "X", self.msi_bands)
        with torch.autocast(X.device.type, enabled=False):
            return torch.einsum("cb,nchw->nbhw", self.matrix.to(X), X)

    def __repr__(self) -> str:
        return f"SpectralResponse({self.msi_bands} x {self.bands}: {', '.join(self.band_names)})"

    @staticmethod
    def _check(image: torch.Tensor, letter: str, bands: int) -> None:
        if image.ndim != 4 or image.shape[1] != bands or not image.is_floating_point():
            raise ShapeError(
                f"{letter} has shape {tuple(image.shape)} and type {image.dtype}",
                expected=f"a floating (n, {bands}, H, W), as R has it",
            )

    @classmethod
    def from_sensor(
        cls, sensor: Sensor, wavelengths_nm: npt.ArrayLike, fwhm_nm: npt.ArrayLike | None = None
    ) -> SpectralResponse:
        """Integrate a sensor's responses over the HSI bands, rows normalised to sum 1.

        ``R[i, j] ~ d_j mean(r_i over band j)``: the mean is taken over the band's Gaussian where its FWHM is
        known, else over its interval between the midpoints to its neighbours; d_j is the width of that
        interval, so that dense and overlapping bands do not count twice.

        Args:
            sensor: The MSI's responses.
            wavelengths_nm: Centres of the HSI bands, shape (B,), nm, in any order.
            fwhm_nm: Full widths at half maximum, shape (B,), nm; NaN where unknown.

        Returns:
            R with every row summing to 1.

        Raises:
            WavelengthError: The wavelengths are not usable.
            SensorError: Less than 5 % of a band's response lies inside the HSI bands.

        Warns:
            CoverageWarning: Less than 90 % of a band's response lies inside the HSI bands.
        """
        centres, fwhm = _check_wavelengths(wavelengths_nm, fwhm_nm)
        low, high = _intervals(centres, fwhm)
        _check_coverage(sensor, centres, _covered(sensor, low, high))
        known = np.isfinite(fwhm)
        x = np.linspace(-1.0, 1.0, _NODES)
        # Nodes over +-4 sigma of a Gaussian or over the interval; weights of each band sum to 1.
        nodes = np.where(
            known[:, None],
            centres[:, None] + 4.0 * np.nan_to_num(fwhm)[:, None] / _FWHM_PER_SIGMA * x,
            (low + high)[:, None] / 2 + (high - low)[:, None] / 2 * (x * (_NODES - 1) / _NODES),
        )
        weights = np.where(known[:, None], np.exp(-0.5 * (4.0 * x) ** 2), 1.0)
        weights /= weights.sum(axis=1, keepdims=True)
        matrix = np.empty((len(sensor.bands), centres.size))
        for i, response in enumerate(sensor.response):
            sampled = np.interp(nodes, sensor.wavelengths_nm, response, left=0.0, right=0.0)
            matrix[i] = (high - low) * (sampled * weights).sum(axis=1)
        return cls(matrix / matrix.sum(axis=1, keepdims=True), sensor.bands)

    @classmethod
    def from_table(cls, sensor: Sensor, wavelengths_nm: npt.ArrayLike | None = None) -> SpectralResponse:
        """Use a table that is given exactly at the HSI's bands, rows normalised to sum 1.

        Args:
            sensor: Its grid is the HSI's band centres, as in the 31-row Nikon D700 table of CAVE.
            wavelengths_nm: Centres of the HSI bands to compare the grid with, nm.

        Returns:
            R = the table, with every row summing to 1.

        Raises:
            WavelengthError: The HSI bands are not those of the table.
        """
        if wavelengths_nm is not None:
            centres, _ = _check_wavelengths(wavelengths_nm, None)
            grid = sensor.wavelengths_nm
            if centres.shape != grid.shape or np.abs(centres - grid).max() > 0.5:
                raise WavelengthError(
                    f"the HSI has {centres.size} bands at {centres.min():g}-{centres.max():g} nm but the "
                    f"table of '{sensor.name}' has {grid.size} at {grid[0]:g}-{grid[-1]:g} nm",
                    expected="the same bands within 0.5 nm",
                    do="use SpectralResponse.from_sensor, which integrates the table over the bands",
                )
        rows = sensor.response / sensor.response.sum(axis=1, keepdims=True)
        return cls(rows, sensor.bands)


def coverage(sensor: Sensor, wavelengths_nm: npt.ArrayLike, fwhm_nm: npt.ArrayLike | None = None) -> FloatArray:
    """Share of each sensor band's integral that lies inside the HSI bands.

    Holes of more than three median spacings, such as removed water vapour bands, are not inside.

    Args:
        sensor: The MSI's responses.
        wavelengths_nm: Centres of the HSI bands, shape (B,), nm, in any order.
        fwhm_nm: Full widths at half maximum, shape (B,), nm; NaN where unknown.

    Returns:
        Shape (b,), in [0, 1].

    Raises:
        WavelengthError: The wavelengths are not usable.
    """
    return _covered(sensor, *_intervals(*_check_wavelengths(wavelengths_nm, fwhm_nm)))


def _check_wavelengths(wavelengths_nm: npt.ArrayLike, fwhm_nm: npt.ArrayLike | None) -> tuple[FloatArray, FloatArray]:
    """Return centres and FWHM (NaN where unknown) as float64 (B,), or say what is wrong with them."""
    centres = np.asarray(wavelengths_nm, dtype=np.float64)
    if centres.ndim != 1 or not centres.size or not np.all(np.isfinite(centres)) or np.any(centres <= 0):
        raise WavelengthError(
            f"the wavelengths have shape {centres.shape} or hold values that are not positive numbers",
            expected="one centre in nm for each band",
        )
    if centres.max() < 100.0:
        raise WavelengthError(
            f"the wavelengths end at {centres.max():g}, which looks like micrometres",
            expected="nanometres",
            do="multiply them by 1000",
        )
    fwhm = np.full(centres.shape, np.nan) if fwhm_nm is None else np.asarray(fwhm_nm, dtype=np.float64)
    if fwhm.shape != centres.shape or np.any(fwhm <= 0):
        raise WavelengthError(
            f"the FWHM has shape {fwhm.shape} or holds values that are not positive",
            expected=f"{centres.size} positive widths in nm, NaN where unknown",
        )
    if np.unique(centres).size < 2 and not np.all(np.isfinite(fwhm)):
        raise WavelengthError(
            "the HSI has one wavelength and no FWHM",
            expected="two wavelengths or a FWHM, to know how wide its bands are",
        )
    return centres, fwhm


def _intervals(centres: FloatArray, fwhm: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Edges (low, high) in nm of the part of the spectrum each band stands for; they never overlap."""
    order = np.argsort(centres, kind="stable")
    sorted_centres = centres[order]
    own_half = np.nan_to_num(fwhm[order]) / 2
    spacing = np.diff(sorted_centres)
    typical = float(np.median(spacing[spacing > 0])) if np.any(spacing > 0) else 0.0
    # At a hole, and at both ends, a band reaches as far as a typical neighbour or its own half width.
    reach = np.maximum(own_half, typical / 2)
    left, right = reach.copy(), reach.copy()
    if spacing.size:
        hole = spacing > _GAP * typical
        right[:-1] = np.where(hole, np.minimum(reach[:-1], spacing / 2), spacing / 2)
        left[1:] = np.where(hole, np.minimum(reach[1:], spacing / 2), spacing / 2)
    low, high = np.empty_like(centres), np.empty_like(centres)
    low[order], high[order] = sorted_centres - left, sorted_centres + right
    return low, high


def _covered(sensor: Sensor, low: FloatArray, high: FloatArray) -> FloatArray:
    """Share of each response inside the intervals; exact for responses linear between samples."""
    grid = np.union1d(sensor.wavelengths_nm, np.concatenate([low, high]))
    middle, step = (grid[1:] + grid[:-1]) / 2, np.diff(grid)
    order = np.argsort(low)
    before = np.searchsorted(low[order], middle, side="right") - 1
    inside = (before >= 0) & (middle <= np.maximum.accumulate(high[order])[np.maximum(before, 0)])
    shares = []
    for response in sensor.response:
        sampled = np.interp(grid, sensor.wavelengths_nm, response, left=0.0, right=0.0)
        # The table may end above zero: a cell outside it holds nothing.
        within = (middle > sensor.wavelengths_nm[0]) & (middle < sensor.wavelengths_nm[-1])
        cells = (sampled[1:] + sampled[:-1]) / 2 * step * within
        shares.append(cells[inside].sum() / cells.sum())
    return np.asarray(shares)


def _check_coverage(sensor: Sensor, centres: FloatArray, shares: FloatArray) -> None:
    """Raise under 5 %, warn under 90 %, naming the band and both ranges."""
    first, last = centres.min(), centres.max()
    for band, share, (low, high) in zip(sensor.bands, shares, sensor.ranges_nm(), strict=True):
        found = (
            f"{100 * share:.1f} % of band {band} of sensor '{sensor.name}' ({low:g}-{high:g} nm) lies inside "
            f"the hyperspectral bands ({first:g}-{last:g} nm"
            f"{', with a gap there)' if first < low and high < last else ')'}"
        )
        if share < MIN_COVERAGE:
            raise SensorError(
                f"only {found}",
                expected=f"at least {100 * MIN_COVERAGE:g} %",
                do=f"leave band {band} out of the multispectral image and of the sensor, or check the wavelengths",
            )
        if share < GOOD_COVERAGE:
            warnings.warn(f"only {found}; its simulated values are biased", CoverageWarning, stacklevel=3)
