"""The methods that the experiments compare, made as cheaply as they give the same estimate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from hsrdiff.fusers import Fuser, make_fuser

METHODS = ("bicubic", "regression", "regression-projected", "kriging")
WITH_LEARNED = (*METHODS, "kriging-learned")


def methods(names: Sequence[str] = METHODS) -> Mapping[str, Callable[[], Fuser]]:
    """Return methods by name.

    Args:
        names: Names in `hsrdiff.fusers.FUSERS`.

    Returns:
        Name -> makes the method; kriging without its standard deviation, which no score reads.
    """
    options = {name: {"std": False} for name in ("kriging", "kriging-learned")}
    return {name: partial(make_fuser, name, **options.get(name, {})) for name in names}
