"""The versions that decide whether two results may be compared."""

__version__ = "0.1.0"
"""The version of the code."""

BENCHMARK_VERSION = "2.0"
"""The version of the scores; changes when any definition moves a score (CHANGELOG.md, *Scores*)."""
