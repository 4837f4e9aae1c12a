"""A dataset that is read part by part has the scores, and the refusals, of one read at once."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bagen_data.errors import InputError
from bagen_data.sample_files import FiledSamples, open_samples
from bagen_data.schema import Question
from bagen_data.scoring import sample_positions
from bagen_data.scoring.match_predictions import match_predictions, reader_in_memory
from bagen_data.scoring.measure import measure
from bagen_data.scoring.resampling import Resampling
from bagen_data.scoring.sample_source import SampleSource
from bagen_data.scoring.sample_table import SampleTable
from bagen_data.scoring.score import compare_readers
from bagen_data.tables import sha256_of
from tests.bagen_data.scoring.scoring_cases import (
    SEVERAL,
    TOKENS,
    answers,
    family,
    predictions,
    reference_rows,
)

Rows = list[dict[str, Any]]
FAMILIES = (("t", "m", TOKENS), ("t", "a/b", TOKENS), ("s", "m", SEVERAL), ("s", "l", SEVERAL))


def made() -> list[Rows]:
    """The samples of four families, whose instances are shared within a task."""
    rng = random.Random(0)
    families = [
        family(rng, names, 30, task=task, model=model)[0] for task, model, names in FAMILIES
    ]
    for rows in families:
        for row in rows:
            row["instance_id"] = f"i{int(row['rollout_id'][1:]) % 13}"
    return families


def write(folder: Path, files: Sequence[Rows], reference: Rows = []) -> Path:  # noqa: B006  read only
    """Write a dataset as far as scoring reads it, and return its folder."""
    folder.mkdir(parents=True)
    listed = [(f"{number}.parquet", rows[0]["task"], rows) for number, rows in enumerate(files)]
    listed += [("reference.parquet", "reference", reference)] if reference else []
    manifest = []
    for name, config, rows in listed:
        pq.write_table(
            pa.Table.from_pylist(rows), folder / name, row_group_size=50, store_schema=False
        )
        row = {"path": name, "config": config, "split": "test"}
        manifest.append(row | {"sha256": sha256_of(folder / name)})
    lines = [json.dumps(row) + "\n" for row in manifest]
    (folder / "manifest.jsonl").write_text("".join(lines), encoding="utf-8")
    (folder / "build.json").write_text('{"revision": "made-up"}', encoding="utf-8")
    return folder


def report_of(samples: SampleSource, predicted: Rows, question: Question) -> Any:
    matched = match_predictions(samples, reader_in_memory(predicted), "predictions", question)
    return measure(samples, matched, Resampling(50), 0.2).report()


def shuffled(rows: Rows) -> Rows:
    return random.Random(1).sample(rows, len(rows))


def filed(folder: Path, config: str | None = None) -> FiledSamples:
    samples = open_samples(str(folder), config, part_rows=1).samples
    assert isinstance(samples, FiledSamples)
    return samples


@pytest.mark.parametrize("at_once", [1 << 20, 64])
@pytest.mark.parametrize("question", get_args(Question))
@pytest.mark.parametrize("has_reference", [False, True])
def test_the_scores_are_those_of_a_table(
    question: Question,
    has_reference: bool,
    at_once: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sample_positions, "_AT_ONCE", at_once)
    files = made()
    rng = random.Random(2)
    rows = [row for own in files for row in own]
    # The third family has no reference, as one of a single instance.
    with_reference = [*files[0], *files[1], *files[3]]
    reference = reference_rows(rng, with_reference) if has_reference else []
    samples = filed(write(tmp_path / "dataset", files, reference))
    assert len(samples.part_sizes) == len(FAMILIES)
    predicted = predictions(rows, answers(rng, rows, question))
    table = SampleTable.of(rows, reference or None)
    expected = report_of(table, predicted, question)
    assert report_of(samples, predicted, question) == expected
    assert report_of(samples, shuffled(predicted), question) == expected
    begun = predicted[: len(files[0]) + 9] + shuffled(predicted[len(files[0]) + 9 :])
    assert report_of(samples, begun, question) == expected
    assert report_of(table, begun, question) == expected


def test_estimators_are_compared_as_those_of_a_table(tmp_path: Path) -> None:
    files, rng = made(), random.Random(3)
    rows = [row for own in files for row in own]
    two = [predictions(rows, answers(rng, rows, "interval")) for _ in range(2)]
    readers = [
        ("first", reader_in_memory(two[0]), "interval"),
        ("second", reader_in_memory(shuffled(two[1])), "interval"),
    ]
    comparison, expected = (
        compare_readers(samples, readers, Resampling(50), 0.2)  # type: ignore[arg-type]
        for samples in (filed(write(tmp_path / "dataset", files)), SampleTable.of(rows))
    )
    assert comparison == expected


@pytest.mark.parametrize("at_once", [1 << 20, 16])
def test_what_does_not_fit_is_named_as_of_a_table(
    at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = made()
    rows = [row for own in files for row in own]
    samples, table = filed(write(tmp_path / "dataset", files)), SampleTable.of(rows)
    predicted = predictions(rows, [""] * len(rows))
    strange = [{"sample_id": f"t/m/x{number % 30}/0", "response": ""} for number in range(40)]
    cases: list[Rows] = [
        predicted[:-20],
        predicted[20:],
        [*predicted, *predicted[5:30]],
        shuffled([*predicted[30:], *strange, *predicted[99:101]]),
        [*predicted, {"sample_id": "", "response": ""}],
        [],
    ]
    kind = pa.schema([("sample_id", pa.string()), ("response", pa.string())])
    for case in cases:
        reader = pa.Table.from_pylist(case, kind).to_batches
        messages = []
        for known, most in ((table, 1 << 20), (samples, at_once)):
            monkeypatch.setattr(sample_positions, "_AT_ONCE", most)
            with pytest.raises(InputError) as error:
                list(match_predictions(known, reader, "predictions"))
            messages.append(str(error.value))
        assert messages[0] == messages[1]


def test_families_of_a_config_in_one_file(tmp_path: Path) -> None:
    files = made()
    rows = [*files[0], *files[1]]
    reference = reference_rows(random.Random(0), [*rows, *files[2]])
    samples = filed(write(tmp_path / "dataset", [rows, files[2]], reference), "t")
    assert samples.part_sizes == (len(files[0]), len(files[1]))
    predicted = predictions(rows, answers(random.Random(0), rows, "interval"))
    expected = report_of(SampleTable.of(rows, reference), predicted, "interval")
    assert report_of(samples, predicted, "interval") == expected


@pytest.mark.parametrize("what", ["samples", "reference"])
def test_what_no_build_wrote_in_this_order_is_read_at_once(what: str, tmp_path: Path) -> None:
    files = made()
    rows = [row for own in files for row in own]
    reference = reference_rows(random.Random(0), rows)
    if what == "samples":
        written = write(tmp_path / "dataset", [shuffled(rows)], reference)
    else:
        written = write(tmp_path / "dataset", files, shuffled(reference))
    opened = open_samples(str(written), part_rows=1)
    assert isinstance(opened.samples, SampleTable)
    predicted = predictions(rows, answers(random.Random(0), rows, "interval"))
    expected = report_of(SampleTable.of(rows, reference), predicted, "interval")
    assert report_of(opened.samples, predicted, "interval") == expected


def test_a_few_samples_are_read_at_once(tmp_path: Path) -> None:
    opened = open_samples(str(write(tmp_path / "dataset", made())))
    assert isinstance(opened.samples, SampleTable)
    assert not opened.has_reference
    assert opened.source["samples"] == len(opened.samples)


def test_a_file_that_changes_between_two_readings_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "dataset", made())
    samples = filed(folder)
    (folder / "1.parquet").write_bytes((folder / "2.parquet").read_bytes())
    with pytest.raises(InputError, match=r"1\.parquet: cannot be read: it was changed since"):
        list(samples.parts())


def test_the_reference_has_the_hash_of_the_manifest(tmp_path: Path) -> None:
    files = made()
    rows = [row for own in files for row in own]
    folder = write(tmp_path / "dataset", files, reference_rows(random.Random(0), rows))
    file = folder / "reference.parquet"
    table = pq.read_table(file)
    pq.write_table(table.set_column(1, "finish", pa.array([0.0] * len(table))), file)
    with pytest.raises(InputError, match="another sha256"):
        open_samples(str(folder), part_rows=1)


def test_a_row_that_cannot_be_is_named_by_its_part(tmp_path: Path) -> None:
    files = made()
    files[1][3]["resources"][0]["used"] = -1.0
    samples = filed(write(tmp_path / "dataset", files))
    with pytest.raises(InputError, match=rf"samples from row {len(files[0]):,} on, row 3: sample"):
        list(samples.parts())
