"""Sizes that no model can have are refused by name; they made models that learn nothing."""

import pytest

from bagen_data.errors import WrongUsageError
from train.tiny_model import main


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("--layers 0", "layers is 0; expected 1 or more"),
        ("--hidden 100", "hidden is 100; expected a multiple of 16"),
        ("--hidden 7", "hidden is 7; expected 16 or more"),
        ("--vocabulary 10", "vocabulary is 10; expected 259 or more"),
        ("--context 0", "context is 0; expected 1 or more"),
        ("--seed -1", "seed is -1; expected 0 or more"),
        (f"--seed {2**70}", "seed is 1180591620717411303424; expected at most"),
    ],
)
def test_odd_sizes(change: str, message: str) -> None:
    with pytest.raises(WrongUsageError, match=message):
        main(["/nowhere", "/nowhere/out", *change.split()])
