"""The files of the metric's Space: card, page, module, and the wheel that they need.

`evaluate.load("ORG/NAME")` loads the module NAME.py. A Space installs what requirements.txt names
when it has nothing else of the repository yet, so the wheel is named by its address there.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from bagen_data.errors import InputError, WrongUsageError
from bagen_data.published import METRIC_ID
from bagen_data.repositories.hub_repository import HubRepository
from bagen_data.repositories.publishing import Publication
from bagen_data.versions import __version__

_REPO = Path(__file__).parents[1]
_SOURCE = Path(__file__).parent / "bagen"
_LOADED = re.compile(rf'"(?:metrics/bagen|{re.escape(METRIC_ID)})"')
"""The name of the metric in texts that load it, in a clone or by its own id."""
_MODULE = re.compile(r"[A-Za-z0-9_-]+")
_PACKAGE = re.compile(r"^(bagen-data\[metric\]).*$", re.MULTILINE)
_WHEEL = re.compile(r"bagen_data-[^/]+\.whl")
_PACKAGED = (".json", ".py", ".txt", ".typed", ".yaml")
"""Suffixes of the package's files."""
_SHIPPED = re.compile(r"bagen_data/demo/dataset/.*\.(?:jsonl|md|parquet)")
"""Files of the dataset that ships in the package."""


@dataclass(frozen=True)
class MetricSpace:
    """The files of a Space, in a folder that lasts as long as a block."""

    id: str
    folder: Path

    def publication(
        self,
        *,
        tag: str | None = None,
        private: bool = False,
        create_pr: bool = False,
        dry_run: bool = False,
    ) -> Publication:
        """Return the publication of the Space."""
        files = {path.name: path for path in sorted(self.folder.iterdir())}
        return Publication(
            repository=self.id,
            files=files,
            message=f"Publish the metric of bagen-data {__version__}",
            is_ours=lambda path: bool(_WHEEL.fullmatch(path)),
            kind="space",
            space_sdk="gradio",
            private=private,
            tag=tag,
            create_pr=create_pr,
            dry_run=dry_run,
        )


@contextmanager
def metric_space(space_id: str) -> Iterator[MetricSpace]:
    """Give the files of the metric's Space, in a folder that is gone after the block.

    Args:
        space_id: ORG/NAME.

    Raises:
        WrongUsageError: NAME cannot be the name of a module.
        InputError: the wheel cannot be built.
    """
    name = check_module_name(space_id)
    with TemporaryDirectory(prefix="bagen-metric-") as made:
        folder = Path(made)
        wheel = _build_wheel(folder)
        texts = {"README.md": "README.md", "app.py": "app.py", "bagen.py": f"{name}.py"}
        for source, target in texts.items():
            text = (_SOURCE / source).read_text(encoding="utf-8")
            (folder / target).write_text(_LOADED.sub(f'"{space_id}"', text), "utf-8")
        needed = (_SOURCE / "requirements.txt").read_text(encoding="utf-8")
        page = HubRepository(space_id, "space").address
        (folder / "requirements.txt").write_text(requirements(needed, page, wheel), "utf-8")
        yield MetricSpace(space_id, folder)


def check_module_name(space_id: str) -> str:
    """Return the name of the module of a Space.

    Raises:
        WrongUsageError: it is not a name that `evaluate` can import.
    """
    name = space_id.rpartition("/")[2]
    if not _MODULE.fullmatch(name) or name == "app":
        raise WrongUsageError(
            f"--to {space_id}: evaluate loads the module {name}.py of this Space, which cannot be "
            "imported; give a name of letters, digits, - and _, such as bagen"
        )
    return name


def requirements(text: str, page: str, wheel: str) -> str:
    r"""Return the content of requirements.txt, with the package as a wheel of the Space.

    Args:
        text: the content that names a release.
        page: address of the Space.
        wheel: name of the wheel.

    >>> page = "https://huggingface.co/spaces/ORG/NAME"
    >>> print(requirements("bagen-data[metric]>=1\nnumpy\n", page, "b-1.whl"), end="")
    bagen-data[metric] @ https://huggingface.co/spaces/ORG/NAME/resolve/main/b-1.whl
    numpy
    """
    address = f"{page}/resolve/main/{wheel}"
    return _PACKAGE.sub(lambda match: f"{match[1]} @ {address}", text)


def _build_wheel(folder: Path) -> str:
    """Build the wheel of bagen_data into a folder, and return its name; no network is needed.

    Raises:
        InputError: it cannot be built, or would have a file that is not of the package.
    """
    try:
        import hatchling  # noqa: F401  a subprocess runs it
    except ModuleNotFoundError as error:
        raise InputError(
            "hatchling, which builds the wheel, is not installed; run: pip install hatchling"
        ) from error
    done = subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=_REPO,
        capture_output=True,
        text=True,
        check=False,
    )
    wheels = [path.name for path in folder.glob("*.whl")]
    if done.returncode or len(wheels) != 1:
        raise InputError(f"{_REPO}: its wheel cannot be built:\n{done.stderr.strip()[-2000:]}")
    with ZipFile(folder / wheels[0]) as archive:
        names = [name for name in archive.namelist() if name.startswith("bagen_data/")]
    foreign = [name for name in names if not name.endswith(_PACKAGED)]
    if foreign := [name for name in foreign if not _SHIPPED.fullmatch(name)]:
        raise InputError(
            f"{_REPO}: {foreign[0]} is not a file of the package, and a wheel would publish it; "
            "move it elsewhere"
        )
    return wheels[0]
