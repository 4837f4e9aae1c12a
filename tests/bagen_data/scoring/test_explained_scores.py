"""`bagen score --explain`: what it says of each score is so."""

import re

import pytest

from bagen_data.scoring import SCORES, score
from bagen_data.scoring.all_scores import BENCHMARK_MODULES, HEADLINE_SCORES, SECTIONS
from bagen_data.scoring.explained_scores import BUDGET, EXPLANATIONS, TOTAL_TURNS, ScoreExample
from bagen_data.terminal_explanations import explanations
from tests.making import REPO

WORDS = {
    *("macro_f1", "macro_f1_open", "log_score", "mre_p50", "extrapolation_mre_p50"),
    "start_correlation",
}
"""Scores whose last step is a mean, a median, a logarithm or a correlation, in words."""
OWN = [name for module in BENCHMARK_MODULES for name in SECTIONS[module]]


def values(example: ScoreExample) -> dict[str, float | None]:
    """Score an example as anybody's samples are scored."""
    rows, answers, references = [], [], []
    for sample in example.samples:
        sample_id = f"task/model/{sample.name[0]}/{sample.turn}"
        amounts = {"used": float(sample.used), "remaining": float(sample.remaining)}
        row = {
            "sample_id": sample_id,
            "total_turns": TOTAL_TURNS,
            "rollout_success": sample.is_success,
            "feasible": sample.is_success and sample.is_within,
            "resources": [{"resource": "tokens", "budget": float(BUDGET)} | amounts],
        }
        rows.append(row)
        answers.append({"sample_id": sample_id, "response": f"<answer>{sample.answer}</answer>"})
        if example.reference:
            finish, success, quantiles = example.reference
            said = [{"resource": "tokens", "quantiles": list(quantiles)}]
            about = {"sample_id": sample_id, "finish": finish, "success": success}
            references.append(about | {"resources": said})
    report = score(
        rows,
        answers,
        question=example.question,
        reference=references or None,
        resamples=0,
    )
    return {name: each.value for name, each in report.overall.items()}


def test_every_score_of_the_benchmark_is_explained() -> None:
    assert list(EXPLANATIONS) == OWN


@pytest.mark.parametrize("name", OWN)
def test_the_worked_example_comes_to_the_score(name: str) -> None:
    explanation = EXPLANATIONS[name]
    assert 2 <= len(explanation.example.samples) <= 3
    value = values(explanation.example)[name]
    assert value is not None
    _, equals, worked = explanation.worked.rpartition(" = ")
    digits = len(worked.partition(".")[2])
    assert equals
    assert float(worked) == round(value, digits)
    assert digits >= 2 or float(worked) == round(value, 4)


@pytest.mark.parametrize("name", OWN)
def test_the_last_sum_of_a_worked_example_is_right(name: str) -> None:
    """The sum right before the value gives it, where it is written as arithmetic."""
    text = EXPLANATIONS[name].worked.replace(" x ", " * ").replace("^", "**")
    sums, _, worked = text.rpartition(" = ")
    arithmetic = re.search(r"(?:^|: |quantile )([-\d(][-\d\s.+*/()]*)$", sums)
    if arithmetic is None:
        assert name in WORDS
        return
    assert eval(arithmetic[1]) == pytest.approx(float(worked), abs=0.005)  # noqa: S307  our own


@pytest.mark.parametrize("name", OWN)
def test_an_explanation_asks_one_question_and_names_a_section_that_has_the_score(
    name: str,
) -> None:
    explanation = EXPLANATIONS[name]
    assert re.fullmatch(r"[A-Z][^?]*\?", explanation.asks)
    page = (REPO / "docs/scores.md").read_text(encoding="utf-8")
    section = page.partition(f"\n## {explanation.section}\n")[2].partition("\n## ")[0]
    assert re.search(rf"\b{name}\b", section), f"{explanation.section} does not name {name}"
    assert (
        SCORES[name].better != "neither"
        or "right" in explanation.range
        or ("a fact of the samples" in explanation.range)
    )


@pytest.mark.parametrize("width", [80, 120])
def test_explanations_fit_a_screen_and_show_each_example_once(width: int) -> None:
    text = explanations([*HEADLINE_SCORES, "no_score"], width)
    *lines, address = text.splitlines()
    assert max(map(len, lines)) <= width
    assert not any(line != line.rstrip() for line in lines)
    assert address.endswith("/docs/scores.md")
    assert " ".join(text.split()).count("answered [100, 400]") == 1
    assert "\n\nhit_rate\n  asks       How many feasible samples" in text
    assert "no_score" not in text


def test_a_score_of_somebodys_own_is_explained_by_its_meaning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(EXPLANATIONS, "hit_rate")
    text = explanations(["hit_rate"], 200)
    assert (
        text
        == f"hit_rate\n  is         {SCORES['hit_rate'].meaning}\n  range      higher is better"
    )
