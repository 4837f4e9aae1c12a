"""The README of a fitted forecaster, which the Hub shows as its model card.

The card is the same for the same rollouts, forecaster, seed and versions: no date, no local path.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from bagen_data.forecasters.fitting.forecaster_tables import (
    bins_table,
    code,
    quantiles_table,
    scores_table,
    table,
)
from bagen_data.forecasters.fitting.teaching_data import TeachingData
from bagen_data.forecasters.fitting.unseen_scores import UnseenScores
from bagen_data.number_texts import plain, readable
from bagen_data.published import CODE_PAGE, PAPER_PAGE
from bagen_data.schema import TOKENS
from bagen_data.wording import numbered

LIBRARY = "bagen-data"
_TAGS = ("bagen", "agents", "budget", "forecasting", "early-stopping")
_METRICS = ("brier", "brier_skill", "wis", "wis_skill", "coverage_80")
"""The scores that the card's metadata state."""
_FRESH = (
    " Tokens are fresh ones: the new text that an agent reads and all that it writes, without the "
    "history that each request repeats."
)
_OF_USAGE = ("tokens", "cost_usd", "turns")
"""Resources that a tracker counts itself, from the usage of responses."""
_OBSERVED = ("seconds", "tool_calls")
"""Resources that it is given with each turn; others are counted with `count`."""
_TYPES = {"brier": "brier_score"}
"""The Hub's own names of metrics, where it has one."""


@dataclass(frozen=True)
class CardFacts:
    """The facts that the card of a fitted forecaster states."""

    forecaster: str
    """The name of the forecaster: `forest`, `aft` and so on."""
    seed: int
    data: TeachingData
    budgets: Mapping[str, float]
    """The usual budget of each resource: the median of what it learned from."""
    conditions: Mapping[str, float]
    """The usual conditions of a budget, such as `target_cash_usd`; most tasks have none."""
    cross_fitted: UnseenScores
    heldout: UnseenScores | None
    limits: Sequence[str]
    """Sentences about what this forecaster cannot do, beside those of every forecaster."""
    versions: Mapping[str, str]
    """The version of each package that it was fitted with, by name."""


def render_card(facts: CardFacts) -> str:
    """Return the text of the README."""
    front = yaml.safe_dump(_metadata(facts), sort_keys=False, allow_unicode=True, width=1_000)
    sections = [
        f"# {_title(facts)}",
        _meaning(facts),
        _use(facts),
        _learned_from(facts),
        *_scores(facts),
        _calibration(facts),
        _limits(facts),
        _versions(facts),
    ]
    return f"---\n{front}---\n\n" + "\n\n".join(sections) + "\n"


def _title(facts: CardFacts) -> str:
    return f"BAGEN forecaster: {facts.data.task}, {facts.forecaster}"


def _metadata(facts: CardFacts) -> dict[str, Any]:
    source = facts.data.source
    task = facts.data.task
    metadata: dict[str, Any] = {
        "library_name": LIBRARY,
        "tags": [*_TAGS, task],
    }
    if source.dataset is None:
        return metadata
    metadata["datasets"] = [source.dataset]
    results = [
        {
            "task": {"type": "other", "name": f"forecasts of {task} runs"},
            "dataset": {
                "name": source.dataset,
                "type": source.dataset,
                "config": source.config,
                "split": split,
                "revision": source.commit,
            },
            "metrics": [
                {"type": _TYPES.get(name, name), "name": f"{name}, {how}", "value": score.value}
                for name, score in own.scores.items()
                if name in _METRICS and score.value is not None
            ],
        }
        for split, how, own in (
            ("+".join(source.splits), "cross-fitted over instances", facts.cross_fitted),
            ("heldout", "held out", facts.heldout),
        )
        if own is not None
    ]
    metadata["model-index"] = [
        {
            "name": f"bagen-{task}-{facts.forecaster}",
            "results": [each for each in results if each["metrics"]],
        }
    ]
    return metadata


def _meaning(facts: CardFacts) -> str:
    names = _listed([code(each.name) for each in facts.data.resources])
    has_tokens = TOKENS in facts.data.resources
    if not facts.data.knows_success:
        return (
            f"After each turn of an agent's run this forecaster says how many {names} the run will "
            "still use, as five quantiles, and how probable it is that this fits what is left of a "
            "budget. **It does not know success:** it learned from runs of which nobody said how "
            f"they ended. It needs no model call.{_FRESH if has_tokens else ''}"
        )
    return (
        "After each turn of an agent's run this forecaster says how probable it is that the run "
        "succeeds within its budget (`finish`), that it succeeds at any cost (`success`), and how "
        f"many {names} it will still use if it succeeds, as five quantiles. It needs no model call."
        f"{_FRESH if has_tokens else ''}"
    )


def _use(facts: CardFacts) -> str:
    usual = {**facts.budgets, **facts.conditions}
    budgets = ", ".join(f'"{name}": {plain(limit)}' for name, limit in usual.items())
    names = [each.name for each in facts.data.resources]
    arguments = [name for name in names if name in _OBSERVED]
    arguments += ["state"] if facts.conditions else []
    counted = [f"{name}=..." for name in names if name not in (*_OBSERVED, *_OF_USAGE)]
    observed = "".join(f", {name}=..." for name in arguments)
    return "\n".join(
        [
            "## Use",
            "",
            "```python",
            "from bagen_data.live import BudgetTracker, load_forecaster",
            "",
            'forecaster = load_forecaster("ORG/NAME")  # this repository, or its folder',
            f"tracker = BudgetTracker({{{budgets}}}, forecaster)",
            "# after each turn",
            *([f"tracker.count({', '.join(counted)})"] if counted else []),
            f"tracker.observe(user=..., assistant=..., usage=response.usage{observed})",
            "tracker.forecast()",
            "```",
            "",
            f"Install it with `pip install {LIBRARY}`. Beside a log that grows: "
            "`bagen watch LOG --forecaster ORG/NAME`.",
        ]
    )


def _learned_from(facts: CardFacts) -> str:
    data, source = facts.data, facts.data.source
    rows = [("task", code(data.task))]
    if source.config is None:
        rows.append(("rollouts from", "logs, read with `bagen fit --logs`"))
    else:
        dataset = (
            f"[{source.dataset}](https://huggingface.co/datasets/{source.dataset})"
            if source.dataset
            else "a dataset that was not on the Hub"
        )
        rows += [("dataset", dataset), ("content revision", code(source.revision or "not stated"))]
        rows += [("commit", code(source.commit))] if source.commit else []
        rows += [
            ("config", code(source.config)),
            ("splits", _listed(list(map(code, source.splits)))),
        ]
    happened = sum(each.success for each in data.rollouts.values())
    outcomes = f", of which {happened:,} succeeded" if data.knows_success else ", none judged"
    rows += [
        ("rollouts", f"{len(data.rollouts):,}{outcomes}"),
        ("instances", f"{len(data.instance_ids):,}"),
        ("probes", f"{len(data.examples):,}, one after each turn but a rollout's last"),
        ("rollout models", _listed(list(map(code, data.rollout_models))) or "not named"),
        (
            "resources",
            _listed([f"{code(each.name)} in {code(each.unit)}" for each in data.resources]),
        ),
        (
            "usual budget",
            _listed([f"{plain(limit)} {code(name)}" for name, limit in facts.budgets.items()])
            + ", the median of the rollouts' budgets",
        ),
    ]
    notes = [f"\n{note}" for note in data.notes]
    return "\n".join(["## What it learned from", "", table(("", ""), rows), *notes])


def _scores(facts: CardFacts) -> Iterator[str]:
    yield "\n".join(
        [
            "## Scores on instances that it had not seen",
            "",
            "Intervals hold 95% and resample instances; with fewer than ten instances there are "
            "none. Skills are relative to climatology, which says what the other instances came to "
            "at the same turn: 0 is no better, 1 is perfect. "
            f"[What each score means]({CODE_PAGE}/blob/main/docs/scores.md).",
        ]
    )
    for own in (facts.cross_fitted, facts.heldout):
        if own is not None:
            counts = (
                f"{numbered(own.probes, 'probe')} of {numbered(own.rollouts, 'rollout')} of "
                f"{numbered(own.instances, 'instance')}"
            )
            families = ", the mean over rollout models" if len(facts.data.families) > 1 else ""
            yield f"{own.how[0].upper()}{own.how[1:]}. {counts}{families}.\n\n" + scores_table(
                own, facts.data.knows_success
            )


def _calibration(facts: CardFacts) -> str:
    own = facts.cross_fitted
    event = (
        "the run succeeds within its budget" if facts.data.knows_success else "it stays in budget"
    )
    return "\n".join(
        [
            "## Calibration",
            "",
            f"How often it happened that {event}, by the probability that was said of it "
            "(cross-fitted, probes within the budget so far):",
            "",
            bins_table(own.reliability),
            "",
            "Share of amounts at or below each quantile; a calibrated quantile has its own level:",
            "",
            quantiles_table(own.quantiles),
        ]
    )


def _limits(facts: CardFacts) -> str:
    models = _listed([code(name) for name in facts.data.rollout_models])
    of = f" by {models}" if models else ""
    usual = [
        f"It learned from runs of {code(facts.data.task)}{of}. Another agent, model, prompt or set "
        "of tools may need other amounts, and nothing here says how it does there.",
        "It learned what follows a turn that is not the last: it is not asked before the first "
        "turn, and does not know that a run has just ended.",
        *_of_budgets(facts),
        "Probes of one run are much alike: what counts is the number of instances, "
        f"{len(facts.data.instance_ids):,}.",
    ]
    return "\n".join(["## Limits", "", *(f"- {each}" for each in (*facts.limits, *usual))])


def _of_budgets(facts: CardFacts) -> Iterator[str]:
    """Yield a sentence about budgets; amounts alone fit into any budget or not."""
    if not facts.data.knows_success:
        return
    for name in facts.budgets:
        limits = [each.probe.budget.limits[name] for each in facts.data.examples]
        low, high = readable(min(limits)), readable(max(limits))
        if low == high:
            known = f"a budget of {low} {code(name)}, the only one that it learned at"
        else:
            known = f"budgets from {low} to {high} {code(name)}"
        yield f"Its `finish` is about {known}; at a budget far from that it extrapolates."


def _versions(facts: CardFacts) -> str:
    listed = _listed([f"{name} {version}" for name, version in facts.versions.items()])
    return "\n".join(
        [
            "## Versions",
            "",
            f"Fitted by `bagen fit` with seed {facts.seed} and {listed}. It is stored as numbers "
            "(safetensors and JSON): loading it runs no code, and forecasting needs no "
            f"scikit-learn. Code: {CODE_PAGE}. Paper: {PAPER_PAGE}.",
        ]
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
