"""Repositories as the Hub keeps them: commits, branches, tags, pull requests, discussions.

Nothing here knows of HTTP: `tests/loopback_hub.py` answers requests from these.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any

LFS_SUFFIXES = (".parquet", ".whl", ".gz", ".bin", ".zip", ".safetensors")
"""Ends of names that the Hub's `.gitattributes` sends to large file storage."""
LFS_SIZE = 10 * 1024 * 1024
"""Bytes above which any file goes to large file storage."""
MAIN = "refs/heads/main"
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class RefusedError(Exception):
    """An answer of the Hub that is an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True)
class Blob:
    """A file's content, as one commit has it."""

    data: bytes
    is_lfs: bool
    oid: str = field(init=False)
    """Git's id of the file; of its pointer where it lies in large file storage."""
    sha256: str = field(init=False)
    pointer: bytes = field(init=False, repr=False)
    """The text that Git keeps in place of a file of large file storage."""

    def __post_init__(self) -> None:
        sha256 = hashlib.sha256(self.data).hexdigest()
        pointer = (
            f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\n"
            f"size {len(self.data)}\n"
        ).encode()
        kept = pointer if self.is_lfs else self.data
        object.__setattr__(self, "sha256", sha256)
        object.__setattr__(self, "pointer", pointer)
        object.__setattr__(self, "oid", git_id(b"blob", kept))

    @property
    def etag(self) -> str:
        """Name of the content in the cache of a client."""
        return self.sha256 if self.is_lfs else self.oid

    def described(self, path: str) -> dict[str, Any]:
        """Return the entry of a listing."""
        entry: dict[str, Any] = {
            "type": "file",
            "path": path,
            "size": len(self.data),
            "oid": self.oid,
        }
        if self.is_lfs:
            entry["lfs"] = {
                "oid": self.sha256,
                "size": len(self.data),
                "pointerSize": len(self.pointer),
            }
        return entry


@dataclass(frozen=True)
class Commit:
    """A state of all files of a repository."""

    id: str
    parents: tuple[str, ...]
    files: Mapping[str, Blob]
    title: str
    message: str
    author: str
    date: str


@dataclass
class Discussion:
    """A discussion or a pull request, with what happened in it."""

    number: int
    title: str
    author: str
    is_pull_request: bool
    status: str
    created: str
    base: str = ""
    """Id of the commit that a pull request began from."""
    merge_commit: str | None = None
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ref(self) -> str:
        """Name of the pull request's branch."""
        return f"refs/pr/{self.number}"

    def comment(self, event_id: str) -> dict[str, Any]:
        """Return the event of a comment."""
        for event in self.events:
            if event["id"] == event_id and event["type"] == "comment":
                return event
        raise RefusedError(404, "", "Comment not found")

    @property
    def comments(self) -> list[str]:
        """The text of each comment, as it was last edited."""
        return [
            event["data"]["latest"]["raw"] for event in self.events if event["type"] == "comment"
        ]


@dataclass
class Repository:
    """A repository with its whole history, whose newest state is `main`."""

    repo_type: str
    id: str
    private: bool = False
    sdk: str | None = None
    commits: dict[str, Commit] = field(default_factory=dict)
    """Every commit by its id, oldest first."""
    refs: dict[str, str] = field(default_factory=dict)
    """The commit of each `refs/heads/...`, `refs/tags/...` and `refs/pr/...`."""
    lfs: dict[str, bytes] = field(default_factory=dict)
    """Contents of large file storage, by their sha256."""
    discussions: list[Discussion] = field(default_factory=list)
    moments: int = 0
    """Things that have happened: each is a second after the last."""

    def now(self) -> str:
        """Return the next moment, as the Hub writes it."""
        self.moments += 1
        return f"{_BEGIN + timedelta(seconds=self.moments):%Y-%m-%dT%H:%M:%S}.000Z"

    def commit_of(self, revision: str) -> Commit:
        """Return the commit of a branch, a tag, a pull request's ref or a full id."""
        for ref in (f"refs/heads/{revision}", f"refs/tags/{revision}", revision):
            if ref in self.refs:
                return self.commits[self.refs[ref]]
        if revision in self.commits:
            return self.commits[revision]
        raise RefusedError(404, "RevisionNotFound", f"Invalid rev id: {revision}")

    def history(self, revision: str) -> list[Commit]:
        """Return a commit and all before it, newest first."""
        waiting, reached = [self.commit_of(revision).id], set()
        while waiting:
            commit = self.commits[waiting.pop()]
            if commit.id not in reached:
                reached.add(commit.id)
                waiting += commit.parents
        return [commit for commit in reversed(self.commits.values()) if commit.id in reached]

    def last_change(self, commit: Commit, path: str) -> Commit:
        """Return the newest commit of a branch that changed a file, or anything in a folder."""
        while commit.parents:
            before = self.commits[commit.parents[0]]
            if _below(before.files, path) != _below(commit.files, path):
                break
            commit = before
        return commit

    def changed(
        self, files: Mapping[str, Blob], ref: str, texts: Sequence[str], author: str
    ) -> Commit:
        """Put a commit with exactly these files on a branch."""
        parents = (self.refs[ref],) if ref in self.refs else ()
        return self.committed(files, ref, parents, texts, author)

    def committed(
        self,
        files: Mapping[str, Blob],
        ref: str,
        parents: tuple[str, ...],
        texts: Sequence[str],
        author: str,
    ) -> Commit:
        """Put a commit with these files and parents at the end of a branch."""
        title, message = texts
        date = self.now()
        tree = sorted((path, blob.oid) for path, blob in files.items())
        made = json.dumps([self.repo_type, self.id, parents, tree, title, message, author, date])
        commit = Commit(
            git_id(b"commit", made.encode()), parents, dict(files), title, message, author, date
        )
        self.commits[commit.id] = commit
        self.refs[ref] = commit.id
        self.lfs |= {blob.sha256: blob.data for blob in files.values() if blob.is_lfs}
        return commit

    def opened(self, title: str, author: str, status: str, base: str | None) -> Discussion:
        """Open a discussion; a pull request where a commit to begin from is given."""
        made = Discussion(
            len(self.discussions) + 1,
            title,
            author,
            base is not None,
            status,
            self.now(),
            base or "",
        )
        if base is not None:
            self.refs[made.ref] = base
        self.discussions.append(made)
        return made

    def discussion(self, number: int) -> Discussion:
        """Return a discussion by its number."""
        if not 1 <= number <= len(self.discussions):
            raise RefusedError(404, "", "Discussion not found")
        return self.discussions[number - 1]

    def happened(
        self, discussion: Discussion, kind: str, author: str, data: dict[str, Any]
    ) -> dict[str, Any]:
        """Add an event to a discussion."""
        date = self.now()
        named = f"{self.id} {discussion.number} {len(discussion.events)}".encode()
        event = {
            "id": git_id(b"event", named)[:24],
            "type": kind,
            "createdAt": date,
            "author": {"name": author},
            "data": data,
        }
        discussion.events.append(event)
        return event

    def commented(self, discussion: Discussion, text: str, author: str) -> dict[str, Any]:
        """Add a comment."""
        latest = {"raw": text, "html": text, "updatedAt": self.now(), "author": {"name": author}}
        data = {"edited": False, "hidden": False, "latest": latest, "history": []}
        return self.happened(discussion, "comment", author, data)

    def edited(self, event: dict[str, Any], text: str, author: str) -> dict[str, Any]:
        """Replace a comment's text; what it was stays in its history."""
        data = event["data"]
        data["history"].append(data["latest"])
        data["edited"] = True
        data["latest"] = {
            "raw": text,
            "html": text,
            "updatedAt": self.now(),
            "author": {"name": author},
        }
        return event

    def conflicts(self, discussion: Discussion) -> list[str]:
        """Return the paths that main and a pull request have both changed, differently."""
        base, ours, theirs = self._sides(discussion)
        changed = _changes(base, theirs)
        return [
            path
            for path in _changes(base, ours)
            if path in changed and ours.get(path) != theirs.get(path)
        ]

    def merged(self, discussion: Discussion, author: str) -> Commit:
        """Put what a pull request changes on main, beside what main has changed since."""
        if discussion.status not in ("open", "draft"):
            raise RefusedError(400, "", f"This pull request is {discussion.status}")
        if conflicts := self.conflicts(discussion):
            raise RefusedError(409, "", f"This pull request conflicts in {', '.join(conflicts)}")
        base, files, theirs = self._sides(discussion)
        for path in _changes(base, theirs):
            files.pop(path, None)
            if path in theirs:
                files[path] = theirs[path]
        texts = (f"{discussion.title} (#{discussion.number})", "")
        parents = (self.refs[MAIN], self.refs[discussion.ref])
        commit = self.committed(files, MAIN, parents, texts, author)
        discussion.status, discussion.merge_commit = "merged", commit.id
        self.happened(discussion, "status-change", author, {"status": "merged"})
        return commit

    def _sides(self, discussion: Discussion) -> list[dict[str, Blob]]:
        ids = (discussion.base, self.refs[MAIN], self.refs[discussion.ref])
        return [dict(self.commits[each].files) for each in ids]


@dataclass
class Hub:
    """Every repository of a Hub."""

    endpoint: str = ""
    repositories: dict[tuple[str, str], Repository] = field(default_factory=dict)
    """Each repository by its type and id."""
    lock: Any = field(default_factory=RLock)
    """Held while a request is answered."""
    jobs: list[dict[str, Any]] = field(default_factory=list)
    """Specifications of Jobs, scheduled Jobs and webhooks, as they were asked for."""

    def repository(
        self,
        repo_id: str,
        repo_type: str = "dataset",
        *,
        private: bool = False,
        sdk: str | None = None,
    ) -> Repository:
        """Return a repository, made with the Hub's first commit where it does not exist."""
        with self.lock:
            made = self.repositories.get((repo_type, repo_id))
            if made is None:
                made = Repository(repo_type, repo_id, private, sdk)
                first = {".gitattributes": b"*.parquet filter=lfs diff=lfs merge=lfs -text\n"}
                if repo_type == "space":
                    first["README.md"] = f"---\ntitle: {repo_id}\nsdk: {sdk}\n---\n".encode()
                files = {path: blob(path, data) for path, data in first.items()}
                made.changed(files, MAIN, ("initial commit", ""), "maintainer")
                self.repositories[repo_type, repo_id] = made
            return made

    def page(self, repo_type: str, repo_id: str) -> str:
        """Return the address of a repository's page."""
        prefix = "" if repo_type == "model" else f"{repo_type}s/"
        return f"{self.endpoint}/{prefix}{repo_id}"


def blob(path: str, data: bytes) -> Blob:
    """Return a file as the Hub would keep it: its name and size decide how."""
    return Blob(data, is_lfs(path, len(data)))


def is_lfs(path: str, size: int) -> bool:
    """Return whether the Hub wants a file in large file storage."""
    return size > 0 and (path.endswith(LFS_SUFFIXES) or size > LFS_SIZE)


def git_id(kind: bytes, data: bytes) -> str:
    """Return the id that Git gives to an object."""
    return hashlib.sha1(b"%s %d\0" % (kind, len(data)) + data, usedforsecurity=False).hexdigest()


def listing(files: Mapping[str, Blob], below: str, recursive: bool) -> list[dict[str, Any]]:
    """Return the entries of a folder ("" for all), folders included."""
    begin = f"{below}/" if below else ""
    entries: dict[str, dict[str, Any]] = {}
    for path in sorted(files):
        if not path.startswith(begin):
            continue
        parts = path.removeprefix(begin).split("/")
        for depth in range(1, len(parts)):
            folder = begin + "/".join(parts[:depth])
            entry = {"type": "directory", "path": folder, "oid": git_id(b"tree", folder.encode())}
            if depth == 1 or recursive:
                entries.setdefault(folder, {**entry, "size": 0})
        if len(parts) == 1 or recursive:
            entries[path] = files[path].described(path)
    if below and not entries:
        raise RefusedError(404, "EntryNotFound", f"{below} does not exist")
    return list(entries.values())


def without(files: Mapping[str, Blob], paths: Iterable[str], folders: Iterable[str]) -> Any:
    """Return the files that are left when some are deleted."""
    left = dict(files)
    for path in paths:
        if path not in left:
            raise RefusedError(404, "EntryNotFound", "A file with this name doesn't exist")
        del left[path]
    for folder in folders:
        begin = folder.rstrip("/") + "/"
        left = {path: kept for path, kept in left.items() if not path.startswith(begin)}
    return left


def _below(files: Mapping[str, Blob], path: str) -> dict[str, Blob]:
    return {
        each: kept for each, kept in files.items() if each == path or each.startswith(f"{path}/")
    }


def _changes(before: Mapping[str, Blob], after: Mapping[str, Blob]) -> list[str]:
    return [path for path in {**before, **after} if before.get(path) != after.get(path)]
