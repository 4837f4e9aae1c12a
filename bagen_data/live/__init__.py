"""A tracker beside a running agent: what it used, what it will still need, and whether to go on.

>>> from bagen_data.live import BudgetTracker
>>> tracker = BudgetTracker({"tokens": 2_000})
>>> tracker.observe(user="Where is it?", assistant="In the drawer.",
...     usage={"prompt_tokens": 300, "completion_tokens": 40, "total_tokens": 340})
>>> tracker.remaining
{'tokens': 1660}
>>> tracker.advice().action
'continue'
"""

from bagen_data.live.advice import Advice
from bagen_data.live.forecaster_loading import load_forecaster
from bagen_data.live.policies import SequentialPolicy, ThresholdPolicy, load_policy
from bagen_data.live.tracker import BudgetTracker
from bagen_data.live.turn_forecast import TurnForecast

__all__ = [
    "Advice",
    "BudgetTracker",
    "SequentialPolicy",
    "ThresholdPolicy",
    "TurnForecast",
    "load_forecaster",
    "load_policy",
]
