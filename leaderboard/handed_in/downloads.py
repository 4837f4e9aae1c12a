"""Files of the repository of submissions: downloaded, and compared with what the Hub lists."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bagen_data.errors import InputError
from bagen_data.repositories.handing_in import SUBMISSIONS
from bagen_data.repositories.hub_repository import HubRepository
from bagen_data.repositories.hub_requests import ask, status_of
from bagen_data.repositories.repository_files import RemoteFile, hash_file


class OtherContentError(InputError):
    """A file with another content than the Hub lists."""


@dataclass(frozen=True)
class Downloads:
    """Downloads of plain files of one commit, which are read and not run.

    Its methods raise OtherContentError where a file is another one than was listed, InputError
    where the Hub refuses, and StoreError where it does not answer.
    """

    repository: HubRepository
    commit: str
    """The whole id of the commit."""
    cache: Path | None = None
    """Folder of the downloaded files; that of huggingface_hub if None."""
    by_git: set[str] = field(default_factory=set)
    """Files listed by their git hash. A server that lists no file so has hashes of its own, and the
    client then names a copy by the listed id."""

    def file(self, path: str, remote: RemoteFile) -> Path:
        """Download a file, given its path in the repository and how it was listed."""
        other = OtherContentError(
            f"{self.repository.id}: {path} arrived with another content than commit {self.commit} "
            "lists; run again"
        )
        try:
            local_path = ask(lambda: self._downloaded(path), self.repository.id)
        except OSError as error:  # of the client, where a file has another size than was announced
            if status_of(error) is not None:
                raise
            raise other from error
        local = hash_file(local_path)
        if local.is_same(remote):
            self.by_git.update({path} if remote.sha256 is None else ())
        elif self.by_git or not remote.may_be(local) or local_path.name != remote.blob_id:
            local_path.unlink(missing_ok=True)  # else it would be taken from the cache again
            raise other
        return local_path

    def _downloaded(self, path: str) -> Path:
        local = self.repository.api.hf_hub_download(
            self.repository.id,
            path,
            repo_type=self.repository.kind,
            revision=self.commit,
            cache_dir=None if self.cache is None else str(self.cache),
        )
        return Path(local).resolve()

    def submission(self, name: str, files: Mapping[str, RemoteFile], target: Path) -> Path:
        """Copy the files of one submission into a folder, and return the path of its own there.

        Args:
            name: the name of the submission's folder, which `check_name` accepts.
            files: the files by name, which lie in the folder itself.
            target: the folder that the submission's is made in.

        Raises:
            OSError: a file cannot be written.
        """
        folder = target / name
        folder.mkdir(parents=True)
        for file, remote in sorted(files.items()):
            shutil.copyfile(self.file(f"{SUBMISSIONS}/{name}/{file}", remote), folder / file)
        return folder
