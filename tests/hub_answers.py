"""Answers of the Hub to each request: the calls that huggingface_hub 2 makes, and its errors."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from tests.hub_repositories import (
    MAIN,
    Blob,
    Commit,
    Discussion,
    Hub,
    RefusedError,
    Repository,
    is_lfs,
    listing,
    without,
)

PAGE = 1000
"""Entries of a tree in one answer."""
COMMITS_PAGE = 50
"""Commits in one answer."""
MOST_CHARACTERS = 65536
"""Characters of a comment."""


@dataclass(frozen=True)
class Account:
    """Name and rights of the owner of a token."""

    name: str
    may: frozenset[str]
    """Rights among "read" (private repositories), "discuss" (comment, open requests), "write"."""


ACCOUNTS = {
    "hf_write": Account("maintainer", frozenset({"read", "discuss", "write"})),
    "hf_write_2": Account("second_maintainer", frozenset({"read", "discuss", "write"})),
    "hf_comment": Account("reviewer", frozenset({"read", "discuss"})),
    "hf_submit": Account("submitter", frozenset({"discuss"})),
    "hf_read": Account("reader", frozenset({"read"})),
}
"""The account of each token that the Hub knows; any other token is refused."""
_NOBODY = Account("anonymous", frozenset())


@dataclass(frozen=True)
class HubRequest:
    """A request as it arrived."""

    method: str
    path: str
    """Path without the query, percent-encoded."""
    query: Mapping[str, list[str]]
    authorized: bool
    """Whether the request had an Authorization header."""
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Answer:
    """Status, content and headers of what is sent back."""

    status: int
    data: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """A request on its way to an answer."""

    hub: Hub
    match: re.Match[str]
    """The pattern of _ROUTES in the path."""
    request: HubRequest
    account: Account


def account_of(authorization: str | None) -> Account:
    """Return the account of an Authorization header."""
    if authorization is None:
        return _NOBODY
    token = authorization.removeprefix("Bearer ")
    if token not in ACCOUNTS:
        raise RefusedError(401, "", "Invalid credentials in Authorization header")
    return ACCOUNTS[token]


def answered(hub: Hub, request: HubRequest, account: Account) -> Answer:
    """Do what a request asks, where its account may; raise RefusedError otherwise."""
    for pattern, answer in _ROUTES.items():
        if match := re.fullmatch(pattern, request.path):
            return answer(Call(hub, match, request, account))
    raise RefusedError(404, "", "Not found")


def _whoami(call: Call) -> Answer:
    if call.account is _NOBODY:
        raise RefusedError(401, "", "Invalid username or password.")
    role = "write" if "write" in call.account.may else "read"
    return json_answer(
        {
            "type": "user",
            "id": call.account.name,
            "name": call.account.name,
            "fullname": call.account.name,
            "orgs": [],
            "auth": {"type": "access_token", "accessToken": {"displayName": "test", "role": role}},
        }
    )


def _card_checked(call: Call) -> Answer:
    errors = [] if json.loads(call.request.body)["content"] else [{"message": "is empty"}]
    return json_answer({"errors": errors, "warnings": []})


def _found(call: Call) -> Repository:
    repository = call.hub.repositories.get(
        (call.match["type"] or "model", unquote(call.match["id"]))
    )
    if repository is not None and (not repository.private or "read" in call.account.may):
        return repository
    if call.account is _NOBODY:  # the Hub tells nobody whether there is one
        raise RefusedError(401, "RepoNotFound", "Invalid username or password.")
    raise RefusedError(404, "RepoNotFound", "Repository not found")


def _require(account: Account, right: str, message: str) -> None:
    if account is _NOBODY:
        raise RefusedError(401, "", "Invalid username or password.")
    if right not in account.may:
        raise RefusedError(403, "", message)


def _create_or_delete(call: Call) -> Answer:
    given = json.loads(call.request.body)
    owner = given.get("organization") or call.account.name
    repo_type = given.get("type") or "model"
    repo_id = f"{owner}/{given['name']}"
    message = f'You don\'t have the rights to create a {repo_type} under the namespace "{owner}"'
    _require(call.account, "write", message)
    url = call.hub.page(repo_type, repo_id)
    exists = (repo_type, repo_id) in call.hub.repositories
    if call.match["what"] == "delete":
        if not exists:
            raise RefusedError(404, "RepoNotFound", "Repository not found")
        del call.hub.repositories[repo_type, repo_id]
    elif exists:
        message = f"You already created this {repo_type} repo: {repo_id}"
        return json_answer({"error": message, "url": url}, 409, {"X-Error-Message": message})
    else:
        private = given.get("visibility") == "private" or bool(given.get("private"))
        call.hub.repository(repo_id, repo_type, private=private, sdk=given.get("sdk"))
    return json_answer({"url": url, "name": repo_id, "id": repo_id})


def _repository_call(call: Call) -> Answer:
    repository = _found(call)
    what, *rest = [unquote(part) for part in (call.match["rest"] or "").split("/")]
    if what == "discussions":
        answer = _read_discussions if call.request.method == "GET" else _write_discussion
        return answer(call, repository, rest)
    answer = (
        _read if call.request.method == "GET" or what in ("paths-info", "preupload") else _write
    )
    return answer(call, repository, [what, *_joined_ref(rest)])


def _read(call: Call, repository: Repository, rest: list[str]) -> Answer:
    match rest:
        case [""]:
            answer = json_answer(_info(repository, "main", call.request))
        case ["revision", revision]:
            answer = json_answer(_info(repository, revision, call.request))
        case ["tree", revision, *below]:
            recursive = _is_set(call.request, "recursive")
            entries = listing(repository.commit_of(revision).files, "/".join(below), recursive)
            entries = _expanded(repository, revision, entries, call.request)
            answer = _paged(call.hub, call.request, entries, PAGE)
        case ["paths-info", revision]:
            answer = json_answer(_paths_info(repository, revision, call.request))
        case ["refs"]:
            answer = json_answer(_refs(repository, _is_set(call.request, "include_prs")))
        case ["commits", revision]:
            commits = [_commit_entry(commit) for commit in repository.history(revision)]
            answer = _paged(call.hub, call.request, commits, COMMITS_PAGE)
        case ["preupload", revision]:
            answer = json_answer(_preupload(repository, revision, json.loads(call.request.body)))
        case _:
            raise RefusedError(404, "", f"Not found: {call.request.path}")
    return answer


def _write(call: Call, repository: Repository, rest: list[str]) -> Answer:
    match rest:
        case ["commit", revision]:
            return json_answer(_commit(call, repository, revision))
        case ["tag" | "branch" as kind, name]:
            _require(call.account, "write", "Authorization error.")
            return _ref_changed(repository, kind, name, call.request)
        case ["settings"]:
            _require(call.account, "write", "Authorization error.")
            given = json.loads(call.request.body)
            repository.private = given.get("visibility") == "private" or given.get("private", False)
            return json_answer({})
    raise RefusedError(404, "", f"Not found: {call.request.method} {call.request.path}")


def _is_set(request: HubRequest, name: str) -> bool:
    return request.query.get(name, ["false"])[0].lower() in ("true", "1")


def _joined_ref(parts: list[str]) -> list[str]:
    """Put a pull request's ref together again where it came with its slashes unquoted."""
    if parts[:2] == ["refs", "pr"]:
        parts = ["/".join(parts[:3]), *parts[3:]]
    return parts


def _info(repository: Repository, revision: str, request: HubRequest) -> dict[str, Any]:
    commit = repository.commit_of(revision)
    siblings = []
    for path, kept in sorted(commit.files.items()):
        entry: dict[str, Any] = {"rfilename": path}
        if _is_set(request, "blobs"):
            entry |= {"size": len(kept.data), "blobId": kept.oid}
            if kept.is_lfs:
                described = kept.described(path)["lfs"]
                entry["lfs"] = {**described, "sha256": kept.sha256}
        siblings.append(entry)
    return {
        "_id": repository.id,
        "id": repository.id,
        "author": repository.id.partition("/")[0],
        "sha": commit.id,
        "private": repository.private,
        "gated": False,
        "disabled": False,
        "tags": [],
        "downloads": 0,
        "likes": 0,
        "lastModified": commit.date,
        "createdAt": next(iter(repository.commits.values())).date,
        "sdk": repository.sdk,
        "siblings": siblings,
    }


def _expanded(
    repository: Repository, revision: str, entries: list[dict[str, Any]], request: HubRequest
) -> list[dict[str, Any]]:
    """Return entries with the last commit of each, where that is wanted."""
    if not _is_set(request, "expand"):
        return entries
    commit = repository.commit_of(revision)
    expanded = []
    for entry in entries:
        last = repository.last_change(commit, entry["path"])
        kept = {"id": last.id, "title": last.title, "date": last.date}
        expanded.append({**entry, "lastCommit": kept})
    return expanded


def _paths_info(repository: Repository, revision: str, request: HubRequest) -> list[dict[str, Any]]:
    try:
        wanted = set(json.loads(request.body)["paths"])
    except ValueError:
        wanted = set(parse_qs(request.body.decode())["paths"])
    wanted = {path.rstrip("/") for path in wanted}
    entries = listing(repository.commit_of(revision).files, "", True)
    return [entry for entry in entries if entry["path"] in wanted]


def _refs(repository: Repository, with_pull_requests: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {"branches": [], "converts": [], "tags": []}
    if with_pull_requests:
        answer["pullRequests"] = []
    kinds = {"refs/heads/": "branches", "refs/tags/": "tags", "refs/pr/": "pullRequests"}
    for ref, commit in repository.refs.items():
        for begin, kind in kinds.items():
            if ref.startswith(begin) and kind in answer:
                entry = {"name": ref.removeprefix(begin), "ref": ref, "targetCommit": commit}
                answer[kind].append(entry)
    return answer


def _commit_entry(commit: Commit) -> dict[str, Any]:
    return {
        "id": commit.id,
        "title": commit.title,
        "message": commit.message,
        "authors": [{"user": commit.author}],
        "date": commit.date,
        "parents": list(commit.parents),
    }


def _preupload(repository: Repository, revision: str, given: dict[str, Any]) -> dict[str, Any]:
    files = repository.commit_of(revision).files
    answer = []
    for each in given["files"]:
        path = each["path"]
        mode = "lfs" if is_lfs(path, each["size"]) else "regular"
        remote = files[path].etag if path in files else None
        answer.append({"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": remote})
    return {"files": answer}


def _commit(call: Call, repository: Repository, revision: str) -> dict[str, Any]:
    header, *operations = [json.loads(line) for line in call.request.body.splitlines() if line]
    texts = (header["value"]["summary"], header["value"].get("description", ""))
    parent = header["value"].get("parentCommit")
    base = repository.commit_of(revision)
    page = call.hub.page(repository.repo_type, repository.id)
    discussion = _pull_request_of(repository, revision)
    if _is_set(call.request, "create_pr"):
        _require(call.account, "discuss", "Authorization error.")
        base = repository.commit_of(parent) if parent else base
        files = _files_after(repository, base.files, operations)
        discussion = repository.opened(texts[0], call.account.name, "open", base.id)
        repository.commented(discussion, texts[1] or texts[0], call.account.name)
    else:
        if discussion is None or discussion.author != call.account.name:
            message = "Forbidden: pass `create_pr=1` as a query parameter to create a Pull Request"
            _require(call.account, "write", message)
        if parent not in (None, base.id):
            raise RefusedError(
                412, "", "A commit has happened since. Please refresh and try again."
            )
        files = _files_after(repository, base.files, operations)
    ref = f"refs/heads/{revision}" if discussion is None else discussion.ref
    if ref not in repository.refs:
        raise RefusedError(400, "", f"{revision} is not a branch")
    commit = repository.changed(files, ref, texts, call.account.name)
    if discussion is not None:
        data = {"subject": texts[0], "oid": commit.id}
        repository.happened(discussion, "commit", call.account.name, data)
    return {
        "success": True,
        "commitOid": commit.id,
        "commitUrl": f"{page}/commit/{commit.id}",
        "hookOutput": "",
        "pullRequestUrl": f"{page}/discussions/{discussion.number}" if discussion else None,
    }


def _pull_request_of(repository: Repository, revision: str) -> Discussion | None:
    match = re.fullmatch(r"refs/pr/(\d+)", revision)
    return repository.discussion(int(match[1])) if match else None


def _files_after(
    repository: Repository, before: Mapping[str, Blob], operations: list[dict[str, Any]]
) -> dict[str, Blob]:
    values: dict[str, list[dict[str, Any]]] = {}
    for each in operations:
        values.setdefault(each["key"], []).append(each["value"])
    deleted = [each["path"] for each in values.get("deletedFile", ())]
    folders = [each["path"] for each in values.get("deletedFolder", ())]
    files: dict[str, Blob] = without(before, deleted, folders)
    for each in values.get("file", ()):
        files[each["path"]] = Blob(base64.b64decode(each["content"]), is_lfs=False)
    for each in values.get("lfsFile", ()):
        if each["oid"] not in repository.lfs:
            message = f"LFS pointer of {each['path']} points to a file that was not uploaded"
            raise RefusedError(400, "", message)
        files[each["path"]] = Blob(repository.lfs[each["oid"]], is_lfs=True)
    return files


def _ref_changed(repository: Repository, what: str, name: str, request: HubRequest) -> Answer:
    begin = "refs/tags/" if what == "tag" else "refs/heads/"
    if request.method == "DELETE":
        if repository.refs.pop(begin + name, None) is None:
            raise RefusedError(404, "RevisionNotFound", f"{what} {name} does not exist")
        return json_answer({})
    given = json.loads(request.body or b"{}")
    start, made = (name, given["tag"]) if what == "tag" else (given.get("startingPoint"), name)
    commit = repository.commit_of(start or "main")
    if begin + made in repository.refs:
        raise RefusedError(409, "", f"{what.capitalize()} reference exists already: {made}")
    repository.refs[begin + made] = commit.id
    return json_answer({})


def _read_discussions(call: Call, repository: Repository, rest: list[str]) -> Answer:
    if not rest:
        return json_answer(_discussion_list(repository, call.request))
    return json_answer(_discussion_details(repository, repository.discussion(int(rest[0]))))


def _write_discussion(call: Call, repository: Repository, rest: list[str]) -> Answer:
    _require(call.account, "discuss", "Authorization error.")
    given = json.loads(call.request.body or b"{}") or {}
    if not rest:
        base = repository.refs[MAIN] if given.get("pullRequest") else None
        status = "draft" if base else "open"
        made = repository.opened(given["title"], call.account.name, status, base)
        repository.commented(made, given.get("description", ""), call.account.name)
        page = call.hub.page(repository.repo_type, repository.id)
        return json_answer({"num": made.number, "url": f"{page}/discussions/{made.number}"})
    discussion = repository.discussion(int(rest[0]))
    match rest[1:]:
        case ["comment"]:
            if not 0 < len(given["comment"]) <= MOST_CHARACTERS:
                raise RefusedError(400, "", "A comment must have 1 to 65536 characters")
            event = repository.commented(discussion, given["comment"], call.account.name)
            return json_answer({"newMessage": event})
        case ["comment", event_id, "edit"]:
            event = discussion.comment(event_id)
            _require_own(event["author"]["name"], call.account)
            event = repository.edited(event, given["content"], call.account.name)
            return json_answer({"updatedComment": event})
        case ["merge"]:
            _require(call.account, "write", "Authorization error.")
            repository.merged(discussion, call.account.name)
            return json_answer({"success": True})
        case ["status" | "title" as what]:
            _require_own(discussion.author, call.account)
            return json_answer(
                _changed_discussion(repository, discussion, what, given, call.account)
            )
    raise RefusedError(404, "", f"Not found: {call.request.path}")


def _require_own(author: str, account: Account) -> None:
    if author != account.name:
        _require(account, "write", "Authorization error.")


def _changed_discussion(
    repository: Repository,
    discussion: Discussion,
    what: str,
    given: dict[str, Any],
    account: Account,
) -> dict[str, Any]:
    if what == "status":
        discussion.status = given["status"]
        data, kind, key = {"status": given["status"]}, "status-change", "newStatus"
    else:
        data, kind, key = (
            {"from": discussion.title, "to": given["title"]},
            "title-change",
            "newTitle",
        )
        discussion.title = given["title"]
    return {key: repository.happened(discussion, kind, account.name, data)}


def _discussion_list(repository: Repository, request: HubRequest) -> dict[str, Any]:
    wanted = {name: values[0] for name, values in request.query.items()}
    chosen = [
        each
        for each in reversed(repository.discussions)
        if wanted.get("type", "all") in ("all", _kind(each))
        and wanted.get("author", each.author) == each.author
        and wanted.get("status", "all") in ("all", _openness(each))
    ]
    start = 10 * int(wanted.get("p", 0))
    page = [_discussion(repository, each) for each in chosen[start : start + 10]]
    return {"discussions": page, "count": len(chosen), "start": start}


def _kind(discussion: Discussion) -> str:
    return "pull_request" if discussion.is_pull_request else "discussion"


def _openness(discussion: Discussion) -> str:
    return "open" if discussion.status in ("open", "draft") else "closed"


def _discussion(repository: Repository, discussion: Discussion) -> dict[str, Any]:
    return {
        "num": discussion.number,
        "title": discussion.title,
        "author": {"name": discussion.author},
        "createdAt": discussion.created,
        "status": discussion.status,
        "repo": {"name": repository.id, "type": repository.repo_type},
        "isPullRequest": discussion.is_pull_request,
    }


def _discussion_details(repository: Repository, discussion: Discussion) -> dict[str, Any]:
    answer = {**_discussion(repository, discussion), "events": discussion.events}
    if discussion.is_pull_request:
        answer["changes"] = {"base": MAIN}
        if discussion.merge_commit is not None:
            answer["changes"]["mergeCommitId"] = discussion.merge_commit
        answer["filesWithConflicts"] = repository.conflicts(discussion)
        answer["diff"] = ""
    return answer


def _resolved(call: Call) -> Answer:
    repository = _found(call)
    revision, *path = _joined_ref([unquote(part) for part in call.match["rest"].split("/")])
    commit = repository.commit_of(revision)
    kept = commit.files.get("/".join(path))
    headers = {"X-Repo-Commit": commit.id, "Accept-Ranges": "bytes"}
    if kept is None:
        headers |= {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"}
        return Answer(404, b"Entry not found", headers)
    headers |= {"ETag": f'"{kept.etag}"', "Content-Type": "application/octet-stream"}
    if kept.is_lfs:
        headers |= {"X-Linked-Etag": f'"{kept.etag}"', "X-Linked-Size": str(len(kept.data))}
        headers["Location"] = _storage(call.hub, repository, kept.sha256)
        return Answer(302, b"", headers)
    return Answer(200, kept.data, headers)


def _storage(hub: Hub, repository: Repository, sha256: str) -> str:
    """Return where a large file lies: on another host, which is shown no token."""
    host = hub.endpoint.replace("127.0.0.1", "localhost")
    return f"{host}/lfs/{repository.repo_type}s/{repository.id}/{sha256}"


def _lfs_batch(call: Call) -> Answer:
    repository = _found(call)
    _require(call.account, "discuss", "Authorization error.")
    objects = []
    for each in json.loads(call.request.body)["objects"]:
        entry = {"oid": each["oid"], "size": each["size"]}
        if each["oid"] not in repository.lfs:
            href = _storage(call.hub, repository, each["oid"])
            entry["actions"] = {"upload": {"href": href}, "verify": {"href": f"{href}/verify"}}
        objects.append(entry)
    return json_answer({"transfer": "basic", "objects": objects})


def _lfs(call: Call) -> Answer:
    """Keep or give a large file, at an address that is secret as a signed one of a bucket is."""
    lfs, sha = call.hub.repositories[call.match["type"], call.match["id"]].lfs, call.match["sha"]
    if call.request.authorized and not call.match["verify"]:
        raise RefusedError(400, "", "The storage was sent a token of the Hub")
    if call.request.method == "PUT":
        if Blob(call.request.body, is_lfs=True).sha256 != sha:
            raise RefusedError(400, "", "The content has another sha256")
        lfs[sha] = call.request.body
    elif sha not in lfs:
        raise RefusedError(404, "", "Object not found")
    elif call.request.method in ("GET", "HEAD"):
        return Answer(200, lfs[sha], {"ETag": f'"{sha}"', "Accept-Ranges": "bytes"})
    return json_answer({})


def _paged(hub: Hub, request: HubRequest, entries: list[Any], size: int) -> Answer:
    """Return a page of entries, with the address of the next in a Link header."""
    begin = int(request.query.get("cursor", ["0"])[0])
    end = begin + int(request.query.get("limit", [str(size)])[0])
    headers = {}
    if end < len(entries):
        kept = {name: each[0] for name, each in request.query.items() if name != "cursor"}
        query = "&".join(f"{name}={value}" for name, value in (kept | {"cursor": end}).items())
        headers["Link"] = f'<{hub.endpoint}{request.path}?{query}>; rel="next"'
    return json_answer(entries[begin:end], 200, headers)


def refusal(error: RefusedError) -> Answer:
    """Return the answer that tells an error."""
    headers = {"X-Error-Message": error.message}
    if error.code:
        headers["X-Error-Code"] = error.code
    return json_answer({"error": error.message}, error.status, headers)


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer of JSON."""
    made = {"Content-Type": "application/json", **(headers or {})}
    return Answer(status, json.dumps(value).encode(), made)


def _job(call: Call) -> Answer:
    """Take note of a Job, a scheduled Job or a webhook, and run none."""
    _require(call.account, "write", "Authorization error.")
    given = json.loads(call.request.body)
    call.hub.jobs.append(given)
    made: dict[str, Any] = {
        "id": f"{len(call.hub.jobs):024x}",
        "createdAt": "2026-01-01T00:00:00.000Z",
        "owner": {"id": "1", "name": call.account.name, "type": "user"},
        "status": {"stage": "RUNNING"},
    }
    if call.request.path == "/api/settings/webhooks":
        return json_answer({"webhook": {**made, **given, "disabled": False}})
    if "jobSpec" in given:
        return json_answer({**made, **given, "status": {}})
    return json_answer({**given, **made})


_TYPE = "(?P<type>model|dataset|space)s/"
_ID = "(?P<id>[^/]+/[^/]+)"
_ROUTES: Mapping[str, Callable[[Call], Answer]] = {
    "/api/whoami-v2": _whoami,
    "/api/validate-yaml": _card_checked,
    "/api/(jobs|scheduled-jobs)/[^/]+|/api/settings/webhooks": _job,
    "/api/repos/(?P<what>create|delete)": _create_or_delete,
    f"/api/{_TYPE}{_ID}(/(?P<rest>.*))?": _repository_call,
    f"/lfs/{_TYPE}{_ID}/(?P<sha>[0-9a-f]+)(?P<verify>/verify)?": _lfs,
    f"/({_TYPE})?{_ID}/resolve/(?P<rest>.*)": _resolved,
    f"/({_TYPE})?{_ID}[.]git/info/lfs/objects/batch": _lfs_batch,
}
"""Functions that answer each path, percent-encoded as it came."""
