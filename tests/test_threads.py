"""Tests of the number of processor threads."""

import dask
import dask.threaded
import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from hsrdiff.errors import InputError
from hsrdiff.threads import use_threads


@pytest.fixture(autouse=True)
def _put_back():
    before = torch.get_num_threads()
    with threadpool_limits(), dask.config.set(num_workers=None):
        yield
    torch.set_num_threads(before)


def _threads():
    return {info["filepath"]: info["num_threads"] for info in threadpool_info()}


def test_every_library_that_computes_in_parallel_is_limited():
    np.linalg.qr(np.eye(2))  # its BLAS is there
    for threads in (2, 1):
        use_threads(threads)
        assert torch.get_num_threads() == threads
        assert set(_threads().values()) == {threads}
        assert dask.config.get("num_workers") == threads


def test_none_changes_nothing():
    before = torch.get_num_threads(), _threads(), dask.config.get("num_workers")
    use_threads(None)
    assert (torch.get_num_threads(), _threads(), dask.config.get("num_workers")) == before


def test_below_one_is_refused():
    with pytest.raises(InputError, match="0 threads; expected at least 1"):
        use_threads(0)
    for threads in (1.5, "2"):
        with pytest.raises(InputError, match=f"{threads} threads; expected a whole number"):
            use_threads(threads)
