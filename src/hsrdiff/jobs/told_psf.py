"""What the user says about the PSF, turned into D of Eq. (1)."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hsrdiff.errors import InputError
from hsrdiff.observation import SpatialResponse
from hsrdiff.observation.spatial import FWHM_PER_SIGMA
from hsrdiff.typing import FloatArray, PathLike

GAUSSIAN, ESTIMATED = "gaussian", "estimated"


def is_estimated(psf: PathLike | npt.ArrayLike | None) -> bool:
    """Return whether the user asks for the PSF to be found from the pair.

    Args:
        psf: What the user says about it.
    """
    return isinstance(psf, str) and psf.lower() == ESTIMATED


def psf_path(psf: PathLike | npt.ArrayLike | None) -> PathLike | None:
    """Return the file of the kernel that the user names, or None where no file is named.

    Args:
        psf: What the user says about the PSF.
    """
    if isinstance(psf, os.PathLike):
        return psf
    return psf if isinstance(psf, str) and psf.lower() not in (GAUSSIAN, ESTIMATED) else None


def told_psf(psf: PathLike | npt.ArrayLike | None, psf_fwhm: float | None, factor: int) -> SpatialResponse:
    """Build D from what the user says about the PSF.

    Args:
        psf: None or ``"gaussian"``, the path of a kernel (.npy or .csv), or the kernel itself (K, K) in HR pixels.
        psf_fwhm: Full width at half maximum of the Gaussian in LR pixels, > 0; 1 when None.
        factor: H / h.

    Returns:
        D.

    Raises:
        InputError: The width or the kernel cannot be used, both are given, or the PSF is to be estimated, which only
            `fuse` does.
    """
    if is_estimated(psf):
        raise InputError(
            f"the PSF is to be '{ESTIMATED}', which only fuse does",
            expected=f"'{GAUSSIAN}', or the path of a square kernel",
            do="leave it out: check estimates it in any case, and quality takes what the fused file remembers",
        )
    if psf is None or (isinstance(psf, str) and psf.lower() == GAUSSIAN):
        psf_fwhm = 1.0 if psf_fwhm is None else psf_fwhm
        if not (math.isfinite(psf_fwhm) and psf_fwhm > 0):
            raise InputError(
                f"the PSF's full width at half maximum is {psf_fwhm}", expected="a positive number of LR pixels"
            )
        width = psf_fwhm * factor
        # P17: at one LR pixel this is SpatialResponse.gaussian's own size; a wider PSF gets more room.
        size = factor + 2 * math.ceil(width / 2)
        return SpatialResponse.gaussian(factor, sigma=width / FWHM_PER_SIGMA, size=size)
    if psf_fwhm is not None:
        raise InputError(
            f"a kernel is given as the PSF, and {psf_fwhm} as the width of a Gaussian",
            expected="one of the two",
            do="leave out --psf-fwhm, or --psf",
        )
    path = psf_path(psf)
    kernel = np.asarray(psf, dtype=np.float64) if path is None else _read_kernel(Path(path))
    return SpatialResponse.from_kernel(kernel, factor)


def _read_kernel(path: Path) -> FloatArray:
    """Read a kernel as numbers only; a .npy file that would need unpickling is refused."""
    try:
        if path.suffix.lower() == ".npy":
            return np.asarray(np.load(path, allow_pickle=False), dtype=np.float64)
        return np.atleast_2d(np.loadtxt(path, delimiter=",", dtype=np.float64))
    except (OSError, EOFError, ValueError) as error:
        raise InputError(
            f"the PSF '{path}' could not be read as a kernel ({str(error).rstrip('.')})",
            expected=f"'{GAUSSIAN}', or the path of a square kernel as .npy or comma-separated .csv",
        ) from error
