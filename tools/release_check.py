"""Build the package, check what is in it, and use it as somebody does who installs it.

    make release-check               of the code as it is
    make release-check TAG=v1.2.0    also whether this tag may be put on it

The wheel is built from the source distribution, both hold exactly the files that they should, and
twine checks how an index will show them. Then the wheel is installed with its default dependencies
in an environment of its own, where the commands of README.md, and of the pages that
go on from it, run from an empty folder. The Hub is
one on this machine, with a dataset of the bundled rollouts under the published id. The two
distributions stay in `OUT/dist`.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bagen_data.published import CODE_PAGE, HUB_ID, SUBMISSIONS_ID
from bagen_data.versions import __version__
from tests.loopback_hub import LoopbackHub, loopback_hub
from tools.readme_commands import PAGES, Command, commands_of, fitted, tags_of

REPO = Path(__file__).resolve().parents[1]
CHECKERS = ("build==1.6.1", "twine==7.0.0")
"""Packages that build and check a distribution."""
BESIDE_THE_PACKAGE = {
    *(".gitignore", "CHANGELOG.md", "CITATION.cff", "LICENSE", "PKG-INFO", "README.md"),
    *("pyproject.toml", "tools/package_page.py"),
}
"""Files of a source distribution beside the package."""
METADATA = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
"""Files of a wheel's `.dist-info`."""
EXTRA = re.compile(r"pip install 'bagen-data\[[a-z,-]+\]'")
"""The end of a message about a package that is not installed."""


@dataclass(frozen=True)
class WheelEnvironment:
    """An environment with the wheel, and the folder where its commands run."""

    root: Path
    """The folder of the environment."""
    place: Path
    """The folder where commands run, empty at first."""
    dataset: Path
    """The folder of a built dataset."""
    hub: LoopbackHub
    """The Hub that commands ask, which has this dataset."""

    def sample_id(self) -> str:
        """Return the name of a sample of Sokoban, once its predictions are in `sokoban`."""
        first_line, *_ = (self.place / "sokoban/predictions.jsonl").read_text().splitlines()
        return str(json.loads(first_line)["sample_id"])

    def run(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a command as a person does who has nothing but the wheel."""
        home = self.place.parent / "home"
        asking = self.hub.environment(home, "hf_write")
        kept = {
            name: asking[name] for name in asking if name.startswith(("HF_", "LANG", "NO_PROXY"))
        }
        path = os.pathsep.join([str(self.root / "bin"), os.defpath])
        return subprocess.run(
            words,
            cwd=self.place,
            env={**kept, "HOME": str(home), "PATH": path},
            executable=str(self.root / "bin" / words[0]),
            capture_output=True,
            text=True,
            check=False,
        )


def main() -> None:
    """Check a release, and end with exit code 1 at the first thing that is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="Folder for everything made here.")
    parser.add_argument("--tag", default="", help="Tag that is to be put on the code.")
    parser.add_argument("--python", default=sys.executable, help="Python to install the wheel in.")
    options = parser.parse_args()
    if options.tag:
        check_tag(options.tag)
    shutil.rmtree(options.out, ignore_errors=True)
    source, wheel = distributions(options.out.resolve())
    check_files(source, wheel)
    with tempfile.TemporaryDirectory() as folder, loopback_hub() as hub:
        root = options.out.resolve() / "env"
        install(wheel, root, options.python)
        environment = prepared(Path(folder), root, hub)
        check_use(environment)
        check_pages(environment)
    print(f"{source.name} and {wheel.name} are fit for a release; they are in {source.parent}")


def check_tag(tag: str) -> None:
    """End unless a tag is that of the version, and the change log has a section about it."""
    if tag != f"v{__version__}":
        sys.exit(f"tag {tag}: the version is {__version__}; expected the tag v{__version__}")
    if not re.search(rf"^## {re.escape(__version__)}\b", (REPO / "CHANGELOG.md").read_text(), re.M):
        sys.exit(f"CHANGELOG.md: holds no section '## {__version__}'; rename '## Unreleased'")


def distributions(out: Path) -> tuple[Path, Path]:
    """Build both distributions, have twine check them, and return their paths."""
    call(sys.executable, "-m", "venv", str(out / "tools"))
    python = str(out / "tools/bin/python")
    call(python, "-m", "pip", "install", "--quiet", *CHECKERS)
    call(python, "-m", "build", "--outdir", str(out / "dist"), str(REPO))
    (source,) = (out / "dist").glob("*.tar.gz")
    (wheel,) = (out / "dist").glob("*.whl")
    call(python, "-m", "twine", "check", "--strict", str(source), str(wheel))
    return source, wheel


def check_files(source: Path, wheel: Path) -> None:
    """End if a distribution lacks a file of the package, has another one, or names this machine."""
    listed = subprocess.run(
        ["git", "ls-files", "bagen_data"], cwd=REPO, capture_output=True, text=True, check=True
    )
    package = set(listed.stdout.split())
    name = f"bagen_data-{__version__}"
    with tarfile.open(source) as archive:
        files = {
            member.name.removeprefix(f"{name}/"): archive.extractfile(member).read()  # type: ignore[union-attr]
            for member in archive.getmembers()
            if member.isfile()
        }
    compare(source, files, package | BESIDE_THE_PACKAGE)
    with zipfile.ZipFile(wheel) as archive:
        files = {member: archive.read(member) for member in archive.namelist()}
    compare(wheel, files, package | {f"{name}.dist-info/{part}" for part in METADATA})


def compare(distribution: Path, files: dict[str, bytes], expected: Iterable[str]) -> None:
    """End if the files of a distribution are others than expected, or hold this machine's paths."""
    for path in sorted({*expected} ^ files.keys()):
        what = "should not be in it" if path in files else "is missing"
        sys.exit(f"{distribution.name}: {path} {what}")
    for path, content in files.items():
        if f"{REPO}/".encode() in content:
            sys.exit(f"{distribution.name}: {path} holds the path {REPO}, which is this machine's")


def install(wheel: Path, root: Path, python: str) -> None:
    """Make an environment with the wheel and its default dependencies."""
    call(python, "-m", "venv", str(root))
    call(str(root / "bin/python"), "-m", "pip", "install", "--quiet", str(wheel))
    call(str(root / "bin/python"), "-m", "pip", "check")


def prepared(folder: Path, root: Path, hub: LoopbackHub) -> WheelEnvironment:
    """Build a dataset, put it on the Hub beside an empty repository of submissions."""
    for name in ("place", "home"):
        (folder / name).mkdir()
    dataset = folder / "dataset"
    build = (sys.executable, "-m", "builders", "build")
    call(*build, "--origin", str(REPO / "sample/origin"), "--out", str(dataset))
    commit = hub.upload(HUB_ID, dataset)
    hub.repository(SUBMISSIONS_ID, "dataset")
    for tag in tags_of(page_commands()):
        hub.repositories["dataset", HUB_ID].refs[f"refs/tags/{tag}"] = commit
    return WheelEnvironment(root, folder / "place", dataset, hub)


def page_commands() -> list[str]:
    """Return the commands of README.md and of the pages that go on from it."""
    return [line for page in PAGES for line in commands_of((REPO / page).read_text("utf-8"))]


def check_use(environment: WheelEnvironment) -> None:
    """End unless the wheel alone does its work, and says of everything else what it needs."""
    of_dataset = ("--dataset", str(environment.dataset))
    predict = ["bagen", "predict", "baseline"]
    works = [
        ["bagen", "--help"],
        ["bagen", "--version"],
        ["python", "-m", "bagen_data", "--version"],
        ["bagen", "demo"],
        ["bagen", "score", "bagen-demo/quantiles", "--dataset", "bagen-demo/dataset"],
        [*predict, "over_budget", *of_dataset, "--config", "sokoban", "--out", "sokoban"],
        [*predict, "climatology", *of_dataset, "--cross-validate", "--out", "own"],
        ["bagen", "validate", "own", *of_dataset],
        ["bagen", "score", "own", *of_dataset, "--json", "scores.json", "--by", "family"],
        ["bagen", "score", "own", "--dataset", HUB_ID],
        ["bagen", "submit", "own"],
        ["python", "-m", "bagen_data.integrations.lm_eval"],
    ]
    for words in works:
        expect_success(environment.run(words))
        print("works:", shortened(words, environment))
    show = ["bagen", "show", environment.sample_id(), *of_dataset]
    expect_success(environment.run([*show, "--predictions", "own"]))
    load = f"import bagen_data; bagen_data.load({str(environment.dataset)!r}, 'sokoban')"
    ask = ["bagen", "predict", "model", "openai/m", *of_dataset, "--out", "asked"]
    needs = [
        ([*predict, "forest", *of_dataset, "--out", "forest"], "bagen-data[baselines]"),
        (ask, "bagen-data[models]"),
        ([*ask, "--dry-run"], "bagen-data[models]"),
        ([*show, "--picture", "drawn.svg"], "bagen-data[pictures]"),
        (["python", "-c", load], "bagen-data[load]"),
        (["bagen", "score", "own", "--dataset", "."], CODE_PAGE),
    ]
    for words, named in needs:
        done = environment.run(words)
        if done.returncode != 1 or named not in " ".join(done.stderr.split()):
            sys.exit(f"{shortened(words, environment)}: does not name {named}:\n{done.stderr}")
        print(f"names {named}:", shortened(words, environment))


def check_pages(environment: WheelEnvironment) -> None:
    """End if a command of these pages fails, unless it says which extra it needs."""
    for line in page_commands():
        command = fitted(line, environment.dataset, environment.sample_id())
        if command.skipped:
            print(f"{command.skipped}:", line)
            continue
        for name in command.predictions:
            provide(name, command, environment)
        done = environment.run(command.words)
        extra = EXTRA.search(" ".join(done.stderr.split()))
        if not extra:
            expect_success(done)
        print(f"{f'says {extra[0]}' if extra else 'works'}:", line)


def provide(name: str, command: Command, environment: WheelEnvironment) -> None:
    """Put predictions where a command looks for them, unless an earlier one has."""
    place = environment.place / name
    if place.exists():
        return
    folder = place.parent if place.suffix == ".jsonl" else place
    words = f"bagen predict baseline over_budget --dataset {environment.dataset} --out".split()
    config = ["--config", command.config] if command.config else []
    expect_success(environment.run([*words, str(folder), *config]))
    if place != folder:
        (folder / "predictions.jsonl").replace(place)


def expect_success(done: subprocess.CompletedProcess[str]) -> str:
    """Return what a command wrote; end with what it said if it failed."""
    if done.returncode:
        sys.exit(f"{' '.join(done.args)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def shortened(words: Sequence[str], environment: WheelEnvironment) -> str:
    """Return a command with its dataset's folder left out."""
    return " ".join(words).replace(str(environment.dataset), "DATASET")


def call(*words: str) -> None:
    """Run a command of the clone, and end if it fails."""
    if subprocess.run(words, cwd=REPO, stdout=subprocess.DEVNULL, check=False).returncode:
        sys.exit(f"{' '.join(words)}: failed")


if __name__ == "__main__":
    main()
