"""The order in which examples are taken, told by the seed and the step alone."""

from collections.abc import Iterator

import numpy as np


def batches(count: int, size: int, seed: int, begin: int = 0) -> Iterator[list[int]]:
    """The examples of each step's batch from step `begin` on, without end.

    Every epoch takes the `count` examples in an order of its own, which follows from the seed and
    the epoch alone: a program that goes on at a step sees what it would have seen. Torch's
    `DataLoader` takes it as `batch_sampler`.

    Args:
        count: how many examples there are.
        size: of a batch; the last of an epoch is smaller if they don't divide.
        seed: of the orders.
        begin: the first step, counted from 0.
    """
    a_epoch = -(-count // size)
    epoch, step = divmod(begin, a_epoch)
    while True:
        order = np.random.default_rng([seed, epoch]).permutation(count).tolist()
        for first in range(step * size, count, size):
            yield order[first : first + size]
        epoch, step = epoch + 1, 0
