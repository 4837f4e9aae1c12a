"""Forecasts of recorded rollouts, by forecasters that did not learn from their instances."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter

from bagen_data.dataset_configs import holds_samples, is_start, is_training, task_of
from bagen_data.errors import InputError, WrongUsageError
from bagen_data.forecasters import Answer, find_forecaster
from bagen_data.forecasters.kept import KeptForecaster, instance_hash
from bagen_data.forecasters.learning.examples import Example, load_examples, recorded_rollouts
from bagen_data.forecasters.learning.predictions import parts_of_instances
from bagen_data.hub import build_record, configs, is_hidden, splits
from bagen_data.policies.foretold_rollouts import RecordedRollout, Said
from bagen_data.repositories.dataset_places import pinned
from bagen_data.schema import Forecast


@dataclass(frozen=True)
class RecordedConfig:
    """The recorded rollouts of a config."""

    dataset: str
    """The name of the dataset, at a commit if it is on the Hub."""
    config: str
    revision: str | None
    """The revision of the dataset."""
    rollouts: Sequence[RecordedRollout]

    @property
    def task(self) -> str:
        """The task of the rollouts."""
        return task_of(self.config)

    def examples(self) -> list[Example]:
        """Load the samples of all splits of the config, to learn from."""
        return [
            example
            for split in splits(self.dataset, self.config)
            for example in load_examples(self.dataset, self.config, split).examples
        ]


def load_recorded(dataset: str, config: str) -> RecordedConfig:
    """Load the rollouts of a task's benchmark, or of all parts of its training config.

    Args:
        dataset: a folder, URL, ORG/NAME or ORG/NAME@REV.
        config: a task or `<task>_train`.

    Raises:
        WrongUsageError: the config is of start probes, of several tasks, or holds no samples.
        InputError: the dataset or config does not exist, or the dataset is a hidden split.
    """
    if not _is_of_one_task(config):
        raise WrongUsageError(
            f"--config {config}: a policy is chosen on the rollouts of one task; give a task, such "
            "as swebench, or <task>_train"
        )
    dataset = pinned(dataset)
    if is_hidden(dataset):
        raise InputError(
            f"{dataset}: is a hidden split, whose rollouts have no outcomes here; give a dataset "
            "with labels"
        )
    if not splits(dataset, config):
        known = [name for name in configs(dataset) if _is_of_one_task(name)]
        raise InputError(
            f"{dataset}: has no config {config}; expected one of {', '.join(known)}"
            if known
            else f"{dataset}: has no config {config}, and none of one task; give another dataset"
        )
    kind = "train" if is_training(config) else "test"
    recorded = recorded_rollouts(dataset, kind, _OfTask(task_of(config)))
    rollouts = [
        RecordedRollout(*each) for each in recorded.values() if each[0].turns and each[1].limits
    ]
    if not rollouts:
        raise InputError(f"{dataset}: config {config} has no rollouts; give another config")
    return RecordedConfig(dataset, config, (build_record(dataset) or {}).get("revision"), rollouts)


def _is_of_one_task(config: str) -> bool:
    return holds_samples(config) and not is_start(config) and config != "default"


class _OfTask:
    """The keys of all rollouts of a task."""

    def __init__(self, task: str) -> None:
        self._task = task

    def __contains__(self, key: object) -> bool:
        return isinstance(key, tuple) and key[0] == self._task


def cross_fitted(recorded: RecordedConfig, name: str, seed: int) -> Mapping[str, Said]:
    """Return what a forecaster says of each rollout, learned from other instances of its family.

    After the turns that are samples of the dataset it is what `bagen predict baseline
    --cross-validate` answers. An instance without samples, which a benchmark of very many
    rollouts has, taught nothing, so all samples of its family teach what is said of it.

    Args:
        recorded: rollouts.
        name: one of `known_forecasters()`, which gives forecasts.
        seed: seed of the parts and of learning.

    Raises:
        WrongUsageError: no forecaster has the name, or it gives no forecasts.
        InputError: a family has one instance only.
    """
    forecaster = find_forecaster(name)
    learn = forecaster.learn_forecasts
    if learn is None:
        raise WrongUsageError(
            f"{name} answers with intervals, and a policy needs probabilities; give a forecaster "
            "that forecasts, such as forest, aft, conformal or climatology"
        )
    said: dict[str, Said] = {}
    by_family = attrgetter("family")
    examples = {
        family: list(own)
        for family, own in groupby(sorted(recorded.examples(), key=by_family), by_family)
    }
    for family, own in groupby(sorted(recorded.rollouts, key=by_family), by_family):
        rollouts, known = list(own), examples.get(family, [])
        part = parts_of_instances({each.instance_id for each in known}, forecaster.folds, seed)
        if len(part) < 2:
            raise InputError(
                f"{recorded.dataset}: family {family} of config {recorded.config} has fewer than "
                "two instances to learn from; record more, or give a kept forecaster's folder"
            )
        for number in sorted(set(part.values())):
            answer = learn([one for one in known if part[one.instance_id] != number], seed)
            asked = [each for each in rollouts if part.get(each.instance_id) == number]
            said |= _answered(answer, asked)
        others = [each for each in rollouts if each.instance_id not in part]
        if any(len(each.rollout.turns) > 1 for each in others):
            said |= _answered(learn(known, seed), others)
        else:
            said |= _by_rollout(others, [])
    return said


def _answered(answer: Answer, asked: Sequence[RecordedRollout]) -> dict[str, Said]:
    """Return what is said of each rollout."""
    probes = [probe for each in asked for probe in each.probes()]
    return _by_rollout(asked, [one.forecast for one in answer(probes)] if probes else [])


def of_kept(
    recorded: RecordedConfig, kept: KeptForecaster, name: str
) -> tuple[RecordedConfig, Mapping[str, Said]]:
    """Return the rollouts whose instances a kept forecaster did not learn from, and forecasts.

    Args:
        recorded: rollouts.
        kept: a kept forecaster of the same task.
        name: the folder or Hub id of the forecaster, for messages.

    Raises:
        InputError: the forecaster is of another task, does not know success, does not say what it
            learned from, or learned from all instances.
    """
    if kept.task != recorded.task:
        raise InputError(
            f"{name}: forecasts {kept.task}, and --config {recorded.config} is of {recorded.task}; "
            f"give a config of {kept.task}, or a forecaster of {recorded.task}: 'bagen fit --task "
            f"{recorded.task}' makes one of logs"
        )
    if not kept.knows_success:
        raise InputError(
            f"{name}: learned from rollouts whose outcome is not known, so it forecasts amounts "
            "alone; a policy needs a forecaster that was fitted with outcomes"
        )
    learned = set(kept.learned_from.instance_sha256)
    if not learned:
        raise InputError(
            f"{name}: does not say which instances it learned from, so no rollout is known to be "
            "new to it; fit it again with this version"
        )
    unseen = [
        each
        for each in recorded.rollouts
        if instance_hash(recorded.task, each.instance_id) not in learned
    ]
    if not unseen:
        raise InputError(
            f"{name}: learned from every instance of --config {recorded.config} of "
            f"{recorded.dataset}; give another config or dataset, with rollouts of instances that "
            f"it did not learn from, or name its kind, 'bagen policy {kept.kind}', whose forecasts "
            "of each rollout are then learned from other instances"
        )
    probes = [probe for each in unseen for probe in each.probes()]
    forecasts = [one if isinstance(one, Forecast) else None for one in kept.forecast(probes)]
    return replace(recorded, rollouts=unseen), _by_rollout(unseen, forecasts)


def _by_rollout(
    rollouts: Sequence[RecordedRollout], forecasts: Sequence[Forecast | None]
) -> dict[str, Said]:
    """Return what was said of each rollout.

    Args:
        rollouts: with turns.
        forecasts: forecasts of all their probes, in order.
    """
    said, start = {}, 0
    for each in rollouts:
        end = start + len(each.rollout.turns) - 1
        said[each.name] = Said.of(forecasts[start:end])
        start = end
    return said
