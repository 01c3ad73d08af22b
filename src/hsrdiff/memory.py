"""Memory that the C library keeps for the next tensor instead of handing it back to the system."""

from __future__ import annotations

import ctypes
import sys

# parameters of mallopt(3)
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -2, -3, -4
_LARGEST = 2**31 - 1
_PAD = 64 * 2**20
_USUAL_MAPS, _LARGE_BYTES = 65536, 32 * 2**20  # glibc's own number, and the most that it takes for the other
_kept = [False]


def keep_memory() -> bool:
    """Let freed memory stay with the process, for programs that make the same large tensors again and again.

    By default glibc maps every tensor above some megabytes anew, and the system clears each of its pages on first
    use: in training on a CPU this can take more than half of the time. For programs only, not for a library: it
    holds for the whole process.

    Returns:
        Whether the C library took it; False where it is not glibc.
    """
    _kept[0] = _told((_MMAP_MAX, 0), (_TRIM_THRESHOLD, _LARGEST), (_TOP_PAD, _PAD))
    return _kept[0]


def give_large_back() -> bool:
    """Let tensors of 32 MiB and more go back to the system again when they are freed, after `keep_memory`.

    What is kept lies in pieces, so that a program that makes tensors of many sizes once may keep several times what
    it needs. Small tensors are still kept. Without `keep_memory` nothing is changed.

    Returns:
        Whether anything was changed.
    """
    return _kept[0] and _told((_MMAP_MAX, _USUAL_MAPS), (_MMAP_THRESHOLD, _LARGE_BYTES))


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error says that the system has no more memory to give.

    Args:
        error: Any; torch has no class of its own for it on a processor.
    """
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and ("can't allocate memory" in str(error) or "out of memory" in str(error))


def _told(*parameters: tuple[int, int]) -> bool:
    """Set parameters of the C library's allocator; False where it is not glibc or refuses."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return all(mallopt(name, value) for name, value in parameters)
