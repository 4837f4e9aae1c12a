"""Checks of an answer, and the choice among answers."""

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect.searchr1.bats.answer_choice import (
    CheckedProposal,
    candidates,
    first_of_most,
    read_choice,
)
from collect.searchr1.bats.malformed import MalformedError
from collect.searchr1.bats.plan import Plan
from collect.searchr1.bats.verification import Check, Verification, read_verification
from collect.searchr1.scaled_rollout import ProposedAnswer, majority
from collect.searchr1.search_actions import Search, parse
from collect.searchr1.tagged_text import last_tagged
from tests.collect.searchr1.scripted_model import check
from tests.making import REPO


def test_a_check_has_a_verdict_findings_and_a_summary() -> None:
    said = check("pivot", "satisfied", "CONTRADICTED", summary="The mill was wrong.")
    assert read_verification(f"<think><verdict>SUCCESS</verdict></think>{said}") == Verification(
        "PIVOT",
        (Check("satisfied", "constraint 1"), Check("contradicted", "constraint 2")),
        "The mill was wrong.",
    )


def test_the_forms_of_the_document_can_be_read() -> None:
    document = dedent((REPO / "docs" / "bats.md").read_text().replace("\n       ", "\n"))
    plan = Plan().updated(last_tagged(document, "plan") or "")
    assert [step.mark for step in plan.steps] == ["x", "~", " "]
    verification = read_verification(document)
    assert (verification.verdict, verification.problem) == ("CONTINUE", "")
    assert [each.finding for each in verification.checks] == ["satisfied", "unverified"]
    assert verification.summary.startswith("The guild")
    assert isinstance(parse(document), Search)


@pytest.mark.parametrize(
    ("response", "problem"),
    [
        ("", "has no <checks>...</checks>"),
        ("<checks></checks><verdict>SUCCESS</verdict>", "checks no constraint"),
        ("<checks>yes</checks><verdict>SUCCESS</verdict>", "has 'yes' among its checks"),
        ("<checks>[satisfied] a</checks>", "has no <verdict>...</verdict>"),
        (check("SUCCESS or CONTINUE", "satisfied"), "has the verdict 'SUCCESS or CONTINUE'"),
        (check("SUCCESS", "unverified"), "says SUCCESS although a constraint is unverified"),
        (check("SUCCESS", "satisfied", "contradicted"), "a constraint is contradicted"),
    ],
)
def test_what_cannot_be_read_counts_as_continue(response: str, problem: str) -> None:
    verification = read_verification(f"{response}<summary>kept</summary>")
    assert (verification.verdict, verification.checks) == ("CONTINUE", ())
    assert problem in verification.problem
    assert verification.summary == "kept"


@given(st.text(), st.text(alphabet="<>/verdictchkssumay []SUCE\n", max_size=200))
def test_any_response_is_read(one: str, other: str) -> None:
    for response in (one, other, check(other, "satisfied"), f"<checks>{other}</checks>"):
        verification = read_verification(response)
        assert verification.problem or verification.checks


def checked(*proposals: tuple[str, str | None]) -> list[CheckedProposal]:
    return [
        CheckedProposal(
            ProposedAnswer(answer, number),
            None if verdict is None else Verification(verdict),  # type: ignore[arg-type]
        )
        for number, (answer, verdict) in enumerate(proposals, 1)
    ]


@pytest.mark.parametrize(
    ("proposals", "expected"),
    [
        ([], []),
        ([("a", "CONTINUE"), ("b", "SUCCESS"), ("c", "SUCCESS")], ["b", "c"]),
        ([("a", "CONTINUE"), ("b", "PIVOT"), ("c", None)], ["a"]),
        ([("b", "PIVOT"), ("c", None)], ["c"]),
        ([("the Mosk", "PIVOT"), ("Mosk.", "PIVOT")], ["the Mosk"]),
    ],
)
def test_the_best_checked_answers_are_the_candidates(
    proposals: list[tuple[str, str | None]], expected: list[str]
) -> None:
    assert [each.answer for each in candidates(checked(*proposals))] == expected


def test_a_judge_names_a_candidate_by_its_number() -> None:
    choices = candidates(checked(("a", "SUCCESS"), ("b", "SUCCESS"), ("B", "SUCCESS")))
    assert [each.attempts for each in choices] == ["1", "2, 3"]
    assert read_choice("<choice>1</choice> no: <choice> 2 </choice>", choices).answer == "b"
    assert first_of_most(choices).answer == "b"
    for wrong in ("2", "<choice>b</choice>", "<choice>0</choice>", f"<choice>{'9' * 99}</choice>"):
        with pytest.raises(MalformedError):
            read_choice(wrong, choices)


def test_a_majority_goes_by_normalised_answers_and_a_tie_to_the_first() -> None:
    assert majority([]) is None
    proposals = [ProposedAnswer(answer, 1) for answer in ("b", "The A.", "a", "B", "c")]
    assert majority(proposals) == "b"
    assert majority(proposals[1:]) == "The A."
