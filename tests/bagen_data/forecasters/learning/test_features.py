import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.array_types import Floats
from bagen_data.forecasters.learning.asked_columns import AskedColumns
from bagen_data.forecasters.learning.asked_run import AskedRun
from bagen_data.forecasters.learning.features import features
from bagen_data.forecasters.learning.running_features import RunningFeatures
from bagen_data.forecasters.learning.task_features import TASK_FEATURES
from bagen_data.replay import replay
from bagen_data.schema import Budget, Probe, Rollout, Turn
from tests.making import WAREHOUSE_BUDGET, recorded_for, rollout, token_turn, warehouse_rollout

BUDGET = Budget({"tokens": 400})
TASKS = (*TASK_FEATURES, "chess")
BOARD = "Targets: (1, 2)\nGrid Map:\n######\n#_O__#\n#_X__#\n#P___#\n######"
SOLVED = "######\n#_√__#\n#_P__#\n#____#\n######"


def probe(*turns: Turn, task: str = "swebench") -> Probe:
    """Return the probe after all of these turns."""
    recorded = Rollout(task, "m", "r", "i", "", turns, True)
    return next(iter(replay(recorded, BUDGET, [len(turns)])))[0]


def said(*texts: tuple[str, str], task: str = "swebench") -> Probe:
    return probe(*(token_turn(10, 5, *text) for text in texts), task=task)


def value(one: Probe, name: str) -> float:
    columns = features([one])
    return float(columns.values[0, columns.names.index(name)])


def all_values(recorded: Rollout, budget: Budget) -> Floats:
    return features([p for p, _ in replay(recorded, budget, range(len(recorded.turns) + 1))]).values


@pytest.mark.parametrize("task", TASKS)
def test_a_later_turn_changes_nothing(task: str) -> None:
    short, budget = recorded_for(task, 4)
    long, _ = recorded_for(task, 9)
    np.testing.assert_array_equal(all_values(long, budget)[:5], all_values(short, budget))


@pytest.mark.parametrize("task", TASKS)
def test_a_probe_looks_the_same_alone(task: str) -> None:
    recorded, budget = recorded_for(task, 5)
    probes = [one for one, _ in replay(recorded, budget, range(6))]
    alone = [features([one]).values[0] for one in probes]
    np.testing.assert_array_equal(features(probes).values, alone)


@pytest.mark.parametrize("task", TASKS)
def test_a_name_for_each_finite_column(task: str) -> None:
    recorded, budget = recorded_for(task, 5)
    columns = features([one for one, _ in replay(recorded, budget, range(6))])
    assert columns.values.shape == (6, len(set(columns.names))) == (6, len(columns.names))
    assert np.isfinite(columns.values).all()


@pytest.mark.parametrize("task", TASKS)
def test_a_running_run_has_the_columns_of_its_probes(task: str) -> None:
    recorded, budget = recorded_for(task, 6)
    probes = [one for one, _ in replay(recorded, budget, range(7))]
    run = AskedRun(task, budget)
    first = probes[0]
    rows = [run.opening_row(first.opening, first.used, first.state)]
    for turn in recorded.turns:
        run.add(turn)
        rows.append(run.row())
    assert_same_columns(run.columns(rows), AskedColumns.of(probes))
    assert_same_columns(run.columns(rows[4:5]), AskedColumns.of(probes[4:5]))


@pytest.mark.parametrize("task", TASKS)
def test_a_copy_of_a_run_goes_on_apart(task: str) -> None:
    recorded, budget = recorded_for(task, 6)
    run = AskedRun(task, budget)
    for turn in recorded.turns[:3]:
        run.add(turn)
    other = run.copy()
    for turn in reversed(recorded.turns):
        other.add(turn)
    for turn in recorded.turns[3:]:
        run.add(turn)
    probes = [one for one, _ in replay(recorded, budget, [6])]
    assert_same_columns(run.columns([run.row()]), AskedColumns.of(probes))


def test_rollouts_that_share_their_first_turns_are_kept_apart() -> None:
    shared = rollout([(9, 5), (8, 4), (7, 3)], task="swebench").turns
    runs = [(*shared, token_turn(1, 1, "", f"ls {end}")) for end in range(3)]
    probes = [probe(*run[:length]) for length in (4, 2, 3) for run in runs]
    alone = [features([one]).values[0] for one in probes]
    np.testing.assert_array_equal(features(probes).values, alone)


def test_turns_that_were_read_again_are_taken_once(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []
    add = RunningFeatures.add
    monkeypatch.setattr(
        RunningFeatures, "add", lambda self, turn: (taken.append(turn), add(self, turn))
    )
    whole = [said(*[("a", f"b{k}") for k in range(length)]) for length in range(1, 9)]
    features(whole)
    assert len(taken) == 8


def assert_same_columns(one: AskedColumns, other: AskedColumns) -> None:
    assert one.names == other.names
    assert one.amounts.resources == other.amounts.resources
    for name in ("completed_turns", "used", "used_first", "left"):
        np.testing.assert_array_equal(getattr(one.amounts, name), getattr(other.amounts, name))
    np.testing.assert_array_equal(one.values, other.values)
    np.testing.assert_array_equal(one.units, other.units)


ODD = st.text(alphabet="#_OXPS√\n |<>[]/answerthinksearch diff>patch.py-1\0é", max_size=60)


@given(texts=st.lists(st.tuples(ODD, ODD), min_size=1, max_size=4), task=st.sampled_from(TASKS))
def test_any_text_is_read(texts: list[tuple[str, str]], task: str) -> None:
    assert np.isfinite(features([said(*texts, task=task)]).values).all()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tokens_used", np.log1p(220)),
        ("tokens_left", np.log1p(180)),
        ("tokens_share", 0.55),
        ("tokens_first", np.log1p(100)),
        ("tokens_last", np.log1p(40)),
        ("tokens_rate", np.log1p(60)),
        ("tokens_largest", np.log1p(80)),
        ("tokens_lasts", np.log1p(3)),
        ("turns", 3),
        ("repeated_actions", 0),
    ],
)
def test_amounts(name: str, expected: float) -> None:
    recorded = rollout([(30, 70), (20, 60), (10, 30)])
    ((one, _),) = replay(recorded, BUDGET, [3])
    assert value(one, name) == pytest.approx(expected)


def test_a_thought_is_no_part_of_a_repeated_action() -> None:
    one = said(("a", "<think>x</think> go"), ("b", "stop"), ("a", "<think>y</think>go"))
    assert value(one, "repeated_actions") == pytest.approx(np.log(2))
    assert value(one, "repeated_observations") == pytest.approx(np.log(2))
    assert value(one, "is_repeated") == 1


@pytest.mark.parametrize(
    ("board", "name", "expected"),
    [
        (BOARD, "boxes_off", 1),
        (BOARD, "boxes_on", 0),
        (BOARD, "distance", 1),
        (BOARD, "player_distance", 2),
        (BOARD, "boxes_stuck", 0),
        (BOARD, "distance_gained", 0),
        (SOLVED, "boxes_on", 1),
        (SOLVED, "distance", 0),
        (SOLVED, "distance_gained", 1),
        ("####\n#X_#\n#PO#\n####", "boxes_stuck", 1),
        ("no board", "boxes_off", 0),
    ],
)
def test_sokoban(board: str, name: str, expected: float) -> None:
    texts = ((BOARD, "<answer>Up || Up</answer>"), (board, "<answer>Up</answer>"))
    assert value(said(*texts, task="sokoban"), name) == expected


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("python -m pytest -q", "last_run"),
        ("sed -i 's/a/b/' x.py", "last_edit"),
        ("cat > x.py <<'EOF'", "last_edit"),
        ("perl -0777 -i -pe 's/a/b/' x.py", "last_edit"),
        ("git diff -- x.py | head", "last_diff"),
        ("git diff -- x.py > patch.txt", "last_patch"),
        ("echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT", "last_patch"),
    ],
)
def test_swebench_commands(written: str, name: str) -> None:
    assert value(said(("", f"```bash\n{written}\n```")), name) == 1
    assert value(said(("", "```bash\nls\n```")), name) == 0


def test_swebench_counts_what_came_after_the_edit() -> None:
    one = said(("", "sed -i s/a/b/ x"), ("<returncode>1</returncode>", "pytest"), ("", "ls"))
    names = ("edits", "failures", "runs", "turns_since_edit", "runs_since_edit", "is_edited")
    assert [value(one, name) for name in names] == [1, 1, 1, 2, 1, 1]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("<answer>search[a]</answer>", [1, 0, 0]),
        ("<answer> finish[b] </answer>", [0, 1, 0]),
        ("hm", [0, 0, 1]),
    ],
)
def test_searchr1(written: str, expected: list[float]) -> None:
    one = said(("[Document 1] [Document 2]", written), task="searchr1")
    assert [value(one, name) for name in ("searches", "is_finish", "is_unreadable")] == expected
    assert value(one, "documents") == 2


def test_warehouse_cash_is_counted_in_targets() -> None:
    ((one, _),) = replay(warehouse_rollout([5, 10, 15]), WAREHOUSE_BUDGET, [3])
    assert value(one, "cash_share") == 1.5
    assert value(one, "cash_gained") == 0.5


@pytest.mark.parametrize("text", ["diff>" * 2_000, "XO" * 20_000, "diff " * 2_000])
@pytest.mark.parametrize("task", TASKS)
def test_no_text_takes_long(task: str, text: str) -> None:
    """Each took from half a minute on where a pattern or a board was read without a bound."""
    assert np.isfinite(features([said((text, text), task=task)]).values).all()
