"""What `fuse` does before a method is chosen by evidence, and with the choice."""

from __future__ import annotations

from collections.abc import Callable

from hsrdiff.choice import AUTO, Choice, candidates, choose
from hsrdiff.choice.adapted import AdaptedResidual
from hsrdiff.errors import HsrdiffError, InputError
from hsrdiff.fusers import FUSERS, Fuser, HsrDiff
from hsrdiff.fusers.kriging import KrigingLearned
from hsrdiff.fusers.kriging.learned_weights import FORMAT as KERNEL_FORMAT
from hsrdiff.fusers.kriging.learned_weights import shipped_kernels
from hsrdiff.fusers.learned import learned_method
from hsrdiff.fusers.options import positive
from hsrdiff.fusers.residual import HsrDiffResidual, shipped_residuals
from hsrdiff.fusers.residual.model import FORMAT as RESIDUAL_FORMAT
from hsrdiff.jobs.pair import Pair
from hsrdiff.jobs.told import fitted_response, own_sensor, told_response
from hsrdiff.networks.store import kind_of
from hsrdiff.observation import Scene
from hsrdiff.sensors import Sensor
from hsrdiff.typing import PathLike

# A response fitted to a pair too small for a comparison is not to be relied upon: methods that lean on it the least,
# among those that give a standard deviation and among all. With a known one the first in order is used, which on such
# pairs is as good as the others or better (`benchmarks.small_pairs`).
WITHOUT_R = {True: "kriging", False: "regression"}


def usable_sensor(pair: Pair) -> Sensor | None:
    """Return the sensor that the MSI describes itself, where R follows from it; else R is fitted to the pair.

    Args:
        pair: The two images.

    Returns:
        The sensor, or None.
    """
    try:
        found = own_sensor(pair.msi)
        if found is None or pair.wavelengths_nm is None:
            return None
        told_response(found, pair.wavelengths_nm, pair.fwhm_nm)
    except HsrdiffError:  # nobody named a sensor: what the files say of their bands is of no use
        return None
    return found


def choose_method(
    scene: Scene,
    *,
    given: Fuser | None,
    adapted: AdaptedResidual | None = None,
    response_known: bool,
    model_error: float,
    std: bool,
    seed: int,
) -> Choice:
    """Compare the methods that fit the pair.

    Args:
        scene: The pair in units of the peak, with its observation and noise levels.
        given: A method that was asked for by its weights or steps: it takes its place among the others, or the last.
        adapted: Residual mode that trains on the pair, where that was asked for: it comes last.
        response_known: Whether R is known, rather than fitted.
        model_error: Part of the noise of X that is no noise, in units of the peak.
        std: Whether only methods that give a standard deviation are of use.
        seed: Decides what a method draws.

    Returns:
        The choice.
    """
    extra: dict[str, Callable[[], Fuser]] = {} if given is None else {given.name: lambda: given}
    if adapted is not None:
        extra[adapted.name] = lambda: adapted
    # the adapted method gives what residual mode gives
    able = {n for n, entry in FUSERS.items() if entry.std} | ({adapted.name} if adapted is not None else set())
    found = {n: make for n, make in candidates(extra).items() if not std or n in able}
    return choose(
        scene,
        found,
        fallback="" if response_known else WITHOUT_R[std],
        seed=seed,
        model_error=model_error,
        fit_response=None if response_known else fitted_response,
    )


def method_of_weights(weights: PathLike) -> str:
    """Return the method that a weights file or shipped weights are for, by what the file says it is.

    Args:
        weights: A path, or the name of shipped weights.

    Returns:
        Name of the method; that of the paper's mode where the file says nothing.
    """
    name = str(weights)
    if name in shipped_residuals() or kind_of(weights) == RESIDUAL_FORMAT:
        return HsrDiffResidual.name
    if name in shipped_kernels() or kind_of(weights) == KERNEL_FORMAT:
        return KrigingLearned.name
    return learned_method(weights) or HsrDiff.name


def adapting(
    seconds: float | None, fuser: Fuser | None, *, response_known: bool, model_error: float, std: bool
) -> AdaptedResidual | None:
    """Return residual mode that trains on the pair, where that was asked for.

    Args:
        seconds: Wall time for the training, or None.
        fuser: The method that was asked for; residual mode is taken in its options.
        response_known: Whether R is known, rather than fitted.
        model_error: Part of the noise of X that is no noise, in units of the peak.
        std: Whether its standard deviation is of use.

    Returns:
        The method, or None.
    """
    if seconds is None:
        return None
    method = fuser if isinstance(fuser, HsrDiffResidual) else HsrDiffResidual(std=std)
    fit_response = None if response_known else fitted_response
    return AdaptedResidual(seconds, method, model_error=model_error, fit_response=fit_response)


def check_adapt(seconds: float | None, method: str) -> None:
    """Make sure, before any work, that a method is used which can be trained on the pair.

    Args:
        seconds: Wall time for the training, or None.
        method: The method asked for.

    Raises:
        InputError: It cannot, or the time is out of range.
    """
    if seconds is None:
        return
    positive("adapt", seconds)
    if method not in (AUTO, HsrDiffResidual.name):
        raise InputError(
            f"the method '{method}' cannot be adapted to the pair",
            expected=f"'{HsrDiffResidual.name}', or '{AUTO}', which compares it with the others",
            do="leave out --adapt, or choose another method",
        )
