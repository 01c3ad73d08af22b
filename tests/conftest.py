"""One thread for the whole suite: its tensors are small, and threads that wait for each other cost time."""

import os

# read when torch is first imported, and by the processes that tests start
os.environ.setdefault("OMP_NUM_THREADS", "1")
