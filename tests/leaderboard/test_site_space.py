"""The leaderboard's Space: exactly the files of a site."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.leaderboard.made_boards import write_board
from tests.leaderboard.made_submissions import leaderboard
from tests.loopback_hub import LoopbackHub, loopback_hub
from tests.publish_commands import Maintainer

ID = "ORG/board"


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    with loopback_hub() as hub:
        yield hub


@pytest.fixture
def maintainer(hub: LoopbackHub, tmp_path: Path) -> Maintainer:
    (tmp_path / "home").mkdir()
    return Maintainer(hub, tmp_path / "home")


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A site of two submissions, and one of the first of them."""
    made = tmp_path_factory.mktemp("board")
    write_board(made, 2)
    options = ("--dataset", made / "dataset", "--workers", 1, "--no-cache", "--resamples", 0)
    built = []
    for name in ("two", "one"):
        arguments = ("--submissions", made / "in", "--out", made / name, *options)
        assert leaderboard("build", *arguments) == 0
        built.append(made / name)
        shutil.rmtree(sorted((made / "in").iterdir())[-1])
    return built[0], built[1]


def names(site: Path) -> set[str]:
    return {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}


def test_a_space_has_exactly_the_files_of_the_newest_site(
    hub: LoopbackHub, maintainer: Maintainer, sites: tuple[Path, Path]
) -> None:
    two, one = sites
    done = maintainer.run("leaderboard", "publish", two, "--to", ID)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"{hub.endpoint}/spaces/{ID}"
    assert hub.repositories["space", ID].sdk == "static"
    assert set(hub.files(ID, repo_type="space")) == {*names(two), ".gitattributes"}
    assert b"sdk: static" in hub.files(ID, repo_type="space")["README.md"]
    hub.commit(ID, {"theirs.md": b"theirs"}, repo_type="space")
    done = maintainer.run("leaderboard", "publish", one, "--to", ID)
    assert done.returncode == 0, done.stderr
    files = hub.files(ID, repo_type="space")
    assert set(files) == {*names(one), ".gitattributes", "theirs.md"}
    assert all(files[name] == (one / name).read_bytes() for name in names(one))
    assert len(names(one)) < len(names(two))


def test_a_dry_run_sends_nothing(
    hub: LoopbackHub, sites: tuple[Path, Path], tmp_path: Path
) -> None:
    nobody = Maintainer(hub, tmp_path, None)
    done = nobody.run("leaderboard", "publish", sites[0], "--to", ID, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert not hub.repositories


@pytest.mark.parametrize("case", ["empty", "a file is missing", "a file lies elsewhere", "a link"])
def test_a_folder_that_is_not_a_whole_site_is_refused(
    hub: LoopbackHub, maintainer: Maintainer, sites: tuple[Path, Path], tmp_path: Path, case: str
) -> None:
    site = tmp_path / "site"
    shutil.copytree(sites[0], site)
    (tmp_path / "secret").write_text("secret")
    if case == "empty":
        shutil.rmtree(site)
        site.mkdir()
    elif case == "a file is missing":
        (site / "index.html").unlink()
    elif case == "a file lies elsewhere":
        with (site / "files.txt").open("a") as manifest:
            manifest.write("../secret\n")
    else:
        (site / "index.html").unlink()
        (site / "index.html").symlink_to(tmp_path / "secret")
    done = maintainer.run("leaderboard", "publish", site, "--to", ID)
    assert done.returncode == 1
    assert str(site) in done.stderr
    assert not hub.requests
