"""What holds for the whole suite: one thread, and real data only where they are.

Its tensors are small, and threads that wait for each other on a busy machine cost more than they give.
"""

import os
from pathlib import Path

import pytest

# read when torch is first imported, and by the processes that tests start
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Skip what is marked as in need of real data where no folder of them is named, and nothing else."""
    if item.get_closest_marker("data") is None:
        return
    folder = os.environ.get("HSRDIFF_DATA")
    if not folder:
        pytest.skip("needs real data through HSRDIFF_DATA")
    assert Path(folder).is_dir(), f"HSRDIFF_DATA names '{folder}', which is no folder: unset it or correct it"
