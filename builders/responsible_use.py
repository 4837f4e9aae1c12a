"""Collection, limits and use of a dataset, in the words of its card and Croissant."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bagen_data.published import CODE_PAGE
from builders.provenance import provenance_of

_RECORDED = (
    "Agents worked on task instances without any budget, and each turn was recorded with its usage."
)
_LOGS = (
    "The logs of agents at work were recorded by whoever built this dataset. Their outcomes are "
    "those that the logs, or labels beside them, state."
)
_REFUSED = (
    "A rollout without an outcome, or with usage that is unknown or contradicts itself, was "
    "refused and counted; rollouts that occur twice were kept once. `build.json` names each "
    "source file by its sha256, and each refusal with its reason."
)
_LABELS = (
    "Labels are computed from the recorded outcome and usage; no person annotated anything. Where"
    " a task's outcome was judged by a model, so was its label."
)
_PREPARED = (
    "Each rollout is cut into prefixes, and each prefix becomes a question of its own. Turns that"
    " a context limit cut off and empty turns are left out, and rewards that an observation "
    "states are removed, as they give the outcome away."
)
_LIMITS = (
    "The labels are in this dataset. A score on it shows what an estimator can do, not that it "
    "never saw them.",
    "A later prefix of a rollout shows what an earlier one asks about. Answer each prompt by "
    "itself; an estimator that joins rows by `rollout_id` reads the answer.",
    "All samples of a rollout share one label, and rollouts of one instance by several models are"
    " alike, so rows are not independent: resample instances within a task, with all their "
    "rollouts, not rows.",
    "`reference` is made of labels: what the other instances of a family came to. As only a "
    "probe's own instance is left out, the forecast moves against that instance's label: who sees"
    " a probe's reference can read the label off it. So never show `reference` to an estimator, "
    "and never train on it; it is for scoring alone.",
    "A probe whose `used` already exceeds its `budget` is decided by its own prompt.",
    "What is remaining is what *this* recorded run went on to spend, not the least that would do.",
)
_PAPERS_LIMITS = (
    "A swebench budget is the median of its family's totals, so it tells a little about them. "
    "Warehouse budgets are drawn around what each rollout itself came to: those of feasible "
    "rollouts are its exact weeks and 100-120% of the rest, so subtracting what is used comes "
    "close to the answer. A budget given as a ratio (`1.2x`) gives the total away.",
    "SWE-bench issues and their fixes are public, and models have read them.",
)
_SOMEBODYS_LIMITS = (
    "A budget that is the median of a family's totals tells a little about them, and one given as"
    " a ratio (`1.2x`) gives the total away.",
)
_BIASES = (
    "Usage and success are those of the recorded models, harnesses and tasks; other agents spend "
    "differently, and a model that answers about runs of its own kind may have an advantage.",
    "The questions are in English.",
    "Budgets are set by rule after the runs, so the agents did not save for them.",
)
_TEXTS = (
    "Texts are conversations of agents with puzzles, a search engine over encyclopedia articles, "
    "code repositories and a simulated warehouse. Public persons occur in the articles, and names "
    "and addresses of developers may occur in the repositories. Nothing was collected about the "
    "people themselves."
)
_LOG_TEXTS = (
    "Texts are conversations of agents with whatever they worked on. They may name people, "
    "machines and files, and whoever publishes them is to look for that."
)
_SCRUBBED = (
    "Keys, e-mail addresses and user names were replaced in the texts, as far as patterns find "
    "them."
)
_NOT_SCRUBBED = (
    "Nothing was replaced in the texts; a build with `--scrub` replaces keys, e-mail addresses and "
    "user names."
)
_USES = (
    "Measure whether a model knows what a recorded agent goes on to spend and whether it succeeds, "
    "with `bagen score`.",
    "Train and compare estimators of what remains, on the `_train` configs alone.",
    "Study what agents spend, turn by turn, on `rollouts`.",
)
_MISUSES = (
    "Do not train on the `test` splits, of `rollouts` and `reference` too.",
    "Do not read amounts as costs: tokens are fresh ones, and bills count replayed ones as well.",
    "Do not stop real agents by an estimator because of its score here alone: how often it stops "
    "one that would have succeeded is to be measured on runs of that agent.",
    "Do not rank the recorded models by these rollouts: budgets differ by family, and no run was "
    "made to be compared.",
)
_IMPACT = (
    "Agents that know early what they cannot finish spend less money and energy. An estimator that "
    "is trusted too much stops work that would have succeeded, and nobody sees what was lost."
)
_MAINTENANCE = (
    "Versions are tags of the repository, and `revision` in `build.json` names the content. Rows"
    f" that are wrong are mended in a new revision; CHANGELOG.md of {CODE_PAGE} says what moved."
)
_TYPES = ("Experiments", "Software Collection")


@dataclass(frozen=True)
class ResponsibleUse:
    """Facts about a dataset that a reader should know before using it."""

    collection: str
    """Sentences on how the rollouts were recorded, and which were refused."""
    collection_types: tuple[str, ...]
    """Kinds of collection, in the words of Croissant's vocabulary."""
    preparation: str
    """Steps from the rollouts to the rows."""
    annotation: str
    """Sentences on where the labels come from."""
    limits: tuple[str, ...]
    """Leaks and limits, a paragraph each."""
    biases: tuple[str, ...]
    personal_data: str
    """Data about people that the texts may hold, and what was replaced."""
    uses: tuple[str, ...]
    misuses: tuple[str, ...]
    impact: str
    """Good or harm that estimators may do."""
    maintenance: str


def responsible_use(record: Mapping[str, Any]) -> ResponsibleUse:
    """Return what is to be known about a dataset.

    Args:
        record: `build.json`.
    """
    is_papers = bool(provenance_of(record).authors)
    scrubbing = _SCRUBBED if record.get("scrub") else _NOT_SCRUBBED
    return ResponsibleUse(
        collection=f"{_RECORDED if is_papers else _LOGS} {_REFUSED}",
        collection_types=_TYPES if is_papers else ("Software Collection",),
        preparation=_PREPARED,
        annotation=_LABELS,
        limits=(*_LIMITS, *(_PAPERS_LIMITS if is_papers else _SOMEBODYS_LIMITS)),
        biases=_BIASES,
        personal_data=f"{_TEXTS if is_papers else _LOG_TEXTS} {scrubbing}",
        uses=_USES,
        misuses=_MISUSES,
        impact=_IMPACT,
        maintenance=_MAINTENANCE,
    )
