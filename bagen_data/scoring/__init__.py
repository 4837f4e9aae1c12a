"""Scores: the only home of every formula.

Samples and answers are columns (`sample_table`, `match_predictions`). They are summed by
instance and progress (`family_sums`), the sums become scores (`scores`, `measure`), and instances
are resampled for intervals (`resampling`). Nothing loops over samples.
"""

from bagen_data.scoring.all_scores import SCORES
from bagen_data.scoring.report import Comparison, Difference, Report, Score
from bagen_data.scoring.score import compare, score

__all__ = ["SCORES", "Comparison", "Difference", "Report", "Score", "compare", "score"]
