"""A package that cannot be imported, in place of the real one: see `tests.making`."""

raise ImportError("left out")
