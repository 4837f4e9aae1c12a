"""The slow reference against numbers worked out by hand, and against other people's code."""

import random
from math import log, log1p

import pytest

from tests.bagen_data.scoring.slow import (
    early_stop,
    interval_score,
    macro,
    progress,
    quantile,
    read,
    scores,
    tightness,
)

THREE = ("time_weeks", "items", "usd")


def answer(content):
    return f"<answer>{content}</answer>"


def row(rollout_id, k, total, resources, *, feasible, success=True, model="m"):
    """A sample; `resources` is `{name: (budget, used, remaining)}`."""
    return {
        "sample_id": f"task/{model}/{rollout_id}/{k}",
        "rollout_id": rollout_id,
        "completed_turns": k,
        "total_turns": total,
        "feasible": feasible,
        "rollout_success": success,
        "resources": [
            {"resource": name, "budget": budget, "used": used, "remaining": remaining}
            for name, (budget, used, remaining) in resources.items()
        ],
    }


def tokens(rollout_id, k, total, used, remaining, **kwargs):
    return row(rollout_id, k, total, {"tokens": (100, used, remaining)}, **kwargs)


def family(cases):
    """Rows and responses of `(row, content)` pairs."""
    rows = [each for each, _ in cases]
    return rows, {each["sample_id"]: answer(content) for each, content in cases}


def one_resource():
    """Budget 100. a: feasible, total 80. b: success but 200. c: failed, total 50."""
    a, b, c = {"feasible": True}, {"feasible": False}, {"feasible": False, "success": False}
    return family(
        [
            (tokens("a", 1, 5, 20, 60, **a), "[40, 70]"),
            (tokens("a", 2, 5, 40, 40, **a), "[10, 30]"),
            (tokens("a", 3, 5, 60, 20, **a), "[50, 60]"),
            (tokens("a", 4, 5, 70, 10, **a), "impossible"),
            (tokens("b", 3, 4, 150, 50, **b), "impossible"),  # not in order of k
            (tokens("b", 1, 4, 50, 150, **b), "[100, 200]"),
            (tokens("b", 2, 4, 90, 110, **b), "impossible"),
            (tokens("c", 1, 2, 10, 40, **c), "no idea"),
        ]
    )


def two_resources():
    """w: feasible, totals 8 and 40. v, u: success but over a budget."""

    def amounts(time, usd):
        return {"time": (8, *time), "usd": (40, *usd)}

    return family(
        [
            (row("w", 1, 4, amounts((2, 6), (10, 30)), feasible=True), "time:[5, 7], usd:[40, 50]"),
            (row("w", 2, 4, amounts((4, 4), (30, 10)), feasible=True), "usd:[10, 10], time:[1, 3]"),
            (row("w", 3, 4, amounts((6, 2), (40, 0)), feasible=True), "time:[2, 2], usd:[0, 0]"),
            (row("v", 1, 2, amounts((3, 3), (5, 15)), feasible=False), "impossible"),
            (row("u", 1, 2, amounts((1, 3), (10, 10)), feasible=False), "time:[3,3],usd:[10,10]"),
        ]
    )


def same(scored, expected):
    """Asserts that scores are the expected ones: n exactly, values to 1e-12."""
    for name, (value, n) in expected.items():
        assert scored[name][1] == n, name
        assert scored[name][0] == (None if value is None else pytest.approx(value, abs=1e-12)), name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<answer>[1, 2.5]</answer>", (1, 2.5)),
        ("<ANSWER>\n [\t1 ,2 ]\r\n</Answer> bye", (1, 2)),
        ("<think><answer>[9, 9]</answer></think> <answer>[1, 2]</answer>", (1, 2)),
        ("<answer>[9, 9]</answer> no, <answer>[1, 2]</answer>", (1, 2)),
        ("in <answer> tags: <answer>[1, 2]</answer>", (1, 2)),
        ("<answer>[1, 2]</answer> or <answer>[3", (1, 2)),
        ("<answer>[007, 7.0]</answer>", (7, 7)),
        ("<answer>[0, 0]</answer>", (0, 0)),
    ],
)
def test_an_interval_is_read(text, expected):
    assert read(text, ["tokens"]) == ("feasible", "", {"tokens": expected})


def test_labelled_intervals_are_read_in_any_order():
    text = answer(" usd:[1,2],time_weeks : [3, 4] ,\n items:[5, 6.25] ")
    expected = {"time_weeks": (3, 4), "items": (5, 6.25), "usd": (1, 2)}
    assert read(text, THREE) == ("feasible", "", expected)


@pytest.mark.parametrize("content", ["impossible", " IMPOSSIBLE\n", "imPossible"])
@pytest.mark.parametrize("resources", [("tokens",), THREE])
def test_impossible_is_read(content, resources):
    assert read(answer(content), resources) == ("infeasible", "", {})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[1, 2]", "no_answer"),
        ("<answer>[1, 2]", "no_answer"),
        ("</answer>[1, 2]<answer>", "no_answer"),
        ("<answer>[1, 2]</answer></THINK>", "no_answer"),
        ("<an\u017fwer>[1, 2]</an\u017fwer>", "no_answer"),
        (answer("12"), "scalar"),
        (answer("1.5"), "scalar"),
        (answer("inf"), "scalar"),
        (answer("[12]"), "scalar"),
        (answer("tokens: 12"), "scalar"),
        (answer("what: 12"), "scalar"),
        (answer(""), "malformed"),
        (answer("12 tokens"), "malformed"),
        (answer("[1, 2, 3]"), "malformed"),
        (answer("[-1, 2]"), "malformed"),
        (answer("[+1, 2]"), "malformed"),
        (answer("[1, 2e3]"), "malformed"),
        (answer("[1, 2.]"), "malformed"),
        (answer("[.5, 2]"), "malformed"),
        (answer("[1,000, 2,000]"), "malformed"),
        (answer("[1, 2] tokens"), "malformed"),
        (answer("(1, 2)"), "malformed"),
        (answer("[1, \u0662]"), "malformed"),
        (answer("[1,\u00a02]"), "malformed"),
        (answer("[1, 2]\x1c"), "malformed"),
        (answer("not impossible"), "malformed"),
        (answer("tokens:[1, 2]"), "malformed"),
        (answer("Tokens:[1, 2]"), "malformed"),
        (answer("time:[1, 2]"), "unknown_resource"),
        (answer("[1, inf]"), "not_finite"),
        (answer("[NaN, 2]"), "not_finite"),
        (answer(f"[{'9' * 400}, 2]"), "not_finite"),
        (answer("[2, 1]"), "reversed"),
        (answer("[2, 1.999]"), "reversed"),
    ],
)
def test_a_wrong_answer_for_one_resource_has_a_reason(text, reason):
    assert read(text, ["tokens"]) == ("invalid", reason, {})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[1, 2]", "missing_resource"),
        ("[2, inf]", "missing_resource"),
        ("usd: 3", "scalar"),
        ("usd: 3, items: 4", "malformed"),
        ("usd:[1, 2],", "malformed"),
        ("usd:[1, 2]; items:[1, 2]; time_weeks:[1, 2]", "malformed"),
        ("usd:[1, 2], usd:[1, 2], nope:[2, 1]", "malformed"),
        ("usd:[1, 2], nope:[2, 1]", "unknown_resource"),
        ("usd:[1, 2], items:[inf, 1]", "missing_resource"),
        ("usd:[2, 1], items:[inf, 1], time_weeks:[1, 2]", "not_finite"),
        ("usd:[1, 2], items:[3, 1], time_weeks:[1, 2]", "reversed"),
    ],
)
def test_a_wrong_answer_for_several_resources_has_a_reason(content, reason):
    assert read(answer(content), THREE) == ("invalid", reason, {})


def test_the_judgment_is_scored():
    # feasible: 4 true, 4 predicted (a1-a3, b1), 3 hits; infeasible: 4 true, 3 predicted, 2 hits.
    # k = 1: a1 right, b1 wrong, c1 invalid: F1 of feasible 2/3, of infeasible 0.
    # b3 is decided by its prompt; without it infeasible has 3 true, 2 predicted, 1 hit.
    same(
        scores(*one_resource()),
        {
            "valid_rate": (7 / 8, 8),
            "macro_f1": ((3 / 4 + 4 / 7) / 2, 8),
            "macro_f1_first_turn": (1 / 3, 3),
            "fail_f1": (4 / 7, 8),
            "accuracy": (5 / 8, 8),
            "recall_feasible": (3 / 4, 4),
            "recall_infeasible": (1 / 2, 4),
            "macro_f1_open": ((3 / 4 + 2 / 5) / 2, 7),
            "fail_f1_open": (2 / 5, 7),
            "accuracy_open": (4 / 7, 7),
        },
    )


def test_the_intervals_of_one_resource_are_scored():
    # a1 covers, tightness 1 - 30/60, error 5/60; a2 is below, error 20/40; a3 above, error 35/20.
    # p90 of [1/12, 1/2, 7/4] is at place 1.8: 1/2 + 0.8 * 5/4.
    # a2 falls short by 10 of 40. b1 covers and counts in the paper's hits only.
    same(
        scores(*one_resource()),
        {
            "hit_rate": (1 / 4, 4),
            "coverage": (1 / 3, 3),
            "reward": (0.5 / 4, 4),
            "mre_p50": (0.5, 3),
            "mre_p90": (1.5, 3),
            "optimistic": (1 / 3, 3),
            "conservative": (1 / 3, 3),
            "rl_reward": ((1.8 * 0.5 + 2 * 0.2) / 8, 8),
            "paper_hit_rate": (2 / 7, 7),
            "paper_reward": ((0.5 + 0 + 1 + 1) / 7, 7),
            "accuracy_balanced": ((3 / 4 + 1 / 2) / 2, 8),
            "rl_reward_balanced": ((1.8 * 0.5 / 4 + 0.2 / 2) / 2, 8),
            "within_2x": (2 / 3, 3),
            "exceed_rate": (1 / 3, 3),
            "exceed_by": (10 / 40, 1),
        },
    )


def test_the_proper_scores_of_one_resource():
    # Of log 21, log 41, log 61 the quantiles 0.1 and 0.9 are at places 0.2 and 1.8; the two ends
    # are missed by 0.2 of a gap each.
    total = log(71 / 41) + log(31 / 11) + 10 * log(41 / 31) + log(61 / 51) + 10 * log(51 / 21)
    width = log(41) + 0.8 * log(61 / 41) - log(21) - 0.2 * log(41 / 21)
    baseline = width + 10 * 0.2 * log(61 / 21) / 3
    same(
        scores(*one_resource()),
        {"interval_score": (total / 3, 3), "interval_skill": (1 - total / 3 / baseline, 3)},
    )


def test_early_stop_and_analyses_of_one_resource():
    # b stops at k = 2 of 4 with 110 of 200 to go; c, 50 in total, never stops. A cap of 100 leaves
    # 10 of b's to be saved, of 100 + 50. a stops at 70 of 80: it is worth 0.1 - 2, and b 0.1.
    # a2: (40 - 20)/1 * 3 = 60 for 40; a3: (60 - 20)/2 * 2 = 40 for 20; a1 is a first turn.
    same(
        scores(*one_resource()),
        {
            "false_abort_rate": (1 / 8, 8),
            "stopped_failed": (1 / 2, 2),
            "saved_rate": (110 / 250, 2),
            "saved_below_cap": (10 / 150, 2),
            "success_drop": (1 / 3, 3),
            "paper_stopped_failed": (0, 1),
            "paper_saved_rate": (0, 1),
            "any_success_drop": (2 / 3, 3),
            "net_benefit": (-1.8 / 3, 3),
            "first_alarm": (1 / 2, 1),
            "extrapolation_mre_p50": (0.75, 2),
        },
    )


def test_progress_bins():
    # a1-a4 are in bins 1-4, b1-b3 in bins 1-3, c1 (1/2) in bin 2.
    names = ("hit", "optimistic", "conservative", "predicted_feasible_on_infeasible")
    expected = [
        [(None, 0), (None, 0), (None, 0), (None, 0), (None, 0)],
        [(1, 1), (0, 1), (0, 1), (1, 1), (30 / 60, 1)],
        [(0, 1), (1, 1), (0, 1), (0, 2), (20 / 40, 1)],
        [(0, 1), (0, 1), (1, 1), (0, 1), (10 / 20, 1)],
        [(None, 0), (None, 0), (None, 0), (None, 0), (None, 0)],
    ]
    bins = progress(*one_resource())
    assert len(bins) == 5
    for each, values in zip(bins, expected, strict=True):
        same(each, dict(zip((*names, "relative_width"), values, strict=True)))


def test_several_resources_are_scored():
    # rewards: w1 time 1 - 2/6, usd 0; w2 time 0, usd 1; w3 both 1.
    # errors: w1 (0, 15/30), w2 (2/4, 0); w3 has an R of 0.
    # the paper's reward: w1 and w2 (1, and one of two covered), w3 1, v 1, u 0.
    # saved: time 3 of 6 + 4, usd 15 of 20 + 20.
    # extrapolated: w1 6 and 30, exact; w2 4 for 4 and 30 for 10.
    same(
        scores(*two_resources()),
        {
            "valid_rate": (1, 5),
            "hit_rate": (1 / 3, 3),
            "coverage": (1 / 3, 3),
            "reward": ((1 / 3 + 1 / 2 + 1) / 3, 3),
            "mre_p50": (0.25, 2),
            "mre_p90": (0.25, 2),
            "optimistic": (1 / 3, 3),
            "conservative": (1 / 3, 3),
            "rl_reward": ((1.8 * (1 / 3 + 1 / 2 + 1) + 0.2) / 5, 5),
            "paper_hit_rate": (2 / 5, 5),
            "paper_reward": ((2 / 3 + 2 / 3 + 1 + 1 + 0) / 5, 5),
            "rl_reward_balanced": ((1.8 * (1 / 3 + 1 / 2 + 1) / 3 + 0.2 / 2) / 2, 5),
            "within_2x": (1, 3),
            "exceed_rate": (1 / 6, 3),
            "exceed_by": (1 / 4, 1),
            "saved_rate": ((3 / 10 + 15 / 40) / 2, 2),
            "saved_below_cap": ((3 / 10 + 15 / 40) / 2, 2),
            "net_benefit": ((3 / 8 + 15 / 40) / 2 / 3, 3),
            "stopped_failed": (1 / 2, 2),
            "extrapolation_mre_p50": (0.5, 2),
        },
    )


def test_the_proper_scores_of_several_resources():
    # R + 1 is 7, 5, 3 for time and 31, 11, 1 for usd.
    time = [log(8 / 6), log(4 / 2) + 10 * log(5 / 4), 0]
    usd = [log(51 / 41) + 10 * log(41 / 31), 0, 0]
    mean = (sum(time) + sum(usd)) / 6
    time_width = log(5) + 0.8 * log(7 / 5) - log(3) - 0.2 * log(5 / 3)
    usd_width = log(11) + 0.8 * log(31 / 11) - 0.2 * log(11)
    baseline = (time_width + usd_width + 2 * log(7 / 3) / 3 + 2 * log(31) / 3) / 2
    same(
        scores(*two_resources()),
        {"interval_score": (mean, 3), "interval_skill": (1 - mean / baseline, 3)},
    )


def test_progress_of_several_resources():
    # w1-w3 at 1/4, 2/4, 3/4 are in bins 1-3, v and u at 1/2 in bin 2; w3 has an R of 0.
    bins = progress(*two_resources())
    same(bins[1], {"hit": (0, 1), "relative_width": ((2 / 6 + 10 / 30) / 2, 1)})
    same(bins[2], {"optimistic": (1, 1), "predicted_feasible_on_infeasible": (1 / 2, 2)})
    same(bins[3], {"hit": (1, 1), "relative_width": (None, 0)})


def test_nothing_scores_none():
    assert set(scores([], {}).values()) == {(None, 0)}


def test_a_family_of_one_class_lacks_the_scores_of_the_other():
    family_scores = scores(*family([(tokens("a", 1, 2, 1, 1, feasible=False), "impossible")]))
    same(family_scores, {"macro_f1": (0.5, 1), "fail_f1": (1, 1), "recall_feasible": (None, 0)})
    same(
        family_scores, {"hit_rate": (None, 0), "interval_skill": (None, 0), "saved_rate": (0.5, 1)}
    )


def test_skill_is_none_where_the_baseline_is_perfect():
    rows = [tokens(name, 1, 2, 1, 7, feasible=True) for name in "ab"]
    family_scores = scores(*family([(each, "[7, 9]") for each in rows]))
    same(family_scores, {"interval_score": (log1p(9) - log1p(7), 2), "interval_skill": (None, 0)})


def test_a_budget_that_is_used_up_is_still_open_and_the_last_turn_is_in_the_last_bin():
    rows, responses = family([(tokens("a", 2, 2, 100, 0, feasible=True), "[0, 0]")])
    same(scores(rows, responses), {"accuracy_open": (1, 1), "reward": (1, 1), "mre_p50": (None, 0)})
    same(progress(rows, responses)[4], {"hit": (1, 1), "relative_width": (None, 0)})


def test_tightness_at_zero():
    assert [tightness(0, 0, 0), tightness(0, 1, 0), tightness(1, 1, 0)] == [1, 0, 0]
    assert [tightness(0, 9, 3), tightness(1, 2, 4)] == [0, 0.75]


def test_extrapolation_needs_the_first_turn_of_tokens():
    family_scores = scores(*family([(tokens("a", 2, 4, 40, 40, feasible=True), "[1, 2]")]))
    same(family_scores, {"extrapolation_mre_p50": (None, 0), "mre_p50": (38.5 / 40, 1)})


def test_macro_means_the_families_that_have_a_value():
    families = [{"a": (0.5, 2), "b": (None, 0)}, {"a": (1.0, 6), "b": (0.25, 4)}]
    assert macro([*families, {"a": (None, 0), "b": (None, 0)}]) == {"a": (0.75, 8), "b": (0.25, 4)}
    assert macro([{"a": (None, 0)}]) == {"a": (None, 0)}


def test_pooled_early_stop_sums_counts_and_keeps_equal_rollout_ids_apart():
    # m: 10 of 40 saved; n: a rollout of the same id, 60 in total, not stopped; n also drops one.
    cases = [
        (tokens("x", 1, 2, 30, 10, feasible=False), "impossible"),
        (tokens("x", 1, 2, 20, 40, feasible=False, model="n"), "[1, 2]"),
        (tokens("y", 1, 2, 20, 40, feasible=True, model="n"), "impossible"),
    ]
    same(
        early_stop(*family(cases)),
        {
            "false_abort_rate": (1 / 3, 3),
            "stopped_failed": (1 / 2, 2),
            "saved_rate": (10 / 100, 2),
            "success_drop": (1 / 3, 3),
        },
    )


@pytest.mark.parametrize("seed", range(20))
def test_f1_is_scikit_learns(seed):
    from sklearn.metrics import accuracy_score, f1_score

    rng = random.Random(seed)
    contents = {"feasible": "[1, 2]", "infeasible": "impossible", "invalid": "?"}
    size = rng.randint(1, 30)
    truth = rng.choices(["feasible", "infeasible"], [seed % 3, 1], k=size)
    said = rng.choices(list(contents), [1, seed % 4, seed % 2], k=size)
    cases = [
        (tokens(f"r{i}", 1, 2, 1, 1, feasible=true == "feasible"), contents[verdict])
        for i, (true, verdict) in enumerate(zip(truth, said, strict=True))
    ]
    labels = ["feasible", "infeasible"]
    both = f1_score(truth, said, labels=labels, average="macro", zero_division=0)
    fail = f1_score(truth, said, labels=labels[1:], average="macro", zero_division=0)
    expected = {"macro_f1": both, "fail_f1": fail, "accuracy": accuracy_score(truth, said)}
    same(scores(*family(cases)), {name: (value, size) for name, value in expected.items()})


def draws(seed, size=40):
    """Intervals and truths, some of them covered, one at a bound."""
    rng = random.Random(seed)
    pairs = [sorted((rng.uniform(0, 9), rng.uniform(0, 9))) for _ in range(size)]
    return pairs, [pairs[0][1], *(rng.uniform(0, 9) for _ in range(size - 1))]


@pytest.mark.parametrize("alpha", [0.05, 0.2, 0.5])
@pytest.mark.parametrize("seed", range(5))
def test_interval_score_is_mapies(seed, alpha):
    import numpy as np
    from mapie.metrics.regression import regression_mwi_score

    pairs, truths = draws(seed)
    interval_scores = [
        interval_score(*pair, y, alpha) for pair, y in zip(pairs, truths, strict=True)
    ]
    expected = regression_mwi_score(np.array(truths), np.array(pairs)[:, :, None], 1 - alpha)
    assert sum(interval_scores) / len(interval_scores) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("alpha", [0.05, 0.2, 0.5])
@pytest.mark.parametrize("seed", range(5))
def test_interval_score_is_two_pinball_losses(seed, alpha):
    from sklearn.metrics import mean_pinball_loss

    for (low, high), y in zip(*draws(seed), strict=True):
        below = mean_pinball_loss([y], [low], alpha=alpha / 2)
        above = mean_pinball_loss([y], [high], alpha=1 - alpha / 2)
        expected = 2 / alpha * (below + above)
        assert interval_score(low, high, y, alpha) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_whole_interval_score_is_mapies_on_the_log_scale(seed):
    import numpy as np
    from mapie.metrics.regression import regression_mwi_score

    pairs, truths = draws(seed)
    cases = [
        (tokens(f"r{i}", 1, 2, 1, y, feasible=True), f"[{low!r}, {high!r}]")
        for i, ((low, high), y) in enumerate(zip(pairs, truths, strict=True))
    ]
    y, ends = np.log1p(truths), np.log1p(pairs)
    constant = np.broadcast_to(np.quantile(y, [0.1, 0.9]), ends.shape)
    mapie_score = regression_mwi_score(y, ends[:, :, None], 0.8)
    skill = 1 - mapie_score / regression_mwi_score(y, constant[:, :, None], 0.8)
    same(
        scores(*family(cases)), {"interval_score": (mapie_score, 40), "interval_skill": (skill, 40)}
    )


@pytest.mark.parametrize("size", [1, 2, 7, 40])
@pytest.mark.parametrize("q", [0, 0.1, 0.5, 0.9, 1])
def test_quantiles_are_numpys(size, q):
    import numpy as np

    values = draws(size, size)[1]
    assert quantile(values, q) == (pytest.approx(np.quantile(values, q), abs=1e-12), size)
