"""Ranks: the plain steps by hand or against SciPy, ours against those, the whole by simulation."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from scipy import stats

from bagen_data.answer_columns import FEASIBLE, INFEASIBLE, AnswerColumns
from bagen_data.array_types import Floats, Mask
from bagen_data.scoring.all_scores import SCORES
from bagen_data.scoring.definitions import AnsweredFamily, Definition
from bagen_data.scoring.family_sums import SumPlan
from bagen_data.scoring.measure import Group, averaged, draw, family_scores, of_families, of_tasks
from bagen_data.scoring.ranking import (
    LEVEL,
    RANKED_AMONG,
    Part,
    Ranks,
    parts_of,
    ranked,
    student_test,
)
from bagen_data.scoring.resampling import Resampling
from bagen_data.scoring.sample_table import FamilyColumns, SampleTable
from tests.bagen_data.scoring.plain_ranking import behind, holm, paired_p
from tests.bagen_data.scoring.scoring_cases import sample

SIMULATED = ("macro_f1", "hit_rate", "reward")
ESTIMATORS = 8
DRAWS = Resampling(resamples=250)
DEFINITIONS = {
    name: score
    for name, score in SCORES.items()
    if name in SIMULATED and isinstance(score, Definition)
}
PLAN = SumPlan.of(DEFINITIONS.values(), [])
"""The sums of the simulated scores alone, which are a small part of all."""


# --- Holm's correction ------------------------------------------------------------------------


def p_matrices(most: int = 7) -> Iterator[Floats]:
    """Amounts of 1 to `most` rows, many small, some alike, some 0 or 1."""
    rng = np.random.default_rng(0)
    for number in range(300):
        rows = number % most + 1
        p = rng.random((rows, rows)) ** 6
        if number % 3 == 0:
            p = rng.choice([0.0, 0.001, 0.004, 0.05, 1.0], (rows, rows))
        p = np.triu(p, 1)
        yield p + p.T + np.eye(rows)


def adjusted(p: Floats) -> dict[tuple[int, int], float]:
    """Holm's adjusted p of each pair, by its definition: the largest of (m - rank) p so far."""
    pairs = [(i, j) for i in range(len(p)) for j in range(i)]
    adjusted_p: dict[tuple[int, int], float] = {}
    largest = 0.0
    for rank, pair in enumerate(sorted(pairs, key=lambda pair: p[pair])):
        largest = max(largest, min(1.0, (len(pairs) - rank) * float(p[pair])))
        adjusted_p[pair] = largest
    return adjusted_p


def test_holm_tells_apart_those_with_an_adjusted_p_of_the_level_or_less() -> None:
    for p in p_matrices():
        apart = holm(p)
        for (i, j), value in adjusted(p).items():
            if abs(value - LEVEL) > 1e-12:
                assert apart[i, j] == apart[j, i] == (value <= LEVEL)
        assert not apart.diagonal().any()


def test_of_holm_a_smaller_p_never_un_tells_a_pair() -> None:
    rng = np.random.default_rng(1)
    for p in p_matrices():
        smaller = p * np.triu(rng.random(p.shape), 1)
        assert (holm(smaller + smaller.T + np.eye(len(p))) >= holm(p)).all()


def test_holm_goes_along_with_a_permutation_of_the_rows() -> None:
    rng = np.random.default_rng(2)
    for p in p_matrices():
        order = rng.permutation(len(p))
        assert (holm(p[np.ix_(order, order)]) == holm(p)[np.ix_(order, order)]).all()


def test_of_holm_equal_p_stand_or_fall_together() -> None:
    tied = np.full((4, 4), 0.05 / 6)
    assert holm(tied).sum() == 12
    assert not holm(tied + 1e-6).any()


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_holm_tells_none_apart_where_every_p_is_1(rows: int) -> None:
    assert not holm(np.ones((rows, rows))).any()


def test_holm_of_two_is_the_plain_test() -> None:
    assert holm(np.array([[1, 0.05], [0.05, 1]])).tolist() == [[False, True], [True, False]]
    assert not holm(np.array([[1, 0.051], [0.051, 1]])).any()


# --- p of each pair ---------------------------------------------------------------------------


def means(of_rollouts: Floats, resamples: int = 4000, seed: int = 0) -> Floats:
    """(1 + b, s) the means of (s, m) rollouts, and those of resamples of rollouts."""
    rollouts = of_rollouts.shape[1]
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(rollouts, np.full(rollouts, 1 / rollouts), resamples)
    return np.vstack([np.ones(rollouts), weights]) @ of_rollouts.T / rollouts


def p_of(of_rollouts: Floats, **more: Any) -> Floats:
    return paired_p(means(of_rollouts, **more).T, [Part(of_rollouts.shape[1], 1.0)])


@pytest.mark.parametrize("rollouts", [12, 40, 200])
def test_p_is_that_of_the_paired_t_test(rollouts: int) -> None:
    rng = np.random.default_rng(rollouts)
    hardness = rng.normal(size=rollouts)
    skill = np.array([[0.0], [0.1], [0.5], [0.6]]) * 4 / rollouts**0.5
    values = hardness + skill + 0.5 * rng.normal(size=(4, rollouts))
    p_values = p_of(values)
    for i in range(4):
        for j in range(i):
            exact = stats.ttest_rel(values[i], values[j]).pvalue
            expected = max(exact, 2.0 ** (1 - rollouts))
            assert stats.norm.isf(p_values[i, j]) == pytest.approx(
                stats.norm.isf(expected), rel=0.1, abs=0.05
            )


def test_p_of_a_mean_over_families_is_that_of_student() -> None:
    rng = np.random.default_rng(3)
    one, other = rng.normal(0.6, size=12), rng.normal(0.6, size=12)
    mean = (means(one[np.newaxis]) + means(other[np.newaxis], seed=1)).T / 2
    p_values = paired_p(np.vstack([mean, np.zeros_like(mean)]), [Part(12, 0.5), Part(12, 0.5)])
    assert p_values[0, 1] == pytest.approx(stats.ttest_ind(one, -other).pvalue, rel=0.1)


def test_the_standard_error_is_that_of_a_mean() -> None:
    values = np.random.default_rng(4).normal(size=(1, 50))
    drawn = means(values, resamples=20_000)[1:, 0]
    corrected = drawn.std(ddof=1) * (50 / 49) ** 0.5
    assert corrected == pytest.approx(stats.sem(values[0]), rel=0.02)


def test_rows_that_are_identical_have_a_p_of_1() -> None:
    values = np.tile(np.random.default_rng(5).random((1, 9)), (3, 1))
    assert (p_of(values) == 1).all()


def test_rows_that_differ_by_noise_are_not_told_apart_however_little_it_is() -> None:
    rng = np.random.default_rng(11)
    values = rng.random((1, 30)) + 1e-10 * rng.normal(size=(2, 30))
    exact = stats.ttest_rel(*values).pvalue
    assert p_of(values)[0, 1] == pytest.approx(exact, abs=0.05)


@pytest.mark.parametrize("rollouts", [10, 12])
def test_no_p_is_below_that_of_all_signs_alike(rollouts: int) -> None:
    first = np.random.default_rng(6).integers(0, 9, (1, rollouts)).astype(float)
    p_values = p_of(np.vstack([first, first + 8, first + 64]))
    off_diagonal = p_values[~np.eye(3, dtype=bool)]
    assert (off_diagonal == 2.0 ** (1 - rollouts)).all()


def test_a_resample_in_which_anyone_has_no_value_is_left_out() -> None:
    rng = np.random.default_rng(7)
    values = means(rng.random((3, 20))).T
    parts = [Part(20, 1.0)]
    holes = np.insert(values, [5, 9, 9], np.nan, axis=1)
    holes[1:, 5] = 0.3
    assert (paired_p(holes, parts) == paired_p(values, parts)).all()
    holes[0, 1:] = np.nan
    assert (paired_p(holes, parts) == 1).all()


@pytest.mark.parametrize("resamples", [0, 1])
def test_without_resamples_every_p_is_1(resamples: int) -> None:
    assert (p_of(np.arange(24.0).reshape(3, 8), resamples=resamples) == 1).all()


def test_without_degrees_of_freedom_every_p_is_1() -> None:
    values = means(np.arange(24.0).reshape(3, 8)).T
    assert (paired_p(values, [Part(1, 1.0)]) == 1).all()
    assert (paired_p(values, [Part(1, 0.5), Part(1, 0.5)]) == 1).all()
    assert (paired_p(values, [Part(1, 0.5), Part(2, 0.5)]) <= 1).all()


def test_a_mean_is_hardly_better_known_than_its_smallest_family() -> None:
    values = means(np.random.default_rng(8).random((2, 40))).T
    values[1] += 0.2
    alone, even, uneven = (
        paired_p(values, [Part(rollouts, 1 / len(sizes)) for rollouts in sizes])[0, 1]
        for sizes in ([40], [20, 20], [2, 38])
    )
    assert alone < even < uneven


# --- ranks ------------------------------------------------------------------------------------


def clear(*skills: float) -> Floats:
    """Estimators whose scores are known to a hundredth."""
    rng = np.random.default_rng(9)
    return np.array([np.append(skill, skill + 0.01 * rng.normal(size=500)) for skill in skills])


PARTS = [Part(40, 1.0)]


def ranks_of(values: Floats, score: str, parts: Sequence[Part] = PARTS) -> Ranks:
    """Ranks in which everybody is a kind, so that the counts tell who is told apart from whom."""
    return ranked(values, score, student_test(parts), np.arange(len(values)), len(values))


def places(ranks: Ranks) -> list[tuple[int, int]]:
    return list(zip(ranks.first.tolist(), ranks.last.tolist(), strict=True))


def test_who_is_told_apart_has_a_place_alone() -> None:
    ranks = ranks_of(clear(0.2, 0.8, 0.5), "macro_f1")
    assert places(ranks) == [(3, 3), (1, 1), (2, 2)]
    assert ranks.better.tolist() == [[0, 1, 1], [0, 0, 0], [0, 1, 0]]
    assert ranks.worse.tolist() == [[0, 0, 0], [1, 0, 1], [1, 0, 0]]


def test_where_lower_is_better_places_are_the_other_way_round() -> None:
    assert places(ranks_of(clear(0.2, 0.8, 0.5), "mre_p50")) == [(1, 1), (3, 3), (2, 2)]


def test_who_cannot_be_told_apart_shares_places() -> None:
    ranks = ranks_of(clear(0.500, 0.505, 0.9, 0.501), "reward")
    assert places(ranks) == [(2, 4), (2, 4), (1, 1), (2, 4)]


def test_places_fit_together() -> None:
    rng = np.random.default_rng(10)
    for _ in range(50):
        ranks = ranks_of(clear(*rng.normal(0.5, 0.04, 7)), "hit_rate")
        assert (ranks.better == ranks.worse.T).all()
        assert (ranks.first <= ranks.last).all()
        assert not ranks.better.diagonal().any()


def test_who_shares_a_first_place_is_not_told_apart() -> None:
    """An estimator behind another is behind all those that the other is behind."""
    rng = np.random.default_rng(12)
    for _ in range(100):
        skill = rng.normal(0.5, 0.1, (7, 1))
        noise = rng.choice([0.005, 0.02, 0.1], (7, 1)) * rng.normal(size=(7, 300))
        together = 0.1 * rng.normal(size=300)
        ranks = ranks_of(np.hstack([skill, skill + noise + together]), "reward")
        better = [set(np.flatnonzero(row).tolist()) for row in ranks.better]
        for row, own in enumerate(better):
            for other in own:
                assert better[other] < own
                assert ranks.first[other] < ranks.first[row]


def test_counts_are_by_kind() -> None:
    ranks = ranked(
        clear(0.2, 0.8, 0.5, 0.9), "macro_f1", student_test(PARTS), np.array([0, 2, 0, 2]), 3
    )
    assert ranks.better.tolist() == [[1, 0, 2], [0, 0, 1], [0, 0, 2], [0, 0, 0]]
    assert ranks.worse.tolist() == [[0, 0, 0], [2, 0, 0], [1, 0, 0], [2, 0, 1]]


def test_one_alone_is_first() -> None:
    assert places(ranks_of(clear(0.4), "macro_f1")) == [(1, 1)]


def test_a_row_without_a_value_is_an_error() -> None:
    values = clear(0.2, 0.8)
    values[1, 0] = np.nan
    with pytest.raises(ValueError, match="hit_rate: an estimator without a value"):
        ranks_of(values, "hit_rate")


# --- ranks against the plain ones -------------------------------------------------------------


def random_boards(number: int) -> Iterator[tuple[Floats, list[Part]]]:
    """Boards of 1 to 700 rows with ties, near ties, constants, and holes in the resamples."""
    rng = np.random.default_rng(13)
    for board in range(number):
        rows = int(rng.choice([1, 2, 3, 8, 30, 90])) if board % 40 else 700
        rollouts = int(rng.choice([1, 2, 6, 15, 40, 120]))
        resamples = int(rng.choice([0, 1, 2, 40, 200]))
        hard = rng.normal(size=rollouts)
        skill = rng.choice([0.0, 0.5, 3.0]) * rng.normal(size=(rows, 1))
        noise = rng.choice([0.01, 1.0]) * rng.normal(size=(rows, rollouts))
        of_rollouts = skill + hard + noise
        if board % 3 == 0:
            of_rollouts = (of_rollouts > 0).astype(float)  # many ties
        if board % 4 == 0:  # copies, exact and nearly so
            copies = rng.integers(0, rows, rows // 2)
            of_rollouts[: len(copies)] = of_rollouts[copies]
            scale = rng.choice([0.0, 1e-12, 1e-9, 1e-6, 1e-3], (len(copies), 1))
            of_rollouts[: len(copies)] += scale * rng.normal(size=(len(copies), rollouts))
        if board % 5 == 0:  # of no variance
            of_rollouts[rows // 2 :] = np.round(skill[rows // 2 :], 1)
        values = means(of_rollouts, resamples=resamples, seed=board).T
        if board % 7 == 0:
            values[:, 1:][rng.random((rows, resamples)) < 0.2 / rows] = np.nan
        sizes = [rollouts] if board % 2 else [rollouts, int(rng.integers(1, 40))]
        yield values, [Part(size, 1 / len(sizes)) for size in sizes]


def test_ranks_are_those_of_the_plain_comparison_of_all_pairs() -> None:
    told_apart = 0
    for values, parts in random_boards(240):
        plain = behind(values, parts)
        ranks = ranks_of(values, "reward", parts)
        assert (ranks.better == plain).all()
        assert (ranks.worse == plain.T).all()
        told_apart += int(plain.sum())
    assert told_apart > 10_000


def test_ranks_of_many_that_are_nearly_alike_are_the_plain_ones() -> None:
    """Differences of values are far below what a product of their resamples can show."""
    rng = np.random.default_rng(14)
    common = rng.random(60)
    for scale in (1e-4, 1e-8, 1e-12):
        skill = 2 * scale * rng.random((300, 1))
        values = means(common + skill + scale * rng.normal(size=(300, 60)), resamples=300).T
        plain = behind(values, [Part(60, 1.0)])
        assert plain.any()
        assert (ranks_of(values, "reward", [Part(60, 1.0)]).better == plain).all()


# --- simulations ------------------------------------------------------------------------------


def truth_of(rng: np.random.Generator, families: dict[str, int]) -> SampleTable:
    """Rollouts of 2 to 12 turns, half of them feasible."""
    rows = []
    for family, rollouts in families.items():
        for number in range(rollouts):
            feasible = bool(rng.random() < 0.5) if number > 3 else number < 2
            total = rng.lognormal(6, 0.5)
            turns = int(rng.integers(2, 12))
            rows += [
                sample(
                    f"{family}/r{number:03}/{k}",
                    feasible=feasible,
                    remaining=total * (1 - k / (turns + 1)),
                    used=total * k / (turns + 1),
                )
                for k in range(1, turns + 1)
            ]
    return SampleTable.of(rows)


def answers_of(rng: np.random.Generator, family: FamilyColumns, hard: Floats, skill: float) -> Any:
    """Answers of an estimator, alike within a rollout, and wrong where those of others are."""
    bent = (hard + rng.normal(size=len(hard)))[family.rollout]
    n = len(bent)
    wants = np.where(family.feasible, -1 - skill, 1 + skill) + bent + rng.logistic(size=n)
    off = np.exp((0.15 - 0.05 * skill) * (bent + rng.normal(size=n)))
    says: Mask = wants > 0
    middle = np.where(says, np.nan, family.remaining[0] * off)
    return AnswerColumns(
        np.where(says, INFEASIBLE, FEASIBLE).astype(np.uint8),
        np.zeros(n, np.uint8),
        (middle * 0.8)[np.newaxis],
        (middle * 1.2)[np.newaxis],
    )


def measured(truth: SampleTable, answered: Iterable[tuple[FamilyColumns, AnswerColumns]]) -> Group:
    """The simulated scores of an estimator, each the mean over tasks of means over families."""
    draws = DRAWS.draws(truth.families)
    by_task: dict[str, list[Group]] = {}
    for family, answers in answered:
        drawn = draw(AnsweredFamily(family, answers, answers, 0.2), draws[family.task], PLAN)
        by_task.setdefault(family.task, []).extend(family_scores([drawn], DEFINITIONS))
    return averaged([averaged(own, of_families) for own in by_task.values()], of_tasks)


def told_apart(seed: int, families: dict[str, int], skills: list[float]) -> dict[str, Mask]:
    """The estimators that are behind others on new rollouts by score, (s, s)."""
    rng = np.random.default_rng(seed)
    truth = truth_of(rng, families)
    hard = {family.name: rng.normal(size=len(family.first)) for family in truth.families}
    groups = []
    for skill in skills:
        answered = [
            (family, answers_of(rng, family, hard[family.name], skill)) for family in truth.families
        ]
        groups.append(measured(truth, answered))
    is_better = {}
    for score in SIMULATED:
        values = np.array([group[score].values for group in groups])
        ranks = ranks_of(values, score, parts_of(truth.families, score, DRAWS))
        is_better[score] = ranks.better > 0
    return is_better


@pytest.mark.parametrize(
    "families",
    [
        {"t/m": 24},
        {"t/m": 8, "u/m": 8, "u/n": 8, "v/m": 8},
        {"t/m": 8, "u/m": 24, "v/m": 30},
    ],
    ids=["one", "small", "unlike"],
)
def test_of_equal_estimators_hardly_any_two_are_told_apart(families: dict[str, int]) -> None:
    """The share of times is up to 0.12 for each score by chance, where it is 0.05 in truth."""
    runs = [told_apart(seed, families, [0.0] * ESTIMATORS) for seed in range(50)]
    shares = [float(np.mean([run[score].any() for run in runs])) for score in SIMULATED]
    assert max(shares) <= 0.12
    assert np.mean(shares) <= 0.08


def test_a_real_difference_is_found() -> None:
    families = {"t/m": 30, "u/m": 30, "v/m": 24}
    runs = [told_apart(seed, families, [0.0] * 4 + [1.0] * 4) for seed in range(15)]
    better, worse = slice(4, 8), slice(0, 4)
    for score in SIMULATED:
        is_behind = np.array([run[score] for run in runs])
        assert is_behind[:, worse, better].mean() > 0.6, score
        assert not is_behind[:, better, worse].any(), score


# --- which instances count --------------------------------------------------------------------


def test_only_instances_that_a_score_is_taken_over_count() -> None:
    rows = [
        sample("t/m/a/1", feasible=True, used=900, budget=900),  # within it: open
        sample("t/m/b/1", feasible=True),
        sample("t/m/b/2", feasible=True),
        sample("t/m/c/1", feasible=False, used=1000, budget=900),
        sample("t/n/a/1", feasible=False),
        sample("t/n/d/1", feasible=False),
        sample("u/m/a/1", feasible=True),
        sample("v/m/a/1", feasible=False),
    ]
    families = SampleTable.of(rows).families
    parts = {
        score: [(part.instances, part.weight) for part in parts_of(families, score, DRAWS)]
        for score in RANKED_AMONG
    }
    third = pytest.approx(1 / 3)
    assert parts["macro_f1"] == parts["fail_f1"]
    assert parts["macro_f1"] == [(4, third), (1, third), (1, third)]
    assert parts["macro_f1_open"] == [(3, third), (1, third), (1, third)]
    assert parts["hit_rate"] == parts["reward"] == [(2, 0.5), (1, 0.5)]


def rows_of_task(task: str, instances: int, feasible: bool = True) -> list[dict[str, Any]]:
    """Return a sample of each instance; all are feasible, or every other one."""
    return [
        sample(
            f"{task}/r{number:02}/1",
            feasible=feasible and number % 2 == 0,
            rollout_success=feasible and number % 2 == 0,
            remaining=300.0 + number,
        )
        for number in range(instances)
    ]


def reference_of(rows: Sequence[dict[str, Any]], finish: float) -> list[dict[str, Any]]:
    quantiles = [{"resource": "tokens", "quantiles": [300.0, 301.0, 302.0, 303.0, 304.0]}]
    return [
        {"sample_id": row["sample_id"], "finish": finish, "success": 0.5, "resources": quantiles}
        for row in rows
    ]


@pytest.mark.parametrize("score", ["brier_skill", "wis_skill"])
@pytest.mark.parametrize("has_reference", [True, False], ids=["perfect", "missing"])
@pytest.mark.parametrize(("useful", "tells"), [(12, True), (6, False)])
def test_a_family_without_a_skill_adds_no_instances(
    score: str, has_reference: bool, useful: int, tells: bool
) -> None:
    rows = rows_of_task("a/m", useful)
    idle = [*rows_of_task("a/n", 30, feasible=False), *rows_of_task("b/m", 30, feasible=False)]
    reference = reference_of(rows, 0.5) + (reference_of(idle, 0.0) if has_reference else [])
    parts = parts_of(SampleTable.of([*rows, *idle], reference).families, score, DRAWS)
    assert parts == [Part(useful if score == "brier_skill" else useful // 2, 1.0)]
    if score == "brier_skill":
        assert (student_test(parts) is not None) is tells


def test_a_reference_without_error_leaves_no_skill_of_amounts() -> None:
    rows = [sample(f"a/m/r{number}/1", rollout_success=True, remaining=7) for number in range(3)]
    reference = reference_of(rows, 0.5)
    for row in reference:
        row["resources"] = [{"resource": "tokens", "quantiles": [7.0] * 5}]
    assert parts_of(SampleTable.of(rows, reference).families, "wis_skill", DRAWS) == []


def test_what_is_drawn_as_one_counts_as_one() -> None:
    """Instances of large tasks are drawn in 256 bundles."""
    rows = [sample(f"t/{model}/r{number}/1") for model in "mn" for number in range(300)]
    (part,) = parts_of(SampleTable.of(rows).families, "reward", DRAWS)
    assert part.instances == 256


def test_fewer_than_ten_instances_tell_nobody_apart() -> None:
    assert student_test([Part(9, 1.0)]) is None
    assert student_test([Part(1, 0.1)] * 10) is None
    assert student_test([Part(5, 0.5), Part(5, 0.5)]) is not None
