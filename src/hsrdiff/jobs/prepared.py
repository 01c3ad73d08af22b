"""A method built for a pair with what the user asked of it, and what a fused file says about that."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hsrdiff.choice.adapted import AdaptedResidual
from hsrdiff.errors import InputError, WeightsError, did_you_mean
from hsrdiff.fusers import FUSERS, Fuser, HsrDiff, make_fuser
from hsrdiff.fusers.band_transfer import BandTransfer
from hsrdiff.fusers.learned import OnePass
from hsrdiff.jobs.named_file import NamedFile
from hsrdiff.jobs.named_options import write_options
from hsrdiff.jobs.pair import Pair
from hsrdiff.networks.weights import read_card, shipped_weights
from hsrdiff.typing import PathLike

# Options that have a place of their own, or that a pair decides
_TOLD = {
    "weights": "--weights",
    "steps": "--steps",
    "std": "--std, which asks for the deviation",
    "peak": "--peak",
    "on_step": "none: progress is shown",
}


def prepare_fuser(
    method: str,
    pair: Pair,
    *,
    weights: PathLike | None = None,
    steps: int | None = None,
    more: Mapping[str, object] | None = None,
    interpolate: bool = False,
    std: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Fuser:
    """Build a method with the options that were given and that it takes.

    Args:
        method: A name in `hsrdiff.fusers.FUSERS`.
        pair: The images, whose bands decide which shipped weights fit.
        weights: Weights of a learned method: a path or a shipped name; shipped ones that fit when None.
        steps: Sampling steps of a method that samples; its own default when None.
        more: Other options of the method's constructor.
        interpolate: Whether the weights are for other bands, to which the images are to be interpolated.
        std: Whether its standard deviation is of use.
        progress: Called with the steps done and the steps in all.

    Returns:
        The method, for a scene in units of the peak.

    Raises:
        WeightsError: No shipped weights fit.
        InputError: An option is not one of the method's.
    """
    options: dict[str, object] = {
        name: value for name, value in (("weights", weights), ("steps", steps)) if value is not None
    }
    takes = FUSERS[method].options
    for name in options:
        if not _takes(method, name):
            raise InputError(
                f"the method '{method}' takes no --{name}",
                expected=f"one that does: {', '.join(able for able in FUSERS if _takes(able, name))}",
                do=f"leave out --{name}, or choose another method",
            )
    for name in more or {}:
        if name in _TOLD and (name != "weights" or _takes(method, name)):
            raise InputError(
                f"the option '{name}' is given among those of the method",
                expected=_TOLD[name],
                do="leave it out there",
            )
    options |= more or {}
    if interpolate and weights is None:
        raise no_weights(method)
    if method == HsrDiff.name and weights is None:
        options["weights"] = _fitting_weights(pair)
    if "peak" in takes:
        options["peak"] = 1.0  # the scene is in units of the peak by the time the method sees it
    if "std" in takes:
        options["std"] = std
    if "on_step" in takes and progress is not None:
        options["on_step"] = progress
    fuser = make_fuser(method, **options)
    if not interpolate:
        return fuser
    if not isinstance(fuser, HsrDiff | OnePass):
        raise InputError(
            f"the bands are to be interpolated for the method '{method}', whose weights are for any number of bands",
            expected="weights that were trained on bands of their own",
            do="leave out --interpolate-bands",
        )
    return BandTransfer(fuser)


def check_options(options: Mapping[str, object] | None, method: str) -> None:
    """Make sure, before any work, that options are given to a method that is named.

    Args:
        options: Options of its constructor, or None.
        method: The method asked for.

    Raises:
        InputError: The method is chosen later, or does not take one.
    """
    if not options:
        return
    if method not in FUSERS:
        raise InputError(
            f"options of a method are given ({', '.join(options)}), and the method is '{method}'",
            expected="the method that they are for",
            do="name it with --method, or leave them out",
        )
    known = FUSERS[method].options
    for name in options:
        if name not in known:
            do = did_you_mean(name, known) if known else "leave it out: the method has no options"
            raise InputError(f"the method '{method}' has no option '{name}'", do=do)


def _takes(method: str, option: str) -> bool:
    """Return whether a method takes weights from a file, or steps."""
    parameter = FUSERS[method].options.get(option)
    # what utv-td calls weights are four numbers
    return parameter is not None and not isinstance(parameter.default, tuple)


def made_with(
    fuser: Fuser, weights: PathLike | None, steps: int | None, more: Mapping[str, object] | None = None
) -> dict[str, str]:
    """Return what a fused file has to remember of the options, so that its method can be run so again.

    Args:
        fuser: The method that made it.
        weights: The weights that the user named for it, or None.
        steps: The steps, likewise.
        more: Other options, likewise.

    Returns:
        Attributes by name.
    """
    record = {}
    if weights is not None:
        record.update(NamedFile.given("weights", weights).record())
    if steps is not None:
        record["hsrdiff_steps"] = str(steps)
    if more:
        record["hsrdiff_options"] = write_options(more)
    if isinstance(fuser, BandTransfer):
        record["hsrdiff_interpolated_bands"] = "yes"
    if isinstance(fuser, AdaptedResidual):
        record["hsrdiff_adapt"] = f"{fuser.seconds:g}"
    return record


def no_weights(method: str) -> InputError:
    """Say that bands are to be interpolated for weights that were not named.

    Args:
        method: The method asked for.
    """
    return InputError(
        f"the bands are to be interpolated to those of weights, and none are named for the method '{method}'",
        expected="weights that were trained on other bands",
        do="name them with --weights, or leave out --interpolate-bands",
    )


def _fitting_weights(pair: Pair) -> PathLike:
    """Pick the shipped weights for these band counts."""
    bands, msi_bands = pair.hsi.sizes["band"], pair.msi.sizes["band"]
    shipped = shipped_weights()
    for path in shipped.values():
        _, card = read_card(path)
        if (card.bands, card.msi_bands) == (bands, msi_bands):
            return path
    raise WeightsError(
        f"no shipped weights are for {bands} hyperspectral and {msi_bands} multispectral bands",
        expected="weights trained on such images",
        do="train some with 'hsrdiff train' and name them with --weights, or use the method regression",
    )
