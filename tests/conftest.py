"""One thread for the whole suite: its tensors are small, and threads that wait for each other on a busy machine cost more."""

import os

os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # read when torch is first imported, and by the processes that tests start
