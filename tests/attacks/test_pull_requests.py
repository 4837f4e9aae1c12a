"""Pull requests that change what is not theirs, or that write in the reviewer's name.

A review lists what a pull request changes, and quotes what is wrong with it in a comment. A path
such as `submissions/me/../you/metadata.yaml`, a link to another repository or a folder in capital
letters might get past the listing; a line of a file that ends the quotation might tell readers that
the maintainers had agreed.
"""

import random
import re

import pytest
from markdown_it import MarkdownIt

from bagen_data.errors import InputError
from bagen_data.repositories.repository_files import RemoteFile
from leaderboard.handed_in.comments import comment_of
from leaderboard.handed_in.proposals import read_proposal
from leaderboard.handed_in.trees import Tree
from tests.attacks.tallies import Tally

CONFIGS = ["sokoban", "sokoban_start", "swebench"]
PIECES = ("submissions", "me", "you", "metadata.yaml", "sokoban.jsonl", "README.md", ".git", "..")
ODD = ("", ".", "Submissions", "me ", "m\u0435", "a\\b", "sokoban.JSONL", "x.py", "con", "\u202e")
BASE = {
    "README.md": RemoteFile(1, "a", None),
    ".gitattributes": RemoteFile(1, "b", None),
    "submissions/you/metadata.yaml": RemoteFile(1, "c", None),
    "submissions/you/sokoban.jsonl": RemoteFile(1, "d", None),
}
GOOD = {
    "submissions/me/metadata.yaml": RemoteFile(2, "e", None),
    "submissions/me/sokoban.jsonl": RemoteFile(2, "f", None),
}
TEXTS = (
    "`",
    "``",
    "```",
    "````",
    "~~~",
    "\n",
    "\r",
    "\r\n",
    "\u2028",
    "\x0b",
    "\x85",
    "\t",
    "    ",
    "# ",
    "> ",
    "- ",
    "text",
    "@all",
    "<b>",
    "-->",
    "<!-- bagen review -->",
    "![x](https://evil.example/x.png)",
    "[x]: https://evil.example",
    "\\",
    "&#96;",
    "\x1b[31m",
    "x",
)


def tree(files: dict[str, RemoteFile], more_folders: frozenset[str] = frozenset()) -> Tree:
    parents = {
        "/".join(path.split("/")[:depth]) for path in files for depth in range(1, path.count("/"))
    }
    return Tree(files, frozenset(parents) | more_folders, is_whole=True)


@pytest.mark.attack("pull requests that change more than one submission")
def test_pull_requests_that_change_more_than_one_submission(tally: Tally) -> None:
    draw = random.Random(17)
    base = tree(BASE)
    accepted = 0
    for _ in range(tally.size(4_000, 200_000)):
        files = {**BASE, **(GOOD if draw.random() < 0.5 else {})}
        for _ in range(draw.choice([1, 1, 2, 3])):
            pieces = [draw.choice(PIECES if draw.random() < 0.8 else ODD) for _ in range(4)]
            path = "/".join(pieces[: draw.randint(1, 4)])
            files[path] = RemoteFile(draw.choice([1, 1 << 31]), "g", None)
        for path in draw.sample(sorted(files), draw.choice([0, 0, 0, 1, 2])):
            del files[path]
        links = frozenset({"link"} if draw.random() < 0.05 else set())
        tally.tried += 1
        try:
            proposal = read_proposal(base, tree(files, links), CONFIGS, lambda: ("", "x"))
        except InputError:
            continue
        except Exception:  # the harm that is counted
            tally.crashed += 1
            continue
        accepted += 1
        own = f"submissions/{proposal.name}/"
        changed = {path for path in {**BASE, **files} if BASE.get(path) != files.get(path)}
        tally.wrong += (
            bool(links)
            or not re.fullmatch(r"[A-Za-z0-9][\w.-]*", proposal.name, re.ASCII)
            or any(not path.startswith(own) or ".." in path.split("/") for path in changed)
            or set(proposal.files) - {"metadata.yaml", "sokoban.jsonl"} != set()
            or any(file.bytes > 1 << 30 for file in proposal.files.values())
        )
    assert accepted
    tally.worst = f"{accepted:,} changed one alone"


@pytest.mark.attack("texts that would end a quotation")
def test_texts_that_would_end_a_quotation(tally: Tally) -> None:
    draw = random.Random(17)
    reader = MarkdownIt("commonmark")
    for _ in range(tally.size(2_000, 50_000)):
        lines = [
            "".join(draw.choices(TEXTS, k=draw.randint(0, 12))) for _ in range(draw.randint(1, 5))
        ]
        ours = reader.parse(comment_of("Refused", "0" * 40, "1" * 12, ["harmless"]))
        theirs = reader.parse(comment_of("Refused", "0" * 40, "1" * 12, lines))
        tally.tried += 1
        kept = [(each.type, each.content) for each in theirs if each.type != "fence"]
        tally.wrong += kept != [(each.type, each.content) for each in ours if each.type != "fence"]
        tally.wrong += sum(each.type == "fence" for each in theirs) != 1
