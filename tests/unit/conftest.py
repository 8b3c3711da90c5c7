"""Units share two cores with each other: one thread for each."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
