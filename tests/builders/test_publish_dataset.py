"""A built dataset on the Hub: published, published again, and read by its id."""

import json
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from huggingface_hub import close_session

from bagen_data.errors import InputError
from bagen_data.repositories.publishing import publish
from builders.cli import main
from builders.publish_dataset import DatasetPublication, publish_dataset
from builders.published_ids import PublishedIds
from builders.submissions_repository import render_submissions_card
from builders.verify import verify
from tests.faulty_store import shared_store
from tests.loopback_hub import CLIENT_WARNING, LoopbackHub, loopback_hub
from tests.making import build, dialogue, exit_code, write_json
from tests.publish_commands import Maintainer

pytestmark = pytest.mark.filterwarnings(CLIENT_WARNING)

ID = "ORG/NAME"
ROWS = f"""
import datasets
print(len(datasets.load_dataset("{ID}", split="test")))
"""


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    with loopback_hub() as hub:
        yield hub


@pytest.fixture
def maintainer(hub: LoopbackHub, tmp_path: Path) -> Maintainer:
    (tmp_path / "home").mkdir()
    return Maintainer(hub, tmp_path / "home")


@pytest.fixture
def here(
    hub: LoopbackHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Callable[..., CompletedProcess[str]]]:
    """`python -m builders publish` in this process, which is faster."""
    hub.patch(monkeypatch, tmp_path / "home", "hf_write")

    def run(folder: Path, *options: object) -> CompletedProcess[str]:
        code = exit_code(main, "publish", folder, *options)
        return CompletedProcess([], code, *capsys.readouterr())

    yield run
    close_session()


@pytest.fixture
def nobody(hub: LoopbackHub, tmp_path: Path) -> Maintainer:
    (tmp_path / "nobody").mkdir()
    return Maintainer(hub, tmp_path / "nobody", None)


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two builds of the same rollouts, of which the second names a family otherwise."""
    made = tmp_path_factory.mktemp("built")
    folders = {}
    for name, families in {"first": ("m", "n"), "renamed": ("m", "renamed")}.items():
        for family in families:
            dialogues = [dialogue(name=f"{family == 'm'} {number}") for number in range(6)]
            path = made / f"{name}-origin" / f"sokoban-origin-{family}" / "all.json"
            write_json(path, dialogues)
        assert build(made / f"{name}-origin", made / name) == 0
        folders[name] = made / name
    return folders


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def rows(folder: Path) -> int:
    lines = map(json.loads, (folder / "manifest.jsonl").read_text().splitlines())
    return sum(
        line["rows"] for line in lines if (line["config"], line["split"]) == ("sokoban", "test")
    )


def test_a_dataset_is_published_and_loads_by_its_id(
    hub: LoopbackHub, maintainer: Maintainer, datasets: dict[str, Path], nobody: Maintainer
) -> None:
    done = maintainer.run(
        "builders", "publish", datasets["first"], "--to", ID, "--tag", "v2.0", "--private"
    )
    assert done.returncode == 0, done.stderr
    commit = hub.head(ID)
    assert done.stdout.splitlines()[-3:] == [
        f"commit   {commit}",
        "tag      v2.0",
        f"{hub.endpoint}/datasets/{ID}",
    ]
    assert "data files arrived as they were built" in done.stderr
    repository = hub.repositories["dataset", ID]
    assert repository.private
    assert repository.refs["refs/tags/v2.0"] == commit
    assert names(datasets["first"]) | {".gitattributes"} <= set(hub.files(ID))
    assert maintainer.loaded(ROWS) == str(rows(datasets["first"]))
    repository.private = False
    assert nobody.loaded(ROWS) == str(rows(datasets["first"]))


def test_its_card_and_manifest_name_its_id_and_the_revision_stays(
    hub: LoopbackHub,
    here: Callable[..., CompletedProcess[str]],
    datasets: dict[str, Path],
    tmp_path: Path,
) -> None:
    assert here(datasets["first"], "--to", ID).returncode == 0
    files = hub.files(ID)
    for path, content in files.items():
        (tmp_path / "copy" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "copy" / path).write_bytes(content)
    (tmp_path / "copy" / ".gitattributes").unlink()
    assert verify(tmp_path / "copy") == sum(path.endswith(".parquet") for path in files)
    assert f'"{ID}"' in files["README.md"].decode()
    urls = [json.loads(line)["url"] for line in files["manifest.jsonl"].splitlines()]
    assert all(url.startswith(f"hf://datasets/{ID}/data/") for url in urls)
    built = json.loads((datasets["first"] / "build.json").read_text())
    assert json.loads(files["build.json"])["revision"] == built["revision"]


def test_a_build_with_a_renamed_family_leaves_no_stale_rows(
    hub: LoopbackHub, maintainer: Maintainer, datasets: dict[str, Path]
) -> None:
    maintainer.run("builders", "publish", datasets["first"], "--to", ID)
    others = {"eval.yaml": b"theirs", "docs/notes.md": b"theirs", "data/notes.md": b"theirs"}
    hub.commit(ID, {**others, "data/sokoban/test-by-hand.parquet": b"stale"})
    done = maintainer.run("builders", "publish", datasets["renamed"], "--to", ID)
    assert done.returncode == 0, done.stderr
    assert set(hub.files(ID)) == {*names(datasets["renamed"]), *others, ".gitattributes"}
    assert {path: hub.files(ID)[path] for path in others} == others
    assert "deleted  data/sokoban/test-n.parquet" in done.stdout
    assert "deleted  data/sokoban/test-by-hand.parquet" in done.stdout
    assert "kept     eval.yaml" in done.stdout
    titles = [commit.title for commit in hub.repositories["dataset", ID].history("main")]
    assert len(titles) == 4
    assert titles[0].startswith("Publish the dataset, revision ")
    assert maintainer.loaded(ROWS) == str(rows(datasets["renamed"]))


def test_files_that_an_older_manifest_names_are_stale_wherever_they_are(
    hub: LoopbackHub, here: Callable[..., CompletedProcess[str]], datasets: dict[str, Path]
) -> None:
    hub.repository(ID)
    lines = [{"path": path} for path in ("old/a.parquet", "eval.yaml", ".gitattributes", 7)]
    hub.commit(
        ID,
        {
            "manifest.jsonl": "".join(json.dumps(line) + "\n" for line in lines).encode(),
            **dict.fromkeys(("old/a.parquet", "old/b.parquet", "eval.yaml"), b"old"),
        },
    )
    done = here(datasets["first"], "--to", ID)
    assert done.returncode == 0, done.stderr
    left = set(hub.files(ID)) - names(datasets["first"])
    assert left == {"old/b.parquet", "eval.yaml", ".gitattributes"}


def test_a_second_run_commits_nothing(
    hub: LoopbackHub, here: Callable[..., CompletedProcess[str]], datasets: dict[str, Path]
) -> None:
    here(datasets["first"], "--to", ID)
    head = hub.head(ID)
    hub.requests.clear()
    again = here(datasets["first"], "--to", ID)
    assert again.returncode == 0, again.stderr
    assert "has these files already; nothing is committed" in again.stderr
    assert hub.head(ID) == head
    assert not hub.asked("(PUT|POST) ")


def test_a_dry_run_needs_no_token_and_sends_nothing(
    hub: LoopbackHub, nobody: Maintainer, datasets: dict[str, Path]
) -> None:
    command = ("builders", "publish", datasets["first"], "--to", ID, "--tag", "v2.0")
    done = nobody.run(*command, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "dry run, nothing was sent: would be created" in done.stdout
    assert not hub.repositories
    refused = nobody.run(*command)
    assert refused.returncode == 1
    assert "publishing needs a token; log in with 'hf auth login'" in refused.stderr
    assert not hub.asked("(PUT|POST) ")


def test_a_dry_run_needs_no_token_where_the_hub_tells_nobody_anything(
    hub: LoopbackHub, nobody: Maintainer, datasets: dict[str, Path]
) -> None:
    hub.fail_every(1, [401])
    done = nobody.run("builders", "publish", datasets["first"], "--to", ID, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "would be created, unless it is private" in done.stdout


def test_a_token_that_may_not_write_is_refused_without_being_shown(
    hub: LoopbackHub, datasets: dict[str, Path], tmp_path: Path
) -> None:
    hub.repository(ID)
    for token in ("hf_read", "hf_" + "x" * 34):
        (tmp_path / token).mkdir()
        done = Maintainer(hub, tmp_path / token, token).run(
            "builders", "publish", datasets["first"], "--to", ID
        )
        assert done.returncode == 1
        assert "set HF_TOKEN to a token that may do it" in done.stderr
    assert set(hub.files(ID)) == {".gitattributes"}


def test_a_token_of_a_login_is_not_shown_either(
    hub: LoopbackHub, nobody: Maintainer, datasets: dict[str, Path]
) -> None:
    (nobody.home / "token").write_text("hf_write")
    done = nobody.run("builders", "publish", datasets["first"], "--to", ID)
    assert done.returncode == 0, done.stderr
    assert "hf_write" not in done.stdout + done.stderr
    assert not any(b"hf_write" in content for content in hub.files(ID).values())


def test_a_pull_request_is_opened_and_main_left_alone(
    hub: LoopbackHub, datasets: dict[str, Path], tmp_path: Path
) -> None:
    hub.repository(ID)
    submitter = Maintainer(hub, tmp_path, "hf_submit")
    command = ("builders", "publish", datasets["first"], "--to", ID, "--create-pr")
    done = submitter.run(*command)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"{hub.endpoint}/datasets/{ID}/discussions/1"
    assert set(hub.files(ID)) == {".gitattributes"}
    assert submitter.run(*command, "--tag", "v2.0").returncode == 2


def test_a_spoilt_folder_is_not_published(
    hub: LoopbackHub,
    here: Callable[..., CompletedProcess[str]],
    datasets: dict[str, Path],
    tmp_path: Path,
) -> None:
    shutil.copytree(datasets["first"], tmp_path / "spoilt")
    (tmp_path / "spoilt" / "data" / "sokoban" / "test-m.parquet").write_bytes(b"other")
    done = here(tmp_path / "spoilt", "--to", ID)
    assert done.returncode == 1
    assert "data/sokoban/test-m.parquet: was changed" in done.stderr
    (tmp_path / "empty").mkdir()
    empty = here(tmp_path / "empty", "--to", ID)
    assert empty.returncode == 1
    assert "holds no manifest.jsonl" in empty.stderr
    assert not hub.asked("(PUT|POST) ")


@pytest.mark.parametrize(
    "options", [("--to", "NAME"), ("--to", ID, "--tag", "main"), ("--to", ID, "--site", "s"), ()]
)
def test_wrong_usage_is_said_before_anything_is_read(
    hub: LoopbackHub,
    here: Callable[..., CompletedProcess[str]],
    tmp_path: Path,
    options: tuple[str, ...],
) -> None:
    done = here(tmp_path / "absent", *options)
    assert done.returncode == 2
    assert not hub.requests


@pytest.mark.parametrize("moment", ["PUT /lfs/", "POST .*/commit/main"])
def test_a_publication_that_is_killed_leaves_the_old_state_and_a_rerun_finishes(
    hub: LoopbackHub, maintainer: Maintainer, datasets: dict[str, Path], moment: str
) -> None:
    maintainer.run("builders", "publish", datasets["first"], "--to", ID, "--tag", "v1.0")
    old = hub.head(ID)
    hub.requests.clear()
    command = ("builders", "publish", datasets["renamed"], "--to", ID, "--tag", "v2.0")
    process = maintainer.start(*command)
    hub.before("PUT /lfs/", lambda: None)  # one file arrives
    hub.before(moment, lambda: (os.kill(process.pid, signal.SIGKILL), process.wait()))
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    if moment.startswith("PUT"):
        assert hub.head(ID) == old
    arrived = {request.path for request in hub.asked("POST /lfs/.*/verify")}
    done = maintainer.run(*command)
    assert done.returncode == 0, done.stderr
    assert set(hub.files(ID)) == {*names(datasets["renamed"]), ".gitattributes"}
    assert hub.files(ID, "v2.0") == hub.files(ID)
    verified = [request.path for request in hub.asked("POST /lfs/.*/verify")]
    assert all(verified.count(path) == 1 for path in arrived)


def test_faults_in_one_request_of_five_lose_nothing(
    hub: LoopbackHub, maintainer: Maintainer, datasets: dict[str, Path]
) -> None:
    hub.fail_every(5, (500, 503), ("before", "after"))
    done = maintainer.run("builders", "publish", datasets["first"], "--to", ID, "--tag", "v2.0")
    gone_wrong = hub.gone_wrong
    hub.fail_every(0)
    assert done.returncode == 0, done.stderr
    assert gone_wrong >= 5
    assert set(hub.files(ID)) == {*names(datasets["first"]), ".gitattributes"}
    assert len(hub.repositories["dataset", ID].history("main")) == 2
    assert hub.files(ID, "v2.0") == hub.files(ID)


def test_whoever_began_before_somebody_else_published_is_told(
    hub: LoopbackHub, here: Callable[..., CompletedProcess[str]], datasets: dict[str, Path]
) -> None:
    hub.repository(ID)
    hub.commit(ID, {"manifest.jsonl": b""})
    hub.before("(GET|HEAD) .*/manifest.jsonl", lambda: hub.commit(ID, {"README.md": b"# theirs"}))
    done = here(datasets["first"], "--to", ID)
    assert done.returncode == 1
    assert "somebody else published there meanwhile" in done.stderr
    assert not hub.asked("(PUT|POST) ")


def test_the_second_of_two_maintainers_is_told(
    hub: LoopbackHub, maintainer: Maintainer, datasets: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "second").mkdir()
    second = Maintainer(hub, tmp_path / "second", "hf_write_2")
    hub.repository(ID)
    outcomes = []
    hub.before(
        "POST .*/commit/main",
        lambda: outcomes.append(
            second.run("builders", "publish", datasets["renamed"], "--to", ID).returncode
        ),
    )
    done = maintainer.run("builders", "publish", datasets["first"], "--to", ID)
    assert outcomes == [0]
    assert done.returncode == 1
    assert "somebody else published there meanwhile, so nothing was changed" in done.stderr
    assert set(hub.files(ID)) == {*names(datasets["renamed"]), ".gitattributes"}


def test_a_dataset_of_a_store_is_published_as_it_is_there(
    hub: LoopbackHub,
    datasets: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub.patch(monkeypatch, tmp_path / "home", "hf_write")
    store = shared_store(tmp_path, monkeypatch)
    shutil.copytree(datasets["first"], store.path(store.url / "built"))
    dataset = publish_dataset(DatasetPublication(store.url / "built", ID), publish)
    close_session()
    assert dataset.published.commit == hub.head(ID)
    assert set(hub.files(ID)) == {*names(datasets["first"]), ".gitattributes"}


def test_a_folder_that_is_built_anew_meanwhile_is_not_published(
    hub: LoopbackHub,
    datasets: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub.patch(monkeypatch, tmp_path / "home", "hf_write")
    shutil.copytree(datasets["first"], tmp_path / "out")
    hub.repository(ID)
    head = hub.head(ID)

    def rebuild() -> None:
        shutil.rmtree(tmp_path / "out")
        shutil.copytree(datasets["renamed"], tmp_path / "out")

    again = "GET /api/datasets/"  # the second of these requests comes after the verification
    hub.before(again, lambda: hub.before(again, rebuild))
    with pytest.raises(InputError, match=r"cannot be read|was changed while it was published"):
        publish_dataset(DatasetPublication(tmp_path / "out", ID), publish)
    close_session()
    assert hub.head(ID) == head


@pytest.mark.parametrize(
    "setting", [{"HF_HUB_OFFLINE": "1"}, {"HF_ENDPOINT": "http://127.0.0.1:9"}]
)
def test_a_hub_that_is_not_reached_is_named(
    hub: LoopbackHub, datasets: dict[str, Path], tmp_path: Path, setting: dict[str, str]
) -> None:
    maintainer = Maintainer(hub, tmp_path, more=setting)
    done = maintainer.run("builders", "publish", datasets["first"], "--to", ID)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{ID}: ")
    assert "HF_HUB_OFFLINE is set" in done.stderr or "does not answer after" in done.stderr


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hidden split: its public part and its key."""
    made = tmp_path_factory.mktemp("hidden")
    sizes = [((30, 50 + 9 * number), (10, 70), (20, 40)) for number in range(12)]
    dialogues = [dialogue(size, name=str(number)) for number, size in enumerate(sizes)]
    write_json(made / "origin" / "sokoban-origin-m" / "all.json", dialogues)
    assert build(made / "origin", made / "split", "--hidden", "4") == 0
    return made / "split"


def test_the_public_part_of_a_hidden_split_is_published_and_its_key_never(
    hub: LoopbackHub, here: Callable[..., CompletedProcess[str]], hidden: Path, tmp_path: Path
) -> None:
    key = hidden / "KEY-DO-NOT-PUBLISH"
    shutil.copytree(key, tmp_path / "harmless")
    for folder in (key, hidden, tmp_path / "harmless"):
        done = here(folder, "--to", ID)
        assert done.returncode == 1
        assert "key" in done.stderr
        assert "never published" in done.stderr
    assert not hub.requests
    done = here(hidden / "public", "--to", ID)
    assert done.returncode == 0, done.stderr
    assert set(hub.files(ID)) == {*names(hidden / "public"), ".gitattributes"}


def test_a_hidden_split_is_not_published_over_a_dataset_nor_a_dataset_over_it(
    hub: LoopbackHub,
    here: Callable[..., CompletedProcess[str]],
    hidden: Path,
    datasets: dict[str, Path],
) -> None:
    here(datasets["first"], "--to", ID)
    head = hub.head(ID)
    done = here(hidden / "public", "--to", ID)
    assert done.returncode == 1
    assert "holds a dataset with labels, and the public part of a hidden split is" in done.stderr
    assert hub.head(ID) == head
    assert here(hidden / "public", "--to", "ORG/HIDDEN").returncode == 0
    assert here(datasets["first"], "--to", "ORG/HIDDEN").returncode == 1


def test_all_publishes_each_repository_and_a_rerun_changes_nothing(
    hub: LoopbackHub, maintainer: Maintainer, datasets: dict[str, Path]
) -> None:
    command = ("builders", "publish", datasets["first"], "--to", ID, "--all")
    dry = maintainer.run(*command, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert not hub.repositories
    done = maintainer.run(*command, "--tag", "v2.0")
    assert done.returncode == 0, done.stderr
    assert sorted(hub.repositories) == [
        ("dataset", ID),
        ("dataset", "ORG/bagen-submissions"),
        ("space", "ORG/bagen"),
    ]
    steps = re.findall(r"step (\d) of 3: the (\w+), (\S+)", done.stderr)
    assert [name for _, name, _ in steps] == ["dataset", "metric", "submissions"]
    hub.commit("ORG/bagen-submissions", {"README.md": b"# the owners' own"})
    heads = {key: dict(each.refs) for key, each in hub.repositories.items()}
    assert maintainer.run(*command).returncode == 0
    assert {key: dict(each.refs) for key, each in hub.repositories.items()} == heads


def test_all_stops_at_the_first_step_that_fails_and_says_what_is_done(
    hub: LoopbackHub, maintainer: Maintainer, datasets: dict[str, Path], tmp_path: Path
) -> None:
    done = maintainer.run(
        "builders", "publish", datasets["first"], "--to", ID, "--all", "--site", tmp_path
    )
    assert done.returncode == 1
    assert "stopped at step 3 of 4, the leaderboard; published so far: the dataset, the metric" in (
        done.stderr
    )
    assert ("dataset", "ORG/bagen-submissions") not in hub.repositories


def test_the_card_of_the_submissions_names_each_repository() -> None:
    ids = PublishedIds.beside(ID)
    card = render_submissions_card(ids)
    assert card.startswith("---\nlicense: ")
    assert all(each in card for each in (ids.dataset, ids.leaderboard, ids.submissions))
