"""Scores: the only home of every formula.

Answers and truth are columns. They are summed by rollout and progress (`sums`), the sums become
scores (`definitions`), and rollouts are resampled for intervals (`resampling`). Nothing loops over
samples.
"""

from bagen_data.scoring.compare import Comparison, Difference, compare
from bagen_data.scoring.definitions import SCORES
from bagen_data.scoring.report import Report, Score
from bagen_data.scoring.score import score

__all__ = ["SCORES", "Comparison", "Difference", "Report", "Score", "compare", "score"]
