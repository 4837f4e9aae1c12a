"""Draws of probes, and the budgets they get."""

import random
from collections import Counter

from builders.hidden.budget_ranges import AmountRange, BudgetRanges
from builders.hidden.draw import CandidateRollout, draw_probes

RANGES = BudgetRanges({"tokens": AmountRange(400, 900)}, {})


def candidate(
    number: int, turns: int, instance: str = "", opening: str = "", cost: int = 10
) -> CandidateRollout:
    used = {k: {"tokens": cost * k} for k in range(1, turns)}
    return CandidateRollout(0, number, instance or str(number), opening or f"o{number}", used)


def test_at_a_turn_all_rollouts_that_still_run_are_equally_likely() -> None:
    candidates = [candidate(n, turns) for n, turns in enumerate((3, 3, 10, 10))]
    rng = random.Random(0)
    drawn = [draw_probes(candidates, RANGES, 1, rng)[0] for _ in range(8_000)]
    at_two = Counter(each.candidate.position for each in drawn if each.completed_turns == 2)
    assert max(at_two.values()) < 1.2 * min(at_two.values())
    assert {each.candidate.position for each in drawn if each.completed_turns > 2} == {2, 3}


def test_a_budget_is_drawn_whatever_its_rollout_comes_to() -> None:
    candidates = [candidate(n, turns) for n, turns in enumerate((5, 40))]
    rng = random.Random(0)
    budgets: dict[int, list[float]] = {0: [], 1: []}
    while min(map(len, budgets.values())) < 2_000:
        (drawn,) = draw_probes(candidates, RANGES, 1, rng)
        if drawn.completed_turns <= 4:
            budgets[drawn.candidate.position].append(drawn.budget.limits["tokens"])
    means = [sum(own) / len(own) for own in budgets.values()]
    assert abs(means[0] - means[1]) < 20  # four standard errors


def test_every_probe_is_open_and_of_an_instance_of_its_own() -> None:
    candidates = [candidate(n, 100, instance=str(n % 20)) for n in range(60)]
    drawn = draw_probes(candidates, RANGES, 100, random.Random(0))
    assert len({each.candidate.instance_id for each in drawn}) == len(drawn) == 20
    assert all(each.budget.allows(each.candidate.used[each.completed_turns]) for each in drawn)


def test_an_instance_may_be_named_by_its_opening_in_one_family_alone() -> None:
    named, hashed = candidate(0, 5, "level_7", "abc"), candidate(1, 5, "abc", "abc")
    same_opening = candidate(2, 5, "level_8", "abc")
    assert named.is_of_instance(hashed)
    assert not named.is_of_instance(same_opening)
    assert len(draw_probes([named, hashed], RANGES, 2, random.Random(0))) == 1


def test_a_rollout_over_every_budget_is_not_drawn() -> None:
    assert draw_probes([candidate(0, 5, cost=1_000)], RANGES, 1, random.Random(0)) == []
    assert draw_probes([], RANGES, 1, random.Random(0)) == []
