"""Somebody with all that is public tries to join a hidden split back to its labels.

Of the published benchmark the join is simple: of the 341 infeasible probes of the shared swebench
family, 297 have a later prefix in the file that is over the budget already. Of a hidden split there
is one prefix a rollout. The attackers here have the public dataset, every byte of the split's
public part and, to be stronger than anybody is, the labels of all samples but those they are asked
about. They try ids, the order of rows, turns and the digits of budgets, with trees, neighbours and
a linear model, and texts, within the split and against public rollouts. They must not do better
than climatology does: the share of public rollouts, still running at that turn, that succeeded with
no more than is left of the budget.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bagen_data.hub import load_questions, load_rollouts, load_samples
from tests.attacks.tallies import Tally
from tests.making import SAMPLE, SHARED, build, contents, dialogue, needs_shared, write_json

Floats = npt.NDArray[np.float64]
Row = dict[str, Any]
NOISE = 4.0
"""Standard errors by which a Brier score must be better to be called so."""
LEARNERS: dict[str, Callable[[], Any]] = {
    "trees": lambda: HistGradientBoostingClassifier(
        max_iter=40, min_samples_leaf=5, random_state=0
    ),
    "neighbours": lambda: make_pipeline(StandardScaler(), KNeighborsClassifier(15)),
    "linear": lambda: make_pipeline(StandardScaler(), LogisticRegression()),
}


@dataclass(frozen=True)
class Trace:
    """A public rollout, as climatology sees it."""

    used: Floats
    """(T,) tokens after each turn."""
    success: bool


def recorded(folder: Path, name: str, number: int, seed: int) -> Path:
    """Record rollouts of which long and dear ones fail more often."""
    rng = random.Random(seed)
    rows = []
    for place in range(number):
        hardness = rng.gauss(0, 1)
        turns = min(30, max(2, round(6 * 2 ** (hardness + rng.gauss(0, 0.5)))))
        sizes = [(rng.randint(5, 90), rng.randint(20, 200)) for _ in range(turns)]
        success = rng.random() < 1 / (1 + 2.7**hardness)
        rows.append(dialogue(sizes, success, name=f"{name} {place}"))
    write_json(folder / f"support-origin-{name}" / "a.json", rows)
    return folder


def traces(public: Path, task: str) -> list[Trace]:
    rows = load_rollouts(str(public), "test").to_pylist()
    return [
        Trace(np.cumsum([_tokens(turn) for turn in row["turns"]]), row["rollout_success"])
        for row in rows
        if row["task"] == task
    ]


def _tokens(turn: Row) -> float:
    return float(next(pair["value"] for pair in turn["usage"] if pair["name"] == "tokens"))


def climatology(row: Row, known: Sequence[Trace]) -> float:
    """The share of rollouts, still running at this turn, that would finish with what is left."""
    k, (amounts,) = row["completed_turns"], row["resources"]
    running = [each for each in known if len(each.used) > k] or list(known)
    left = amounts["budget"] - amounts["used"]
    fits = [
        each.success and each.used[-1] - each.used[min(k, len(each.used)) - 1] <= left
        for each in running
    ]
    return (sum(fits) + 0.5) / (len(fits) + 1)


def side_channels(row: Row, position: int, expected: float) -> list[float]:
    """Return the numbers of a row, and the forecast of climatology for it."""
    budget = row["resources"][0]["budget"]
    name = row["sample_id"].rpartition("/")[2]
    return [
        *(expected, position, row["completed_turns"], budget),
        *(budget % size for size in (10, 100, 1_000)),
        *(bytes.fromhex(name) if len(name) == 32 else [0] * 16),
    ]


def out_of_fold(learner: Any, values: Floats, labels: npt.NDArray[np.bool_]) -> Floats:
    """(n,) probabilities of feasible, each learned from the labels of other folds."""
    predicted = np.empty(len(labels))
    for known, asked in StratifiedKFold(10, shuffle=True, random_state=0).split(values, labels):
        model = learner.fit(values[known], labels[known])
        predicted[asked] = model.predict_proba(values[asked])[:, 1]
    return predicted


def attack(
    rows: Sequence[Row], labels: npt.NDArray[np.bool_], known: Sequence[Trace]
) -> Iterator[tuple[str, float, float, float]]:
    """Yield each attacker, its Brier score, that of climatology, and by how much noise it wins."""
    expected = np.array([climatology(row, known) for row in rows])
    values = np.array([side_channels(row, n, expected[n]) for n, row in enumerate(rows)])
    reference = (expected - labels) ** 2
    for name, make in LEARNERS.items():
        own = (out_of_fold(make(), values, labels) - labels) ** 2
        gain = reference - own
        noise = gain.std(ddof=1) / len(gain) ** 0.5
        yield name, own.mean(), reference.mean(), gain.mean() / noise


def opened(split: Path, task: str) -> tuple[list[Row], npt.NDArray[np.bool_]]:
    """The questions of a task, and their labels from the key."""
    rows = load_questions(str(split / "public"), task).table.to_pylist()
    key = load_samples(str(split / "KEY-DO-NOT-PUBLISH"), task).table.to_pylist()
    assert [row["sample_id"] for row in rows] == [row["sample_id"] for row in key]
    return rows, np.array([row["feasible"] for row in key])


def shown(row: Row) -> list[str]:
    """The messages of a prefix."""
    return [message["content"] for message in row["prompt"][1:-1]]


@needs_shared
def test_later_prefixes_decide_most_infeasible_probes_of_the_published_split(
    tmp_path: Path,
) -> None:
    """The figure of docs/leaderboard.md: the join that a hidden split has no rows for."""
    assert build(SHARED / "swebench-origin-gpt5.2-instant", tmp_path / "out") == 0
    rows = load_samples(str(tmp_path / "out")).table.to_pylist()
    most: dict[str, float] = {}
    for row in rows:
        used = row["resources"][0]["used"]
        most[row["rollout_id"]] = max(used, most.get(row["rollout_id"], 0))
    infeasible = [row for row in rows if not row["feasible"]]
    over_budget = [
        row for row in infeasible if most[row["rollout_id"]] > row["resources"][0]["budget"]
    ]
    assert (len(over_budget), len(infeasible)) == (297, 341)


def test_the_attackers_find_what_a_careless_split_gives_away(tmp_path: Path) -> None:
    """Budgets that are the median of all *other* rollouts, and rows in the order of the logs."""
    public, private = tmp_path / "public", tmp_path / "private"
    assert build(recorded(tmp_path / "a", "known", 150, 1), public, "--task", "support") == 0
    assert build(recorded(tmp_path / "b", "new", 151, 2), private, "--task", "support") == 0
    samples = load_samples(str(private), "support").table.to_pylist()
    first = {row["rollout_id"]: row for row in samples if row["completed_turns"] == 1}
    totals = [
        row["resources"][0]["used"] + row["resources"][0]["remaining"] for row in first.values()
    ]
    rows, labels = [], []
    for place, (row, total) in enumerate(zip(first.values(), totals, strict=True)):
        budget = float(np.median(totals[:place] + totals[place + 1 :]))
        rows.append({**row, "resources": [{**row["resources"][0], "budget": budget}]})
        labels.append(row["rollout_success"] and total <= budget)
    results = list(attack(rows, np.array(labels), traces(public, "support")))
    assert max(noise for *_, noise in results) > NOISE


@pytest.mark.attack("joining a hidden split by ids, order, turns and budgets")
def test_side_channels_do_not_beat_climatology(tmp_path: Path, tally: Tally) -> None:
    public = tmp_path / "public"
    assert build(recorded(tmp_path / "a", "known", 150, 1), public, "--task", "support") == 0
    origin = recorded(tmp_path / "b", "new", tally.size(300, 600), 2)
    flags = ("--task", "support", "--apart-from", public)
    gains = []
    for number in range(tally.size(1, 10)):
        out = tmp_path / f"split {number}"
        assert build(origin, out, "--hidden", tally.size(150, 300), *flags) == 0
        for name, own, reference, noise in attack(
            *opened(out, "support"), traces(public, "support")
        ):
            tally.tried += 1
            tally.wrong += noise > NOISE
            gains.append((noise, f"{name}: Brier {own:.3f}, climatology {reference:.3f}"))
    tally.worst = max(gains)[1]


@pytest.mark.attack("joining a hidden split by its texts")
def test_texts_join_to_nothing(tmp_path: Path, tally: Tally) -> None:
    """Prefixes are looked up in public rollouts, in each other, and in what is public of the key.

    With the same rollouts public, every prefix is found, so the attackers can search.
    """
    public, out = tmp_path / "public", tmp_path / "split"
    assert build(SAMPLE, public) == 0
    assert build(SAMPLE, tmp_path / "careless", "--hidden", 6) == 0
    careless = load_questions(str(tmp_path / "careless" / "public")).table.to_pylist()
    assert all(_continued(row, public) for row in careless)
    origin = tmp_path / "origin"
    for name in ("one", "two"):
        recorded(origin, name, tally.size(40, 400), 7)
    recorded(tmp_path / "known", "one", tally.size(20, 200), 7)  # half of them public
    assert build(tmp_path / "known", tmp_path / "some", "--task", "support") == 0
    flags = ("--task", "support", "--apart-from", tmp_path / "some")
    assert build(origin, out, "--hidden", tally.size(15, 150), *flags) == 0
    _look_up(out, tmp_path / "some", tally)


@pytest.mark.attack("joining a hidden split by its texts")
def test_texts_of_the_bundled_sample_join_to_nothing(tmp_path: Path, tally: Tally) -> None:
    """Half of the sample is public; warehouse is left out, whose games begin with one text."""
    public, out = tmp_path / "public", tmp_path / "split"
    tasks = ("--task", "sokoban", "--task", "searchr1", "--task", "swebench")
    assert build(SAMPLE, public, "--limit", 4, *tasks) == 0
    flags = ("--budget", "swebench=900..4000", "--apart-from", public)
    assert build(SAMPLE, out, "--hidden", 4, *tasks, *flags) == 0
    _look_up(out, public, tally)


@needs_shared
@pytest.mark.attack("joining a hidden split by its texts")
def test_texts_of_recorded_rollouts_join_to_nothing(tmp_path: Path, tally: Tally) -> None:
    """Half of the recorded swebench rollouts are public, and the split is of the others."""
    family = SHARED / "swebench-origin-gpt5.2-instant"
    public, out = tmp_path / "public", tmp_path / "split"
    assert build(family, public, "--limit", 15) == 0
    assert build(family, out, "--hidden", 12, "--apart-from", public) == 0
    _look_up(out, public, tally)
    samples = load_samples(str(out / "KEY-DO-NOT-PUBLISH"), also=("instance_id",)).table
    taken = set(load_rollouts(str(public), "test")["instance_id"].to_pylist())
    tally.wrong += len(taken & set(samples["instance_id"].to_pylist()))


def _look_up(split: Path, public: Path, tally: Tally) -> None:
    rows = load_questions(str(split / "public")).table.to_pylist()
    recognised = 0
    openings = {row["turns"][0]["user"] for row in load_rollouts(str(public), "test").to_pylist()}
    for row in rows:
        own = shown(row)
        others = [shown(other) for other in rows if other is not row]
        tally.tried += 1
        recognised += bool(
            _continued(row, public)
            or own[0] in openings
            or any(other[: len(own)] == own for other in others)
        )
    tally.wrong += recognised
    tally.worst = f"{recognised} of {len(rows)} prefixes found"
    bytes_of_all = b"".join(contents(split / "public").values())
    for name, data in contents(split / "KEY-DO-NOT-PUBLISH").items():
        tally.tried += 1
        tally.wrong += data in bytes_of_all and name != "README.md"
    for line in contents(split / "KEY-DO-NOT-PUBLISH")["manifest.jsonl"].splitlines():
        tally.wrong += line in bytes_of_all


def _continued(row: Row, public: Path) -> list[str]:
    """The rollouts of a dataset that begin with what a question shows."""
    own = shown(row)
    return [
        rollout["rollout_id"]
        for rollout in load_rollouts(str(public), "test").to_pylist()
        if [text for turn in rollout["turns"] for text in (turn["user"], turn["assistant"])][
            : len(own)
        ]
        == own
    ]
