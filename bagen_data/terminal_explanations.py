"""Explanations of scores as people read them in a terminal: `bagen score --explain`."""

from collections.abc import Iterable, Iterator
from textwrap import fill

from bagen_data.published import CODE_PAGE
from bagen_data.scoring.all_scores import SCORES
from bagen_data.scoring.explained_scores import BUDGET, EXPLANATIONS, ScoreExample

PAGE = f"{CODE_PAGE}/blob/main/docs/scores.md"
"""The address of the page whose sections derive the scores."""
_ENDS = {"higher": "higher is better", "lower": "lower is better", "neither": ""}
_LABEL = 11
"""Characters of the label of a line, with blanks."""


def explanations(names: Iterable[str], width: int) -> str:
    """Return what each score asks and is, its range, a worked example, and where it is derived.

    The examples come first, each once, as several scores are worked out on one.

    Args:
        names: names of scores; others are left out.
        width: characters of a line.
    """
    known = [name for name in names if name in SCORES]
    shown = [EXPLANATIONS[name].example for name in known if name in EXPLANATIONS]
    examples = list({id(example): example for example in shown}.values())
    parts = []
    if examples:
        title = f"Examples, with a budget of {BUDGET:,} tokens. R is what the run went on to use."
        lines = [fill(title, width)]
        for number, example in enumerate(examples, 1):
            for place, text in enumerate(_example_lines(example)):
                lines.append(_line("" if place else f"{number}", text, width))
        parts.append("\n".join(lines))
    for name in known:
        lines = [_line(label, text, width) for label, text in _score_lines(name, examples)]
        parts.append("\n".join((name, *lines)))
    if examples:
        parts.append(f"Sections are those of {PAGE}")
    return "\n\n".join(parts)


def _example_lines(example: ScoreExample) -> Iterator[str]:
    """Yield each sample with its answer, and what the reference says of all of them."""
    for sample in example.samples:
        spent = f"{sample.used:,} used" if sample.turn else "not begun"
        yield (
            f"{sample.name}: {spent}, R {sample.remaining:,}, {sample.outcome}; "
            f"answered {sample.answer}"
        )
    if example.reference:
        finish, success, quantiles = example.reference
        said = ", ".join(f"{each:g}" for each in quantiles)
        yield f"The reference says finish={finish}, success={success}, tokens=[{said}] of each."


def _score_lines(name: str, examples: list[ScoreExample]) -> Iterator[tuple[str, str]]:
    """Yield the parts of a score's explanation, each with its label."""
    score = SCORES[name]
    explanation = EXPLANATIONS.get(name)
    end = _ENDS[score.better]
    if explanation is None:  # a score of somebody's own
        yield "is", score.meaning
        if end:
            yield "range", end
        return
    yield "asks", explanation.asks
    yield "is", score.meaning
    yield "range", "; ".join(filter(None, (explanation.range, end)))
    yield f"example {examples.index(explanation.example) + 1}", explanation.worked
    yield "section", explanation.section


def _line(label: str, text: str, width: int) -> str:
    return fill(
        text,
        width,
        initial_indent=f"  {label:<{_LABEL}}",
        subsequent_indent=" " * (2 + _LABEL),
        break_long_words=False,
        break_on_hyphens=False,
    )
