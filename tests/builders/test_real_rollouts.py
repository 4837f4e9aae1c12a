"""Recorded rollouts, and the figures that a correct build of them gives."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.making import SHARED, build, build_record, make_tokenizer, needs_shared, run

pytestmark = needs_shared


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    assert build(SHARED, folder / "out", "--tokenizer", make_tokenizer(folder / "tokenizer")) == 0
    return folder / "out"


def test_the_swebench_family_whole(tmp_path: Path) -> None:
    """The 579 probes, by hand from the rollouts table: the benchmark keeps 512 of them."""
    assert build(SHARED / "swebench-origin-gpt5.2-instant", tmp_path / "out") == 0
    [family] = build_record(tmp_path / "out")["families"]
    assert family["budget"] == {"tokens": 7547}
    assert family["counts"]["rollouts"] == 30
    assert family["counts"]["turns"] == 609
    assert [refusal["reason"][:8] for refusal in family["refused"]] == ["is empty"] * 2
    [path] = tmp_path.glob("out/data/rollouts/*.parquet")
    probes = feasible = used = remaining = feasible_remaining = resolved = 0
    for rollout in pq.read_table(path).to_pylist():
        spent = [
            {pair["name"]: pair["value"] for pair in turn["usage"]}["tokens"]
            for turn in rollout["turns"]
        ]
        resolved += rollout["rollout_success"]
        is_feasible = rollout["rollout_success"] and sum(spent) <= 7547
        for k in range(1, len(spent)):
            probes += 1
            feasible += is_feasible
            used += sum(spent[:k])
            remaining += sum(spent[k:])
            feasible_remaining += is_feasible * sum(spent[k:])
    assert (resolved, probes, feasible) == (19, 579, 175)
    assert (used, remaining, feasible_remaining) == (3_613_227, 2_024_262, 359_345)


def test_the_swebench_subset(built: Path) -> None:
    rows = pq.read_table(built / "data/swebench/test-gpt5.2-instant.parquet").to_pylist()
    tokens = [row["resources"][0] for row in rows]
    assert len(rows) == 512
    assert sum(row["feasible"] for row in rows) == 171
    assert sum(part["used"] for part in tokens) == 3_128_657
    assert sum(part["remaining"] for part in tokens) == 1_705_440
    first = [
        part
        for row, part in zip(rows, tokens, strict=True)
        if row["instance_id"] == "astropy__astropy-14365"
    ]
    assert [(part["used"], part["remaining"]) for part in first[:2]] == [(1721, 6544), (2355, 5910)]


@pytest.mark.parametrize(
    ("family", "rollouts", "successes", "instances"),
    [
        ("sokoban-test-llama3.1-8b", 64, 14, 62),
        ("sokoban-train-llama3.1-8b", 64, 11, 62),
        ("sokoban-train-qwen3-4b", 64, 25, 62),
        ("searchr1-test-qwen2.5-7b", 24, 11, 24),
        ("searchr1-train-qwen2.5-7b", 40, 15, 40),
        ("swebench-test-gpt5.2-instant", 30, 19, 30),
    ],
)
def test_the_six_families(
    built: Path, family: str, rollouts: int, successes: int, instances: int
) -> None:
    table = pq.read_table(built / f"data/rollouts/{family}.parquet")
    assert len(table) == rollouts
    assert sum(table["rollout_success"].to_pylist()) == successes
    assert len(set(table["instance_id"].to_pylist())) == instances


def test_no_reward_annotation_is_left(built: Path) -> None:
    for path in built.glob("data/rollouts/*.parquet"):
        for rollout in pq.read_table(path).to_pylist():
            assert not any("(reward:" in turn["user"][-20:] for turn in rollout["turns"])


def test_verify_accepts_it(built: Path) -> None:
    assert run("verify", built) == 0


def test_a_family_can_have_another_budget(tmp_path: Path, built: Path) -> None:
    tokenizer = built.parent / "tokenizer"
    family = SHARED / "sokoban-origin-llama3.1-8b"
    flags = ("--tokenizer", tokenizer, "--budget", "sokoban=median")
    assert build(family, tmp_path / "out", *flags) == 0
    record = build_record(tmp_path / "out")
    [path] = tmp_path.glob("out/data/rollouts/*.parquet")
    totals = sorted(
        sum(
            pair["value"]
            for turn in row["turns"]
            for pair in turn["usage"]
            if pair["name"] == "tokens"
        )
        for row in pq.read_table(path).to_pylist()
    )
    assert totals[31] <= record["families"][0]["budget"]["tokens"] <= totals[32]
    assert record["families"][0]["tokenizer"]["name"] == "tokenizer"
