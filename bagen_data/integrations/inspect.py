"""Inspect's entry point: it finds `bagen_data/bagen` and the parts of that task by these names."""

from bagen_data.models.inspect_task import ask, bagen, bagen_scores, estimate

__all__ = ["ask", "bagen", "bagen_scores", "estimate"]
