"""A repository gets exactly our files, whatever goes wrong on the way."""

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub import close_session

from bagen_data.errors import BagenError, InputError, StoreError, WrongUsageError
from bagen_data.repositories.publishing import (
    Publication,
    PublishedRepository,
    Seen,
    Watch,
    publish,
)
from tests import hub_answers
from tests.loopback_hub import CLIENT_WARNING, LoopbackHub, loopback_hub

pytestmark = pytest.mark.filterwarnings(CLIENT_WARNING)

ID = "ORG/NAME"
CHANGES = r"(PUT|POST|DELETE) "
LARGE = os.urandom(70_000)
FOREIGN = {"eval.yaml": b"theirs", ".gitattributes": b"*.parquet filter=lfs\n"}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _no_pauses: None) -> Iterator[LoopbackHub]:
    with loopback_hub() as hub:
        hub.patch(monkeypatch, tmp_path / "home", "hf_write")
        yield hub
        close_session()


@pytest.fixture
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither our requests nor those of the client wait before they are made again."""
    monkeypatch.setattr("bagen_data.repositories.hub_requests._FIRST_PAUSE", 0)
    never = SimpleNamespace(**{**vars(time), "sleep": lambda _: None})
    monkeypatch.setattr("huggingface_hub.utils._http.time", never)


@pytest.fixture
def wanted(tmp_path: Path) -> Publication:
    """A card and two data files; data files of the repository are ours to delete."""
    contents = {"README.md": b"# ours", "data/a.parquet": LARGE, "data/b.parquet": b"b" * 900}
    for name, content in contents.items():
        path = tmp_path / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    files = {name: tmp_path / "files" / name for name in contents}
    return Publication(ID, files, "Publish", is_ours=lambda path: path.startswith("data/"))


def contents(publication: Publication) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in publication.files.items()}


def history(hub: LoopbackHub) -> list[str]:
    return [each.title for each in hub.repositories["dataset", ID].history("main")]


def tags(hub: LoopbackHub) -> dict[str, str]:
    refs = hub.repositories["dataset", ID].refs
    start = "refs/tags/"
    return {ref.removeprefix(start): refs[ref] for ref in refs if ref.startswith(start)}


def old_state(hub: LoopbackHub) -> str:
    """A repository as an earlier build and others left it."""
    hub.repository(ID)
    old = {"README.md": b"# old", "data/old.parquet": b"old" * 99, "data/b.parquet": b"b" * 900}
    return hub.commit(ID, {**old, **FOREIGN})


def test_an_absent_repository_is_created(hub: LoopbackHub, wanted: Publication) -> None:
    published = publish(replace(wanted, private=True))
    assert published.is_created
    assert published.added == ("README.md", "data/a.parquet", "data/b.parquet")
    assert published.foreign == (".gitattributes",)
    assert published.commit == hub.head(ID)
    assert published.address == f"{hub.endpoint}/datasets/{ID}"
    assert hub.repositories["dataset", ID].private
    assert {**contents(wanted)}.items() <= hub.files(ID).items()


def test_a_space_is_created_with_its_sdk(hub: LoopbackHub, wanted: Publication) -> None:
    publish(replace(wanted, kind="space", space_sdk="static"))
    assert hub.repositories["space", ID].sdk == "static"
    assert not hub.repositories["space", ID].private


def test_one_commit_adds_changes_and_deletes_and_keeps_what_is_of_others(
    hub: LoopbackHub, wanted: Publication
) -> None:
    old_state(hub)
    published = publish(replace(wanted, tag="v1.0"))
    assert hub.files(ID) == {**contents(wanted), **FOREIGN}
    assert history(hub) == ["Publish", "A commit of somebody else", "initial commit"]
    assert tags(hub) == {"v1.0": published.commit}
    assert (published.added, published.changed) == (("data/a.parquet",), ("README.md",))
    assert (published.deleted, published.unchanged) == (("data/old.parquet",), ("data/b.parquet",))
    assert published.foreign == (".gitattributes", "eval.yaml")


def test_a_server_that_counts_ids_in_its_own_way_is_published_to(
    hub: LoopbackHub, wanted: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.hub_repositories.git_id", other_ids)
    first = publish(wanted)
    assert publish(replace(wanted, tag="v1.0")).commit == first.commit
    wanted.files["README.md"].write_bytes(b"# Ours")
    assert publish(wanted).changed == ("README.md",)
    assert hub.files(ID)["README.md"] == b"# Ours"


def other_ids(kind: bytes, data: bytes) -> str:
    return hashlib.sha1(kind + data, usedforsecurity=False).hexdigest()


def test_nothing_is_committed_twice_but_a_tag_is_set(hub: LoopbackHub, wanted: Publication) -> None:
    first = publish(wanted)
    hub.requests.clear()
    again = publish(replace(wanted, tag="v1.0"))
    assert again.commit == first.commit
    assert not again.added + again.changed + again.deleted
    assert tags(hub) == {"v1.0": first.commit}
    assert [request.path.split("/")[-2] for request in hub.asked(CHANGES)] == ["tag"]


@pytest.mark.usefixtures("hub")
def test_steps_and_bytes_are_told(wanted: Publication) -> None:
    said: list[str] = []
    sizes: list[int] = []
    sent: list[int] = []
    publish(wanted, Watch(said.append, sizes.append, sent.append))
    assert sizes == [sum(sent)] == [len(LARGE) + 900 + 6]
    assert said[0] == f"{ID}: was created"


def test_a_dry_run_sends_nothing_and_needs_no_token(
    hub: LoopbackHub, wanted: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "")
    dry = replace(wanted, dry_run=True, tag="v1.0")
    assert publish(dry).is_created
    old_state(hub)
    published = publish(dry)
    assert published.deleted == ("data/old.parquet",)
    assert published.commit == ""
    assert not hub.asked(CHANGES)
    assert not any(request.authorized for request in hub.requests)


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("", "publishing needs a token; log in with 'hf auth login', or set HF_TOKEN"),
        ("hf_read", "status 403; log in with 'hf auth login', or set HF_TOKEN to a token that may"),
        ("hf_of_nobody", "status 401; log in with 'hf auth login', or set HF_TOKEN"),
    ],
)
@pytest.mark.parametrize("is_there", [True, False])
def test_a_token_that_may_not_write_changes_nothing(
    hub: LoopbackHub,
    wanted: Publication,
    monkeypatch: pytest.MonkeyPatch,
    token: str,
    message: str,
    is_there: bool,
) -> None:
    if is_there:
        old_state(hub)
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(InputError, match=message) as refused:
        publish(wanted)
    assert not token or token not in str(refused.value)
    assert (("dataset", ID) in hub.repositories) == is_there
    assert not is_there or history(hub) == ["A commit of somebody else", "initial commit"]


@pytest.mark.parametrize(
    "tag", ["", "main", "v 1", "-v1", "v1..2", "refs/tags/v1", "abcdef0", "v1.lock"]
)
def test_a_text_that_cannot_be_a_tag_is_wrong_usage(wanted: Publication, tag: str) -> None:
    with pytest.raises(WrongUsageError, match="expected the name of a version"):
        publish(replace(wanted, tag=tag))


@pytest.mark.parametrize(
    "name", ["NAME", "A/B/C", "ORG/", "/NAME", "ORG/a--b", "ORG/n.git", "O R/N"]
)
def test_a_text_that_cannot_be_an_id_is_wrong_usage(wanted: Publication, name: str) -> None:
    with pytest.raises(WrongUsageError, match="expected ORG/NAME"):
        publish(replace(wanted, repository=name))


def test_a_tag_of_other_files_is_refused_before_anything_is_sent(
    hub: LoopbackHub, wanted: Publication
) -> None:
    repository = hub.repository(ID)
    repository.refs["refs/tags/v1.0"] = old_state(hub)
    with pytest.raises(InputError, match=r"the tag v1.0 is of other files, at commit .*--tag"):
        publish(replace(wanted, tag="v1.0"))
    assert not hub.asked(CHANGES)


def test_a_tag_of_the_same_files_stays_where_it_is(hub: LoopbackHub, wanted: Publication) -> None:
    tagged = publish(replace(wanted, tag="v1.0")).commit
    later = hub.commit(ID, {"eval.yaml": b"theirs"})
    assert publish(replace(wanted, tag="v1.0")).commit == later
    assert tags(hub) == {"v1.0": tagged}


def test_a_branch_is_not_taken_for_a_tag(hub: LoopbackHub, wanted: Publication) -> None:
    hub.repository(ID).refs["refs/heads/v1.0"] = old_state(hub)
    with pytest.raises(WrongUsageError, match="has a branch of that name"):
        publish(replace(wanted, tag="v1.0"))


def test_the_second_of_two_maintainers_is_told_and_nothing_is_mixed(
    hub: LoopbackHub, wanted: Publication
) -> None:
    old_state(hub)
    theirs = {"README.md": b"# theirs", "data/theirs.parquet": b"theirs" * 99}
    hub.before("POST .*/commit/main", lambda: hub.commit(ID, theirs))
    with pytest.raises(InputError, match=r"somebody else published there meanwhile, so nothing"):
        publish(replace(wanted, tag="v1.0"))
    assert hub.files(ID)["README.md"] == b"# theirs"
    assert "data/a.parquet" not in hub.files(ID)
    assert not tags(hub)
    publish(replace(wanted, tag="v1.0"))
    assert hub.files(ID) == {**contents(wanted), **FOREIGN}


@pytest.mark.parametrize("head", [None, "0" * 40])
def test_a_commit_since_the_repository_was_looked_at_is_noticed(
    hub: LoopbackHub, wanted: Publication, head: str | None
) -> None:
    seen = old_state(hub)
    with pytest.raises(InputError, match="somebody else published there meanwhile"):
        publish(replace(wanted, seen=Seen(head)))
    assert not hub.asked(CHANGES)
    assert publish(replace(wanted, seen=Seen(seen))).commit == hub.head(ID)


def test_the_second_of_two_that_create_a_repository_is_told(
    hub: LoopbackHub, wanted: Publication
) -> None:
    def publish_first() -> None:
        hub.repository(ID)
        hub.commit(ID, {"README.md": b"# theirs", "data/theirs.parquet": b"theirs" * 99})

    hub.before("POST /api/repos/create", publish_first)
    with pytest.raises(InputError, match="somebody else published there meanwhile"):
        publish(wanted)
    assert hub.files(ID)["README.md"] == b"# theirs"


def test_a_repository_whose_creation_was_not_answered_is_ours(
    hub: LoopbackHub, wanted: Publication
) -> None:
    lose_answer(hub, "POST /api/repos/create")
    assert publish(wanted).is_created


def lose_answer(hub: LoopbackHub, pattern: str) -> None:
    """Let the next such request take effect, and lose its answer."""

    def begin() -> None:
        hub.fail_every(1, (), ("after",), only=pattern)
        hub.before("", lambda: hub.fail_every(0))

    hub.before(pattern, begin)


def test_a_commit_whose_answer_was_lost_is_not_made_again(
    hub: LoopbackHub, wanted: Publication
) -> None:
    old_state(hub)
    lose_answer(hub, "POST .*/commit/main")
    published = publish(wanted)
    assert history(hub) == ["Publish", "A commit of somebody else", "initial commit"]
    assert published.commit == hub.head(ID)


def test_a_commit_whose_answer_was_lost_is_found_below_a_later_one(
    hub: LoopbackHub, wanted: Publication
) -> None:
    old_state(hub)
    lose_answer(hub, "POST .*/commit/main")
    hub.before("GET .*/commits/", lambda: hub.commit(ID, {"README.md": b"# theirs"}))
    published = publish(replace(wanted, tag="v1.0"))
    assert hub.files(ID)["README.md"] == b"# theirs"
    assert hub.files(ID, "v1.0") == {**contents(wanted), **FOREIGN}
    assert tags(hub) == {"v1.0": published.commit}


def test_a_tag_whose_answer_was_lost_is_there(hub: LoopbackHub, wanted: Publication) -> None:
    lose_answer(hub, "POST .*/tag/")
    published = publish(replace(wanted, tag="v1.0"))
    assert tags(hub) == {"v1.0": published.commit}


def test_a_pull_request_leaves_main_alone(
    hub: LoopbackHub, wanted: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = old_state(hub)
    monkeypatch.setenv("HF_TOKEN", "hf_submit")
    published = publish(replace(wanted, create_pr=True))
    assert hub.head(ID) == head
    assert published.address == f"{hub.endpoint}/datasets/{ID}/discussions/1"
    assert hub.files(ID, "refs/pr/1") == {**contents(wanted), **FOREIGN}
    assert hub.repositories["dataset", ID].refs["refs/pr/1"] == published.commit


def test_a_pull_request_whose_answer_was_lost_is_not_opened_again(
    hub: LoopbackHub, wanted: Publication
) -> None:
    old_state(hub)
    hub.pull_request(ID, {"README.md": b"# theirs"}, title="Publish")
    lose_answer(hub, "POST .*/commit/main")
    published = publish(replace(wanted, create_pr=True))
    assert [each.number for each in hub.repositories["dataset", ID].discussions] == [1, 2]
    assert published.address == f"{hub.endpoint}/datasets/{ID}/discussions/2"


def test_a_pull_request_that_is_open_is_not_opened_again(
    hub: LoopbackHub, wanted: Publication
) -> None:
    old_state(hub)
    first = publish(replace(wanted, create_pr=True))
    assert publish(replace(wanted, create_pr=True)) == first
    wanted.files["README.md"].write_bytes(b"# newer")
    assert publish(replace(wanted, create_pr=True)).address.endswith("/discussions/2")


def test_what_is_to_be_private_is_not_published_where_all_see_it(
    hub: LoopbackHub, wanted: Publication
) -> None:
    head = old_state(hub)
    with pytest.raises(InputError, match="is public, and --private is for a repository that is"):
        publish(replace(wanted, private=True))
    assert hub.head(ID) == head
    hub.repositories["dataset", ID].private = True
    assert publish(replace(wanted, private=True)).commit == hub.head(ID)


def test_a_pull_request_needs_a_repository_and_takes_no_tag(
    hub: LoopbackHub, wanted: Publication
) -> None:
    with pytest.raises(InputError, match=r"is not on the Hub, or the token may not see it"):
        publish(replace(wanted, create_pr=True))
    with pytest.raises(WrongUsageError, match="--create-pr makes none"):
        publish(replace(wanted, create_pr=True, tag="v1.0"))
    assert not hub.repositories


@pytest.mark.parametrize("offset", range(5))
def test_faults_in_one_request_of_five_lose_nothing(
    hub: LoopbackHub, wanted: Publication, offset: int
) -> None:
    old_state(hub)
    hub.fail_every(5, (500, 503, 429, 504), ("before", "after"))
    hub.counted = offset
    published = publish(replace(wanted, tag="v1.0"))
    assert hub.gone_wrong
    assert hub.files(ID) == {**contents(wanted), **FOREIGN}
    assert history(hub) == ["Publish", "A commit of somebody else", "initial commit"]
    assert tags(hub) == {"v1.0": published.commit}


def test_a_hub_that_does_not_answer_in_time_is_asked_again(
    hub: LoopbackHub, wanted: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_state(hub)
    monkeypatch.setattr("bagen_data.repositories.hub_requests._PATIENCE", 0.5)
    hub.fail_every(5, (), ("before", "after"), hang=1)
    published = publish(replace(wanted, tag="v1.0"))
    assert hub.gone_wrong
    assert hub.files(ID) == {**contents(wanted), **FOREIGN}
    assert history(hub) == ["Publish", "A commit of somebody else", "initial commit"]
    assert tags(hub) == {"v1.0": published.commit}


def test_a_hub_that_never_answers_is_named(hub: LoopbackHub, wanted: Publication) -> None:
    old_state(hub)
    hub.fail_every(1, (503,), only="POST .*/commit/")
    with pytest.raises(
        StoreError, match=r"does not answer after \d tries \(status 503\); run again"
    ):
        publish(wanted)
    assert history(hub) == ["A commit of somebody else", "initial commit"]
    hub.fail_every(0)
    hub.requests.clear()
    publish(wanted)
    assert not hub.asked("PUT ")  # what was sent is not sent again


@pytest.mark.parametrize("name", ["README.md", "data/a.parquet"])
@pytest.mark.parametrize("moment", ["POST .*/preupload/", "PUT /lfs/", "POST /lfs/.*/verify"])
def test_a_file_that_changes_meanwhile_is_not_committed(
    hub: LoopbackHub, wanted: Publication, name: str, moment: str
) -> None:
    head = old_state(hub)
    hub.before(moment, lambda: wanted.files[name].write_bytes(b"other" * 20))
    with pytest.raises(BagenError):
        publish(wanted)
    assert hub.head(ID) == head


def test_files_must_have_the_hashes_that_are_known(hub: LoopbackHub, wanted: Publication) -> None:
    with pytest.raises(InputError, match=r"README.md: was changed while it was published"):
        publish(replace(wanted, hashes={"README.md": "0" * 64}))
    assert not hub.requests


def test_a_file_with_the_token_in_it_is_not_published(
    hub: LoopbackHub, wanted: Publication
) -> None:
    wanted.files["README.md"].write_text("export HF_TOKEN=hf_write")
    with pytest.raises(InputError, match=r"README.md: holds the token") as refused:
        publish(wanted)
    assert "hf_write" not in str(refused.value)
    assert not hub.requests


def test_a_file_that_the_repository_ignores_is_named(
    hub: LoopbackHub, wanted: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = old_state(hub)
    answered = hub_answers._preupload

    def ignoring(*arguments: object) -> dict[str, list[dict[str, object]]]:
        answer = answered(*arguments)  # type: ignore[arg-type]
        for each in answer["files"]:
            each["shouldIgnore"] = each["path"].endswith("a.parquet")
        return answer

    monkeypatch.setattr(hub_answers, "_preupload", ignoring)
    with pytest.raises(InputError, match=r"its .gitignore excludes data/a.parquet"):
        publish(wanted)
    assert hub.head(ID) == head


def test_what_arrived_otherwise_is_named(hub: LoopbackHub, wanted: Publication) -> None:
    old_state(hub)

    def spoil() -> None:
        files = hub.repositories["dataset", ID].commit_of("main").files
        assert isinstance(files, dict)
        del files["data/b.parquet"]

    hub.before("POST .*/commit/main", lambda: hub.before("GET .*/tree/", spoil))
    with pytest.raises(InputError, match=r"is not what was sent; run again\n  data/b.parquet: is"):
        publish(replace(wanted, tag="v1.0"))
    assert not tags(hub)


def test_a_page_in_place_of_json_is_asked_for_again(
    hub: LoopbackHub, wanted: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/api/validate-yaml"
    right = hub_answers._ROUTES[path]
    pages = iter([hub_answers.Answer(502, b"<html>Bad Gateway</html>")])
    routes = {**hub_answers._ROUTES, path: lambda call: next(pages, None) or right(call)}
    monkeypatch.setattr(hub_answers, "_ROUTES", routes)
    assert publish(wanted).commit
    assert len(hub.asked(f"POST {path}")) == 2


@pytest.mark.usefixtures("hub")
def test_the_client_is_as_loud_afterwards_as_before(wanted: Publication) -> None:
    from huggingface_hub.utils import are_progress_bars_disabled, get_session, logging

    def state() -> tuple[object, ...]:
        return (logging.get_verbosity(), are_progress_bars_disabled(), get_session().event_hooks)

    before = state()
    published: PublishedRepository = publish(wanted)
    assert published.commit
    assert state() == before
