"""Send a kept forecaster to the Hub, where everybody may load it."""

from pathlib import Path
from tempfile import TemporaryDirectory

from bagen_data.forecasters.kept.forecaster_files import forecaster_files
from bagen_data.forecasters.kept.kept_forecaster import KeptForecaster
from bagen_data.repositories.hub_repository import check_repository_id
from bagen_data.repositories.publishing import Publication, PublishedRepository, publish


def push(
    kept: KeptForecaster, repository: str, message: str, *, private: bool, create_pr: bool
) -> PublishedRepository:
    """Give a model repository the files of a forecaster, by one commit; files of others stay.

    Args:
        kept: the forecaster.
        repository: ORG/NAME; it is created where it does not exist.
        message: first line of the commit's message.
        private: whether a repository that is created is private.
        create_pr: whether a pull request is opened and the branch `main` left alone.

    Raises:
        WrongUsageError: `repository` is not an id.
        InputError: a part cannot be kept, the token is missing, or the Hub refuses.
        StoreError: the Hub does not answer.
    """
    check_repository_id("repository", repository)
    files = forecaster_files(kept)
    with TemporaryDirectory(prefix="bagen-") as folder:
        paths = {name: Path(folder, name) for name in files}
        for name, content in files.items():
            paths[name].write_bytes(content)
        return publish(
            Publication(
                repository,
                paths,
                message,
                kind="model",
                private=private,
                create_pr=create_pr,
            )
        )
