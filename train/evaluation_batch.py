"""The size of a batch in the evaluation of GRPO."""

import math


def eval_batch_size(train_batch: int, group: int, processes: int) -> int:
    """Return how many answers a device judges at once: about as many as in training.

    A batch of all devices has to hold whole groups of answers to one prompt, as TRL wants it.

    Args:
        train_batch: answers of a device in training.
        group: answers of a prompt.
        processes: the number of devices.

    >>> eval_batch_size(4, group=16, processes=8), eval_batch_size(4, group=16, processes=1)
    (4, 16)
    """
    least = group // math.gcd(group, processes)
    return max(1, train_batch // least) * least
