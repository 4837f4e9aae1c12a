"""Built prompts in other variants."""

from itertools import product
from pathlib import Path

import pyarrow as pa
import pytest

from bagen_data.errors import TemplateError
from bagen_data.general_prompt import general_prompt
from bagen_data.hub import load_samples
from bagen_data.prompt_rewording import in_variant, reworded, reworded_table
from bagen_data.prompt_variants import VARIANTS, Variant
from bagen_data.prompts import load_prompt
from bagen_data.replay import replay
from tests.bagen_data.test_general_prompt import rollout
from tests.bagen_data.test_prompts import FOUR
from tests.making import SAMPLE, build, recorded_for

PAIRS = list(product(VARIANTS, VARIANTS))
ALSO = ("prompt", "prompt_variant")


@pytest.mark.parametrize("k", [0, 2])
@pytest.mark.parametrize("task", FOUR)
def test_any_variant_can_be_put_into_any_other(task: str, k: int) -> None:
    recorded, budget = recorded_for(task, 3)
    ((probe, _),) = replay(recorded, budget, [k])
    questions = {variant: load_prompt(task, variant).question(probe) for variant in VARIANTS}
    for built, wanted in PAIRS:
        assert in_variant(questions[built], task, list(budget.limits), wanted) == questions[wanted]


@pytest.mark.parametrize("resources", [["turns"], ["tokens", "cost_usd"]])
def test_so_can_general_prompts(resources: list[str]) -> None:
    recorded, budget = rollout(resources)
    ((probe, _),) = replay(recorded, budget, [1])
    questions = {each: general_prompt(resources, each).question(probe) for each in VARIANTS}
    for built, wanted in PAIRS:
        assert in_variant(questions[built], "support", resources, wanted) == questions[wanted]


def test_without_a_tasks_templates_the_form_of_the_same_question_can_be_had() -> None:
    recorded, budget = recorded_for("sokoban", 3)
    ((probe, _),) = replay(recorded, budget, [1])
    forms = load_prompt("sokoban", "interval_think").question(probe).rpartition("\n\n")[2]
    resources = ["steps"]
    own = f"How much? {forms}"
    turned = in_variant(own, "chess", resources, "interval_no_think")
    assert turned.startswith("How much? Answer once, without reasoning")
    assert in_variant(turned, "chess", resources, "interval_think") == own
    with pytest.raises(TemplateError, match="--prompt forecast_think', which runs in a clone"):
        in_variant(own, "chess", resources, "forecast_think")


def test_a_question_in_no_variant_is_refused() -> None:
    with pytest.raises(TemplateError, match="'how much\\?'; expected the question of one of"):
        in_variant("how much?", "sokoban", ["tokens"], "point_think")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[Variant, pa.Table]:
    """The sample dataset in two variants."""
    tables: dict[Variant, pa.Table] = {}
    for variant in ("interval_think", "forecast_no_think"):
        out = Path(tmp_path_factory.mktemp(variant)) / "out"
        assert build(SAMPLE, out, "--prompt", variant) == 0
        tables[variant] = load_samples(str(out), also=ALSO).table
    return tables


def test_a_whole_table_is_reworded(built: dict[Variant, pa.Table]) -> None:
    intervals, forecasts = built["interval_think"], built["forecast_no_think"]
    assert intervals != forecasts
    assert reworded_table(intervals, "forecast_no_think") == forecasts
    assert reworded_table(forecasts.slice(7, 90), "interval_think") == intervals.slice(7, 90)
    assert reworded_table(intervals.slice(0, 0), "point_think") == intervals.slice(0, 0)


def test_a_row_is_reworded(built: dict[Variant, pa.Table]) -> None:
    rows = {variant: table.slice(3, 1).to_pylist()[0] for variant, table in built.items()}
    for row in rows.values():
        for wanted, expected in rows.items():
            assert reworded(row, wanted) == expected["prompt"]
