import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.errors import InputError
from bagen_data.live.policies import (
    Policy,
    SequentialPolicy,
    ThresholdPolicy,
    load_policy,
)
from bagen_data.live.turn_forecast import TurnForecast

CHANCES = st.one_of(st.none(), st.sampled_from([0.0, 0.1, 0.2, 0.5, 1.0]), st.floats(0, 1))
TEXTS = st.text(st.characters(categories=["L", "N"]), max_size=20)
THRESHOLDS = st.builds(
    ThresholdPolicy,
    stop_below=st.one_of(st.sampled_from([0.0, 0.2, 1.0]), st.floats(0, 1)),
    patience=st.integers(1, 4),
    first_turn=st.integers(1, 6),
    warn_below=st.floats(0, 1),
    about=TEXTS,
)
SEQUENTIALS = st.builds(
    SequentialPolicy,
    max_false_abort=st.floats(0.001, 0.999),
    threshold=st.one_of(st.none(), st.floats(0, 1e9)),
    base_rate=st.floats(0.001, 0.999),
    outcome=st.sampled_from(["finish", "success"]),
    first_turn=st.integers(1, 6),
    warn_below=st.floats(0, 1),
    calibrated_on=st.floats(0, 1e6),
    about=TEXTS,
)
POLICIES = st.one_of(THRESHOLDS, SEQUENTIALS)


@given(
    policy=POLICIES,
    chances=st.lists(st.tuples(CHANCES, CHANCES), max_size=12),
    has_opening=st.booleans(),
)
def test_advice_first_says_stop_where_the_policy_stops(
    policy: Policy, chances: list[tuple[float | None, float | None]], has_opening: bool
) -> None:
    history = [TurnForecast(0, 0.0, 0.0)] if has_opening else []
    first = None
    for turn, (finish, success) in enumerate(chances, 1):
        history.append(TurnForecast(turn, finish, success))
        if first is None and policy.advise(history).action == "stop":
            first = turn
    columns = np.array(chances, float).reshape(-1, 2)
    assert policy.stops(columns[:, 0], columns[:, 1]) == first


@given(policy=POLICIES)
def test_a_saved_policy_is_the_same(policy: Policy, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.mktemp("policy") / "policy.json"
    policy.save(path)
    assert load_policy(path) == policy


@pytest.mark.parametrize(
    ("policy", "finish", "turn"),
    [
        (ThresholdPolicy(0.2, first_turn=1), [0.5, 0.1, 0.5], 2),
        (ThresholdPolicy(0.2, first_turn=3), [0.1, 0.1, 0.1], 3),
        (ThresholdPolicy(0.2, patience=2, first_turn=1), [0.1, 0.5, 0.1, 0.1], 4),
        (ThresholdPolicy(0.2, patience=2, first_turn=1), [0.1, math.nan, 0.1], None),
        (ThresholdPolicy(0.2, first_turn=1), [0.2, 0.3], None),
        (ThresholdPolicy(0.0, first_turn=1), [0.0, 0.0], None),
        (SequentialPolicy(threshold=9.0), [0.5, 0.2, 0.09], 3),
        (SequentialPolicy(threshold=9.0, base_rate=0.9), [0.49, 0.5], 1),
        (SequentialPolicy(threshold=9.0, first_turn=2), [0.05, 0.5, 0.04], 3),
        (SequentialPolicy(threshold=None), [0.0, 0.0], None),
        (SequentialPolicy(threshold=0.0), [1.0, 0.99], 2),
        (ThresholdPolicy(), [], None),
        (SequentialPolicy(threshold=1.0), [], None),
    ],
)
def test_a_policy_stops_at(policy: Policy, finish: list[float], turn: int | None) -> None:
    assert policy.stops(finish, finish) == turn


def test_a_sequential_policy_watches_its_outcome() -> None:
    policy = SequentialPolicy(threshold=9.0, outcome="finish")
    assert policy.stops(finish=[0.01], success=[0.9]) == 1
    assert SequentialPolicy(threshold=9.0).stops(finish=[0.01], success=[0.9]) is None
    assert policy.stop_below == pytest.approx(0.1)


def test_advice_warns_below_and_says_why() -> None:
    policy = ThresholdPolicy(0.2, warn_below=0.5)
    said = [
        policy.advise([TurnForecast(turn, chance, 0.9)])
        for turn, chance in ((5, 0.9), (5, 0.4), (5, 0.123), (5, None))
    ]
    assert [(one.action, one.because) for one in said] == [
        ("continue", "the chance to succeed within the budgets is 90%"),
        ("warn", "the chance to succeed within the budgets is 40%"),
        ("stop", "the chance to succeed within the budgets is 12.3%, below 20%"),
        ("continue", "nothing is forecast yet"),
    ]
    assert policy.advise([]).action == "continue"


GOOD = {
    "format": 1,
    "kind": "threshold",
    "stop_below": 0.2,
    "patience": 1,
    "first_turn": 3,
    "warn_below": 0.5,
    "about": "",
}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "is not JSON"),
        ("[" * 50_000, "is not JSON"),
        ("x" * 70_000, "cannot be read"),
        ("[]", "is not a JSON object"),
        ('{"format": 1, "format": 2}', "holds the key 'format' twice"),
        (GOOD | {"format": 2}, "format is 2, and this version reads 1"),
        (GOOD | {"format": True}, "format is True"),
        (GOOD | {"kind": "pickle"}, "kind is 'pickle', and the known ones are threshold, seq"),
        (GOOD | {"kind": ["threshold"]}, "kind is"),
        (GOOD | {"stop": 1}, "has the field 'stop'; expected only stop_below, patience"),
        ({key: GOOD[key] for key in GOOD if key != "patience"}, "patience is missing"),
        (GOOD | {"patience": 0}, "patience is 0; expected a whole number from 1 on"),
        (GOOD | {"patience": 1.0}, "patience is 1.0; expected a whole number"),
        (GOOD | {"patience": True}, "patience is True"),
        (GOOD | {"stop_below": 1.5}, "stop_below is 1.5; expected a probability, 0 to 1"),
        (GOOD | {"stop_below": math.nan}, "stop_below is nan"),
        (GOOD | {"stop_below": None}, "stop_below is None; expected a number"),
        (GOOD | {"stop_below": 10**400}, "stop_below is too large"),
        (GOOD | {"about": "a\n[31m"}, "about is"),
        (GOOD | {"about": 3}, "about is 3; expected a text"),
    ],
)
def test_a_file_that_is_not_a_policy_is_one_message(
    content: str | dict[str, Any], problem: str, tmp_path: Path
) -> None:
    path = tmp_path / "policy.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(InputError) as raised:
        load_policy(path)
    message = str(raised.value)
    assert message.startswith(f"{path}: ")
    assert problem in message
    assert "bagen policy" in message
    assert len(message) < 500


def test_a_pipe_and_a_missing_file_are_one_message(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "nothing", "."):
        with pytest.raises(InputError, match="cannot be read"):
            load_policy(tmp_path / name)


@pytest.mark.parametrize(
    "values",
    [
        {"max_false_abort": 0.0},
        {"max_false_abort": 1.0},
        {"max_false_abort": 5e-324},
        {"base_rate": 1.0},
        {"threshold": math.inf},
        {"threshold": -1.0},
        {"threshold": math.nan},
        {"outcome": "luck"},
        {"first_turn": 0},
        {"calibrated_on": math.nan},
    ],
)
def test_a_sequential_policy_refuses_values_out_of_range(values: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(values))):
        SequentialPolicy(**values)
