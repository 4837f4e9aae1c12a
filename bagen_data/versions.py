"""The versions that decide whether two results may be compared."""

__version__ = "0.1.0"
"""Of the code."""

BENCHMARK_VERSION = "2.0"
"""Of the scores: changes when any definition moves a score; see CHANGELOG.md, *Scores*."""
