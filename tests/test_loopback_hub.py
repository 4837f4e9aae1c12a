"""The Hub of the tests, asked by the real clients."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import CommitOperationAdd, HfApi, close_session, hf_hub_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tests.loopback_hub import CLIENT_WARNING, LoopbackHub, loopback_hub
from tests.making import WITHOUT_TRANSFORMERS

pytestmark = pytest.mark.filterwarnings(CLIENT_WARNING)

NAME = "ORG/NAME"
README = b"""---
configs:
- config_name: default
  data_files:
  - split: test
    path: data/*.parquet
---
# A dataset
"""


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    with loopback_hub() as hub:
        yield hub
        close_session()


@pytest.fixture
def api(hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> HfApi:
    hub.patch(monkeypatch, tmp_path / "home", "hf_write")
    return HfApi()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "made" / "data").mkdir(parents=True)
    (tmp_path / "made" / "README.md").write_bytes(README)
    pq.write_table(pa.table({"n": [1, 2, 3]}), tmp_path / "made" / "data" / "test.parquet")
    return tmp_path / "made"


def status(request: Any) -> int:
    with pytest.raises(HfHubHTTPError) as error:
        request()
    return error.value.response.status_code


def test_a_folder_is_uploaded_listed_tagged_and_read(
    hub: LoopbackHub, api: HfApi, folder: Path
) -> None:
    api.create_repo(NAME, repo_type="dataset")
    assert status(lambda: api.create_repo(NAME, repo_type="dataset")) == 409
    api.create_repo(NAME, repo_type="dataset", exist_ok=True)
    made = api.upload_folder(repo_id=NAME, repo_type="dataset", folder_path=folder)
    assert hub.head(NAME) == api.dataset_info(NAME).sha == made.oid
    listed = {
        each.path: each for each in api.list_repo_tree(NAME, repo_type="dataset", recursive=True)
    }
    assert set(listed) == {".gitattributes", "README.md", "data", "data/test.parquet"}
    assert listed["data/test.parquet"].lfs.size == (folder / "data/test.parquet").stat().st_size
    assert listed["README.md"].lfs is None
    again = api.upload_folder(repo_id=NAME, repo_type="dataset", folder_path=folder)
    assert again.oid == made.oid  # nothing has changed, so nothing was committed
    assert len(hub.asked("PUT /lfs/")) == 1
    api.create_tag(NAME, tag="v1.0", repo_type="dataset")
    assert status(lambda: api.create_tag(NAME, tag="v1.0", repo_type="dataset")) == 409
    hub.commit(NAME, {"README.md": b"# Another"}, ["data/test.parquet"])
    assert [each.title for each in api.list_repo_commits(NAME, repo_type="dataset")] == [
        "A commit of somebody else",
        "Upload folder using huggingface_hub",
        "initial commit",
    ]
    (tag,) = api.list_repo_refs(NAME, repo_type="dataset").tags
    assert (tag.name, tag.target_commit) == ("v1.0", made.oid)
    path = hf_hub_download(NAME, "data/test.parquet", repo_type="dataset", revision="v1.0")
    assert {each.authorized for each in hub.asked("(GET|PUT) /lfs/")} == {False}
    assert pq.read_table(path)["n"].to_pylist() == [1, 2, 3]
    with pytest.raises(EntryNotFoundError):
        hf_hub_download(NAME, "data/test.parquet", repo_type="dataset")
    for revision in ("v2.0", made.oid[:7]):
        with pytest.raises(RevisionNotFoundError):
            api.dataset_info(NAME, revision=revision)


def test_a_dataset_loads_by_its_id(hub: LoopbackHub, folder: Path, tmp_path: Path) -> None:
    hub.upload(NAME, folder)
    hub.repositories["dataset", NAME].refs["refs/tags/v1.0"] = hub.head(NAME)
    hub.commit(NAME, {}, ["data/test.parquet"], title="all gone")
    code = (
        "import datasets; rows = datasets.load_dataset('ORG/NAME', revision='v1.0', split='test');"
        "print(rows['n'][:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=hub.environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "[1, 2, 3]", done.stderr
    assert not any(each.authorized for each in hub.requests)


def test_a_metric_loads_from_its_space(hub: LoopbackHub, tmp_path: Path) -> None:
    module = b"""
import datasets
import evaluate


class Half(evaluate.Metric):
    def _info(self):
        features = datasets.Features({"predictions": datasets.Value("float64")})
        return evaluate.MetricInfo("", "", features, "")

    def _compute(self, predictions):
        return {"half": sum(predictions) / 2}
"""
    hub.repository("ORG/half", "space", sdk="gradio")
    hub.commit("ORG/half", {"half.py": module}, repo_type="space")
    code = "import evaluate; print(evaluate.load('ORG/half').compute(predictions=[3.0]))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=hub.environment(tmp_path) | {"PYTHONPATH": WITHOUT_TRANSFORMERS},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "{'half': 1.5}", done.stderr


def test_a_second_commit_on_the_same_parent_is_refused(hub: LoopbackHub, api: HfApi) -> None:
    parent = hub.commit(NAME, {"a": b"1"})
    hub.before("POST .*/commit/main", lambda: hub.commit(NAME, {"a": b"2"}))

    def commit() -> Any:
        return api.create_commit(
            NAME,
            [CommitOperationAdd("a", b"3")],
            commit_message="mine",
            repo_type="dataset",
            parent_commit=parent,
        )

    assert status(commit) == 412
    assert hub.files(NAME)["a"] == b"2"


def test_a_pull_request_is_opened_commented_and_merged(hub: LoopbackHub, api: HfApi) -> None:
    hub.commit(NAME, {"a": b"1", "b": b"1"})
    submitter, reviewer = HfApi(token="hf_submit"), HfApi(token="hf_comment")
    kind = {"repo_type": "dataset"}
    files = [CommitOperationAdd("mine/x.parquet", b"PAR1"), CommitOperationAdd("a", b"2")]
    assert status(lambda: submitter.create_commit(NAME, files, commit_message="m", **kind)) == 403
    files = [CommitOperationAdd("mine/x.parquet", b"PAR1"), CommitOperationAdd("a", b"2")]
    made = submitter.create_commit(NAME, files, commit_message="Mine", create_pr=True, **kind)
    assert (made.pr_num, made.pr_revision) == (1, "refs/pr/1")
    hub.commit(NAME, {"b": b"2"})
    (discussion,) = api.get_repo_discussions(NAME, discussion_status="open", **kind)
    assert (discussion.num, discussion.is_pull_request, discussion.author) == (1, True, "submitter")
    path = hf_hub_download(NAME, "mine/x.parquet", revision="refs/pr/1", **kind)
    assert Path(path).read_bytes() == b"PAR1"
    comment = reviewer.comment_discussion(NAME, 1, "Looks good", **kind)
    reviewer.edit_discussion_comment(NAME, 1, comment.id, "Looks bad", **kind)
    details = reviewer.get_discussion_details(NAME, 1, **kind)
    (last,) = [each for each in details.events if each.id == comment.id]
    assert (last.content, last.edited, last.author) == ("Looks bad", True, "reviewer")
    for forbidden in (
        lambda: submitter.edit_discussion_comment(NAME, 1, comment.id, "fine", **kind),
        lambda: reviewer.merge_pull_request(NAME, 1, **kind),
        lambda: reviewer.change_discussion_status(NAME, 1, "closed", **kind),
        lambda: HfApi(token="hf_read").comment_discussion(NAME, 1, "hello", **kind),
    ):
        assert status(forbidden) == 403
    assert "mine/x.parquet" not in hub.files(NAME)
    api.merge_pull_request(NAME, 1, **kind)
    merged = hub.files(NAME)
    assert (merged["a"], merged["b"], merged["mine/x.parquet"]) == (b"2", b"2", b"PAR1")
    assert api.get_discussion_details(NAME, 1, **kind).merge_commit_oid == hub.head(NAME)
    assert not list(api.get_repo_discussions(NAME, discussion_status="open", **kind))
    number = hub.pull_request(NAME, {"b": b"3"})
    hub.commit(NAME, {"b": b"4"})
    assert api.get_discussion_details(NAME, number, **kind).conflicting_files == ["b"]
    assert status(lambda: api.merge_pull_request(NAME, number, **kind)) == 409


def test_a_private_repository_is_not_there_for_strangers(hub: LoopbackHub, api: HfApi) -> None:
    hub.repository(NAME, private=True)
    assert api.dataset_info(NAME).private
    for token in (False, "hf_submit"):
        with pytest.raises(RepositoryNotFoundError):
            HfApi(token=token).dataset_info(NAME)
    assert status(lambda: HfApi(token="hf_guessed").dataset_info(NAME)) == 401
    assert (
        status(lambda: HfApi(token="hf_comment").create_repo("ORG/B", repo_type="dataset")) == 403
    )
    assert status(lambda: HfApi(token=False).create_repo("ORG/B", repo_type="dataset")) == 401
    assert api.whoami()["name"] == "maintainer"


def test_faults_come_one_in_so_many(hub: LoopbackHub, api: HfApi) -> None:
    hub.commit(NAME, {"a": b"1"})
    hub.fail_every(2, statuses=[503], drops=["before", "after"], only="POST")
    seen = []
    for number in range(6):
        with contextlib.suppress(Exception):
            api.create_tag(NAME, tag=f"v{number}", repo_type="dataset")
            seen.append(number)
    hub.fail_every(0)
    assert seen == [0, 2, 4]
    tags = [each.name for each in api.list_repo_refs(NAME, repo_type="dataset").tags]
    assert tags == ["v0", "v2", "v4", "v5"]  # the last took effect, and its answer was lost


def test_long_histories_and_ranges_come_in_pieces(hub: LoopbackHub, api: HfApi) -> None:
    for number in range(120):
        hub.commit(NAME, {"a": str(number).encode()})
    assert len(api.list_repo_commits(NAME, repo_type="dataset")) == 121
    import httpx2

    url = f"{hub.endpoint}/datasets/{NAME}/resolve/main/a"
    answer = httpx2.get(url, headers={"Range": "bytes=1-"})
    assert (answer.status_code, answer.text) == (206, "19")
    assert json.loads(httpx2.get(f"{hub.endpoint}/api/datasets/{NAME}").text)["sha"] == hub.head(
        NAME
    )


def test_jobs_are_taken_note_of(hub: LoopbackHub, api: HfApi) -> None:
    job = api.run_job(image="python:3.12", command=["true"], secrets={"HF_TOKEN": "hf_comment"})
    api.create_scheduled_job(image="python:3.12", command=["true"], schedule="@daily")
    watched = [{"type": "dataset", "name": NAME}]
    api.create_webhook(job_id=job.id, watched=watched, domains=["repo"])
    ran, scheduled, webhook = hub.jobs
    assert (ran["command"], ran["secrets"]) == (["true"], {"HF_TOKEN": "hf_comment"})
    assert scheduled["schedule"] == "@daily"
    assert (webhook["jobSourceId"], webhook["watched"]) == (job.id, watched)
