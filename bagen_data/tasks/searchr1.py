"""Search-R1: answer a question with the help of a search engine."""

from functools import partial

from bagen_data.budgets import fixed
from bagen_data.schema import TOKENS
from bagen_data.tasks import Task

TASK = Task(
    resources=(TOKENS,),
    budgets=partial(fixed, {"tokens": 3_500}),
    context_limit=3_500,
)
