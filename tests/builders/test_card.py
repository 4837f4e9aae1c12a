"""The card of a dataset: what it says of the data, and who reads its metadata."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from datasets import Features, get_dataset_config_info, load_dataset, load_dataset_builder
from huggingface_hub import DatasetCard, DatasetCardData

from bagen_data.published import AUTHORS, HUB_ID, LEADERBOARD_ID, METRIC_ID, PAPER_PAGE
from bagen_data.schema import REFERENCE, ROLLOUTS, SAMPLES
from bagen_data.tables import is_sealed, read_jsonl
from bagen_data.unique_keys import parse_json
from bagen_data.versions import BENCHMARK_VERSION
from builders.card import render_card
from builders.card_configs import config_descriptions
from builders.card_features import features_of
from builders.dataset_writer import metadata_files
from tests.making import SAMPLE, build, build_record, dialogue, rows_of, write_json


def front_of(folder: Path) -> dict[str, Any]:
    front: dict[str, Any] = yaml.safe_load((folder / "README.md").read_text().split("---\n")[1])
    return front


def test_huggingface_hub_reads_the_metadata(built: Path) -> None:
    card = DatasetCard.load(built / "README.md")
    assert isinstance(card.data, DatasetCardData)
    assert card.data.size_categories == ["1K<n<10K"]
    assert card.data.source_datasets == ["original"]
    assert card.data.license == "mit"
    assert card.data.to_dict()["dataset_info"] == front_of(built)["dataset_info"]
    assert DatasetCard(str(card)).data.to_dict() == card.data.to_dict()


@pytest.mark.parametrize("schema", [SAMPLES, ROLLOUTS, REFERENCE])
def test_features_are_what_datasets_writes(schema: Any) -> None:
    written = Features.from_arrow_schema(schema)._to_yaml_list()
    assert features_of(schema) == written
    assert Features._from_yaml_list(features_of(schema)) == Features.from_arrow_schema(schema)


def test_dataset_info_says_the_rows_and_bytes_that_load(built: Path) -> None:
    infos = {info["config_name"]: info for info in front_of(built)["dataset_info"]}
    for config, stated in infos.items():
        loaded = load_dataset(str(built), config)
        assert {split["name"]: split["num_examples"] for split in stated["splits"]} == {
            split: len(rows) for split, rows in loaded.items()
        }
        made = next(iter(loaded.values())).info
        assert {split["name"]: split["num_bytes"] for split in stated["splits"]} == {
            name: split.num_bytes for name, split in made.splits.items()
        }
        assert load_dataset_builder(str(built), config).info.features == made.features
    assert get_dataset_config_info(str(built), "sokoban").splits["test"].num_examples == 48


def test_a_file_that_is_missing_from_the_folder_is_noticed_by_the_card(tmp_path: Path) -> None:
    for model in ("a", "b"):
        write_json(tmp_path / f"o/sokoban-origin-{model}" / "a.json", [dialogue(name=model)])
    assert build(tmp_path / "o", tmp_path / "out") == 0
    data = tmp_path / "out/data/sokoban"
    (data / "test-b.parquet").write_bytes((data / "test-a.parquet").read_bytes())
    (data / "test-old.parquet").write_bytes((data / "test-a.parquet").read_bytes())
    assert len(load_dataset(str(tmp_path / "out"), "sokoban", split="test")) == 4
    (data / "test-b.parquet").unlink()
    with pytest.raises(FileNotFoundError):
        load_dataset(str(tmp_path / "out"), "sokoban", split="test")


def test_descriptions_of_configs(built: Path) -> None:
    described = {
        config["config_name"]: config["description"] for config in front_of(built)["configs"]
    }
    text, _, data = described["sokoban"].rpartition("; data ")
    assert text == "Sokoban: a question after each turn of 8 rollouts by scripted"
    assert len(data) == 16
    assert len(set(described.values())) == len(described)


def test_descriptions_count_models_and_leave_out_no_subset(tmp_path: Path) -> None:
    for model in ("a", "b|c"):
        write_json(tmp_path / f"o/sokoban-origin-{model}" / "a.json", [dialogue(name=model)])
    assert build(tmp_path / "o", tmp_path / "out") == 0
    described = {
        config["config_name"]: config["description"]
        for config in front_of(tmp_path / "out")["configs"]
    }
    assert described["sokoban"].startswith(
        "Sokoban: a question after each turn of 2 rollouts by a and b|c; data "
    )
    assert "| sokoban-origin-b\\|c | benchmark |" in (tmp_path / "out/README.md").read_text()
    counts = {"rollouts": 9, "turns": 99, "samples": 20}
    families = [
        {"task": "swebench", "role": "benchmark", "rollout_model": model, "counts": counts}
        for model in "abcd"
    ]
    assert config_descriptions(["swebench"], families)["swebench"] == (
        "SWE-bench: 80 questions after turns of 36 rollouts by 4 models"
    )


def test_the_example_is_a_row_of_the_data(built: Path) -> None:
    text = (built / "README.md").read_text(encoding="utf-8")
    example = json.loads(text.split("```json\n")[1].split("\n```")[0])
    (row,) = (each for each in rows_of(built) if each["sample_id"] == example["sample_id"])
    assert {**row, "prompt": None} == {**example, "prompt": None}
    for shown, message in zip(example["prompt"], row["prompt"], strict=True):
        assert message["content"].startswith(shown["content"].partition(" ... (")[0])
    assert len(json.dumps(example)) < 3_000


def test_links_authors_and_versions(built: Path) -> None:
    text = (built / "README.md").read_text(encoding="utf-8")
    assert all(name in text for name in (*AUTHORS, PAPER_PAGE, METRIC_ID, LEADERBOARD_ID))
    assert f"| {BENCHMARK_VERSION} | " in text
    assert "github.com/mll-lab-nu/BAGEN/issues" in text
    assert build_record(built)["revision"] in text


def test_a_dataset_of_somebodys_logs_is_not_the_papers(tmp_path: Path) -> None:
    write_json(tmp_path / "o/wiki-origin-m/a.json", [dialogue(name="x"), dialogue(name="y")])
    assert build(tmp_path / "o", tmp_path / "out", "--task", "wiki") == 0
    text = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    assert front_of(tmp_path / "out")["license"] == "unknown"
    assert "MIT" not in text
    assert "its authors did not make this" in text
    assert "leaderboard]" not in text
    assert "SWE-bench" not in text.partition("## Known leaks")[2]


def test_metadata_for_an_id_follows_from_the_folder_alone(built: Path) -> None:
    manifest, record = read_jsonl(built / "manifest.jsonl"), build_record(built)
    same = metadata_files(manifest, record)
    assert {name: (built / name).read_text(encoding="utf-8") for name in same} == same
    assert list(same)[-1] == "build.json"
    texts = metadata_files(manifest, record, "org/other")
    assert texts == metadata_files(manifest, record, "org/other")
    assert 'path = "org/other"\n' in texts["README.md"]
    assert HUB_ID not in texts["manifest.jsonl"]
    published = parse_json(texts["build.json"].encode())
    assert is_sealed(published)
    assert published["revision"] == record["revision"]
    lines = [json.loads(line) for line in texts["manifest.jsonl"].splitlines()]
    assert metadata_files(lines, published) == same


def test_the_card_of_a_build_without_benchmark_has_no_example(tmp_path: Path) -> None:
    write_json(tmp_path / "o/sokoban-train-m/a.json", [dialogue(name="x")])
    assert build(tmp_path / "o", tmp_path / "out") == 0
    text = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    assert "### Example" not in text
    record = build_record(tmp_path / "out")
    assert render_card(read_jsonl(tmp_path / "out/manifest.jsonl"), record) == text


def test_the_sample_is_the_papers(tmp_path: Path) -> None:
    assert build(SAMPLE, tmp_path / "out", "--task", "sokoban") == 0
    assert front_of(tmp_path / "out")["pretty_name"] == "BAGEN"
