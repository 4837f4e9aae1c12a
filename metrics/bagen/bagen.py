"""The BAGEN metric for `evaluate`: a thin shell over `bagen_data.scoring`."""

import datasets
import evaluate

try:
    import bagen_data
    from bagen_data import published
    from bagen_data.integrations import metric_inputs
    from bagen_data.scoring import SCORES, score
except ImportError as error:
    raise ImportError(
        f"bagen_data is missing or older than this metric ({error}); install it with: "
        "pip install --upgrade 'bagen-data[metric]', or where no release has it: "
        "pip install 'bagen-data[metric] @ git+https://github.com/mll-lab-nu/BAGEN'"
    ) from error

_DESCRIPTION = """
BAGEN asks whether an LLM agent knows what it is about to spend: after each turn of a recorded
rollout, can the task still be finished within the budget, and how much is still needed? This metric
scores the raw answers, which may be intervals, points or forecasts: feasibility F1, coverage and
tightness of intervals, early stop, proper scores and skills of forecasts.
"""

_KWARGS_DESCRIPTION = """
Args:
    predictions: raw response strings, one a sample. An empty one is an invalid answer.
    references: rows of the dataset, in the same order: a list of dicts, a dataset, an Arrow table
        or a data frame with at least `sample_id`, `feasible` and `resources`, a list of
        {resource, budget, used, remaining}. With `total_turns` the first
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

_CITATION = f"""
@misc{{bagen2026,
  title         = {{{published.TITLE}}},
  author        = {{{" and ".join(published.AUTHORS)}}},
  year          = {{2026}},
  eprint        = {{{published.PAPER_PAGE.rpartition("/")[2]}}},
  archivePrefix = {{arXiv}},
  url           = {{{published.PAPER_PAGE}}}
}}
"""


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
            homepage=published.PROJECT_PAGE,
            license="MIT",
            codebase_urls=[published.CODE_PAGE],
            reference_urls=[
                published.PAPER_PAGE,
                f"{published.HUB_PAGE}/datasets/{published.HUB_ID}",
                f"{published.HUB_PAGE}/spaces/{published.LEADERBOARD_ID}",
            ],
            streamable=False,  # a mean over families needs all of their rows
            format=None,  # rows are dicts, which no array holds
        )

    def compute(self, *, predictions=None, references=None, **kwargs):
        """Return the scores of the given responses and rows, or of those that were added before.

        Responses and rows that are given here alone, in one process, are scored as they are;
        `evaluate` writes others to a file first, and reads them from there.
        """
        if predictions is None and references is None:
            if self.writer is None:
                raise ValueError("nothing was added to score; add predictions and references first")
        elif self.writer is None and self.num_process == 1:
            return self._compute(predictions, references, **kwargs)
        elif not len(metric_inputs.listed("predictions", predictions)):
            raise ValueError("predictions are empty; expected at least one")
        return super().compute(predictions=predictions, references=references, **kwargs)

    def add_batch(self, *, predictions=None, references=None, **kwargs):
        """Add responses and the rows of their samples."""
        predictions = metric_inputs.listed("predictions", predictions)
        references = metric_inputs.listed("references", references)
        metric_inputs.check_lengths(predictions, references)
        rows = [metric_inputs.reference_row(*each) for each in enumerate(references)]
        texts = [metric_inputs.response_text(*each) for each in enumerate(predictions)]
        if texts:
            super().add_batch(predictions=texts, references=rows, **kwargs)

    def add(self, *, prediction=None, reference=None, **kwargs):
        """Add one response and the row of its sample."""
        prediction = kwargs.pop("predictions", prediction)  # as evaluate.combine calls them
        reference = kwargs.pop("references", reference)
        text = metric_inputs.response_text(0, prediction)
        row = metric_inputs.reference_row(0, reference)
        super().add(prediction=text, reference=row, **kwargs)

    def _compute(  # noqa: PLR0913, PLR0917  as `compute` hands them on
        self,
        predictions,
        references,
        question=None,
        reference=None,
        resamples=0,
        details=False,
    ):
        given = metric_inputs.metric_tables(predictions, references)
        report = score(
            given.samples,
            given.predictions,
            question=question,
            reference=reference,
            resamples=resamples,
        )
        values = {name: report.overall[name].value for name in SCORES}
        values["benchmark_version"] = bagen_data.BENCHMARK_VERSION
        return values | ({"details": report.to_dict()} if details else {})
