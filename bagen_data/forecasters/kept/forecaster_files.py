"""The three files of a kept forecaster: what it is, its arrays, and its card.

`forecaster.json` says what the forecaster is and what it learned from, and names the arrays of
`forecaster.safetensors` by their hash. Nothing in them is code, and whatever does not fit the
classes that this version knows is refused.
"""

import errno
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bagen_data.answers import check_resource_name
from bagen_data.errors import InputError
from bagen_data.forecasters import find_forecaster, known_forecasters
from bagen_data.forecasters.kept.array_file import array_bytes, read_arrays
from bagen_data.forecasters.kept.kept_forecaster import KeptForecaster, LearnedFrom
from bagen_data.forecasters.kept.packing import Array, Packed, PackingError, pack, unpack
from bagen_data.forecasters.learning.column_forecasters import ForecastModel
from bagen_data.forecasters.learning.running_features import feature_names
from bagen_data.replaced_folder import replaced_folder
from bagen_data.steady_files import HeldFile
from bagen_data.unique_keys import parse_json
from bagen_data.versions import __version__

FORMAT = 1
"""The version of the files."""
RECORD = "forecaster.json"
ARRAYS = "forecaster.safetensors"
CARD = "README.md"
FILES = (RECORD, ARRAYS, CARD)
LARGEST: Mapping[str, int] = {RECORD: 16 << 20, ARRAYS: 512 << 20, CARD: 1 << 20}
"""The most bytes of each file that is read or written."""
_MOST_RESOURCES = 32
_TASK = re.compile(r"[A-Za-z0-9_]{1,100}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ANOTHER = "get its files again, fit it again, or take another forecaster"
_SHOWN = 40

Read = Callable[[str], bytes]
"""Returns the content of a file by its name; raises FileNotFoundError, or InputError."""


@dataclass(frozen=True)
class ForecasterRecord:
    """The content of `forecaster.json` beside its format and its model.

    Raises:
        ValueError: a part cannot be.
    """

    kind: str
    package_version: str
    task: str
    resources: tuple["ResourceUnit", ...]
    budgets: Mapping[str, float]
    conditions: Mapping[str, float]
    knows_success: bool
    features: tuple[str, ...]
    """The features that it reads, in this order."""
    learned_from: LearnedFrom
    skill: Mapping[str, Any]
    arrays_sha256: str
    """The SHA-256 of `forecaster.safetensors`."""

    def __post_init__(self) -> None:
        if not _TASK.fullmatch(self.task):
            raise ValueError("has a task that is not a name of letters, digits and _")
        names = [each.name for each in self.resources]
        if not 0 < len(names) <= _MOST_RESOURCES or len(set(names)) < len(names):
            raise ValueError(
                f"has {len(names)} resources; expected 1 to {_MOST_RESOURCES}, each once"
            )
        for name in names:
            _check_resource(name)
        if self.budgets.keys() != set(names) or min(self.budgets.values()) < 0:
            raise ValueError("has budgets that are not one from 0 on for each resource")
        if not all(map(_TASK.fullmatch, self.conditions)):
            raise ValueError("has a condition that is not a name of letters, digits and _")
        if not all(map(_SHA256.fullmatch, self.learned_from.instance_sha256)):
            raise ValueError("has an instance that is not named by its SHA-256")


@dataclass(frozen=True)
class ResourceUnit:
    """A resource and the unit of its amounts."""

    name: str
    unit: str


def forecaster_files(kept: KeptForecaster) -> dict[str, bytes]:
    """Return the content of each file of a forecaster.

    Raises:
        InputError: a part of it cannot be kept, or a file is larger than what is loaded again.
    """
    try:
        model_class = _model_class(kept.kind)
        if not isinstance(kept.model, model_class):
            raise PackingError(
                f"holds a {type(kept.model).__name__}; expected a {model_class.__name__}, as its "
                "fit returns"
            )
        packed = pack(kept.model)
        arrays = array_bytes(packed.arrays)
        record = ForecasterRecord(
            kind=kept.kind,
            package_version=kept.package_version,
            task=kept.task,
            resources=tuple(ResourceUnit(*each) for each in kept.units.items()),
            budgets=kept.budgets,
            conditions=kept.conditions,
            knows_success=kept.knows_success,
            features=kept.model.names,
            learned_from=kept.learned_from,
            skill=kept.skill,
            arrays_sha256=hashlib.sha256(arrays).hexdigest(),
        )
        stated = pack(record).value
    except ValueError as error:
        raise InputError(f"the {kept.kind} forecaster of {kept.task}: {error}") from error
    model = {name: each for name, each in packed.value.items() if name not in _STATED_ABOVE}
    text = json.dumps({"format": FORMAT} | stated | {"model": model}, indent=1, allow_nan=False)
    files = {
        RECORD: f"{text}\n".encode(),
        ARRAYS: arrays,
        CARD: (kept.card or _plain_card(kept)).encode("utf-8", "replace"),
    }
    for name, content in files.items():
        if len(content) > LARGEST[name]:
            raise InputError(
                f"the {kept.kind} forecaster of {kept.task}: {name} has {len(content):,} bytes; "
                f"at most {LARGEST[name]:,} are kept; fit it on fewer rollouts"
            )
    return files


def _plain_card(kept: KeptForecaster) -> str:
    """Return a card that says what a forecaster is, where it has none of its own."""
    forecasts = "success and amounts" if kept.knows_success else "amounts, and not success"
    return f"""---
library_name: bagen-data
tags:
- bagen
---

# A forecaster of {kept.task}

It forecasts what a running agent will still use of {", ".join(kept.resources)}: {forecasts}. It is
a `{kept.kind}` of bagen-data {kept.package_version}, learned from {kept.learned_from.rollouts:,}
rollouts. Loading it runs no code:

```python
from bagen_data.live import load_forecaster

forecaster = load_forecaster("ORG/NAME")  # or the folder that holds it
```
"""


_STATED_ABOVE = ("names", "resources")
"""Fields of a model that the record states as its features and resources."""


def save_forecaster(kept: KeptForecaster, folder: Path) -> None:
    """Write all files of a forecaster into a folder, or none.

    Raises:
        InputError: as `forecaster_files`.
        OutputError: the folder holds other files, or cannot be written.
    """
    files = forecaster_files(kept)
    with replaced_folder(folder, FILES) as staging:
        for name, content in files.items():
            (staging / name).write_bytes(content)


def read_folder(folder: Path) -> KeptForecaster:
    """Return the forecaster that a folder holds; it may come from anybody.

    Raises:
        InputError: it cannot be used; the message names the file, the problem and what to do.
    """

    def read(name: str) -> bytes:
        return file_content(folder / name, LARGEST[name])

    return read_forecaster(read, str(folder))


def file_content(path: Path, largest: int) -> bytes:
    """Return the content of a file, which may be a link but neither a pipe nor a device.

    Raises:
        OSError: it cannot be read, or has more bytes than the largest may have.
    """
    return HeldFile(path, largest=largest, memory=largest).read()


def too_large(size: int, largest: int) -> OSError:
    """Return the error of a file that has more bytes than the largest may have."""
    return OSError(errno.EFBIG, f"it is of {size:,} bytes; expected at most {largest:,}")


def read_forecaster(read: Read, place: str) -> KeptForecaster:
    """Return the forecaster of these files.

    Args:
        read: returns the content of a file.
        place: the folder or the name on the Hub, for messages.

    Raises:
        InputError: it cannot be used; the message names the file, the problem and what to do.
    """
    with _refusals(f"{place}/{RECORD}"):
        value = _parsed(_content(read, RECORD, place))
        record, model_value = _record(value)
        model_class = _model_class(record.kind)
        _check_features(record)
    arrays_file = f"{place}/{ARRAYS}"
    content = _content(read, ARRAYS, place)
    if hashlib.sha256(content).hexdigest() != record.arrays_sha256:
        raise InputError(
            f"{arrays_file}: is not the file that {RECORD} names by its hash; get both files of "
            "the forecaster again, or fit it again"
        )
    with _refusals(arrays_file):
        arrays = read_arrays(content)
    with _refusals(f"{place}: its model"):
        model = _model(model_class, record, model_value, arrays)
    return KeptForecaster(
        kind=record.kind,
        task=record.task,
        units={each.name: each.unit for each in record.resources},
        budgets={each.name: record.budgets[each.name] for each in record.resources},
        conditions=record.conditions,
        model=model,
        learned_from=record.learned_from,
        skill=record.skill,
        card=_card(read, place),
        package_version=record.package_version,
    )


def _content(read: Read, name: str, place: str) -> bytes:
    try:
        return read(name)
    except FileNotFoundError as error:
        raise InputError(
            f"{place}: has no {name}; expected a forecaster that 'bagen fit' wrote, with "
            f"{', '.join(FILES)}"
        ) from error
    except OSError as error:
        raise InputError(
            f"{place}/{name}: cannot be read: {error.strerror or error}; expected a file of a "
            "forecaster that 'bagen fit' wrote"
        ) from error


def _card(read: Read, place: str) -> str:
    """Return the text of the card; empty where the card is missing."""
    try:
        return _content(read, CARD, place).decode("utf-8", "replace")
    except InputError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return ""
        raise


@contextmanager
def _refusals(where: str) -> Iterator[None]:
    """Turn what a content is refused for into an error that names the file or the part.

    Raises:
        InputError: the block raised a PackingError.
    """
    try:
        yield
    except PackingError as error:
        raise InputError(f"{where}: {error}; {_ANOTHER}") from error


def _parsed(content: bytes) -> dict[str, Any]:
    """Return the object that a text holds.

    Raises:
        PackingError: the text is not JSON, or not an object.
    """
    try:
        value = parse_json(content.decode())
    except RecursionError as error:
        raise PackingError("is nested too deeply") from error
    except ValueError as error:
        raise PackingError(f"is not JSON ({ascii(str(error))[:_SHOWN]})") from error
    if not isinstance(value, dict):
        raise PackingError("is not an object")
    return value


def _record(value: dict[str, Any]) -> tuple[ForecasterRecord, dict[str, Any]]:
    """Return the record of a parsed file, and what it says of the model.

    Raises:
        PackingError: it is not a record, or of another format.
    """
    if value.get("format") != FORMAT or value["format"] is True:
        made = value.get("package_version")
        by = f", written by bagen-data {made!a:.{_SHOWN}}" if isinstance(made, str) else ""
        raise PackingError(
            f"is of format {value.get('format')!a:.{_SHOWN}}{by}, and bagen-data {__version__} "
            f"reads format {FORMAT}; install the version that wrote it, or fit it again"
        )
    stated = {name: each for name, each in value.items() if name not in ("format", "model")}
    model = value.get("model")
    if not isinstance(model, dict) or any(name in model for name in _STATED_ABOVE):
        raise PackingError("has no object 'model' of the model's own fields")
    return unpack(ForecasterRecord, Packed(stated, {})), model


def _model(
    kind: type[ForecastModel],
    record: ForecasterRecord,
    value: dict[str, Any],
    arrays: Mapping[str, Array],
) -> ForecastModel:
    """Return the model of a record and its arrays.

    Raises:
        PackingError: they are not of such a model.
    """
    above = {
        "names": list(record.features),
        "resources": [each.name for each in record.resources],
    }
    model = unpack(kind, Packed(value | above, arrays))
    if model.knows_success != record.knows_success:
        raise PackingError(
            f"has a model of which {RECORD} says that knows_success is {record.knows_success}"
        )
    return model


def _model_class(kind: str) -> type[ForecastModel]:
    """Return the class of what a forecaster of this name learns.

    Raises:
        PackingError: no forecaster of this version that can be kept has the name.
    """
    known = known_forecasters()
    model_class = find_forecaster(kind).model if kind in known else None
    if model_class is None:
        kinds = ", ".join(each for each in known if find_forecaster(each).model is not None)
        raise PackingError(
            f"is of kind {ascii(kind)[:_SHOWN]}, and bagen-data {__version__} knows {kinds}"
        )
    return model_class


def _check_features(record: ForecasterRecord) -> None:
    """Refuse a forecaster that reads other features than this version makes.

    Raises:
        PackingError: naming the first one.
    """
    made = feature_names(record.task, [each.name for each in record.resources])
    if record.features in ((), made):
        return
    other = next((each for each in record.features if each not in made), None)
    which = "in another order" if other is None else f"such as {ascii(other)[:_SHOWN]}"
    raise PackingError(
        f"reads features that bagen-data {__version__} does not make so, {which}; it was written "
        f"by version {ascii(record.package_version)[:_SHOWN]}: install that one, or fit it again"
    )


def _check_resource(name: str) -> None:
    try:
        check_resource_name(name)
    except InputError as error:
        raise ValueError(f"has the {error}") from error
