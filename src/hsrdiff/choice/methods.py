"""The methods that are compared on a pair, in the order that decides between equals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from hsrdiff.errors import WeightsError
from hsrdiff.fusers import FUSERS, Fuser, make_fuser

AUTO = "auto"
# methods that are as good as each other are taken in this order; any other is compared only where it is asked for
PREFERRED = ("hsr-diff-residual", "kriging-learned", "kriging", "regression-projected", "regression", "bicubic")

Make = Callable[[], Fuser]


def candidates(extra: Mapping[str, Make] | None = None) -> dict[str, Make]:
    """Return the methods to compare, made without what a comparison does not read.

    Args:
        extra: Further methods, name -> makes the method, put behind the others.

    Returns:
        Name -> makes the method, in the order that decides between equals; a method of `PREFERRED` that is not in
        the catalog, or whose weights did not come with the installation, is left out.
    """
    found: dict[str, Make] = {}
    for name in PREFERRED:
        if name not in FUSERS:
            continue
        options = {"std": False} if "std" in FUSERS[name].options else {}
        make = partial(make_fuser, name, **options)
        try:
            make()
        except WeightsError:
            continue
        found[name] = make
    return found | dict(extra or {})
