"""Options of methods checked: whole numbers, weights and penalties."""

from __future__ import annotations

import math

from hsrdiff.errors import InputError


def count(option: str, value: float) -> int:
    """Return a whole number of at least 1.

    Args:
        option: Name of the option, for the message.
        value: What was given.

    Returns:
        The number.

    Raises:
        InputError: If it is another.
    """
    if not math.isfinite(value) or int(value) != value or value < 1:
        raise InputError(f"{option} {value}", expected="a whole number of at least 1", do=f"change the option {option}")
    return int(value)


def weight(option: str, value: float) -> float:
    """Return a finite number of at least 0.

    Args:
        option: Name of the option, for the message.
        value: What was given.

    Returns:
        The number.

    Raises:
        InputError: If it is another.
    """
    if not (math.isfinite(value) and value >= 0):
        raise InputError(f"{option} {value}", expected="a number of at least 0", do=f"change the option {option}")
    return float(value)


def positive(option: str, value: float) -> float:
    """Return a finite number above 0.

    Args:
        option: Name of the option, for the message.
        value: What was given.

    Returns:
        The number.

    Raises:
        InputError: If it is another.
    """
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"{option} {value}", expected="a number above 0", do=f"change the option {option}")
    return float(value)
