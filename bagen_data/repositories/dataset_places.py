"""Places of datasets: where the files of a dataset lie that a name says."""

from bagen_data.locations import HubPath, ReadLocation, parse_location
from bagen_data.repositories.dataset_names import check_folder, parse_dataset
from bagen_data.repositories.revisions import commit_of


def locate(dataset: str, token: str | bool | None = None) -> ReadLocation:
    """Return the folder, URL or commit that a dataset's files are read from.

    Args:
        dataset: a folder, a URL, `ORG/NAME` or `ORG/NAME@REV`.
        token: for the Hub; as huggingface_hub takes it.

    Raises:
        InputError: there is no such folder, dataset or revision, or it may not be read.
        WrongUsageError: a folder is of another revision than its name says.
        StoreError: the Hub does not answer.
    """
    name = parse_dataset(dataset)
    if name.is_on_hub:
        return HubPath(name.place, commit_of(name.place, name.revision, token))
    folder = parse_location(name.place)
    if name.revision is not None:
        check_folder(folder, name.revision)
    return folder


def pinned(dataset: str) -> str:
    """Return the name of a dataset that goes on to name the same rows: of the Hub, a commit's.

    Raises:
        as `locate`.
    """
    return dataset_name(locate(dataset))


def dataset_name(place: ReadLocation) -> str:
    """Return the name that a place has as a dataset; `ORG/NAME@COMMIT` of a commit."""
    return f"{place.repository}@{place.commit}" if isinstance(place, HubPath) else str(place)
