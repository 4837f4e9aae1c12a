"""Sokoban: push every box onto a target, a few moves a turn."""

from functools import partial

from bagen_data.budgets import fixed
from bagen_data.schema import TOKENS
from bagen_data.tasks import Task

TASK = Task(
    resources=(TOKENS,),
    budgets=partial(fixed, {"tokens": 2_500}),
    context_limit=2_500,
)
