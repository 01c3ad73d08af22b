"""What a file says about its bands: wavelengths and widths in nanometres, good bands, names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hsrdiff.errors import CubeFormatError

if TYPE_CHECKING:
    import numpy.typing as npt
    import xarray as xr

    from hsrdiff.typing import BoolArray, FloatArray

# Attribute of products whose bands are sharp-edged: "box", each response one between half-maximum edges.
BAND_SHAPE = "hsrdiff_band_shape"

_NM_PER_UNIT = {
    "nm": 1.0, "nanometer": 1.0, "nanometers": 1.0, "nanometre": 1.0, "nanometres": 1.0,
    "um": 1e3, "µm": 1e3, "μm": 1e3, "micron": 1e3, "microns": 1e3,
    "micrometer": 1e3, "micrometers": 1e3, "micrometre": 1e3, "micrometres": 1e3,
    "angstrom": 0.1, "angstroms": 0.1, "å": 0.1,
    "mm": 1e6, "millimeters": 1e6, "m": 1e9, "meters": 1e9, "metre": 1e9,
}  # fmt: skip
_WAVENUMBERS = {"cm-1", "cm^-1", "1/cm", "wavenumber", "wavenumbers"}
_NO_UNITS = {"", "unknown", "none"}
_NOT_WAVELENGTHS = {"index"}

_WAVELENGTH_NAMES = {
    "wavelength", "wavelengths", "wave", "waves", "wavelen", "wavelens", "wl", "wls", "wv", "lambda", "lambdas",
    "center", "centers", "centre", "centres", "bandcenters", "bandcentres", "centralwavelength",
    "centralwavelengths", "centerwavelength", "centerwavelengths",
}  # fmt: skip
_FWHM_NAMES = {"fwhm", "fwhms", "bandwidth", "bandwidths"}
_GOOD_NAMES = {"goodband", "goodbands", "goodwavelengths", "bbl"}
_UNIT_SUFFIXES = {"nm": "nm", "um": "um", "nanometers": "nm", "micrometers": "um"}


@dataclass(frozen=True)
class SpectralAxis:
    """The bands of a cube as a file describes them; each part is None where the file is silent.

    Args:
        wavelengths_nm: Band centres, shape (bands,), nm.
        fwhm_nm: Full widths at half maximum, shape (bands,), nm.
        good_band: False where the file marks a band as bad, shape (bands,).
        band_names: One name a band.
        notes: Entries for the cube's attributes, such as units that had to be assumed.
    """

    wavelengths_nm: FloatArray | None = None
    fwhm_nm: FloatArray | None = None
    good_band: BoolArray | None = None
    band_names: tuple[str, ...] | None = None
    notes: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_cube(cls, cube: xr.DataArray) -> SpectralAxis:
        """Read the axis back from a cube's coordinates.

        Args:
            cube: A cube with any of ``wavelength``, ``fwhm``, ``good_band`` and ``band_name`` along ``band``.

        Returns:
            The axis, without notes.
        """
        found = {name: cube.coords[name].values for name in BAND_COORDINATES if name in cube.coords}
        names = found.get("band_name")
        return cls(
            wavelengths_nm=found.get("wavelength"),
            fwhm_nm=found.get("fwhm"),
            good_band=found.get("good_band"),
            band_names=None if names is None else tuple(str(name) for name in names),
        )

    @classmethod
    def of_units(
        cls,
        wavelengths: npt.ArrayLike | None,
        units: str | None,
        fwhm: npt.ArrayLike | None = None,
        good_band: npt.ArrayLike | None = None,
        band_names: Sequence[str] | None = None,
    ) -> SpectralAxis:
        """Convert what a file states to nanometres; see `to_nanometres`.

        Args:
            wavelengths: Band centres in `units`, shape (bands,).
            units: Their units as the file writes them; None or empty where it does not.
            fwhm: Widths in the same units, shape (bands,).
            good_band: Non-zero for a good band, shape (bands,).
            band_names: One name a band.

        Returns:
            The axis.

        Raises:
            CubeFormatError: The units are not known.
        """
        notes: dict[str, str] = {}
        centres = widths = None
        if wavelengths is not None and (units or "").strip().lower() not in _NOT_WAVELENGTHS:
            centres, widths, note = to_nanometres(wavelengths, units, fwhm)
            if note:
                notes["wavelength_note"] = note
        return cls(
            centres,
            widths,
            None if good_band is None else np.asarray(good_band).astype(bool),
            None if band_names is None else tuple(band_names),
            notes,
        )


BAND_COORDINATES = ("wavelength", "fwhm", "good_band", "band_name")


def band_numbers(cube: xr.DataArray, name: str) -> FloatArray | None:
    """Return a coordinate along the bands as float64.

    Args:
        cube: (band, y, x).
        name: ``"wavelength"`` or ``"fwhm"``.

    Returns:
        (B,) in nm, or None where the cube does not have it.
    """
    return np.asarray(cube[name].values, dtype=np.float64) if name in cube.coords else None


def to_nanometres(
    wavelengths: npt.ArrayLike, units: str | None, fwhm: npt.ArrayLike | None = None
) -> tuple[FloatArray, FloatArray | None, str]:
    """Convert wavelengths and widths to nanometres; without units, values under 100 are micrometres.

    A wavenumber n (1/cm) is 1e7 / n nm, and a width w about it spans ``1e7 / (n - w/2) - 1e7 / (n + w/2)``.

    Args:
        wavelengths: Band centres, shape (bands,).
        units: ``nm``, ``um``, ``Micrometers``, ``angstrom``, ``cm-1`` and the like, in any case.
        fwhm: Widths in the same units, shape (bands,).

    Returns:
        Centres (nm), widths (nm) or None, and a sentence where the units were assumed (else empty).

    Raises:
        CubeFormatError: The units are not known.
    """
    centres = np.asarray(wavelengths, np.float64)
    widths = None if fwhm is None else np.asarray(fwhm, np.float64)
    unit = (units or "").strip().lower()
    note = ""
    if unit in _NO_UNITS:
        unit = "um" if centres.size and np.nanmax(centres) < 100 else "nm"
        note = f"the file states no wavelength units; {unit} was assumed from the values"
    if unit in _WAVENUMBERS:
        if widths is not None:
            widths = 1e7 / (centres - widths / 2) - 1e7 / (centres + widths / 2)
        return 1e7 / centres, widths, note
    if unit not in _NM_PER_UNIT:
        raise CubeFormatError(
            f"the wavelength units are '{units}'",
            expected="nanometers, micrometers, angstrom or cm-1",
            do="correct the units in the file",
        )
    scale = _NM_PER_UNIT[unit]
    if scale == 1:
        return centres, widths, note
    # Numerics: 0.6523 um * 1e3 is 652.3000000000001; nine decimals of a nm are more than any file holds
    return _tidy(centres * scale), None if widths is None else _tidy(widths * scale), note


def _tidy(numbers: FloatArray) -> FloatArray:
    return np.asarray(np.round(numbers, 9), np.float64)


def find_vectors(arrays: Mapping[str, npt.NDArray[Any]], lengths: Sequence[int]) -> dict[str, str]:
    """Pick, among named arrays, those that describe bands by their name and length.

    Args:
        arrays: Arrays by name (``Wavelengths_nm``, ``wl``, ``lambda``, ``centers``, ``fwhm``, ``bbl``, ...).
        lengths: The lengths an axis of bands may have.

    Returns:
        The names found, by ``"wavelength"``, ``"fwhm"`` and ``"good_band"``.
    """
    found: dict[str, str] = {}
    for name, array in arrays.items():
        if array.size not in lengths or max(array.shape, default=0) != array.size or array.dtype.kind not in "iufb":
            continue
        word, _ = _word_and_unit(name)
        for role, words in (("wavelength", _WAVELENGTH_NAMES), ("fwhm", _FWHM_NAMES), ("good_band", _GOOD_NAMES)):
            if word in words and role not in found:
                found[role] = name
    return found


def axis_from_vectors(arrays: Mapping[str, npt.NDArray[Any]], bands: int, units: str | None = None) -> SpectralAxis:
    """Build the axis from named arrays that came with a cube; names such as ``wavelength_nm`` state the units.

    Args:
        arrays: Arrays by name.
        bands: The number of bands.
        units: The units where the file states them in another place.

    Returns:
        The axis; empty where no array fits.
    """
    found = find_vectors(arrays, [bands])
    vectors = {role: np.asarray(arrays[name]).reshape(-1) for role, name in found.items()}
    centres = vectors.get("wavelength")
    if centres is not None and (not np.isfinite(centres).all() or (centres <= 0).any()):
        return SpectralAxis(notes={"wavelength_note": f"'{found['wavelength']}' holds no positive wavelengths"})
    unit = units or (_word_and_unit(found["wavelength"])[1] if "wavelength" in found else None)
    return SpectralAxis.of_units(centres, unit, vectors.get("fwhm"), vectors.get("good_band"))


def _word_and_unit(name: str) -> tuple[str, str | None]:
    """Split ``metadata/Wavelength_nm`` into ``("wavelength", "nm")``."""
    word = "".join(c for c in name.rsplit("/", 1)[-1].lower() if c.isalnum())
    for suffix, unit in _UNIT_SUFFIXES.items():
        if word.endswith(suffix) and word != suffix:
            return word.removesuffix(suffix), unit
    return word, None
