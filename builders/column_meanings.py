"""Meanings of a dataset's columns, for the tables of its card and the fields of Croissant."""

from collections.abc import Iterator, Mapping

from bagen_data.dataset_configs import REFERENCE, ROLLOUTS

SAMPLE_COLUMNS = {
    "sample_id": "`task/rollout_model/rollout_id/completed_turns`, unique",
    "task": "the agent's task; with `rollout_model`, the rollout's family",
    "rollout_model": "the model that produced the rollout",
    "rollout_id": "the recorded run",
    "instance_id": "the task instance that the run worked on",
    "completed_turns": "k, the turns that the prompt shows",
    "total_turns": "T, the turns of the run; known only afterwards and in no prompt",
    "prompt_variant": "the question (`interval`, `point` or `forecast`) and whether a short "
    "`<think>` comes first: `interval_think`, `interval_no_think` and so on",
    "prompt": "list of `{role, content}`: system message, the first k turns, the question",
    "resources": "list of `{resource, unit, budget, used, remaining}`",
    "conditions": "list of `{name, value}`: warehouse's `target_cash_usd`; else empty",
    "feasible": "the recorded rollout succeeded, and every total is within its budget",
    "verdict": "`impossible`, or `[` where the sample is feasible: what a right answer has, for "
    "scorers that compare texts",
    "rollout_success": "the recorded rollout succeeded, within the budget or not",
    "dropped_turns": "turns of the rollout left out: cut off by the context limit, or empty",
}
ROLLOUT_COLUMNS = {
    "task": "the agent's task; with `rollout_model`, the rollout's family",
    "rollout_model": "the model that produced the rollout",
    "rollout_id": "the recorded run",
    "instance_id": "the task instance that the run worked on",
    "rollout_success": "the run succeeded, and its final state meets the conditions",
    "total_turns": "T, the turns of the run",
    "dropped_turns": "turns left out: cut off by the context limit, or empty",
    "system": "the agent's own system message; empty without one",
    "turns": "list of `{user, assistant, usage, state}`: the messages, what the turn spent, and "
    "what the environment stood at after it; `usage` and `state` are lists of `{name, value}`",
    "budget": "list of `{name, value}`: the limit of each resource; empty where there is none",
    "conditions": "list of `{name, value}`: the least that a final state must be; else empty",
}
REFERENCE_COLUMNS = {
    "sample_id": "id of the sample that the forecast is about",
    "finish": "probability of success within every budget: the share of the others' rollouts that "
    "are feasible, of those that have a probe within its budgets; 0 where the sample is over a "
    "budget",
    "success": "probability of success: the share of the others' rollouts that succeeded",
    "resources": "list of `{resource, quantiles}`: the 10, 25, 50, 75 and 90% quantiles of what "
    "remains",
}


def meanings_of(config: str) -> Mapping[str, str]:
    """Return what the columns of a config mean, in their order."""
    return {ROLLOUTS: ROLLOUT_COLUMNS, REFERENCE: REFERENCE_COLUMNS}.get(config, SAMPLE_COLUMNS)


def column_rows(meanings: Mapping[str, str]) -> Iterator[str]:
    """Yield a table row for each column."""
    for name, meaning in meanings.items():
        yield f"| `{name}` | {meaning} |"
