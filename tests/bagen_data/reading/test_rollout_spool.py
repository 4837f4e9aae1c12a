"""A spool gives back the rollouts that it took, wherever they wait, and any part of them."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bagen_data.errors import InputError
from bagen_data.reading import rollout_spool
from bagen_data.reading.rollout_spool import (
    RolloutSpool,
    SpoolPart,
    SpoolRows,
    SpoolWriter,
    text_size,
)
from bagen_data.schema import ROLLOUTS, Rollout, Turn


def rollout(number: int, turns: int = 3) -> Rollout:
    """A rollout of amounts of both kinds, of which every second turn has no state."""
    return Rollout(
        task="shop",
        rollout_model="m",
        rollout_id=f"r{number}",
        instance_id=f"i{number % 2}",
        system="be brief" if number % 2 else "",
        turns=tuple(
            Turn(
                f"¿{number}.{k}? 漢",
                "" if k == 1 else f"go {k}",
                {"tokens": 10 + k, "cost_usd": 0.25 * k, "seconds": 3.0},
                {} if k % 2 else {"cash_usd": -(10**12) + k},
            )
            for k in range(turns)
        ),
        success=number % 3 == 0,
        initial_state={"cash_usd": 7.5} if number else {},
        dropped_turns=number,
    )


def spooled(path: Path, rollouts: list[Rollout]) -> SpoolPart:
    with SpoolWriter(path) as writer:
        rows = [writer.add(each, text_size(each)) for each in rollouts]
        assert rows == list(range(len(rollouts)))
        return writer.close()


def typed(rollouts: list[Rollout]) -> list[tuple[type, ...]]:
    return [
        tuple(type(value) for turn in each.turns for value in turn.usage.values())
        for each in rollouts
    ]


@pytest.fixture(params=["in memory", "as a file", "in several batches"])
def spool(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a path whose spool waits in one of three ways."""
    if request.param != "in memory":
        monkeypatch.setattr(rollout_spool, "MEMORY_BYTES", 0)
    if request.param == "in several batches":
        monkeypatch.setattr(rollout_spool, "_BATCH_TEXT", 40)
    return tmp_path / "spool"


ROWS = [rollout(number, turns) for number, turns in enumerate((3, 1, 4, 2, 5, 1, 1))]


def test_rollouts_come_back_as_they_were(spool: Path) -> None:
    part = pickle.loads(pickle.dumps(spooled(spool, ROWS)))  # noqa: S301  of this moment
    back = RolloutSpool((SpoolRows(part, np.arange(part.rows)),))
    assert list(back) == ROWS
    assert list(back) == ROWS
    assert len(back) == len(ROWS)
    assert typed(list(back)) == typed(ROWS)
    assert spool.exists() == bool(part.path) == (not part.content)


def test_any_rows_of_several_parts(spool: Path) -> None:
    parts = [spooled(spool.with_name(f"{n}"), ROWS[n : n + 4]) for n in (0, 3)]
    kept = RolloutSpool(
        (SpoolRows(parts[0], np.array([0, 2])), SpoolRows(parts[1], np.array([0, 1, 3])))
    )
    expected = [ROWS[place] for place in (0, 2, 3, 4, 6)]
    assert list(kept) == expected
    for start in range(6):
        for stop in range(start, 6):
            assert list(kept.slice(start, stop)) == expected[start:stop]
    assert list(kept.take(np.array([0, 3, 4]))) == [expected[place] for place in (0, 3, 4)]


def test_heads_are_cut_rollouts(spool: Path) -> None:
    part = spooled(spool, ROWS)
    turns = [2, 1, 0, 2, 3, 0, 1]
    heads = RolloutSpool((SpoolRows(part, np.arange(len(ROWS))),)).heads(turns)
    assert list(heads) == [
        replace(each, turns=each.turns[:count]) for each, count in zip(ROWS, turns, strict=True)
    ]


def test_tables_have_the_columns_of_the_dataset(spool: Path) -> None:
    part = spooled(spool, ROWS)
    (first, *more) = RolloutSpool((SpoolRows(part, np.arange(1, len(ROWS))),)).tables()
    assert all(ROLLOUTS.field(name).equals(first.schema.field(name)) for name in SHARED)
    rows = [row for batch in (first, *more) for row in batch.to_pylist()]
    assert [row["rollout_id"] for row in rows] == [each.rollout_id for each in ROWS[1:]]
    (turn,) = rows[0]["turns"]
    assert turn["usage"][0] == {"name": "tokens", "value": 10}
    assert turn["state"] == [{"name": "cash_usd", "value": -(10**12)}]


SHARED = [name for name in ROLLOUTS.names if name not in ("budget", "conditions")]


def test_nothing_is_an_empty_part(spool: Path) -> None:
    part = spooled(spool, [])
    assert part.rows == 0
    assert not spool.exists()
    assert list(RolloutSpool((SpoolRows(part, np.arange(0)),))) == []


def test_an_amount_that_floats_cannot_hold_is_refused(spool: Path) -> None:
    big = replace(rollout(0), initial_state={"cash_usd": 2**53 + 1})
    with pytest.raises(InputError, match="9007199254740993; expected"):
        spooled(spool, [big])
