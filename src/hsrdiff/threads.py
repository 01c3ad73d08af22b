"""How many processor threads a job may use."""

from __future__ import annotations

import torch

from hsrdiff.errors import InputError


def use_threads(threads: int | None) -> None:
    """Set the number of torch's processor threads.

    Args:
        threads: At least 1; None leaves torch's choice.

    Raises:
        InputError: If it is below 1.
    """
    if threads is None:
        return
    if threads < 1:
        raise InputError(f"{threads} threads", expected="at least 1", do="give the number of processor threads")
    torch.set_num_threads(threads)
