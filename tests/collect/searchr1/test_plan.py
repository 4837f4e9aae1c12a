"""A plan as a checklist."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect.searchr1.bats.malformed import MalformedError
from collect.searchr1.bats.plan import MOST_STEPS, Plan, Step

PLAN = """
[ ] 1 explore: the guild
  [~] 1.1 explore: its town
[x] 2 explore: the ships
[ ] 3 verify: it was launched before 1850
"""


def test_a_plan_is_a_tree_of_marked_steps() -> None:
    plan = Plan().updated(PLAN)
    assert [step.number for step in plan.steps] == [(1,), (1, 1), (2,), (3,)]
    assert plan.steps[1] == Step((1, 1), "~", "explore", "its town")
    assert str(plan).splitlines()[1] == "[~] 1.1 explore: its town"


def test_branches_are_open_leaves_of_exploration() -> None:
    plan = Plan().updated(PLAN)
    assert plan.open_branches == 1, "1 is open above 1.1, 2 is done, 3 verifies"
    assert plan.updated("[ ] 1.2 explore: its members").open_branches == 2
    assert plan.updated("[!] 1.1 explore: its town").open_branches == 1, "1 itself is open"
    assert Plan().open_branches == 0


def test_an_update_changes_and_adds_steps_and_removes_none() -> None:
    plan = Plan().updated(PLAN).updated("[X] 1.1 EXPLORE: its town\n[ ] 1.10. explore: z")
    assert [str(step)[:8] for step in plan.steps] == [
        *("[ ] 1 ex", "[x] 1.1 ", "[ ] 1.10", "[x] 2 ex", "[ ] 3 ve"),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it has no steps"),
        ("1 explore: x", "'1 explore: x' is not a step"),
        ("[?] 1 explore: x", "is not a step"),
        ("[ ] 0 explore: x", "is not a step"),
        ("[ ] 1 guess: x", "is not a step"),
        ("[ ] 1 explore:", "is not a step"),
        ("[ ] 1 explore: x\n[ ] 1 verify: y", "step 1 appears twice"),
        ("[ ] 1.2.1 explore: x", "step 1.2.1 has no step 1.2 above it"),
        ("\n".join(f"[ ] {n} verify: x" for n in range(1, 66)), f"at most {MOST_STEPS}"),
    ],
)
def test_what_is_no_plan_is_refused_and_the_plan_before_stays(text: str, problem: str) -> None:
    plan = Plan().updated(PLAN)
    with pytest.raises(MalformedError, match=problem.replace(".", r"\.").replace("?", r"\?")):
        plan.updated(text)
    assert plan == Plan().updated(PLAN)


marks = st.sampled_from([" ", "x", "~", "!"])
lines = st.builds(
    lambda mark, number, use: f"[{mark}] {number} {use}: text",
    marks,
    st.integers(1, 40),
    st.sampled_from(["explore", "verify"]),
)


@given(st.lists(lines, min_size=1, max_size=20, unique_by=lambda line: line.split()[-3]))
def test_a_plan_is_read_back_as_it_is_shown(checklist: list[str]) -> None:
    plan = Plan().updated("\n".join(checklist))
    assert Plan().updated(str(plan)) == plan


@given(st.text(alphabet="[] x~!123.explorvify:\n", max_size=60))
def test_any_text_is_a_plan_or_is_refused(text: str) -> None:
    try:
        plan = Plan().updated(text)
    except MalformedError:
        return
    assert plan.steps
