"""Limits of a forecaster, and of the rollouts that it learned from, in sentences."""

from collections.abc import Iterator

from bagen_data.dataset_configs import is_benchmark
from bagen_data.forecasters.fitting.teaching_data import TeachingData
from bagen_data.forecasters.fitting.unseen_scores import UnseenScores
from bagen_data.scoring.resampling import FEWEST_INSTANCES
from bagen_data.wording import numbered

_SKILLS = {"brier_skill": "probabilities", "wis_skill": "quantiles"}


def known_limits(data: TeachingData, scored: UnseenScores) -> Iterator[str]:
    """Yield a sentence for each limit, the gravest first; a terminal and the card show them.

    Args:
        data: the data that the forecaster learned from.
        scored: its scores on instances that it had not seen.
    """
    yield from _of_outcomes(data)
    instances = len(data.instance_ids)
    if instances < FEWEST_INSTANCES:
        yield (
            f"It learned from {numbered(instances, 'instance')}: with fewer than "
            f"{FEWEST_INSTANCES} no score has an interval, and each may be luck."
        )
    for name, what in _SKILLS.items():
        yield from _of_skill(scored, name, what)
    if data.source.config is not None and is_benchmark(data.source.config):
        yield (
            f"It learned from the benchmark's own rollouts (config {data.source.config}), so its "
            "forecasts of these are no test of it; the scores here are of rollouts that were kept "
            "from it."
        )


def _of_outcomes(data: TeachingData) -> Iterator[str]:
    if not data.knows_success:
        yield (
            "It does not know success: nobody said how its runs ended. Some may have been stopped "
            "or given up, and its amounts are of those too."
        )
        return
    successes = sum(each.success for each in data.rollouts.values())
    within = sum(each.target.feasible for each in data.rollouts.values())
    if not successes:
        yield (
            "None of its rollouts succeeded: it gives every run a low probability, and its amounts "
            "are those of failures."
        )
    elif successes == len(data.rollouts):
        yield (
            "All of its rollouts succeeded: it cannot tell a run that will fail, and gives every "
            "run a high probability of success."
        )
    if successes and not within:
        yield "None of its rollouts succeeded within its budget: `finish` is low for every run."


def _of_skill(scored: UnseenScores, name: str, what: str) -> Iterator[str]:
    skill = scored.scores[name]
    if skill.value is None:
        yield f"Its {what} have no skill to show: `{name}` has no value, as n is {skill.n:,}."
    elif skill.value <= 0:
        yield (
            f"Its {what} were no better than climatology on instances that it had not seen "
            f"(`{name}` {skill.value:.3f})."
        )
    elif skill.low is not None and skill.low <= 0:
        yield (
            f"Its {what} are not shown to be better than climatology: the interval of `{name}` "
            f"holds 0 ({skill.low:.3f} to {skill.high:.3f})."
        )
