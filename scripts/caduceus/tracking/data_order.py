"""The order of the training examples, which depends on the seed and the step alone."""

from collections.abc import Iterator

import numpy as np


def batches(count: int, size: int, seed: int, begin: int = 0) -> Iterator[list[int]]:
    """Yield the indices of each step's batch from step `begin` on, without end.

    Every epoch has an order of its own, which depends on the seed and the epoch alone, so that a
    resumed program sees the same batches as one that was never stopped. Torch's `DataLoader` takes
    the result as `batch_sampler`.

    Args:
        count: how many examples there are.
        size: examples in a batch; the last batch of an epoch may be smaller.
        seed: the seed of the orders.
        begin: the first step, counted from 0.
    """
    a_epoch = -(-count // size)
    epoch, step = divmod(begin, a_epoch)
    while True:
        order = np.random.default_rng([seed, epoch]).permutation(count).tolist()
        for first in range(step * size, count, size):
            yield order[first : first + size]
        epoch, step = epoch + 1, 0
