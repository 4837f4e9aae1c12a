"""The description in Croissant: complete, valid to mlcroissant, and loadable by it."""

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bagen_data.schema import REFERENCE, ROLLOUTS, SAMPLES
from bagen_data.tables import read_jsonl
from builders.column_meanings import REFERENCE_COLUMNS, ROLLOUT_COLUMNS, SAMPLE_COLUMNS
from builders.croissant import croissant_text
from tests.making import build, build_record, dialogue, rows_of, run, write_json

pytestmark = [
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated"),
    pytest.mark.filterwarnings("ignore:The inplace keyword"),
]
"""mlcroissant calls what rdflib and pandas deprecate."""


def described(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "croissant.json").read_text(encoding="utf-8"))
    return content


def opened(folder: Path) -> Any:
    mlcroissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
    dataset = mlcroissant.Dataset(folder / "croissant.json")
    assert dataset.metadata.ctx.issues.errors == set()
    return dataset


@pytest.mark.parametrize(
    ("meanings", "schema"),
    [
        (SAMPLE_COLUMNS, SAMPLES),
        (ROLLOUT_COLUMNS, ROLLOUTS),
        (REFERENCE_COLUMNS, REFERENCE),
    ],
)
def test_every_column_has_a_meaning(meanings: dict[str, str], schema: Any) -> None:
    assert list(meanings) == schema.names


def test_every_file_is_named_by_its_hash(built: Path) -> None:
    files = [each for each in described(built)["distribution"] if each["@type"] == "cr:FileObject"]
    assert {file["contentUrl"] for file in files} == {
        row["path"] for row in read_jsonl(built / "manifest.jsonl")
    }
    for file in files:
        data = (built / file["contentUrl"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(data).hexdigest()
        assert file["contentSize"] == f"{len(data)} B"


def test_what_responsible_use_needs_is_said(built: Path) -> None:
    content = described(built)
    for name in (
        "dataCollection",
        "dataLimitations",
        "dataBiases",
        "dataUseCases",
        "dataSocialImpact",
        "personalSensitiveInformation",
    ):
        assert content[f"rai:{name}"]
    assert len(content["creator"]) == 12
    assert build_record(built)["files"].keys() == {"README.md", "croissant.json", "manifest.jsonl"}


def test_mlcroissant_accepts_it_and_loads_every_config(built: Path) -> None:
    dataset = opened(built)
    loaded = {each.uuid: list(dataset.records(each.uuid)) for each in dataset.metadata.record_sets}
    rows: Counter[str] = Counter()
    for row in read_jsonl(built / "manifest.jsonl"):
        rows[row["config"]] += row["rows"]
    assert {name: len(records) for name, records in loaded.items()} == {
        "default": 257,
        **rows,
    }
    expected = rows_of(built, "warehouse")[0]
    record = next(
        each
        for each in loaded["warehouse"]
        if each["warehouse/sample_id"].decode() == expected["sample_id"]
    )
    shown = [each["warehouse/prompt/content"].decode() for each in record["warehouse/prompt"]]
    assert shown == [message["content"] for message in expected["prompt"]]
    assert [each["warehouse/resources/remaining"] for each in record["warehouse/resources"]] == [
        part["remaining"] for part in expected["resources"]
    ]
    splits = Counter(each["rollouts/split"].decode() for each in loaded["rollouts"])
    assert splits == {"test": 32, "train": 40}


def test_odd_names_of_models_load(tmp_path: Path) -> None:
    models = ["m-train-x", "m[1]", "50%", "q'uote", "é", "x#y", "x?y"]
    for model in models:
        write_json(tmp_path / f"o/sokoban-origin-{model}" / "a.json", [dialogue(name=model)])
        write_json(
            tmp_path / f"o/sokoban-train-{model}" / "a.json", [dialogue(name=f"train {model}")]
        )
    assert build(tmp_path / "o", tmp_path / "out") == 0
    dataset = opened(tmp_path / "out")
    for record_set, column, count in (
        ("sokoban", "rollout_model", 2),
        ("rollouts", "rollout_model", 2),
    ):
        records = list(dataset.records(record_set))
        counted = Counter(each[f"{record_set}/{column}"].decode() for each in records)
        assert counted == dict.fromkeys(models, count)
    splits = Counter(each["rollouts/split"].decode() for each in records)
    assert splits == {"test": len(models), "train": len(models)}


def test_a_published_dataset_names_addresses(built: Path, tmp_path: Path) -> None:
    manifest, record = read_jsonl(built / "manifest.jsonl"), build_record(built)
    text = croissant_text(manifest, record, "org/data")
    assert text == croissant_text(manifest, record, "org/data")
    (tmp_path / "croissant.json").write_text(text, encoding="utf-8")
    content = described(tmp_path)
    page = "https://huggingface.co/datasets/org/data"
    assert content["url"] == page
    files = [each for each in content["distribution"] if "contentUrl" in each]
    assert all(each["contentUrl"].startswith(page) for each in files)
    opened(tmp_path)


def test_somebodys_logs_have_no_creator_of_ours(tmp_path: Path) -> None:
    write_json(tmp_path / "o/wiki-origin-m/a.json", [dialogue(name="x"), dialogue(name="y")])
    assert build(tmp_path / "o", tmp_path / "out", "--task", "wiki") == 0
    content = described(tmp_path / "out")
    assert not {"creator", "license", "url", "citeAs"} & content.keys()
    opened(tmp_path / "out")


def test_verify_knows_a_description_that_build_json_seals(
    origin: Path, tmp_path: Path, capsys: Any
) -> None:
    out = tmp_path / "out"
    assert build(origin, out) == 0
    text = (out / "croissant.json").read_text(encoding="utf-8")
    (out / "croissant.json").write_text(text.replace("MIT", "GPL"), encoding="utf-8")
    assert run("verify", out) == 1
    assert "croissant.json: is missing or was changed" in capsys.readouterr().err
    assert build(origin, out) == 0
    assert (out / "croissant.json").read_text(encoding="utf-8") == text
