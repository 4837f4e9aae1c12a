"""The rows that models are trained on."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from huggingface_hub import close_session
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from bagen_data import load, parse
from bagen_data.errors import InputError, WrongUsageError
from bagen_data.rewards import PROPER
from tests.loopback_hub import loopback_hub
from tests.making import SHARED, build, make_tokenizer, needs_shared
from train.data import JUDGED, DataOptions, balanced, check_lengths, read_part, rl_rows, sft_rows
from train.fitted_prompts import PromptFitter, token_count
from train.targets import completion, interval_rule

TASKS = ("sokoban", "searchr1", "swebench", "warehouse")


@pytest.fixture(scope="module")
def tokenizer(tiny: str) -> Any:
    return AutoTokenizer.from_pretrained(tiny)


def options(dataset: str, **changes: Any) -> DataOptions:
    """Options with room for every prompt of the sample."""
    return DataOptions(dataset=dataset, max_prompt_tokens=50_000, **changes)


@pytest.mark.parametrize(
    ("name", "remaining", "interval"),
    [
        ("pct10", 100, (90, 110)),
        ("pct30", 105, (73, 136)),
        ("pct50", 1, (1, 1)),
        ("pct30", 10, (7, 13)),
        ("pct10", 5, (4, 5)),
        ("fix100", 60, (1, 160)),
        ("fix500", 600, (100, 1100)),
        ("point", 77, (77, 77)),
        ("pct10", 0.5, (0.5, 0.5)),
        ("fix100", 0.5, (0.5, 100.5)),
        ("fix1000", 0, (0, 1000)),
    ],
)
def test_targets_by_hand(name: str, remaining: float, interval: tuple[float, float]) -> None:
    taught = interval_rule(name)(remaining)
    assert (taught.low, taught.high) == interval


@given(
    st.one_of(st.integers(0, 10**9), st.floats(0, 1e9)),
    st.sampled_from(["pct10", "pct30", "pct50", "fix100", "fix1000", "point", "pct99"]),
)
def test_a_target_covers_what_remains(remaining: float, name: str) -> None:
    taught = interval_rule(name)(remaining)
    assert taught.low <= remaining <= taught.high


@pytest.mark.parametrize("name", ["", "pct", "pct0", "pct100", "fix0", "pct10 ", "Point", "pct1e1"])
def test_no_such_target(name: str) -> None:
    with pytest.raises(WrongUsageError, match="expected pct10, pct30"):
        interval_rule(name)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("variant", ["interval_think", "interval_no_think"])
def test_a_completion_is_a_right_answer(
    dataset: str, tokenizer: Any, task: str, variant: str
) -> None:
    training = options(dataset, train_on=[f"{task}_train"], variant=variant, target="pct10")
    loaded = sft_rows(training, tokenizer, {})
    counts = loaded.counts[0]
    sample = load(dataset, f"{task}_train", "sft")[0]
    names = [amount["resource"] for amount in sample["resources"]]
    verdicts = Counter(parse(row["completion"][0]["content"], names).verdict for row in loaded.rows)
    assert verdicts["feasible"] == 2 * counts.feasible > 0
    assert verdicts["infeasible"] == counts.rows - verdicts["feasible"]
    for row in loaded.rows:
        (message,) = row["completion"]
        assert message["content"].startswith("<think>") == (variant == "interval_think")
        assert ("<think>" in row["prompt"][-1]["content"]) == (variant == "interval_think")


@pytest.mark.parametrize("variant", ["point_think", "point_no_think"])
def test_a_point_to_teach_is_the_remainder(dataset: str, tokenizer: Any, variant: str) -> None:
    training = options(dataset, variant=variant, target="point")
    loaded = sft_rows(training, tokenizer, {})
    answers = [parse(row["completion"][0]["content"], None, "point") for row in loaded.rows]
    assert {answer.verdict for answer in answers} == {"feasible", "infeasible"}
    assert all("Give one" in row["prompt"][-1]["content"] for row in loaded.rows)
    rows = load(dataset, "sokoban_train", "sft")
    known = {part["remaining"] for row in rows for part in row["resources"]}
    assert {each.intervals["tokens"].low for each in answers if each.intervals} <= known


def test_variants_that_cannot_be_taught_are_refused(dataset: str, tokenizer: Any) -> None:
    with pytest.raises(WrongUsageError, match="variant point_think: asks for one number, and targ"):
        sft_rows(options(dataset, variant="point_think"), tokenizer, {})
    with pytest.raises(WrongUsageError, match=r"asks for a forecast, and target is pct30; .* aft"):
        sft_rows(options(dataset, variant="forecast_think"), tokenizer, {})
    taught = {"target": "climatology"}
    with pytest.raises(WrongUsageError, match="asks for an interval, and target is climatology"):
        sft_rows(options(dataset, variant="interval_think", **taught), tokenizer, {})
    with pytest.raises(WrongUsageError, match="asks for one number, and target is climatology"):
        sft_rows(options(dataset, variant="point_think", **taught), tokenizer, {})
    with pytest.raises(WrongUsageError, match="variant point_think: the rewards judge intervals"):
        rl_rows(options(dataset, variant="point_think"), tokenizer, {})
    with pytest.raises(WrongUsageError, match="does not ask for a forecast, which the rew"):
        rl_rows(options(dataset), tokenizer, {}, weights=PROPER)


def test_names_of_version_1_are_variants_too() -> None:
    assert DataOptions(variant="no_think").variant == "interval_no_think"


def test_a_thought_says_what_the_prompt_says() -> None:
    amounts = {"resource": "tokens", "unit": "tokens", "budget": 900.0, "used": 200.0}
    row = {"feasible": True, "completed_turns": 2, "resources": [{**amounts, "remaining": 400.0}]}
    (message,) = completion(row, interval_rule("pct10"), "interval_think")
    assert message["content"] == (
        "<think>2 turns: 200 tokens used, 100 a turn; 700 left of the budget.</think> "
        "<answer>[360, 440]</answer>"
    )
    over = {**amounts, "used": 1000.0, "remaining": 1.0}
    row = {"feasible": False, "completed_turns": 1, "resources": [over]}
    (message,) = completion(row, interval_rule("pct10"), "interval_think")
    assert message["content"] == (
        "<think>1 turn: 1000 tokens used, 1000 a turn; 100 over the budget.</think> "
        "<answer>impossible</answer>"
    )


def test_training_parts_are_balanced_and_the_heldout_part_is_as_it_is(
    dataset: str, tokenizer: Any
) -> None:
    """Each instance has exactly its rows with something remaining, feasible ones twice."""
    training = options(dataset, evaluate_on=["sokoban_train"])
    for part, times in (("sft", 2), ("heldout", 1)):
        rows = load(dataset, "sokoban_train", split=part)
        left = [row for row in rows if row["resources"][0]["remaining"]]
        feasible = sum(row["feasible"] for row in left)
        counts = sft_rows(training, tokenizer, {}, part).counts[0]  # type: ignore[arg-type]
        assert (counts.read, counts.nothing_remaining) == (len(rows), len(rows) - len(left))
        assert (counts.feasible, counts.infeasible) == (feasible, len(left) - feasible)
        infeasible = counts.infeasible if times == 1 else min(counts.infeasible, 2 * feasible)
        assert counts.rows == times * feasible + infeasible


def test_the_rl_part_is_balanced_too(dataset: str, tokenizer: Any) -> None:
    counts = rl_rows(options(dataset), tokenizer, {}).counts[0]
    assert counts.feasible > 0
    assert counts.rows == 2 * counts.feasible + min(counts.infeasible, 2 * counts.feasible)


def test_rows_for_grpo_are_those_of_the_dataset(dataset: str, tokenizer: Any) -> None:
    training = options(dataset, train_on=["sokoban_train", "warehouse_train"], balance=False)
    loaded = rl_rows(training, tokenizer, {})
    assert set(loaded.rows.column_names) == {"prompt", *JUDGED}
    assert {row["sample_id"].partition("/")[0] for row in loaded.rows} == {"sokoban", "warehouse"}
    rows = {
        row["sample_id"]: row
        for config in training.train_on
        for row in load(dataset, config, split="rl")
    }
    for row in loaded.rows:
        assert row["prompt"] == rows[row["sample_id"]]["prompt"]
        assert row["resources"] == rows[row["sample_id"]]["resources"]
    again = rl_rows(training, tokenizer, {})
    assert again.rows["sample_id"][:] == loaded.rows["sample_id"][:]


def test_a_revision_of_the_hub_is_trained_on(
    dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with loopback_hub() as hub:
        hub.patch(monkeypatch, tmp_path / "home")
        commit = hub.upload("ORG/NAME", Path(dataset))
        hub.commit("ORG/NAME", {"manifest.jsonl": b""})  # nothing of it is left on main
        chosen = options("ORG/NAME", dataset_revision=commit[:8])
        rows = read_part(chosen.dataset_name(), "sokoban_train", "sft")
        close_session()
    assert list(rows) == list(read_part(dataset, "sokoban_train", "sft"))


def test_balancing_draws_without_putting_back() -> None:
    is_feasible = [True] * 3 + [False] * 20
    import numpy as np

    positions = balanced(np.array(is_feasible), DataOptions())
    assert positions.tolist()[:6] == [0, 0, 1, 1, 2, 2]
    assert len(positions) == 12
    assert len(set(positions.tolist()[6:])) == 6
    assert balanced(np.array([True, False]), DataOptions()).tolist() == [0, 0, 1]


def test_a_long_prompt_loses_its_oldest_whole_turns(dataset: str, tokenizer: Any) -> None:
    row = max(load(dataset, "sokoban_train", split="sft"), key=lambda row: row["completed_turns"])
    messages = row["prompt"]
    whole = PromptFitter(tokenizer, 10**6).fit(messages)
    assert whole is not None
    assert whole.messages == messages
    length = len(tokenizer.apply_chat_template(messages, add_generation_prompt=True)["input_ids"])
    assert PromptFitter(tokenizer, length).fit(messages) == whole
    cut = PromptFitter(tokenizer, length - 1).fit(messages)
    assert cut is not None
    assert cut.dropped_turns == 1
    assert cut.messages == [messages[0], *messages[3:]]
    assert [message["role"] for message in cut.messages[1:]] == ["user", "assistant"] * (
        len(cut.messages) // 2 - 1
    ) + ["user"]
    assert PromptFitter(tokenizer, length - 1).fit(messages, trim=False) is None
    assert PromptFitter(tokenizer, 10).fit(messages) is None


def test_overlong_prompts_are_counted(dataset: str, tokenizer: Any) -> None:
    trimmed = sft_rows(DataOptions(dataset, max_prompt_tokens=1100), tokenizer, {}).counts[0]
    dropped = sft_rows(
        DataOptions(dataset, max_prompt_tokens=1100, overlong="drop"), tokenizer, {}
    ).counts[0]
    assert trimmed.trimmed > 0
    rows = (row for row in load(dataset, "sokoban_train", split="sft"))
    left = [row["prompt"] for row in rows if row["resources"][0]["remaining"]]
    fitted = [prompt for prompt in map(PromptFitter(tokenizer, 1100).fit, left) if prompt]
    assert trimmed.dropped_turns == sum(prompt.dropped_turns for prompt in fitted)
    assert trimmed.dropped_turns > trimmed.trimmed
    assert (dropped.trimmed, dropped.dropped_turns) == (0, 0)
    assert dropped.too_long == trimmed.trimmed + trimmed.too_long
    with pytest.raises(InputError, match="nothing of sokoban_train is left to train on"):
        sft_rows(DataOptions(dataset, max_prompt_tokens=9), tokenizer, {})


def test_configs_and_columns_that_are_not_there(
    dataset: str, tokenizer: Any, tmp_path: Path
) -> None:
    for config, message in (
        ("sokoban", "has no part sft; it has: test"),
        ("nothing", "has no parts; expected a <task>_train"),
    ):
        with pytest.raises(InputError, match=message):
            sft_rows(options(dataset, train_on=[config]), tokenizer, {})
    with pytest.raises(InputError, match="no such folder"):
        sft_rows(options(str(tmp_path / "none")), tokenizer, {})


def test_answers_are_not_cut_off(dataset: str, tokenizer: Any) -> None:
    """A row that is one token too long would teach an answer without its end."""
    loaded = sft_rows(options(dataset), tokenizer, {})
    longest = max(
        token_count([*row["prompt"], *row["completion"]], tokenizer, {}) for row in loaded.rows
    )
    check_lengths(loaded, tokenizer, {}, longest)
    check_lengths(loaded, tokenizer, {}, None)
    with pytest.raises(InputError, match=f"max_length is {longest - 1}, and [1-9][0-9]* of 42"):
        check_lengths(loaded, tokenizer, {}, longest - 1)


def test_a_dataset_without_the_columns(dataset: str, tokenizer: Any, tmp_path: Path) -> None:
    shutil.copytree(dataset, tmp_path / "other")
    for file in (tmp_path / "other" / "data" / "sokoban_train").glob("*.parquet"):
        pq.write_table(pq.read_table(file).drop_columns(["prompt_variant", "prompt"]), file)
    with pytest.raises(InputError, match="sokoban_train has no column prompt, prompt_variant"):
        sft_rows(options(str(tmp_path / "other")), tokenizer, {})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": "wide"}, "target 'wide'"),
        (
            {"variant": "loud"},
            "variant is 'loud'; expected one of: as_built, interval_think, int",
        ),
        ({"overlong": "cut"}, "overlong is 'cut'; expected one of: trim, drop"),
        ({"max_prompt_tokens": 0}, "max_prompt_tokens is 0; expected 1 or more"),
        ({"train_on": []}, "train_on names no config"),
    ],
)
def test_options_that_make_no_sense(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(WrongUsageError, match=message):
        DataOptions(**changes)


@needs_shared
def test_recorded_rollouts_become_training_data(tmp_path: Path, tokenizer: Any) -> None:
    """Spec 9 on the recorded Sokoban families: 52 SFT rollouts, of which 10 are feasible."""
    flags = ("--task", "sokoban", "--budget", "sokoban=median")
    made = ("--tokenizer", make_tokenizer(tmp_path / "tokenizer"))
    assert build(SHARED, tmp_path / "out", *flags, *made) == 0
    counts = sft_rows(DataOptions(str(tmp_path / "out")), tokenizer, {}).counts[0]
    assert counts.nothing_remaining == 52
    assert counts.rows == 4 * counts.feasible > 0
    assert str(counts).startswith(f"sokoban_train/sft: {counts.rows} rows of {counts.feasible} ")
