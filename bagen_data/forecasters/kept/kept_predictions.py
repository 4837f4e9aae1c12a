"""Answer a split with a kept forecaster."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bagen_data.answers import render
from bagen_data.errors import InputError, WrongUsageError
from bagen_data.forecasters import SeenSamples, find_forecaster
from bagen_data.forecasters.kept.kept_forecaster import KeptForecaster, instance_hash
from bagen_data.forecasters.learning.column_forecasters import forecast_answer, interval_answer
from bagen_data.forecasters.learning.examples import Example, load_examples
from bagen_data.forecasters.learning.hidden_probes import AskedProbe, load_hidden_probes
from bagen_data.forecasters.learning.predictions import ForecastRequest, Load, Predicted
from bagen_data.hub import is_hidden
from bagen_data.repositories.dataset_places import pinned
from bagen_data.wording import numbered


@dataclass(frozen=True)
class _Asked:
    """The samples of a split."""

    samples: Sequence[Example | AskedProbe]
    revision: str | None
    """The dataset's."""


def predict_kept(
    kept: KeptForecaster,
    request: ForecastRequest,
    seen: SeenSamples = "refused",
    load: Load = load_examples,
) -> Predicted:
    """Answer every sample of a split.

    Args:
        kept: the forecaster.
        request: the samples; its forecaster and seed are not read.
        seen: what becomes of samples whose instance the forecaster learned from. The instances of
            a hidden split are not known, so none of its samples is refused.
        load: function that reads the samples.

    Raises:
        WrongUsageError: the request asks it to learn.
        InputError: the dataset cannot be used, has samples of another task or of other resources,
            or of instances that it learned from; or it does not know which runs succeed.
    """
    named = f"the {kept.kind} forecaster of {kept.task}"
    if request.cross_validate or request.learn_from:
        flag = "--cross-validate" if request.cross_validate else "--learn-from"
        raise WrongUsageError(f"{flag}: {named} has learned already; leave {flag} out")
    if not kept.knows_success:
        raise InputError(
            f"{named}: learned amounts from runs whose outcome is not known, and samples ask "
            "whether a run succeeds; fit it on rollouts with outcomes"
        )
    asked = _asked(replace(request, path=pinned(request.path)), load)
    _check_fit(kept, asked.samples, named)
    learned = set(kept.learned_from.instance_sha256)
    is_seen = [
        isinstance(each, Example) and instance_hash(each.task, each.instance_id) in learned
        for each in asked.samples
    ]
    if any(is_seen) and seen == "refused":
        first = asked.samples[is_seen.index(True)].sample_id
        raise InputError(
            f"{request.path}: {named} learned from the instances of "
            f"{numbered(sum(is_seen), 'sample')}, such as {first}; ask it about others, or give "
            "--seen answered, and the metadata say that it was trained on what it answers"
        )
    question = request.question or "forecast"
    answer = (forecast_answer if question == "forecast" else interval_answer)(kept.model)
    estimates = answer([each.probe for each in asked.samples])
    rows = [
        {"sample_id": each.sample_id, "response": render(estimate, question)}
        for each, estimate in zip(asked.samples, estimates, strict=True)
    ]
    settings = {
        **find_forecaster(kept.kind).settings,
        "seed": kept.learned_from.seed,
        "forecaster_sha256": kept.sha256,
    }
    trained_on = _trained_on(kept, asked.revision, any(is_seen))
    return Predicted(rows, trained_on, settings, question, asked.revision)


def _asked(request: ForecastRequest, load: Load) -> _Asked:
    if is_hidden(request.path):
        hidden = load_hidden_probes(request.path, request.config, request.split)
        return _Asked(hidden.probes, hidden.revision)
    loaded = load(request.path, request.config, request.split)
    return _Asked(loaded.examples, loaded.revision)


def _check_fit(kept: KeptForecaster, asked: Sequence[Example | AskedProbe], named: str) -> None:
    """Refuse samples of another task, or of other resources.

    Raises:
        InputError: naming the first sample.
    """
    for each in asked:
        if each.task != kept.task:
            raise InputError(
                f"{each.sample_id}: is of task {each.task}, and {named} answers {kept.task} only; "
                f"give --config {kept.task}, or a forecaster that was fitted on {each.task}"
            )
        kept.check_budget(each.probe.budget, each.sample_id)


def _trained_on(kept: KeptForecaster, revision: str | None, is_seen: bool) -> str:
    """Return what the metadata of a submission say of the training: see `submissions.Metadata`."""
    known = kept.learned_from
    is_same = revision is not None and known.revision == revision
    is_benchmark = is_same and known.config is not None and not known.config.endswith("_train")
    return "benchmark" if is_seen or is_benchmark else "train" if is_same else "other"
