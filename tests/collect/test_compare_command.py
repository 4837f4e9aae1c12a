"""Families side by side: success against unified cost, paired by instance."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from bagen_data.errors import InputError, WrongUsageError
from bagen_data.logs.prices import ModelPrice, PriceTable, parse_prices
from bagen_data.logs.unified_cost import parse_tool_prices
from bagen_data.scoring.resampling import Resampling, percentile_interval
from bagen_data.table_printing import print_table
from collect.comparison.comparison_table import comparison_tables
from collect.comparison.paired_comparison import compare, shown_names
from collect.comparison.priced_family import PricedFamily, PricedRollout, Prices, read_priced
from tests.making import collect, write_json

FREE = Prices(PriceTable({"m": ModelPrice(0, 0, 0, 0)}), {})


def turn(read: int, written: int, *actions: str, cached: int = 0) -> dict[str, Any]:
    usage = {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    return {
        "user_prompt": "look",
        "raw_response": "go",
        "parsed_response": "go",
        "api_input_tokens": read,
        "api_output_tokens": written,
        "api_interactions": [{"usage": {"raw": usage}}],
        "actions": list(actions),
        "success": False,
    }


def write_family(
    folder: Path, rollouts: list[dict[str, Any]], agent: str = "p/m", **settings: Any
) -> Path:
    task = folder.name.partition("-")[0]
    recorded_options = {"task": task, "agent": agent, "options": {}} | settings
    write_json(folder / f"{task}_eval_estimation_dialogues.json", rollouts)
    collection = {"told": recorded_options, "rollouts": len(rollouts), "failed": {}}
    (folder / "collection.yaml").write_text(yaml.safe_dump(collection))
    return folder


def rollout(number: int, success: bool, *turns: dict[str, Any], **more: Any) -> dict[str, Any]:
    if success:
        turns = (*turns[:-1], turns[-1] | {"success": True})
    record = {"env_id": number, "instance_id": f"q{number}", "rollout_success": success}
    return record | {"turns": list(turns)} | more


def priced(name: str, costs: Mapping[str, float], success: Callable[[str], bool]) -> PricedFamily:
    rollouts = [
        PricedRollout(instance, success(instance), 0, {}, cost, "")
        for instance, cost in costs.items()
    ]
    return PricedFamily(Path(name), {"task": "searchr1"}, rollouts)


def test_a_rollout_costs_its_requests_cached_and_not_and_its_calls(tmp_path: Path) -> None:
    turns = (turn(1_000, 100, "search[a]"), turn(1_500, 200, "search[b]", cached=1_100))
    family = write_family(tmp_path / "searchr1-origin-m", [
        rollout(0, True, *turns, turn(2_000, 50, "finish[x]")),
        rollout(1, False, *turns, stopped_by="budget", stopped_because="..."),
    ])  # fmt: skip
    table = PriceTable(parse_prices(["m=2,10,0.2"]))
    first, second = read_priced(family, Prices(table, parse_tool_prices(["search=0.001"]))).rollouts
    both = (1_000 * 2 + 100 * 10 + 400 * 2 + 1_100 * 0.2 + 200 * 10) / 1e6 + 2 * 0.001
    assert second.cost_usd == round(both, 6)
    assert first.cost_usd == round(both + (2_000 * 2 + 50 * 10) / 1e6, 6)
    assert (first.tokens, second.tokens) == (1_000 + 100 + 400 + 200 + 300 + 50, 1_700)
    assert first.calls == second.calls == {"search": 2}
    assert (first.success, second.success) == (True, False)
    assert (first.stopped_by, second.stopped_by) == ("", "budget")


@pytest.mark.parametrize("name", ["openai/gpt-9", "gpt-9", "bats:openai/gpt-9"])
def test_a_price_is_found_under_every_name_of_a_model(tmp_path: Path, name: str) -> None:
    rollouts = [rollout(0, False, turn(1_000_000, 1))]
    family = write_family(tmp_path / "searchr1-origin-m", rollouts, "bats:openai/gpt-9")
    prices = Prices(PriceTable({name: ModelPrice(3, 0, 0, 0)}), {})
    assert [each.cost_usd for each in read_priced(family, prices).rollouts] == [3]


def test_an_unknown_price_is_refused_by_name_and_never_0(tmp_path: Path) -> None:
    family = write_family(tmp_path / "searchr1-origin-m", [rollout(0, False, turn(10, 1))], "p/m-9")
    with pytest.raises(InputError, match=r"p/m-9.*is not known.*give --price 'p/m-9=IN,OUT"):
        read_priced(family, Prices(PriceTable(), {}))


def test_a_turn_without_counts_has_no_price(tmp_path: Path) -> None:
    bare = {"user_prompt": "look", "raw_response": "go", "parsed_response": "go"}
    family = write_family(tmp_path / "searchr1-origin-m", [rollout(0, False, bare)])
    with pytest.raises(InputError, match="turn 1 has no"):
        read_priced(family, FREE)


def test_only_shared_instances_are_compared_and_the_others_are_counted() -> None:
    every = {f"q{number}": 1.0 for number in range(14)}
    fewer = {name: 3.0 for name in every if name not in ("q0", "q1")} | {"other": 99.0}
    compared = compare(
        [priced("a", every, lambda _: True), priced("b", fewer, lambda name: name < "q5")],
        Resampling(),
    )
    assert compared.instances == 12
    assert compared.left_out == {"a": 2, "b": 1}
    first, second = compared.rows
    assert (first.rollouts, second.rollouts) == (12, 12)
    assert second.means["cost_usd"].value == 3
    assert second.differences["cost_usd"].value == 2
    assert second.differences["cost_usd"].interval == (2, 2)
    assert not first.differences


def test_differences_are_paired_by_instance_whatever_the_order_of_rollouts() -> None:
    """Instances that cost much cost much in both families: unpaired intervals would be wide."""
    draws = np.random.default_rng(1)
    hard = {f"q{number}": float(cost) for number, cost in enumerate(draws.lognormal(size=40))}
    cheaper = {name: 0.9 * cost for name, cost in reversed(hard.items())}
    families = [priced("a", hard, lambda _: True), priced("b", cheaper, lambda _: True)]
    _, second = compare(families, Resampling()).rows
    low, high = second.differences["cost_usd"].interval or (0, 0)
    assert low < second.differences["cost_usd"].value < high < 0
    weights = Resampling().draws_of({"searchr1": np.arange(40)})["searchr1"].weights
    ranked = np.array([hard[name] for name in sorted(hard)])
    expected = percentile_interval(-0.1 * (weights @ ranked) / weights.sum(axis=1), 40)
    assert (low, high) == pytest.approx(expected)
    width = second.means["cost_usd"].interval
    assert width is not None
    assert high - low < 0.2 * (width[1] - width[0])


def test_all_rollouts_of_an_instance_come_along() -> None:
    twice = priced("a", {f"q{number}": float(number) for number in range(12)}, lambda _: True)
    twice = PricedFamily(twice.folder, twice.settings, [*twice.rollouts, *twice.rollouts])
    once = priced("b", {f"q{number}": float(number) for number in range(12)}, lambda _: True)
    _, second = compare([once, twice], Resampling()).rows
    assert second.rollouts == 24
    assert second.differences["cost_usd"].interval == (0, 0)


def test_the_front_has_what_nothing_else_beats() -> None:
    def at(name: str, cost: float, solved: int) -> PricedFamily:
        costs = {f"q{number}": cost for number in range(4)}
        return priced(name, costs, lambda instance: int(instance[1:]) < solved)

    families = [at("dear", 5, 3), at("cheap", 1, 1), at("bad", 2, 0), at("good", 3, 3)]
    compared = compare(families, Resampling(0))
    assert [row.name for row in compared.front] == ["cheap", "good"]
    assert compared.rows[0].means["success"].interval is None
    assert [row.name for row in compare([families[0], at("same", 5, 3)], Resampling(0)).front] == [
        "dear",
        "same",
    ]


def test_families_that_cannot_be_compared_are_refused() -> None:
    one = priced("a", {"q": 1.0}, lambda _: True)
    other = PricedFamily(Path("b"), {"task": "sokoban"}, one.rollouts)
    with pytest.raises(InputError, match="expected families of one task"):
        compare([one, other], Resampling())
    with pytest.raises(InputError, match="share no instance"):
        compare([one, priced("c", {"z": 1.0}, lambda _: True)], Resampling())
    with pytest.raises(InputError, match="is given twice"):
        compare([one, one], Resampling())


def test_families_of_one_name_are_told_apart_by_their_parents() -> None:
    families = [priced(f"/x/{part}/f", {"q": 1.0}, lambda _: True) for part in ("a", "b")]
    assert shown_names(families) == ["a/f", "b/f"]


@pytest.mark.parametrize("name", ["m", "openai-gpt-5.2-with-a-very-long-name-of-its-own"])
def test_tables_fit_80_columns(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"searchr1-origin-{name}-{number}" for number in range(3)]
    costs = {f"q{number}": 12.5 + number / 7 for number in range(12)}
    families = [
        replace(family, rollouts=[
            replace(each, tokens=1_234_567 + 10 * rank, calls={"search": 40 + rank})
            for rank, each in enumerate(family.rollouts)
        ])
        for family in (priced(each, costs, lambda _: True) for each in names)
    ]  # fmt: skip
    for table in comparison_tables(compare(families, Resampling())):
        print_table(table)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "searchr1-origin" not in "".join(lines)
    assert sum("1,234,6" in line for line in lines) == 3
    first_words = "".join(line.split()[0] for line in lines[3:] if line)
    assert f"{name}-2" in first_words


def test_families_for_benchmark_and_training_keep_their_whole_names() -> None:
    families = [priced(f"searchr1-{role}-m", {"q": 1.0}, bool) for role in ("origin", "train")]
    table = comparison_tables(compare(families, Resampling(0)))[0]
    assert [str(cell) for cell in table.columns[0].cells] == [
        "searchr1-origin-m",
        "searchr1-train-m",
    ]


@pytest.mark.parametrize("text", ["search", "search=", "=1", "search=-1", "search=inf", "search=x"])
def test_a_tool_price_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(WrongUsageError, match="expected TOOL=USD"):
        parse_tool_prices([text])


def test_a_tool_has_one_price() -> None:
    with pytest.raises(WrongUsageError, match="search has a price already"):
        parse_tool_prices(["search=1", "search=2"])


def scripted(folder: Path, name: str, *more: object, task: str = "searchr1") -> Path:
    out = folder / f"{task}-origin-{name}"
    assert collect(task, "--agent", "scripted", "--rollouts", 12, "--out", out, *more) == 0
    return out


def test_the_command_prints_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    free = scripted(tmp_path, "free")
    capped = scripted(tmp_path, "capped", "--budget", "search=2")
    more = scripted(tmp_path, "more", "--documents", 5)
    chart = tmp_path / "front.svg"
    prices = ("--price", "scripted=1,10", "--tool-price", "search=0.001")
    capsys.readouterr()
    numbers = tmp_path / "numbers.json"
    files = ("--chart", chart, "--json", numbers)
    assert collect("compare", free, capped, more, *prices, *files) == 0
    said = capsys.readouterr()
    assert "searchr1: 12 shared instances" in said.out
    for word in ("success", "tokens", "search", "cost_usd", "stopped", "Pareto front"):
        assert word in said.out
    assert "differences to free, paired by instance" in said.out
    noted = " ".join(said.err.split())
    assert "note: searchr1-origin-more was recorded with documents 5, not 3, as" in noted
    assert "searchr1-origin-capped" not in noted
    assert "<svg" in chart.read_text()
    record = json.loads(numbers.read_text())
    assert [each["family"] for each in record["families"]] == [
        family.name for family in (free, capped, more)
    ]
    costs = [each["cost_usd"] for each in record["rollouts"] if each["family"] == free.name]
    assert len(costs) == 12
    assert record["families"][0]["means"]["cost_usd"]["value"] == pytest.approx(sum(costs) / 12)
    assert record["families"][1]["differences"]["search"]["low"] < 0


def test_a_price_of_a_tool_that_no_family_has_is_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    searched = [rollout(0, False, turn(10, 1, "search[a]"))]
    answered = [rollout(0, True, turn(10, 1, "finish[a]"))]
    moved = [rollout(0, True, turn(10, 1, "Up"))]
    for task, rollouts, tool, expected in (
        ("searchr1", searched, "serach", "searchr1 has no tool of that name; expected search, so"),
        ("searchr1", searched, "finish", "searchr1 has no tool of that name; expected search, so"),
        ("sokoban", moved, "search", "sokoban has no tool of that name; expected no tool price"),
    ):
        family = write_family(tmp_path / f"{task}-origin-{tool}", rollouts)
        priced = ("--price", "m=1,10", "--tool-price", f"{tool}=0.001")
        assert collect("compare", family, *priced) == 2
        said = " ".join(capsys.readouterr().err.split())
        assert f"--tool-price {tool}: {expected}" in said
    family = write_family(tmp_path / "searchr1-origin-answered", answered)
    known = ("--price", "m=1,10", "--tool-price", "search=0.001")
    assert collect("compare", family, *known) == 0, "a tool that nobody called may have a price"


@pytest.mark.parametrize(
    ("agent", "named"),
    [("scripted", ["scripted"]), ("scripted/budgeted", ["scripted", "scripted/budgeted"])],
)
def test_a_missing_price_of_a_scripted_agent_names_all_that_would_do(
    tmp_path: Path, agent: str, named: list[str]
) -> None:
    family = write_family(tmp_path / "searchr1-origin-m", [rollout(0, False, turn(9, 1))], agent)
    with pytest.raises(InputError, match=f"price of {agent} is not known") as refused:
        read_priced(family, Prices(PriceTable(), {}))
    assert re.findall(r"--price '(.*?)=IN,OUT", str(refused.value)) == named
    for name in named:
        prices = Prices(PriceTable({name: ModelPrice(1, 1, 1, 1)}), {})
        assert read_priced(family, prices).rollouts[0].cost_usd > 0


def test_the_command_refuses_in_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    family, other = scripted(tmp_path, "a"), scripted(tmp_path, "b", task="sokoban")
    price = ("--price", "scripted=1,10")
    for arguments, words in (
        ((family,), "the price of scripted is not known"),
        ((family, other, *price), "expected families of one task"),
        ((tmp_path, *price), "holds no collection.yaml"),
        ((family, *price, "--tool-price", "x"), "--tool-price x: expected TOOL=USD"),
        ((family, *price, "--chart", "x.pdf"), "--chart x.pdf: expected a file ending in .svg"),
    ):
        assert collect("compare", *arguments) in (1, 2)
        said = " ".join(capsys.readouterr().err.split())
        assert words in said
        assert "Traceback" not in said
