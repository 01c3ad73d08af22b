"""A method built with the options that were given and that it takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from hsrdiff.errors import WeightsError
from hsrdiff.fusers import FUSERS, Fuser, HsrDiff, make_fuser
from hsrdiff.jobs.pair import Pair
from hsrdiff.networks.weights import read_card, shipped_weights
from hsrdiff.typing import PathLike


def prepare_fuser(
    method: str,
    pair: Pair,
    *,
    weights: PathLike | None,
    steps: int | None,
    std: bool,
    progress: Callable[[int, int], None] | None,
) -> Fuser:
    """Build a method with the options that were given and that it takes.

    Args:
        method: A name in `hsrdiff.fusers.FUSERS`.
        pair: The images, whose bands decide which shipped weights fit.
        weights: Weights of a learned method: a path or a shipped name; shipped ones that fit when None.
        steps: Sampling steps of a method that samples; its own default when None.
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
    takes = inspect.signature(FUSERS[method].make).parameters
    if method == HsrDiff.name and weights is None:
        options["weights"] = _fitting_weights(pair)
    if "peak" in takes:
        options["peak"] = 1.0  # the scene is in units of the peak by the time the method sees it
    if "std" in takes:
        options["std"] = std
    if "on_step" in takes and progress is not None:
        options["on_step"] = progress
    return make_fuser(method, **options)


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
