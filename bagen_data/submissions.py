"""Submissions: a file of predictions, and `metadata.yaml` beside it that says whose they are.

A prediction is a row of `predictions.jsonl`, `.jsonl.gz` or `.parquet`:

    {"sample_id": "sokoban/m/121a16a9f2c2114f/1", "response": "<answer>[600, 900]</answer>",
     "usage": {"input_tokens": 1200, "cached_tokens": 0, "output_tokens": 40}, "cost_usd": 0.002}

`usage` and `cost_usd` may be left out. `response` is the raw text: an empty one is an invalid
answer, a missing one is an error. Whatever else a file or its metadata holds is refused.
"""

import datetime
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import IO, Annotated, Any, Literal, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from bagen_data.errors import InputError
from bagen_data.field_problems import problems
from bagen_data.prompt_variants import FORMER_NAMES, VARIANTS, Variant
from bagen_data.public_links import PATTERN, check_form, check_host
from bagen_data.replaced_file import write_file
from bagen_data.shown_names import UNSEEN, check_shown_name
from bagen_data.steady_files import steady_file
from bagen_data.tables import to_json

METADATA = "metadata.yaml"
SCHEMAS = Path(__file__).parent / "schemas"
"""The folder of both JSON schemas, `prediction.json` and `metadata.json`."""

METADATA_BYTES = 1 << 16
"""Most bytes of a metadata file."""
_MERGE = "tag:yaml.org,2002:merge"
"""The tag of a key whose value holds more keys, which would stand there beside the written ones."""

EARLIEST = datetime.date(2024, 1, 1)
"""The first day that predictions may bear; the benchmark is younger, and of two submissions whose
names look alike the board keeps the earlier one, so that an early day must not be had for free."""
MOST_USD = 1_000_000
"""Most US dollars that one prediction may cost."""


def _checked(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a validator whose errors are the check's words alone."""

    def validate(value: Any) -> Any:
        try:
            return check(value)
        except ValueError as error:
            raise PydanticCustomError("refused", "{reason}", {"reason": str(error)}) from error

    return validate


def _check_day(day: datetime.date) -> datetime.date:
    tomorrow = datetime.datetime.now(tz=datetime.UTC).date() + datetime.timedelta(days=1)
    if not EARLIEST <= day <= tomorrow:
        raise ValueError(
            f"expected a day from {EARLIEST} to tomorrow, {tomorrow}; write the one on which the "
            "predictions were made"
        )
    return day


def _checked_form(link: Any) -> Any:
    """Check a link that is a string; others are the parser's to refuse."""
    return check_form(link) if isinstance(link, str) else link


def _with_public_host(link: HttpUrl) -> HttpUrl:
    check_host(link.host)
    return link


Amount = Annotated[int, Field(ge=0, le=2**63 - 1)]
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    AfterValidator(_checked(check_shown_name)),
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": 200,
            "pattern": rf"^[^{UNSEEN}]*[^ {UNSEEN}][^{UNSEEN}]*$",
        }
    ),
]
"""A line that is not blank and reads as it is written; the schema cannot say all of that."""
Link = Annotated[
    HttpUrl,
    BeforeValidator(_checked(_checked_form)),
    AfterValidator(_checked(_with_public_host)),
    WithJsonSchema(
        {"type": "string", "format": "uri", "minLength": 1, "maxLength": 2083, "pattern": PATTERN}
    ),
]
"""A public address; a host in other scripts is kept in its ASCII form, which looks like itself."""
Day = Annotated[datetime.date, AfterValidator(_checked(_check_day))]
"""A day on which predictions can have been made; tomorrow is today already in some places."""
Number = Annotated[float, Field(allow_inf_nan=False)]
PromptVariant = Annotated[
    Literal[Variant, "none"],
    BeforeValidator(lambda name: FORMER_NAMES.get(name, name) if isinstance(name, str) else name),
    WithJsonSchema({"type": "string", "enum": [*VARIANTS, "none", *FORMER_NAMES]}),
]
"""A variant by the name that it has now."""


class _SubmissionPart(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Usage(_SubmissionPart):
    """Tokens that one prediction took."""

    input_tokens: Amount = Field(description="Tokens of the prompt, cached ones included.")
    cached_tokens: Amount = Field(description="Tokens of the prompt that were read from a cache.")
    output_tokens: Amount = Field(description="Tokens that were written, reasoning included.")

    @model_validator(mode="after")
    def _cached_is_input(self) -> Self:
        if self.cached_tokens > self.input_tokens:
            raise ValueError("cached_tokens is more than input_tokens, of which it is a part")
        return self


class Prediction(_SubmissionPart):
    """The answer to one sample."""

    sample_id: str = Field(min_length=1, description="The sample's id, as in the dataset.")
    response: str = Field(description="The raw text; empty if the model gave none.")
    usage: Usage | None = Field(None, description="Tokens that it took.")
    cost_usd: Annotated[float, Field(ge=0, le=MOST_USD)] | None = Field(
        None, description="What it cost, in US dollars."
    )


class Metadata(_SubmissionPart):
    """The maker of a submission's predictions, and how they were made."""

    estimator: Name = Field(description="The name that is shown.")
    provider: Name = Field(description="Who ran the model; `none` without a model.")
    model_id: Name = Field(description="The model as its provider names it, or `none`.")
    decoding: dict[str, bool | int | Number | str | list[str]] = Field(
        description="Decoding parameters, e.g. `temperature` and `max_tokens`."
    )
    prompt_variant: PromptVariant = Field(
        description="The variant of the prompt that was asked, or that the answers are to; `none` "
        "if no prompt was read and the answers are intervals. `think` and `no_think`, the names of "
        "version 1, are read as `interval_think` and `interval_no_think`."
    )
    trained_on: Literal["none", "train", "benchmark", "other"] = Field(
        description="What the estimator learned estimating from: this dataset's `_train` configs, "
        "rollouts of the benchmark itself, other data, or nothing."
    )
    constrained: bool = Field(description="Whether decoding was held to the answer grammar.")
    dataset_revision: Name = Field(
        description="`revision` in the dataset's `build.json`, or a commit or tag of the Hub's "
        "dataset that has it."
    )
    date: Day = Field(
        description="When the predictions were made, e.g. 2026-11-21; not before 2024-01-01, nor "
        "later than tomorrow."
    )
    link: Link = Field(description="Where to read more: code, a paper, a model.")
    weights: Literal["open", "closed", "none"] | None = Field(
        None,
        description="Whether the model's weights can be had; `none` without a model. Left out: "
        "not known.",
    )
    benchmark_version: Name | None = Field(
        None,
        description="Version of the benchmark that was answered, e.g. 2.0; left out, the version "
        "of the code that scores.",
    )


class Labels(BaseModel):
    """A user's words on an estimator; both may be left out."""

    name: Name | None
    link: Link | None


_REQUIRED = tuple(name for name, key in Metadata.model_fields.items() if key.is_required())
_OPTIONAL = tuple(name for name in Metadata.model_fields if name not in _REQUIRED)


def json_schemas() -> dict[str, dict[str, Any]]:
    """The JSON schema of each model, by file name."""
    return {
        "prediction.json": Prediction.model_json_schema(),
        "metadata.json": Metadata.model_json_schema(),
    }


def read_metadata(path: Path) -> Metadata:
    """Read and check `metadata.yaml`.

    Raises:
        InputError: it is missing, is not YAML, lacks a key, has an unknown one, one twice, or a
            value that cannot be; the message names each.
    """
    try:
        with steady_file(path) as file:
            return metadata_in(file.stream, path)
    except FileNotFoundError as error:
        raise missing_metadata(path) from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def missing_metadata(path: Path) -> InputError:
    """Return the error that says which file is missing, and what it has to hold."""
    return InputError(
        f"{path}: is missing; a submission needs {METADATA} beside its predictions, with the "
        f"keys: {', '.join(_REQUIRED)}; {' and '.join(_OPTIONAL)} may be left out"
    )


def metadata_in(file: IO[bytes], path: Path) -> Metadata:
    """Read and check the metadata in an open file.

    Args:
        file: the file, at its beginning.
        path: its path, for messages.

    Raises:
        InputError: as `read_metadata`.
        OSError: the file cannot be read.
    """
    text = file.read(METADATA_BYTES + 1)
    try:
        if len(text) > METADATA_BYTES:
            raise ValueError(f"it is longer than {METADATA_BYTES:,} bytes")
        content = json.dumps(yaml.load(text.decode("utf-8"), _PlainYaml))  # noqa: S506  a safe loader
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(
            f"{path}{line}: is not plain YAML: {error.problem}; expected lines such as "
            "'estimator: NAME'"
        ) from error
    except (
        yaml.YAMLError,
        ValueError,
        TypeError,
        KeyError,
        OverflowError,
        RecursionError,
    ) as error:
        raise InputError(f"{path}: is not plain YAML: {error}") from error
    try:
        return Metadata.model_validate_json(content)  # in JSON a date and a link are strings
    except ValidationError as error:
        raise InputError("\n".join(f"{path}: {problem}" for problem in problems(error))) from error


class _PlainYaml(yaml.SafeLoader):
    """YAML of plain values: no alias, merge or key twice; a date stays the string it is."""

    yaml_implicit_resolvers = {  # noqa: RUF012  as its base has it
        letter: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise ValueError(f"*{event.anchor}: aliases are not allowed; write it out")
        if getattr(event, "tag", None):
            raise ValueError(f"{event.tag}: tags are not allowed")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value if isinstance(key, yaml.ScalarNode) else None for key, _ in node.value]
        if None in keys:
            raise ValueError("a key is not a word; write keys as in 'estimator: NAME'")
        if any(key.tag == _MERGE for key, _ in node.value):
            raise ValueError("<<: merge keys are not allowed; write the keys out")
        twice = {key for key, times in Counter(keys).items() if times > 1}
        if twice:
            raise ValueError(f"key {min(map(str, twice))!r} appears twice")
        return super().construct_mapping(node, deep)


def write_schemas(folder: Path = SCHEMAS) -> None:
    """Write the JSON schemas anew."""
    for name, schema in json_schemas().items():
        write_file(folder / name, to_json(schema, indent=2) + "\n")


if __name__ == "__main__":
    write_schemas()
