"""Spoiled metadata and predictions: where, what was found, what was expected, in our words."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bagen_data.errors import InputError
from bagen_data.prediction_files import prediction_reader
from bagen_data.submissions import read_metadata

METADATA = {
    "estimator": "nobody",
    "provider": "none",
    "model_id": "none",
    "decoding": {},
    "prompt_variant": "none",
    "trained_on": "none",
    "constrained": False,
    "dataset_revision": "unknown",
    "date": "2026-11-21",
    "link": "https://example.org/nobody",
}
ROW = {"sample_id": "sokoban/m/r/1", "response": "<answer>impossible</answer>"}
USAGE = {"input_tokens": 1, "cached_tokens": 0, "output_tokens": 1}
PARAMETER = "expected true, false, a finite number, text or a list of texts"
DAY = "expected a day as YYYY-MM-DD, such as 2026-11-21"
FOREIGN = re.compile(
    r"[Ii]nput should|[Ss]tring should|should have|should be|Value error|instance of|pydantic|"
    r"valid (string|integer|number|boolean|dictionary|array|date)|\(char \d+\)|<unicode string>"
)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"estimator": 5}, "estimator: found 5; expected text: put it in quotes"),
        ({"estimator": ["a"]}, "estimator: found ['a']; expected text"),
        ({"estimator": ""}, "estimator: found ''; expected text of 1 character or more"),
        ({"estimator": "a" * 201}, "expected at most 200 characters"),
        ({"estimator": None}, "estimator: found nothing; expected text"),
        ({"constrained": "maybe"}, "constrained: found 'maybe'; expected true or false"),
        ({"constrained": 1}, "constrained: found 1; expected true or false"),
        ({"trained_on": "all"}, "expected 'none', 'train', 'benchmark' or 'other'"),
        ({"prompt_variant": "quick"}, "prompt_variant: found 'quick'; expected 'interval_think'"),
        ({"date": "yesterday"}, f"date: found 'yesterday'; {DAY}"),
        ({"date": "2026-13-41"}, f"date: found '2026-13-41'; {DAY}"),
        ({"date": 20261121}, f"date: found 20261121; {DAY}"),
        ({"link": 5}, "link: found 5; expected an address such as https://example.org/page"),
        ({"link": "http://localhost/x"}, "expected a public host"),
        ({"decoding": [1]}, "decoding: found [1]; expected keys with values"),
        ({"decoding": {"top_p": None}}, f"decoding.top_p: found nothing; {PARAMETER}"),
        ({"decoding": {"top_p": {"a": True}}}, f"decoding.top_p: found {{'a': True}}; {PARAMETER}"),
        ({"weights": "half"}, "weights: found 'half'; expected 'open', 'closed' or 'none'"),
        ({"benchmark_version": 2.0}, "benchmark_version: found 2.0; expected text: put it in"),
        ({"homepage": "x"}, "homepage: unknown key; leave it out"),
    ],
)
def test_spoiled_metadata_is_named(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    path = tmp_path / "metadata.yaml"
    path.write_text(json.dumps(METADATA | changes), encoding="utf-8")
    message = refusal(lambda: read_metadata(path))
    assert words in message
    assert message.startswith(f"{path}: {next(iter(changes))}")
    assert message.count("\n") == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a", "metadata.yaml: found ['a']; expected keys with values"),
        ("", "metadata.yaml: found nothing; expected keys with values"),
        ("a: [\n", "metadata.yaml:2: is not plain YAML: "),
        ("a: b\nestimator: '\n", "expected lines such as 'estimator: NAME'"),
        ("a: 1\na: 2", "key 'a' appears twice"),
        ("a: &x 1\nb: *x", "aliases are not allowed; write it out"),
    ],
)
def test_what_is_not_metadata_is_named(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "metadata.yaml"
    path.write_text(text, encoding="utf-8")
    assert words in refusal(lambda: read_metadata(path))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (ROW | {"sample_id": 5}, "sample_id: found 5; expected text: put it in quotes"),
        (ROW | {"sample_id": ""}, "sample_id: found ''; expected text of 1 character or more"),
        (ROW | {"response": None}, "response: found nothing; expected text"),
        ({"sample_id": "a"}, "response: is missing"),
        (ROW | {"usage": 5}, "usage: found 5; expected keys with values"),
        (ROW | {"usage": USAGE | {"input_tokens": 1.5}}, "found 1.5; expected a whole number"),
        (ROW | {"usage": USAGE | {"output_tokens": -1}}, "found -1; expected a number from 0 on"),
        (ROW | {"usage": USAGE | {"cached_tokens": 2}}, "cached_tokens is more than input_tokens"),
        (ROW | {"cost_usd": "1"}, "cost_usd: found '1'; expected a number"),
        (ROW | {"cost_usd": 1e9}, "expected at most 1,000,000"),
        (ROW | {"score": 1}, "score: unknown key; leave it out"),
        ([1], "found [1]; expected keys with values"),
        (None, "found nothing; expected keys with values"),
    ],
)
def test_spoiled_predictions_are_named(line: Any, words: str, tmp_path: Path) -> None:
    path = tmp_path / "predictions.jsonl"
    path.write_text(f"{json.dumps(ROW)}\n{json.dumps(line)}\n", encoding="utf-8")
    message = refusal(lambda: list(prediction_reader(path)()))
    assert words in message
    assert message.startswith(f"{path}:2: ")


@pytest.mark.parametrize("line", ["x", '{"sample_id": "a"', '{"sample_id": "a", "sample_id": "b"}'])
def test_what_is_not_a_json_object_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "predictions.jsonl"
    path.write_text(f"{line}\n", encoding="utf-8")
    message = refusal(lambda: list(prediction_reader(path)()))
    assert message.startswith(f"{path}:1: not one JSON object in UTF-8: ")


def refusal(read: Any) -> str:
    """The message of a file that is refused, which has no words of a library."""
    with pytest.raises(InputError) as refused:
        read()
    message = str(refused.value)
    assert not FOREIGN.search(message)
    return message
