"""The metadata of predictions, and the contents that a prediction may have."""

import datetime
import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import ValidationError

from bagen_data.errors import InputError
from bagen_data.submissions import (
    METADATA,
    SCHEMAS,
    Metadata,
    Prediction,
    Usage,
    json_schemas,
    read_metadata,
    write_schemas,
)
from tests.making import REPO, contents

METADATA_OF_NOBODY: dict[str, Any] = {
    "estimator": "median",
    "provider": "none",
    "model_id": "none",
    "decoding": {"temperature": 0, "top_p": 0.9, "stop": "</answer>", "greedy": True},
    "prompt_variant": "interval_think",
    "trained_on": "none",
    "constrained": False,
    "dataset_revision": "0a1b2c3",
    "date": "2026-11-21",
    "link": "https://example.org/median",
}
USAGE = {"input_tokens": 1200, "cached_tokens": 0, "output_tokens": 40}
PREDICTION = {"sample_id": "t/m/r/1", "response": "<answer>[1, 2]</answer>"}


def without(row: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != key}


def yaml_of(**changes: str | None) -> str:
    """`metadata.yaml` with values as they stand in the file; None leaves a key out."""
    values = {name: json.dumps(value) for name, value in METADATA_OF_NOBODY.items()} | changes
    return "".join(f"{name}: {value}\n" for name, value in values.items() if value is not None)


def read(folder: Path, text: str | bytes) -> Metadata:
    path = folder / METADATA
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_metadata(path)


def schema_accepts(name: str, value: Any) -> bool:
    validator = Draft202012Validator(json_schemas()[name], format_checker=FormatChecker(["date"]))
    return bool(validator.is_valid(value))


def model_accepts(value: Any) -> bool:
    try:
        Prediction.model_validate(value)
    except ValidationError:
        return False
    return True


def file_accepts(folder: Path, value: Any) -> bool:
    try:
        read(folder, json.dumps(value))  # JSON is YAML
    except InputError:
        return False
    return True


def test_the_checked_in_schemas_are_those_of_the_models(tmp_path: Path) -> None:
    write_schemas(tmp_path / "schemas")
    written, checked_in = (
        {name: json.loads(text) for name, text in contents(folder).items()}
        for folder in (tmp_path / "schemas", SCHEMAS)
    )
    assert written == checked_in  # as values: older releases of pydantic write 0.0 for 0
    assert sorted(json_schemas()) == sorted(contents(SCHEMAS))


@pytest.mark.parametrize("name", sorted(json_schemas()))
def test_the_schemas_are_json_schemas(name: str) -> None:
    Draft202012Validator.check_schema(json.loads((SCHEMAS / name).read_bytes()))


@pytest.mark.parametrize("name", sorted(json_schemas()))
def test_the_schemas_say_what_each_key_is(name: str) -> None:
    assert all(part["description"] for part in json_schemas()[name]["properties"].values())


GOOD_PREDICTIONS: dict[str, Any] = {
    "the least": PREDICTION,
    "an empty response": PREDICTION | {"response": ""},
    "usage": PREDICTION | {"usage": USAGE},
    "no usage": PREDICTION | {"usage": None},
    "a cost": PREDICTION | {"cost_usd": 0.002},
    "a whole cost": PREDICTION | {"cost_usd": 1},
    "a cost of nothing": PREDICTION | {"cost_usd": 0},
    "no cost": PREDICTION | {"cost_usd": None},
}
BAD_PREDICTIONS: dict[str, Any] = {
    "no object": [PREDICTION],
    "null": None,
    "no id": without(PREDICTION, "sample_id"),
    "an empty id": PREDICTION | {"sample_id": ""},
    "a number as id": PREDICTION | {"sample_id": 5},
    "no response": without(PREDICTION, "response"),
    "a null response": PREDICTION | {"response": None},
    "a number as response": PREDICTION | {"response": 5},
    "a parsed response": PREDICTION | {"response": [1, 2]},
    "an unknown key": PREDICTION | {"estimator": "x"},
    "an unknown key without a value": PREDICTION | {"estimator": None},
    "a negative cost": PREDICTION | {"cost_usd": -0.1},
    "text as cost": PREDICTION | {"cost_usd": "0.1"},
    "truth as cost": PREDICTION | {"cost_usd": True},
    "partial usage": PREDICTION | {"usage": without(USAGE, "cached_tokens")},
    "empty usage": PREDICTION | {"usage": {}},
    "negative usage": PREDICTION | {"usage": USAGE | {"input_tokens": -1}},
    "half a token": PREDICTION | {"usage": USAGE | {"input_tokens": 1.5}},
    "text as usage": PREDICTION | {"usage": USAGE | {"input_tokens": "5"}},
    "null within usage": PREDICTION | {"usage": USAGE | {"input_tokens": None}},
    "an unknown key within usage": PREDICTION | {"usage": USAGE | {"reasoning_tokens": 3}},
    "a list as usage": PREDICTION | {"usage": [1200, 0, 40]},
}


@pytest.mark.parametrize("case", GOOD_PREDICTIONS)
def test_good_predictions_are_good_to_the_model_and_to_the_schema(case: str) -> None:
    row = GOOD_PREDICTIONS[case]
    assert (model_accepts(row), schema_accepts("prediction.json", row)) == (True, True)


@pytest.mark.parametrize("case", BAD_PREDICTIONS)
def test_bad_predictions_are_bad_to_the_model_and_to_the_schema(case: str) -> None:
    row = BAD_PREDICTIONS[case]
    assert (model_accepts(row), schema_accepts("prediction.json", row)) == (False, False)


@pytest.mark.parametrize("cost", [float("nan"), float("inf"), float("-inf")])
def test_a_cost_is_finite(cost: float) -> None:
    assert not model_accepts(PREDICTION | {"cost_usd": cost})


GOOD_METADATA: dict[str, dict[str, Any]] = {
    "all of it": METADATA_OF_NOBODY,
    "no decoding parameters": METADATA_OF_NOBODY | {"decoding": {}},
    "no prompt": METADATA_OF_NOBODY | {"prompt_variant": "none"},
    "a forecast": METADATA_OF_NOBODY | {"prompt_variant": "forecast_no_think"},
    "a variant of version 1": METADATA_OF_NOBODY | {"prompt_variant": "think"},
    "trained on the benchmark": METADATA_OF_NOBODY | {"trained_on": "benchmark"},
    "open weights": METADATA_OF_NOBODY | {"weights": "open", "benchmark_version": "1.0"},
    "a name in another script": METADATA_OF_NOBODY | {"estimator": "מעריך 估计 👩\u200d🔬"},
}
BAD_METADATA: dict[str, Any] = {
    "nothing": None,
    "a list": [METADATA_OF_NOBODY],
    "an unknown key": METADATA_OF_NOBODY | {"team": "x"},
    "an empty name": METADATA_OF_NOBODY | {"estimator": ""},
    "a name that turns around": METADATA_OF_NOBODY | {"estimator": "gpt\u202eevil"},
    "a name of no width": METADATA_OF_NOBODY | {"estimator": "gpt\u200b"},
    "two lines in a name": METADATA_OF_NOBODY | {"provider": "a\u2028b"},
    "half-open weights": METADATA_OF_NOBODY | {"weights": "ajar"},
    "a number as model": METADATA_OF_NOBODY | {"model_id": 4.5},
    "a number as revision": METADATA_OF_NOBODY | {"dataset_revision": 1234567},
    "a list as decoding": METADATA_OF_NOBODY | {"decoding": ["greedy"]},
    "a list of numbers within decoding": METADATA_OF_NOBODY | {"decoding": {"stop": [1]}},
    "null within decoding": METADATA_OF_NOBODY | {"decoding": {"seed": None}},
    "another prompt": METADATA_OF_NOBODY | {"prompt_variant": "thinking"},
    "several trainings": METADATA_OF_NOBODY | {"trained_on": ["train", "other"]},
    "text for truth": METADATA_OF_NOBODY | {"constrained": "no"},
    "a number for truth": METADATA_OF_NOBODY | {"constrained": 0},
    "another order of the date": METADATA_OF_NOBODY | {"date": "21/11/2026"},
    "a date that is none": METADATA_OF_NOBODY | {"date": "2026-13-45"},
    "a number as date": METADATA_OF_NOBODY | {"date": 20261121},
    "no link": METADATA_OF_NOBODY | {"link": None},
    "an empty link": METADATA_OF_NOBODY | {"link": ""},
} | {f"no {key}": without(METADATA_OF_NOBODY, key) for key in METADATA_OF_NOBODY}


def test_a_variant_of_version_1_is_read_under_its_new_name() -> None:
    for name, now in (("think", "interval_think"), ("no_think", "interval_no_think")):
        content = json.dumps(METADATA_OF_NOBODY | {"prompt_variant": name})
        assert Metadata.model_validate_json(content).prompt_variant == now


@pytest.mark.parametrize("case", GOOD_METADATA)
def test_good_metadata_is_good_to_the_reader_and_to_the_schema(case: str, tmp_path: Path) -> None:
    content = GOOD_METADATA[case]
    assert (file_accepts(tmp_path, content), schema_accepts("metadata.json", content)) == (
        True,
        True,
    )


@pytest.mark.parametrize("case", BAD_METADATA)
def test_bad_metadata_is_bad_to_the_reader_and_to_the_schema(case: str, tmp_path: Path) -> None:
    content = BAD_METADATA[case]
    assert (file_accepts(tmp_path, content), schema_accepts("metadata.json", content)) == (
        False,
        False,
    )


def test_metadata_is_read_as_it_is_written(tmp_path: Path) -> None:
    metadata = read(tmp_path, yaml_of())
    assert metadata.date == datetime.date(2026, 11, 21)
    assert str(metadata.link) == METADATA_OF_NOBODY["link"]
    expected = without(without(METADATA_OF_NOBODY, "date"), "link")
    assert metadata.model_dump(exclude={"date", "link"}, exclude_none=True) == expected


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("date", "2026-11-21", datetime.date(2026, 11, 21)),
        ("date", "'2026-11-21'", datetime.date(2026, 11, 21)),
        ("constrained", "yes", True),
        ("constrained", "off", False),
        ("provider", "none", "none"),
        ("provider", '"no"', "no"),
        ("dataset_revision", "'1234567'", "1234567"),
        ("dataset_revision", "0a1b2c3", "0a1b2c3"),
        ("decoding", "{temperature: 0.0, seed: 7}", {"temperature": 0.0, "seed": 7}),
        ("estimator", "Müller  # our second try", "Müller"),
    ],
)
def test_yaml_is_read_as_people_write_it(
    key: str, text: str, expected: object, tmp_path: Path
) -> None:
    assert getattr(read(tmp_path, yaml_of(**{key: text})), key) == expected


@pytest.mark.parametrize("text", [yaml_of().replace("\n", "\r\n"), "# ours\n---\n" + yaml_of()])
def test_line_ends_comments_and_a_document_mark_do_no_harm(text: str, tmp_path: Path) -> None:
    assert read(tmp_path, text) == read(tmp_path, yaml_of())


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("provider", "no"),
        ("provider", "~"),
        ("provider", ""),
        ("estimator", "[a, b]"),
        ("model_id", "4.5"),
        ("dataset_revision", "1234567"),
        ("dataset_revision", "1:30"),
        ("date", "2026-11-21 10:00:00"),
        ("date", "21/11/2026"),
        ("constrained", "'yes'"),
        ("constrained", "1"),
        ("trained_on", "None"),
        ("prompt_variant", "~"),
        ("link", "example.org"),
        ("link", "ftp://example.org"),
        ("link", "javascript:alert(1)"),
        ("decoding", "[a]"),
        ("decoding", "{a: {b: 1}}"),
    ],
)
def test_a_value_that_yaml_takes_for_something_else_is_named(
    key: str, text: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, yaml_of(**{key: text}))
    assert str(caught.value).startswith(f"{tmp_path / METADATA}: {key}")
    assert "found" in str(caught.value)


def today(days: int = 0) -> str:
    return str(datetime.datetime.now(tz=datetime.UTC).date() + datetime.timedelta(days=days))


@pytest.mark.parametrize("date", ["0001-01-01", "2023-12-31", today(3), "9999-12-31"])
def test_a_date_on_which_no_predictions_were_made_is_refused(date: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"date: found '{date}'; expected a day from 2024-01-01"):
        read(tmp_path, yaml_of(date=date))


@pytest.mark.parametrize("date", ["2024-01-01", today(), today(1)])
def test_a_date_from_2024_to_tomorrow_is_one(date: str, tmp_path: Path) -> None:
    assert str(read(tmp_path, yaml_of(date=date)).date) == date


NO_METADATA: dict[str, str | bytes] = {
    "nothing": "",
    "a word": "hello",
    "no YAML": "estimator: [a",
    "a tab": "decoding:\n\ttemperature: 0\n",
    "two documents": yaml_of() + "---\n" + yaml_of(),
    "a key twice": yaml_of() + "estimator: another\n",
    "the same twice": yaml_of() + "constrained: false\n",
    "a key twice within": yaml_of(decoding="{seed: 1, seed: 2}"),
    "code": yaml_of(estimator='!!python/object/apply:os.system ["true"]'),
    "an unknown tag": yaml_of(estimator="!ours x"),
    "an alias of nothing": yaml_of(estimator="*x"),
    "no such day": yaml_of(date="2026-02-30"),
    "a list as a key": yaml_of() + "? [a, b]\n: c\n",
    "a control character": yaml_of(estimator="a\x01"),
    "a long number": yaml_of(decoding=f"{{seed: {'9' * 5000}}}"),
    "no UTF-8": yaml_of().encode() + b"# \xff\n",
    "UTF-16": yaml_of().encode("utf-16"),
}


@pytest.mark.parametrize("case", NO_METADATA)
def test_what_is_no_metadata_is_refused_with_its_path(case: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, NO_METADATA[case])
    assert re.match(rf"{re.escape(str(tmp_path / METADATA))}(:\d+)?: ", str(caught.value))


def test_a_key_that_is_there_twice_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'estimator' appears twice"):
        read(tmp_path, yaml_of() + "estimator: another\n")


@pytest.mark.parametrize("value", ["{estimator: another}", "[{team: x}, {team: y}]"])
@pytest.mark.parametrize("within", ["{}", "decoding: {{{}}}"])
def test_merge_keys_are_refused_by_name(within: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="<<: merge keys are not allowed; write the keys out"):
        read(tmp_path, within.format(f"<<: {value}") + "\n" + yaml_of(decoding=None))


def test_code_in_yaml_is_not_run(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    tag = f'!!python/object/apply:pathlib.Path.touch ["{trap}"]'
    with pytest.raises(InputError):
        read(tmp_path, yaml_of(estimator=tag))
    assert not trap.exists()


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    text = yaml_of(date=None, link="none", constrained="1") + "team: x\n"
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    where = f"{tmp_path / METADATA}: "
    lines = str(caught.value).splitlines()
    assert all(line.startswith(where) for line in lines)
    assert sorted(line.removeprefix(where).partition(":")[0] for line in lines) == [
        "constrained",
        "date",
        "link",
        "team",
    ]


def test_missing_metadata_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is missing") as caught:
        read_metadata(tmp_path / METADATA)
    needed, _, optional = str(caught.value).partition("with the keys: ")[2].partition("; ")
    assert needed == ", ".join(METADATA_OF_NOBODY)
    assert optional == "weights and benchmark_version may be left out"


def test_the_guide_says_what_may_be_left_out() -> None:
    lines = (REPO / "docs" / "leaderboard.md").read_text(encoding="utf-8").splitlines()
    optional = {line.split(":")[0] for line in lines if "# " in line and "may be left out" in line}
    assert optional == Metadata.model_fields.keys() - METADATA_OF_NOBODY.keys()


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / METADATA).mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        read_metadata(tmp_path / METADATA)


@pytest.mark.parametrize(
    "text",
    [
        "2020-01-01: x",
        "decoding: &a {x: *a}",
        "decoding: {? [] : 1}",
        "estimator: !!timestamp x",
        "constrained: !!bool x",
        "estimator: !!python/name:os.system",
        "[" * 3000,
        "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]",
        "x" * 70_000,
        "decoding: {temperature: .nan}",
        "estimator: ' '",
        'estimator: "a\\e[31m"',
        "date: 2026-02-30",
    ],
)
def test_hostile_yaml_is_refused_and_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "metadata.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_metadata(path)
    assert str(path) in str(caught.value)
    assert max(map(len, str(caught.value).splitlines())) < 600


def test_cached_tokens_are_a_part_of_the_input() -> None:
    usage = {"input_tokens": 1, "cached_tokens": 2, "output_tokens": 0}
    with pytest.raises(ValidationError, match="cached_tokens is more than input_tokens"):
        Usage.model_validate(usage)
