"""Places of datasets: where the files of a dataset lie that a name says."""

from bagen_data.errors import InputError, StoreError
from bagen_data.locations import HubPath, ReadLocation, parse_location
from bagen_data.repositories.dataset_names import DatasetName, check_folder, parse_dataset
from bagen_data.repositories.hub_requests import status_of
from bagen_data.repositories.revisions import cached_commit, commit_of
from bagen_data.wording import in_a_clone

_FROM_THE_CACHE = "with HF_HUB_OFFLINE=1, what was read before is read from the cache"
_WITHOUT_THE_HUB = (
    "without the Hub, 'bagen demo' tries the tools on a sample in the package, and "
    f"{in_a_clone('python -m builders build')}, writes a folder to give in its place"
)


def locate(dataset: str, token: str | bool | None = None) -> ReadLocation:
    """Return the folder, URL or commit that a dataset's files are read from.

    Args:
        dataset: a folder, a URL, `ORG/NAME` or `ORG/NAME@REV`.
        token: for the Hub; as huggingface_hub takes it.

    Raises:
        InputError: no such folder, dataset or revision exists, or it may not be read.
        WrongUsageError: a folder is of another revision than its name says.
        StoreError: the Hub does not answer.
    """
    name = parse_dataset(dataset)
    if name.is_on_hub:
        return HubPath(name.place, _commit_of(name, token))
    folder = parse_location(name.place)
    if name.revision is not None:
        check_folder(folder, name.revision)
    return folder


def _commit_of(name: DatasetName, token: str | bool | None) -> str:
    """Return the commit that the name of a dataset on the Hub says.

    Raises:
        as `locate`; where the dataset cannot be reached, the message says what works without it.
    """
    try:
        return commit_of(name.place, name.revision, token)
    except StoreError as error:
        is_kept = cached_commit(name.place, name.revision) is not None
        to_do = _FROM_THE_CACHE if is_kept else _WITHOUT_THE_HUB
        raise StoreError(f"{error}; {_no_folder(name)}; {to_do}") from error
    except InputError as error:
        if error.__cause__ is None or status_of(error.__cause__) is None:
            raise  # it is there, and has no such revision
        raise InputError(f"{error}; {_no_folder(name)}; {_WITHOUT_THE_HUB}") from error


def _no_folder(name: DatasetName) -> str:
    """Say that a name was also looked for as a folder: `out/demo` may be meant as one."""
    return f"no folder {name.place} exists here either"


def pinned(dataset: str) -> str:
    """Return the name of a dataset that goes on to name the same rows: of the Hub, a commit's.

    Raises:
        as `locate`.
    """
    return dataset_name(locate(dataset))


def dataset_name(place: ReadLocation) -> str:
    """Return the name that a place has as a dataset; `ORG/NAME@COMMIT` of a commit."""
    return f"{place.repository}@{place.commit}" if isinstance(place, HubPath) else str(place)
