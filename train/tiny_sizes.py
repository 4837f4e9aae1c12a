"""The sizes that a small model can have."""

from bagen_data.errors import WrongUsageError

HEAD = 16
"""Size of an attention head."""
_SMALLEST = {"hidden": HEAD, "layers": 1, "context": 1, "vocabulary": 259, "seed": 0}
"""The least of each size; a byte-level vocabulary has 256 bytes and three marks."""
_LARGEST_SEED = 2**63 - 1


def check_sizes(sizes: dict[str, int]) -> None:
    """Check the sizes of a model, by name: hidden, layers, context, vocabulary, seed.

    Raises:
        WrongUsageError: a size is too small or too large, or hidden is not a multiple of a head's.

    >>> check_sizes({"hidden": 64, "layers": 0})
    Traceback (most recent call last):
    bagen_data.errors.WrongUsageError: layers is 0; expected 1 or more
    """
    for name, least in _SMALLEST.items():
        if name in sizes and sizes[name] < least:
            raise WrongUsageError(f"{name} is {sizes[name]}; expected {least} or more")
    if sizes.get("hidden", HEAD) % HEAD:
        raise WrongUsageError(f"hidden is {sizes['hidden']}; expected a multiple of {HEAD}")
    if sizes.get("seed", 0) > _LARGEST_SEED:
        raise WrongUsageError(f"seed is {sizes['seed']}; expected at most {_LARGEST_SEED}")
