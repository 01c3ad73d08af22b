"""Memory that the C library keeps for the next tensor instead of handing it back to the system."""

from __future__ import annotations

import ctypes
import sys

# parameters of mallopt(3)
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
_LARGEST = 2**31 - 1
_PAD = 64 * 2**20


def keep_memory() -> bool:
    """Let freed memory stay with the process, for programs that make the same large tensors again and again.

    By default glibc maps every tensor above some megabytes anew, and the system clears each of its pages on first
    use: in training on a CPU this can take more than half of the time. For programs only, not for a library: it
    holds for the whole process.

    Returns:
        Whether the C library took it; False where it is not glibc.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return all(mallopt(name, value) for name, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, _LARGEST), (_TOP_PAD, _PAD)))
