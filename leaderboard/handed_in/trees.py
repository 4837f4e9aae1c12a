"""The files of the repository of submissions at one commit, as the Hub lists them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from bagen_data.repositories.hub_repository import MAIN, HubRepository
from bagen_data.repositories.hub_requests import ask
from bagen_data.repositories.repository_files import RemoteFile

_MOST_ENTRIES = 1_000
"""Files and folders that a commit may have beyond those of the one that it is compared with."""
_FIRST_ENTRIES = 1_000_000
"""Files and folders that the branch `main` may have."""
_MOST_TREES = 8
"""Listings that are kept at a time."""


@dataclass(frozen=True)
class Tree:
    """The files and the folders of one commit."""

    files: Mapping[str, RemoteFile]
    """The files of the commit, by path."""
    folders: frozenset[str]
    """Paths that are listed as folders."""
    is_whole: bool
    """True if the listing of the commit was read to its end."""

    def without_files(self) -> set[str]:
        """Return the folders without a file; links to other repositories are listed so."""
        return set(self.folders - _parents(self.files))

    def below(self, folder: str) -> dict[str, RemoteFile]:
        """Return the files of a folder, by their path in it."""
        start = f"{folder}/"
        return {
            path.removeprefix(start): file
            for path, file in self.files.items()
            if path.startswith(start)
        }


class SubmissionsRepository:
    """The repository of submissions: its branch, and the pull requests to it.

    Args:
        repository: the repository.
    """

    def __init__(self, repository: HubRepository) -> None:
        self.hub = repository
        self._main_commits: tuple[str, frozenset[str]] = ("", frozenset())
        self._trees: dict[str, Tree] = {}

    @cached_property
    def user(self) -> str:
        """The name of the token's user."""
        name: str = ask(self.hub.api.whoami, self.hub.id)["name"]
        return name

    def main(self) -> str:
        """Return the newest commit of the branch `main`."""
        return self.hub.commit_of(MAIN)

    def merge_base(self, commit: str) -> str | None:
        """Return the newest commit of `main` that a commit comes after, or None."""
        own = self._commits(commit)
        main = self.main()  # asked after the commits of the pull request, so that it has their base
        if main != self._main_commits[0]:
            self._main_commits = (main, frozenset(self._commits(main)))
        return next((each for each in own if each in self._main_commits[1]), None)

    def _commits(self, commit: str) -> list[str]:
        listed = ask(
            lambda: self.hub.api.list_repo_commits(
                self.hub.id, repo_type=self.hub.kind, revision=commit
            ),
            self.hub.id,
        )
        return [each.commit_id for each in listed]

    def tree_of_main(self, commit: str) -> Tree:
        """Return the files of a commit of `main`."""
        if commit not in self._trees:
            if len(self._trees) >= _MOST_TREES:
                self._trees.clear()
            self._trees[commit] = self._tree(commit, _FIRST_ENTRIES)
        return self._trees[commit]

    def tree_near(self, commit: str, base: Tree) -> Tree:
        """Return the files of another commit, listed up to some more than those of `base`."""
        return self._tree(commit, len(base.files) + len(base.folders) + _MOST_ENTRIES)

    def _tree(self, commit: str, most: int) -> Tree:
        return ask(lambda: self._listed(commit, most), self.hub.id)

    def _listed(self, commit: str, most: int) -> Tree:
        from huggingface_hub import RepoFile

        files: dict[str, RemoteFile] = {}
        folders: set[str] = set()
        for entry in self.hub.api.list_repo_tree(
            self.hub.id, recursive=True, revision=commit, repo_type=self.hub.kind
        ):
            if len(files) + len(folders) >= most:
                return Tree(files, frozenset(folders), is_whole=False)
            if isinstance(entry, RepoFile):
                sha256 = entry.lfs and entry.lfs.sha256
                files[entry.path] = RemoteFile(entry.size, entry.blob_id, sha256)
            else:
                folders.add(entry.path)
        return Tree(files, frozenset(folders), is_whole=True)


def _parents(paths: Iterable[str]) -> set[str]:
    """Return the folders that paths lie in.

    >>> sorted(_parents(["a/b/c", "d"]))
    ['a', 'a/b']
    """
    parents = set()
    for path in paths:
        parts = path.split("/")
        parents |= {"/".join(parts[:depth]) for depth in range(1, len(parts))}
    return parents
