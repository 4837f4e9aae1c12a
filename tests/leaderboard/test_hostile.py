"""Submissions that mean harm: each is refused with a reason, or shown as the text that it is."""

import gzip
import json
import os
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bagen_data.errors import InputError
from bagen_data.submission_folder import check_name
from leaderboard import paper
from leaderboard.results import read_results
from tests.leaderboard.made_submissions import (
    budget_left,
    build_site,
    leaderboard,
    submit,
    write_metadata,
)
from tests.leaderboard.spoiling import (
    GOOD,
    Make,
    all_meta,
    dictionary_bomb,
    file,
    lines,
    link_out,
    meta,
    more,
    no_yaml,
    other,
    parquet,
    sparse,
    usage,
    zipped,
)

Case = tuple[str, Make, str]
"""A folder's name, what was done to it, and what it is told."""

SECRET = "what lies outside of the submissions"
HTML = "\"'><script>alert(1)</script><img src=x onerror=alert(1)><a href=javascript:alert(1)>"
TURNED = "gpt\u202eabc"
BLANK_LINES = b"\n" * 999 + (b" " * ((1 << 20) - 1) + b"\n") * 16
"""Mostly long ones: a thousand million short ones take a minute and a half to read."""
BOGUS = '{"sample_id": "sokoban/%d", "response": ""}'
PAPER_MODEL = paper.table1(None, ["sokoban"])[0].model


OF_METADATA: list[Case] = [
    ("link-javascript", meta("link", "link: 'javascript:alert(1)'"), "link: found 'javascript:"),
    ("link-html", meta("link", f"link: {json.dumps(f'https://a.b/{HTML}')}"), "link: found 'https"),
    ("link-data", meta("link", "link: data:text/html,hi"), "link: found 'data:"),
    ("link-file", meta("link", "link: file:///etc/passwd"), "link: found 'file:"),
    ("html-in-date", meta("date", f"date: {json.dumps(HTML)}"), "date: found"),
    ("html-in-weights", meta("date", f"weights: {json.dumps(HTML)}"), "weights: found"),
    ("html-as-key", meta("date", "<script>alert(1)</script>: 1"), "unknown key"),
    ("long-estimator", meta("estimator", f"estimator: {'x' * 10_000}"), "estimator: found 'xxx"),
    ("turned-estimator", meta("estimator", f"estimator: {TURNED}"), "estimator: found 'gpt\\u202e"),
    ("mixed-scripts", meta("estimator", "estimator: gp\u0442"), "U+0442 CYRILLIC SMALL LETTER TE"),
    ("blank-provider", meta("provider", "provider: \u3164"), "U+3164 HANGUL FILLER cannot be seen"),
    ("spaces-model", meta("model_id", "model_id: '  '"), "model_id: found '  '; it is blank"),
    ("user-link", meta("link", "link: 'https://a.org@b.org/'"), "no user's name"),
    ("private-link", meta("link", "link: 'http://192.168.1.1/'"), "expected a public host"),
    ("terminal-key", meta("date", r'"\e[2J\u202e": 1'), r"\x1b[2J\u202e: unknown key"),
    ("yaml-aliases", meta("decoding", "decoding: {a: &a [x, x], b: [*a, *a]}"), "*a: aliases"),
    ("yaml-tag", meta("provider", "provider: !!python/object/apply:os.abort []"), "tags are not"),
    ("yaml-deep", meta("decoding", f"decoding: {'[' * 20_000}"), "recursion depth"),
    ("yaml-surrogate", meta("provider", r'provider: "\ud800"'), "metadata.yaml: "),
    ("yaml-nul", meta("provider", "provider: a\0b"), "#x0000"),
    ("yaml-huge-number", meta("decoding", f"decoding: {{a: 0x{'f' * 60_000}}}"), "4300 digits"),
    ("yaml-endless-float", meta("decoding", f"decoding: {{a: {'1:' * 400}1.5}}"), "int too large"),
    ("yaml-infinite", meta("decoding", "decoding: {temperature: .inf}"), "decoding.temperature"),
    ("yaml-key-twice", meta("decoding", "decoding: {a: 1, a: 2}"), "'a' appears twice"),
    ("yaml-no-utf8", all_meta(b"estimator: \xff"), "metadata.yaml: cannot be read: 'utf-8'"),
    ("yaml-1-mb", all_meta(b"estimator: " + b"x" * (1 << 20)), "longer than 65,536 bytes"),
    ("yaml-9-gb", lambda to: sparse(9 << 30)(to / "metadata.yaml"), "longer than 65,536 bytes"),
    ("yaml-link", no_yaml(link_out), "metadata.yaml: is a symbolic link"),
    ("yaml-pipe", no_yaml(os.mkfifo), "metadata.yaml: is not a plain file"),
    ("yaml-missing", no_yaml(bool), "metadata.yaml: is missing"),
]
OF_LINES: list[Case] = [
    ("nan-cost", more('"cost_usd": NaN'), f"{GOOD}:3: cost_usd: found nan"),
    ("infinite-cost", more('"cost_usd": 1e999'), f"{GOOD}:3: cost_usd: found inf"),
    ("cost-of-400-digits", more(f'"cost_usd": 1{"0" * 400}'), f"{GOOD}:3: cost_usd: found 1000"),
    ("negative-cost", more('"cost_usd": -1'), f"{GOOD}:3: cost_usd: found -1"),
    ("huge-usage", usage(input_tokens="9" * 30), f"{GOOD}:3: usage.input_tokens: found 999"),
    ("5000-digits", usage(input_tokens="9" * 5_000), f"{GOOD}:3: not one JSON object"),
    ("cached-more", usage(cached_tokens="9"), "cached_tokens is more than input_tokens"),
    ("response-twice", more('"response": ""'), "key 'response' appears twice"),
    ("unknown-key", more(r'"\u001b[2J\u202e": 1'), rf"{GOOD}:3: \x1b[2J\u202e: unknown key"),
    ("deep-json", more(f'"usage": {"[" * 99_999}'), f"{GOOD}:3: not one JSON object"),
    ("many-keys", more(", ".join(f'"{key}": 1' for key in range(200_000))), "expected at most 100"),
    ("surrogate", lines(lambda old: ['{"sample_id": "\\ud800", "response": ""}', *old]), ":1: not"),
    ("missing-ids", lines(lambda old: old[:-3]), "3 samples without a prediction"),
    ("doubled-ids", lines(lambda old: old + old[:2]), "2 samples predicted more than once"),
    ("extra-ids", lines(lambda old: [*old, BOGUS % 1]), "1 prediction of no sample"),
    ("bogus-ids", lines(lambda _: [BOGUS % each for each in range(99_999)]), "and 99,989 more"),
]
OF_FILES: list[Case] = [
    ("5-gb-line", lambda to: sparse(5 << 30)(to / GOOD), "is of 5,368,70"),
    ("gzip-of-a-line", zipped(b"x" * (1 << 20), 99), ":1: is longer than 67,108,864"),
    ("gzip-of-blank-lines", zipped(BLANK_LINES, 66), "more than 1,073,741,824 bytes"),
    ("two-files", lambda to: (to / f"{GOOD}.gz").touch(), "several files of predictions"),
    ("capitals", lambda to: (to / "SOKOBAN.JSONL").touch(), "SOKOBAN.JSONL: has an ending in cap"),
    ("space-last", lambda to: (to / "sokoban.jsonl ").touch(), "sokoban.jsonl : has an ending"),
    ("mixed-case", file("predictions.Parquet", b""), "predictions.Parquet: has an ending in cap"),
    ("no-utf8", file(GOOD, b'{"sample_id": "\xff", "response": ""}\n'), f"{GOOD}:1: not one JSON"),
    ("nul-bytes", file(GOOD, b"\0" * 999), f"{GOOD}:1: not one JSON object"),
    ("empty-file", file(GOOD, b""), "answers no sample of the dataset"),
    ("gz-of-no-gzip", file(GOOD + ".gz", b"{}\n"), f"{GOOD}.gz: cannot be read: Not a gzipped"),
    (
        "gz-cut-off",
        file(GOOD + ".gz", gzip.compress(b"{}" * 999)[:-9]),
        "cannot be read: Compressed",
    ),
    ("pipe", other(GOOD, os.mkfifo), f"{GOOD}: is not a plain file"),
    ("folder-as-file", other(GOOD, Path.mkdir), f"{GOOD}: is not a plain file"),
    ("link", other(GOOD, link_out), f"{GOOD}: is a symbolic link"),
    ("link-to-device", other(GOOD, lambda to: to.symlink_to("/dev/zero")), "is a symbolic link"),
    ("device-name", file("con.jsonl", b""), "con.jsonl: is not named for a config"),
    (
        "no-name",
        lambda to: open(os.fsencode(to) + b"/\xff.jsonl", "w").close(),
        r"\udcff.jsonl: is",
    ),
    (
        "name-for-terminals",
        lambda to: (to / "\x1b[2J.jsonl").touch(),
        r"\x1b[2J.jsonl: is not named",
    ),
    ("many-files", lambda to: [(to / f"{n}.jsonl").touch() for n in range(3_000)], "0.jsonl: is"),
]
OF_PARQUET: list[Case] = [
    ("parquet-numbers", parquet(response=[1]), "response is of type int64; expected string"),
    ("parquet-no-column", parquet(response=None), "expected sample_id and response"),
    ("parquet-extra", parquet(label=["a"]), "found columns sample_id, response, label"),
    ("parquet-nan", parquet(cost_usd=[float("nan")]), "row 0: cost_usd: found nan"),
    ("parquet-null", parquet(response=pa.nulls(1, pa.string())), "row 0: response: found nothing"),
    ("parquet-name-no-text", parquet(b"response"), "predictions.parquet: cannot be read: 'utf-8'"),
    ("parquet-no-text", parquet(b"an answer"), "rows from 0 on: In column 1: Invalid: Inv"),
    ("parquet-lies", parquet(b"sokoban/1"), "predictions.parquet: "),
    ("parquet-of-nothing", file("predictions.parquet", b"PAR1" * 9), "not a Parquet file"),
    ("parquet-bomb", dictionary_bomb(), "alloc of size "),
]
UNREADABLE: Case = ("unreadable", lambda to: (to / GOOD).chmod(0), "cannot be read")
CASES = [*OF_METADATA, *OF_LINES, *OF_FILES, *OF_PARQUET]
CASES += [UNREADABLE] if os.getuid() else []  # nothing is unreadable for root
NAMES = ["nul", "Com1.txt", "a b", "a\u202eb", "x" * 200, "-rf", "a\nb", "\udcff", "ends.", "<b>"]
"""Names of folders that are good but for the name."""


class Built(NamedTuple):
    site: Path
    results: dict[str, Any]

    def reasons(self, folder: str) -> str:
        (refusal,) = [each for each in self.results["refused"] if each["folder"] == folder]
        return "\n".join(refusal["reasons"])

    def pages(self) -> Iterator[tuple[Path, "Page"]]:
        for path in self.site.rglob("*.html"):
            yield path, Page(path)


class Page(HTMLParser):
    """The elements of a page, its links and its script."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: set[tuple[str, ...]] = set()
        self.links: set[str] = set()
        self.scripts = 0
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add((tag, *sorted(name for name, _ in attrs)))
        self.links |= {value or "" for name, value in attrs if name.endswith(("href", "src"))}
        self.scripts += tag == "script"


@pytest.fixture(scope="module")
def built(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    top = tmp_path_factory.mktemp("hostile")
    folders, good = top / "in", top / "good"
    (top / "secret").write_text(SECRET)
    submit(good, dataset, budget_left)
    write_metadata(good, dataset, model_id="m")
    for name in ["good", "Good", *NAMES]:
        shutil.copytree(good, folders / name)
    write_metadata(folders / "Good", dataset, model_id="m", date="2026-11-22")
    for name, make, _ in CASES:
        shutil.copytree(good, folders / name)
        make(folders / name)
    shown_as_text(folders, good, dataset)
    (folders / "link-to-folder").symlink_to(good)
    shutil.copytree(good, folders / "hard-link")
    (folders / "hard-link" / GOOD).unlink()
    (folders / "hard-link" / GOOD).hardlink_to(top / "secret")
    write_metadata(folders / "hard-link", dataset, dataset_revision="f" * 40)
    return Built(top / "out", build_site(folders, dataset, top / "out"))


def shown_as_text(folders: Path, good: Path, dataset: Path) -> None:
    html = dict.fromkeys(("estimator", "provider", "model_id"), HTML)
    decoding = {HTML: HTML, "\0\u202e": [HTML], "temperature": 10**4_000}
    for name, metadata in {
        "html": {**html, "decoding": decoding, "link": "https://example.org/?'onclick='x"},
        "html-apart": {"dataset_revision": HTML, "benchmark_version": HTML, "estimator": HTML},
        "twin": {"estimator": "good", "model_id": "m", "decoding": {"a": "b"}},
        "as-the-paper": {"estimator": PAPER_MODEL},
        "like-the-paper": {"estimator": PAPER_MODEL.swapcase()},
        "like-nobody": {"estimator": "n0body"},
        "2000-values": {"decoding": {f"k{number}": "v" for number in range(2_000)}},
    }.items():
        shutil.copytree(good, folders / name)
        write_metadata(folders / name, dataset, **metadata)


@pytest.mark.parametrize(("name", "reason"), [(name, reason) for name, _, reason in CASES])
def test_the_cheat_is_refused_and_told_where_and_why(name: str, reason: str, built: Built) -> None:
    assert reason in built.reasons(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_that_names_no_page_is_refused(name: str, built: Built) -> None:
    visible_name = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in name)
    assert "the folder's name is" in built.reasons(visible_name)


@pytest.mark.parametrize(
    "name", ["../up", "/etc", "a/b", "..", "", "x" * 10_000, "eval.yaml", "a\\b"]
)
def test_a_name_that_leads_elsewhere_is_no_folder(name: str) -> None:
    with pytest.raises(InputError, match="the folder's name is") as error:
        check_name(name)
    assert len(str(error.value)) < 400


def test_nothing_stops_the_build_and_all_others_are_there(built: Built) -> None:
    scored = ["2000-values", "as-the-paper", "good", "html", "twin"]
    assert [entry["folder"] for entry in built.results["submissions"]] == scored
    assert {entry["folder"] for entry in built.results["apart"]} == {"hard-link", "html-apart"}
    assert len(built.results["refused"]) == len(CASES) + len(NAMES) + len(
        ["Good", "link", "like-the-paper", "like-nobody"]
    )


def test_a_link_to_a_folder_is_refused(built: Built) -> None:
    assert (
        built.reasons("link-to-folder") == "link-to-folder: is a symbolic link; expected a folder"
    )


def test_of_two_folders_whose_names_differ_in_case_the_earlier_stays(built: Built) -> None:
    assert "the folder's name looks like 'good', another folder's" in built.reasons("Good")


@pytest.mark.parametrize(
    ("folder", "other"), [("like-the-paper", PAPER_MODEL), ("like-nobody", "nobody")]
)
def test_a_name_that_looks_like_one_on_the_board_is_refused(
    folder: str, other: str, built: Built
) -> None:
    assert f"looks like {other!a}" in built.reasons(folder)


def test_no_page_has_an_element_a_link_or_a_script_of_a_stranger(built: Built) -> None:
    ours = Page(built.site / "submissions" / "twin.html").elements
    assert Page(built.site / "submissions" / "html.html").elements <= ours
    for path, page in built.pages():
        assert page.scripts == 1, path
        assert not {"img", "iframe", "object", "embed", "base"} & {tag for tag, *_ in page.elements}
        assert not [each for each in page.elements if any(name[:2] == "on" for name in each[1:])]
        assert {urlsplit(link).scheme for link in page.links} <= {"", "https", "data"}
        assert {link for link in page.links if link.startswith("data")} == {"data:,"}


def test_pages_and_results_hold_no_mark_that_turns_text_or_moves_a_cursor(built: Built) -> None:
    for path in (built.site / "refused.html", built.site / "apart.html"):
        assert all(each.isprintable() or each == "\n" for each in path.read_text())
    assert read_results(built.site) == built.results
    assert len(pq.read_table(built.site / "results.parquet")) > 0


def test_names_of_others_and_of_the_paper_keep_their_own_rows(built: Built) -> None:
    page = (built.site / "index.html").read_text()
    for folder, name in (("twin", "good"), ("as-the-paper", PAPER_MODEL)):
        assert f'submissions/{folder}.html"><bdi>{name}</bdi></a><small>{folder}<' in page
    _, _, papers = page.partition(f"<small>Not ranked: {paper.MARK}.")
    assert f'<th scope="row" class="name"><bdi>{PAPER_MODEL}</bdi></th>' in papers
    assert "submissions/" not in papers.partition("</tbody>")[0]


def test_files_from_elsewhere_are_not_in_the_site(built: Built) -> None:
    files = [path for path in built.site.rglob("*") if path.is_file()]
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]
    scored = {entry["folder"] for entry in built.results["submissions"]} | {"html-apart"}
    assert {path.name for path in (built.site / "files").iterdir()} == scored


@pytest.mark.parametrize("to", ["hub", "eee"])
def test_exports_of_hostile_names_stay_in_their_folder(to: str, built: Built) -> None:
    out = built.site.with_name(to)
    flags = ("--dataset-id", "a/b") if to == "hub" else ()
    assert leaderboard("export", built.site, "--format", to, "--out", out, *flags) == 0
    assert not list(built.site.parent.glob("*script*"))
