"""How many processor threads a job may use."""

from __future__ import annotations

import operator

import dask
import torch
from threadpoolctl import threadpool_limits

from hsrdiff.errors import InputError


def use_threads(threads: int | None) -> None:
    """Set the number of processor threads of all that computes in parallel: torch, NumPy, SciPy and dask.

    Args:
        threads: At least 1; None leaves each library's choice.

    Raises:
        InputError: If it is no whole number of at least 1.
    """
    if threads is None:
        return
    try:
        count = operator.index(threads)
    except TypeError as error:
        raise InputError(f"{threads} threads", expected="a whole number", do="give 1, 2, ...") from error
    if count < 1:
        raise InputError(f"{count} threads", expected="at least 1", do="give the number of processor threads")
    torch.set_num_threads(count)
    threadpool_limits(count)  # NumPy and SciPy each bring a BLAS with threads of its own
    dask.config.set(num_workers=count)
