"""The BAGEN metric for `evaluate`: a thin shell over `bagen_data.scoring`."""

import numbers

import datasets
import evaluate

import bagen_data
from bagen_data.scoring import SCORES, score

_DESCRIPTION = """
BAGEN asks whether an LLM agent knows what it is about to spend: after each turn of a recorded
rollout, can the task still be finished within the budget, and how much is still needed? This metric
scores the raw answers, which may be intervals, points or forecasts: feasibility F1, coverage and
tightness of intervals, early stop, proper scores and skills of forecasts.
"""

_KWARGS_DESCRIPTION = """
Args:
    predictions: raw response strings, one a sample. An empty one is an invalid answer.
    references: rows of the dataset, in the same order: dicts with at least `sample_id`, `feasible`
        and `resources`, a list of {resource, budget, used, remaining}. With `total_turns` the first
        alarm and extrapolation are scored too, with `rollout_success` the paper's own scores and
        those of forecasts, with `instance_id` rollouts of one task instance are known as such.
    question: what the predictions answer: `interval`, `point` or `forecast`. None by default, which
        takes them as intervals and refuses them where all are answers to another question.
    reference: rows of the dataset's config `reference`, or None: the forecasts that skills are
        relative to, dicts with `sample_id`, `finish`, `success` and `resources`, a list of
        {resource, quantiles}. Rows of other samples are left aside.
    resamples: of instances, for 95% intervals; they are in `details`. 0 by default: none.
    details: also return `details`: every score with its n and interval, by task, family and part
        of a rollout, and the counts of invalid answers by reason.
Returns:
    A dict of the overall scores by name, each the mean over tasks, None where there is nothing to
    take it over; and `details` if asked for.
Examples:
    >>> import evaluate
    >>> bagen = evaluate.load("metrics/bagen")
    >>> tokens = {"resource": "tokens", "budget": 900.0, "used": 200.0, "remaining": 400.0}
    >>> row = {"sample_id": "sokoban/m/r1/1", "feasible": True, "resources": [tokens]}
    >>> bagen.compute(predictions=["<answer>[360, 440]</answer>"], references=[row])["reward"]
    0.8
"""

_CITATION = """
@misc{bagen2026,
  title  = {BAGEN: Are LLM Agents Budget-Aware?},
  author = {Lin and others},
  year   = {2026}
}
"""

_OPTIONAL = {"total_turns": int, "rollout_success": bool, "instance_id": str}
_KINDS = {
    str: "a string",
    bool: "True or False",
    int: "a whole number",
    list: "a list",
    numbers.Real: "a number",
}


class Bagen(evaluate.Metric):
    """`compute`, `add`, `add_batch` as of every metric of `evaluate`."""

    def _info(self):
        value = datasets.Value
        amounts = {"resource": value("string")}
        amounts |= {name: value("float64") for name in ("budget", "used", "remaining")}
        row = {"sample_id": value("string"), "feasible": value("bool")}
        row["resources"] = datasets.List(amounts)
        row |= {"total_turns": value("int64"), "rollout_success": value("bool")}
        row["instance_id"] = value("string")
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_KWARGS_DESCRIPTION,
            features=datasets.Features({"predictions": value("string"), "references": row}),
        )

    def compute(self, *, predictions=None, references=None, **kwargs):
        """The scores of what was added, or of what is given here."""
        if predictions is None and references is None:
            if self.writer is None:
                raise ValueError("there is nothing to score; add predictions and references first")
        elif not len(_listed("predictions", predictions)):
            raise ValueError("there are no predictions; expected at least one")
        return super().compute(predictions=predictions, references=references, **kwargs)

    def add_batch(self, *, predictions=None, references=None, **kwargs):
        """Add responses and the rows of their samples."""
        predictions = _listed("predictions", predictions)
        references = _listed("references", references)
        if len(predictions) != len(references):
            raise ValueError(
                f"{len(predictions)} predictions for {len(references)} references; "
                "expected one for each"
            )
        rows = [_row(number, reference) for number, reference in enumerate(references)]
        texts = [_text(number, prediction) for number, prediction in enumerate(predictions)]
        if texts:
            super().add_batch(predictions=texts, references=rows, **kwargs)

    def add(self, *, prediction=None, reference=None, **kwargs):
        """Add one response and the row of its sample."""
        prediction = kwargs.pop("predictions", prediction)  # as evaluate.combine calls them
        reference = kwargs.pop("references", reference)
        super().add(prediction=_text(0, prediction), reference=_row(0, reference), **kwargs)

    def _compute(  # noqa: PLR0913, PLR0917  as `compute` hands them on
        self,
        predictions,
        references,
        question=None,
        reference=None,
        resamples=0,
        details=False,
    ):
        references = list(references)
        dropped = {n for n in _OPTIONAL if any(row[n] in {None, ""} for row in references)}
        rows = [{n: v for n, v in row.items() if n not in dropped} for row in references]
        answers = [
            {"sample_id": row["sample_id"], "response": text}
            for row, text in zip(rows, predictions, strict=True)
        ]
        report = score(rows, answers, question=question, reference=reference, resamples=resamples)
        values = {name: report.overall[name].value for name in SCORES}
        values["benchmark_version"] = bagen_data.BENCHMARK_VERSION
        return values | ({"details": report.to_dict()} if details else {})


def _listed(name, values):
    """A column as a list, and an error for what only looks like one."""
    if hasattr(values, "to_dict") and hasattr(values, "columns"):  # a data frame
        return values.to_dict("records")
    if values is None or isinstance(values, str | dict):
        raise ValueError(f"{name} is {type(values).__name__}; expected a list, one entry a sample")
    return list(values)


def _row(number, reference):
    """A reference with what `evaluate` needs of each: the same keys, of the right types."""
    where = f"reference {number}"
    row = {
        "sample_id": _field(where, reference, "sample_id", str),
        "feasible": _field(where, reference, "feasible", bool),
    }
    row["resources"] = []
    for amounts in _field(where, reference, "resources", list):
        resource = {"resource": _field(f"{where}, resources", amounts, "resource", str)}
        for name in ("budget", "used", "remaining"):
            resource[name] = _field(f"{where}, resources", amounts, name, numbers.Real)
        row["resources"].append(resource)
    for name, kind in _OPTIONAL.items():
        is_given = reference.get(name) is not None
        missing = "" if kind is str else None  # `evaluate` encodes no string that is None
        row[name] = _field(where, reference, name, kind) if is_given else missing
    return row


def _field(where, row, name, kind):
    if not isinstance(row, dict) or name not in row:
        raise ValueError(
            f"{where} has no {name!r}; expected a dict with sample_id, feasible and resources, a "
            "list of {resource, budget, used, remaining}"
        )
    value = row[name]
    if hasattr(value, "tolist"):  # of NumPy
        value = value.tolist()
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{where}: {name} is {value!r}; expected {_KINDS[kind]}")
    return value


def _text(number, prediction):
    if not isinstance(prediction, str):
        raise ValueError(
            f"prediction {number} is {type(prediction).__name__}; expected the raw response as a "
            "string, empty if there was none"
        )
    # What no text file could hold is no part of an answer either.
    return prediction.encode("utf-8", "replace").decode("utf-8")
