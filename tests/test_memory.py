"""Freed memory stays with the process once it was asked to."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import numpy as np
from hsrdiff.memory import give_large_back, keep_memory

if sys.argv[1] != "leave" and not keep_memory():
    sys.exit(3)
if sys.argv[1] == "give back" and not give_large_back():
    sys.exit(4)

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        np.ones(2**23)  # 64 MiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
print(faults())
"""

ON_GLIBC = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no mallopt to ask")


def faults(how):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, env={"PYTHONPATH": ":".join(sys.path)}
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@ON_GLIBC
def test_large_arrays_are_not_mapped_anew():
    kept, mapped = faults("keep"), faults("leave")
    assert kept < 1000
    assert mapped > 4 * kept


@ON_GLIBC
def test_large_arrays_go_back_when_they_are_to_again():
    assert faults("give back") > 4 * faults("keep")


def test_nothing_is_changed_that_was_not_kept():
    done = subprocess.run(
        [sys.executable, "-c", "from hsrdiff.memory import give_large_back; print(give_large_back())"],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout == "False\n"
