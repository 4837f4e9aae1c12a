"""The columns that TRL trains on, made of the dataset's `sft`, `rl` and `heldout` parts.

A row becomes a conversation, `prompt` and `completion` for SFT, `prompt` and what rewards need for
GRPO. Rows with nothing remaining are left out. In the training parts, and only there, feasible rows
are repeated and infeasible ones drawn, without putting back, until there are as many of each (the
paper's appendix E), in each config on its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bagen_data.errors import InputError, WrongUsageError
from bagen_data.hub import build_record, splits
from bagen_data.loading import load
from bagen_data.prompt_variants import FORMER_NAMES, VARIANTS, Variant, question_of
from bagen_data.published import HUB_ID
from bagen_data.repositories.dataset_names import at_revision, content_revision
from bagen_data.repositories.dataset_places import pinned
from bagen_data.rewards import FORECAST_PARTS, PAPER
from bagen_data.scoring.sample_table import REQUIRED
from bagen_data.splits import PARTS, Part
from train.distilled_forecasts import distilled_forecasts, names_forecaster
from train.fitted_prompts import AS_BUILT, PromptFitter, reworded, token_count
from train.number_prompts import PROMPT_FORMS
from train.targets import completion, forecast_completion, interval_rule

if TYPE_CHECKING:
    from datasets import Dataset

NEEDED = (
    *(*REQUIRED, "task", "prompt", "prompt_variant"),
    *("completed_turns", "rollout_success"),
)
"""Columns of the dataset that training reads."""
_ASKED = {"interval": "an interval", "point": "one number"}
JUDGED = (*REQUIRED, "prompt_variant", "rollout_success")
"""Columns that rewards judge answers by."""


@dataclass
class DataOptions:
    """Options of the data that a model is trained on."""

    dataset: str = field(
        default=HUB_ID,
        metadata={"help": "A folder that `build` wrote, or ORG/NAME or ORG/NAME@REV on the Hub."},
    )
    dataset_revision: str | None = field(
        default=None,
        metadata={
            "help": "Revision of the Hub's dataset: a branch, tag, commit or content revision."
        },
    )
    train_on: list[str] = field(
        default_factory=lambda: ["sokoban_train"],
        metadata={"help": "Configs, each a <task>_train; several are concatenated."},
    )
    evaluate_on: list[str] = field(
        default_factory=list,
        metadata={
            "help": "Configs whose heldout part is evaluated while training: SFT's loss, GRPO's "
            "answers. Other tasks, too; needs eval_strategy."
        },
    )
    target: str = field(
        default="pct30",
        metadata={
            "help": "The interval taught: pct10, pct30, pct50, fix100, ..., or point; of forecast "
            "variants the forecaster whose forecasts are taught: aft, forest, climatology, ..."
        },
    )
    target_seed: int = field(
        default=0, metadata={"help": "Seed of a forecaster that is the target, and of its parts."}
    )
    variant: str = field(
        default=AS_BUILT,
        metadata={
            "help": "interval_think, interval_no_think, point_think, point_no_think, "
            "forecast_think or forecast_no_think; as_built takes each prompt as the dataset has it."
        },
    )
    prompt_form: str = field(
        default=AS_BUILT,
        metadata={
            "help": "Form of the prompts: as_built, or numbers_only: the turn and each resource's "
            "amounts, without the agent's messages."
        },
    )
    max_prompt_tokens: int = field(
        default=8192, metadata={"help": "Longer prompts are shortened, or left out."}
    )
    overlong: str = field(
        default="trim",
        metadata={
            "help": "trim drops the oldest whole turns of a long prompt; drop leaves it out."
        },
    )
    repeat_feasible: int = field(
        default=2, metadata={"help": "Times that a feasible training row appears."}
    )
    balance: bool = field(
        default=True, metadata={"help": "Draw as many infeasible training rows as feasible ones."}
    )
    balance_seed: int = field(default=42, metadata={"help": "Seed of drawing infeasible rows."})

    def __post_init__(self) -> None:
        check_list("train_on", self.train_on, str)
        check_list("evaluate_on", self.evaluate_on, str)
        if not names_forecaster(self.target):
            interval_rule(self.target)
        self.variant = checked_variant("variant", self.variant)
        check_choice("prompt_form", self.prompt_form, PROMPT_FORMS)
        check_choice("overlong", self.overlong, ("trim", "drop"))
        for name in ("max_prompt_tokens", "repeat_feasible"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise WrongUsageError(f"{name} is {value}; expected 1 or more")
        if not self.train_on:
            raise WrongUsageError("train_on names no config; expected one, e.g. sokoban_train")

    def dataset_name(self) -> str:
        """Return the name of the dataset with its revision; raises as `at_revision`."""
        return at_revision(self.dataset, self.dataset_revision)

    def content_revision(self) -> str | None:
        """Return the revision of the dataset's rows; None if its `build.json` states none.

        Raises:
            InputError: the dataset or its revision is missing.
            StoreError: the Hub does not answer.
        """
        return content_revision(build_record(self.dataset_name()))


@dataclass
class RowCounts:
    """Counts of the rows of one part of one config, by what became of them."""

    config: str
    part: Part
    read: int = 0
    nothing_remaining: int = 0
    too_long: int = 0
    trimmed: int = 0
    dropped_turns: int = 0
    feasible: int = 0
    infeasible: int = 0
    rows: int = 0

    def __str__(self) -> str:
        return (
            f"{self.config}/{self.part}: {self.rows:,} rows of {self.feasible:,} feasible and "
            f"{self.infeasible:,} infeasible samples ({self.read:,} read, "
            f"{self.nothing_remaining:,} with nothing remaining, {self.too_long:,} too long, "
            f"{self.trimmed:,} shortened by {self.dropped_turns:,} turns)"
        )


@dataclass(frozen=True)
class TrainingRows:
    """Rows to train on."""

    rows: "Dataset"
    counts: tuple[RowCounts, ...]
    """The counts of each config."""


def sft_rows(
    options: DataOptions, tokenizer: Any, template: Mapping[str, Any], part: Part = "sft"
) -> TrainingRows:
    """Return columns `prompt` and `completion`, lists of messages, and `chat_template_kwargs`.

    Args:
        options: what to train on.
        tokenizer: of the model, with a chat template.
        template: further arguments of the chat template.
        part: `sft`; `heldout` rows are of `evaluate_on`, each once.

    Raises:
        InputError: the dataset cannot be used, or nothing of it is left.
    """
    answer = _taught_answer(options, part)

    def conversation(row: dict[str, Any]) -> dict[str, Any]:
        _check_target(row["prompt_variant"], options.target)
        columns: dict[str, Any] = {"prompt": row["prompt"], "completion": answer(row)}
        return columns | ({"chat_template_kwargs": dict(template)} if template else {})

    return _training_rows(options, tokenizer, template, part, conversation)


def _taught_answer(
    options: DataOptions, part: Part
) -> Callable[[Mapping[str, Any]], list[dict[str, str]]]:
    """Return the function that gives a row of a part its assistant message."""
    if names_forecaster(options.target):
        forecasts = {
            name: estimate
            for config in _configs(options, part)
            for name, estimate in distilled_forecasts(
                pinned(options.dataset_name()), config, part, options.target, options.target_seed
            ).items()
        }
        return lambda row: forecast_completion(
            row, forecasts[row["sample_id"]], row["prompt_variant"]
        )
    rule = interval_rule(options.target)
    return lambda row: completion(row, rule, row["prompt_variant"])


def _configs(options: DataOptions, part: Part) -> list[str]:
    return options.evaluate_on if part == "heldout" else options.train_on


def check_lengths(
    loaded: TrainingRows, tokenizer: Any, template: Mapping[str, Any], longest: int | None
) -> None:
    """Check that every prompt fits together with its answer, which would else be cut off.

    Raises:
        InputError: some do not fit; the message says how many.
    """
    if longest is None:
        return
    lengths = [
        token_count([*row["prompt"], *row["completion"]], tokenizer, template)
        for row in loaded.rows
    ]
    cut = sum(length > longest for length in lengths)
    if cut:
        raise InputError(
            f"max_length is {longest}, and {cut:,} of {len(lengths):,} rows are longer with their "
            f"answers, up to {max(lengths):,} tokens; raise max_length or lower max_prompt_tokens"
        )


def rl_rows(
    options: DataOptions,
    tokenizer: Any,
    template: Mapping[str, Any],
    part: Part = "rl",
    *,
    weights: Mapping[str, float] = PAPER,
) -> TrainingRows:
    """Return columns `prompt` and `JUDGED`.

    Args:
        options: what to train on.
        tokenizer: of the model, with a chat template.
        template: further arguments of the chat template.
        part: `rl`; `heldout` rows are of `evaluate_on`, each once.
        weights: of the reward's parts, which have to fit the question.

    Raises:
        InputError: the dataset cannot be used, or nothing of it is left.
    """

    def question(row: dict[str, Any]) -> dict[str, Any]:
        _check_reward(row["prompt_variant"], weights)
        return {name: row[name] for name in ("prompt", *JUDGED)}

    return _training_rows(options, tokenizer, template, part, question)


def _training_rows(
    options: DataOptions, tokenizer: Any, template: Mapping[str, Any], part: Part, columns: Any
) -> TrainingRows:
    from datasets import concatenate_datasets

    fitter = PromptFitter(tokenizer, options.max_prompt_tokens, template)
    configs = _configs(options, part)
    parts = [_part(options, fitter, config, part, columns) for config in configs]
    rows, counts = zip(*parts, strict=True)
    return TrainingRows(concatenate_datasets(list(rows)), counts)


def _part(
    options: DataOptions, fitter: PromptFitter, config: str, part: Part, columns: Any
) -> "tuple[Dataset, RowCounts]":
    dataset = read_part(options.dataset_name(), config, part)
    counts = RowCounts(config, part, read=len(dataset))
    unfinished = [
        row
        for row, amounts in enumerate(dataset["resources"])
        if any(amount["remaining"] for amount in amounts)
    ]
    counts.nothing_remaining = counts.read - len(unfinished)

    def fitted(row: dict[str, Any]) -> dict[str, Any]:
        messages, variant = reworded(row, options.variant, options.prompt_form)
        prompt = fitter.fit(messages, trim=options.overlong == "trim")
        return {
            "prompt": prompt.messages if prompt else [],
            "prompt_variant": variant,
            "dropped": prompt.dropped_turns if prompt else -1,
        }

    prompts = dataset.select(unfinished).map(fitted, load_from_cache_file=False)
    dropped = np.array(prompts["dropped"], int)
    counts.too_long = int((dropped < 0).sum())
    counts.trimmed = int((dropped > 0).sum())
    counts.dropped_turns = int(dropped[dropped > 0].sum())
    chosen = np.flatnonzero(dropped >= 0)
    is_feasible = np.array(prompts["feasible"], bool)
    counts.feasible = int(is_feasible[chosen].sum())
    counts.infeasible = len(chosen) - counts.feasible
    if part != "heldout":
        chosen = chosen[balanced(is_feasible[chosen], options)]
    if not len(chosen):
        raise InputError(
            f"{options.dataset}: nothing of {config} is left to train on: {counts}; "
            "give another budget when building, or a larger max_prompt_tokens"
        )
    counts.rows = len(chosen)
    rows = prompts.select(chosen)
    return rows.map(columns, remove_columns=rows.column_names, load_from_cache_file=False), counts


def read_part(path: str, config: str, part: str) -> "Dataset":
    """Return one part of one config, with the columns that training needs.

    Args:
        path: a folder that `python -m builders build` wrote, or ORG/NAME or ORG/NAME@REV.
        config: a `<task>_train`.
        part: `sft`, `rl` or `heldout`.

    Raises:
        InputError: the dataset, its config, the part or a column is missing.
    """
    path = pinned(path)
    parts = splits(path, config)
    if part not in parts:
        expected = f"expected a <task>_train, of the parts {', '.join(PARTS)}"
        raise InputError(
            f"{path}: config {config} has "
            + (f"no part {part}; it has: {', '.join(parts)}" if parts else f"no parts; {expected}")
        )
    dataset = load(path, config, split=part)
    missing = sorted(name for name in NEEDED if _is_missing(dataset, name))
    if missing:
        raise InputError(
            f"{path}: config {config} has no column {', '.join(missing)}; "
            "build it with 'python -m builders build'"
        )
    return dataset.select_columns(list(NEEDED))


def _is_missing(dataset: "Dataset", column: str) -> bool:
    """Return whether files lack a column, which is null in each row where the card names it."""
    if column not in dataset.column_names:
        return True
    nulls: int = dataset.data.column(column).null_count
    return 0 < len(dataset) == nulls


def balanced(is_feasible: Any, options: DataOptions) -> Any:
    """Return the positions of rows to train on, in their order: repeated, and balanced.

    >>> balanced(np.array([True, False, False, False]), DataOptions()).tolist()
    [0, 0, 1, 3]
    """
    feasible = np.repeat(np.flatnonzero(is_feasible), options.repeat_feasible)
    infeasible = np.flatnonzero(~is_feasible)
    if options.balance and len(infeasible) > len(feasible):
        rng = np.random.default_rng(options.balance_seed)
        infeasible = rng.choice(infeasible, len(feasible), replace=False)
    return np.sort(np.concatenate([feasible, infeasible]), kind="stable")


def check_list(name: str, value: Any, kind: type) -> None:
    """Check that an option is a list: one name in a YAML file would be a list of characters.

    Raises:
        WrongUsageError: the value is not a list of this kind.
    """
    if not isinstance(value, list) or not all(isinstance(each, kind) for each in value):
        raise WrongUsageError(
            f"{name} is {value!r}; expected a list of {'names' if kind is str else 'whole numbers'}"
            f", e.g. {name}: [{'sokoban_train' if kind is str else '2, 5'}]"
        )


def checked_variant(name: str, value: str) -> str:
    """Return a variant, or `as_built`; a name of version 1 as the name it has now.

    Args:
        name: of the option, for the error.
        value: of the option.

    Raises:
        WrongUsageError: the variant is unknown.
    """
    variant = FORMER_NAMES.get(value, value)
    check_choice(name, variant, (AS_BUILT, *VARIANTS))
    return variant


def _check_target(variant: Variant, target: str) -> None:
    """Check that a target answers the question of a variant.

    Raises:
        WrongUsageError: the variant asks for a forecast and no forecaster is the target, or for
            something else and one is, or for one number where intervals are taught.
    """
    question = question_of(variant)
    if (question == "forecast") != names_forecaster(target):
        asked, advice = (
            ("a forecast", "give a forecaster, e.g. target: aft")
            if question == "forecast"
            else (f"{_ASKED[question]}", "give variant: forecast_no_think, or e.g. target: pct30")
        )
        raise WrongUsageError(
            f"variant {variant}: asks for {asked}, and target is {target}; {advice}"
        )
    if question == "point" and target != "point":
        raise WrongUsageError(
            f"variant {variant}: asks for one number, and target is {target}; give target: point"
        )


def _check_reward(variant: Variant, weights: Mapping[str, float]) -> None:
    """Check that a reward judges the answers to a variant.

    Raises:
        WrongUsageError: the variant asks for one number, or for no forecast and parts judge one.
    """
    question = question_of(variant)
    if question == "point":
        raise WrongUsageError(
            f"variant {variant}: the rewards judge intervals and forecasts; train on an interval "
            "or a forecast variant"
        )
    of_forecasts = [name for name in weights if name in FORECAST_PARTS]
    if question != "forecast" and of_forecasts:
        raise WrongUsageError(
            f"variant {variant}: does not ask for a forecast, which the reward's "
            f"{of_forecasts[0]} judges; give variant: forecast_no_think, or rewards: paper or dense"
        )


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Check that an option has one of its values.

    Raises:
        WrongUsageError: the value is another one; the message lists those that are allowed.
    """
    if value not in choices:
        raise WrongUsageError(f"{name} is {value!r}; expected one of: {', '.join(choices)}")
