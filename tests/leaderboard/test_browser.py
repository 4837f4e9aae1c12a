"""The site in a real browser: Debian's Chromium, driven by Playwright, from files and over HTTP."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from leaderboard.app import LOOPBACK, server
from tests.leaderboard.made_submissions import (
    FORECAST,
    Sample,
    budget_left,
    build_site,
    forecast,
    gold,
    submit,
)
from tests.serving import serving

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="chromium is not installed; apt-get install chromium"
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGES = (
    "index.html",
    "submissions/sees.html",
    "submissions/left.html",
    "early-stop.html",
    "start.html",
    "decoupling.html",
    "apart.html",
    "submit.html",
)
USAGE = {"input_tokens": 900, "cached_tokens": 0, "output_tokens": 20}
MILLISECONDS = 600_000
"""The most that a browser waits, on a machine with much else to do."""
SCREENSHOTS = os.environ.get("SCREENSHOTS")
"""A folder to keep pictures in, to look at."""


ADDRESSES = """links => links.map(
  link => new URL(link.href.baseVal ?? link.href, document.baseURI).href
)"""
"""Addresses of links, of which there are hundreds on a page."""
BOARD = "#intervals .board"
"""The table that every submission is in."""


def by(model: str) -> dict[str, str]:
    return {"provider": "lab", "model_id": model}


def sees(sample: Sample) -> str:
    """A good forecast, but about one task."""
    return forecast(sample, skill=-0.1 if sample["task"] == "sokoban" else 0.8)


@pytest.fixture(scope="module")
def site(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    costs: dict[str, Any] = {"usage": USAGE, "cost_usd": 0.002}
    submit(folder / "in/gold", dataset, gold, estimator="The labels", **by("m"), more=costs)
    submit(folder / "in/left", dataset, budget_left, weights="none")
    submit(
        folder / "in/stop",
        dataset,
        estimator="Always stop",
        **by("org/big-7b"),
        weights="open",
        constrained=True,
    )
    submit(
        folder / "in/mine",
        dataset,
        budget_left,
        trained_on="benchmark",
        weights="open",
        **by("x"),
    )
    submit(folder / "in/part", dataset, budget_left, tasks=["sokoban"], weights="open", **by("y"))
    submit(folder / "in/odd", dataset, estimator="<b>odd</b>", **by("x/<i>odd</i>"))
    submit(
        folder / "in/sees", dataset, sees, estimator="Sees", weights="open", **by("z"), **FORECAST
    )
    blind = partial(forecast, skill=-0.5)
    submit(folder / "in/blind", dataset, blind, estimator="Blind", **FORECAST)
    submit(folder / "in/refused", dataset, link="javascript:alert(1)")
    build_site(folder / "in", dataset, folder / "site")
    return folder / "site"


@dataclass
class Visit:
    """A page, and what it asked for and complained about."""

    page: Any
    root: str
    requests: list[str]
    complaints: list[str]

    def go(self, path: str = "index.html") -> None:
        self.page.goto(self.root + path)

    def names(self) -> list[str]:
        """Return the names of the visible rows, without the paper's."""
        names = self.page.locator(f"{BOARD} tbody tr:visible:not(.paper) th bdi")
        return [str(name) for name in names.all_inner_texts()]

    def ranks(self) -> list[str]:
        cells = self.page.locator(f"{BOARD} tbody tr:visible:not(.paper) td.rank")
        return [str(rank) for rank in cells.all_inner_texts()]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(
            executable_path=CHROMIUM, args=FLAGS, timeout=MILLISECONDS
        )
        yield browser
        browser.close()


@contextmanager
def new_page(browser: Any) -> Iterator[Any]:
    """Open a page in a context of its own, as a visitor without a past has it."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        context.set_default_timeout(MILLISECONDS)
        yield context.new_page()


@pytest.fixture(params=["file", "http"])
def visit(request: pytest.FixtureRequest, browser: Any, site: Path) -> Iterator[Visit]:
    running = server(site, LOOPBACK, 0)
    over_http = f"http://{LOOPBACK}:{running.server_port}/"
    with serving(running), new_page(browser) as page:
        visit = Visit(page, over_http if request.param == "http" else f"{site.as_uri()}/", [], [])
        page.on("request", lambda request: visit.requests.append(request.url))
        page.on("console", lambda message: visit.complaints.append(message.text))
        page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        yield visit
    assert visit.complaints == []
    assert all(url.startswith((visit.root, "data:,")) for url in visit.requests), visit.requests


@pytest.fixture
def on_files(browser: Any, site: Path) -> Iterator[Any]:
    with new_page(browser) as page:
        page.goto((site / "index.html").as_uri())
        yield page


def test_sort_filter_open_and_go_on(visit: Visit) -> None:
    visit.go()
    assert visit.names()[0] == "The labels"
    assert visit.names()[-2:] == ["nobody", "Blind"]  # baselines are below all others
    visit.page.locator(f"{BOARD} th[data-key=cost] button").click()
    assert visit.names()[0] == "The labels"  # baselines cost nothing and stay below
    heading = visit.page.locator(f"{BOARD} th[data-key=cost]")
    assert heading.get_attribute("aria-sort") == "ascending"
    visit.page.locator(f"{BOARD} th[data-key=cost] button").click()
    assert visit.names()[0] == "The labels"
    visit.page.get_by_label("Weights").select_option("open")
    assert sorted(visit.names()) == ["Always stop", "Sees", "nobody", "nobody"]
    visit.page.get_by_label("Learned from").select_option("benchmark")
    assert visit.names() == ["nobody"]
    status = visit.page.get_by_role("status").inner_text()
    assert status == "Forecasts: 0 of 2 rows; Intervals, as in the paper: 1 of 13 rows"
    visit.page.locator(f"{BOARD} tbody tr:visible a").click()
    assert visit.page.url == f"{visit.root}submissions/mine.html"
    visit.page.get_by_role("link", name="sokoban").first.click()
    assert visit.page.url == f"{visit.root}tasks/sokoban.html"
    assert len(visit.names()) == 8


def test_every_page_loads_and_asks_for_nothing_else(visit: Visit, site: Path) -> None:
    pages = [path.relative_to(site).as_posix() for path in site.rglob("*.html")]
    assert len(pages) == 19
    for path in pages:
        visit.go(path)
        assert visit.page.locator("h1").count() == 1
        for link in visit.page.locator("a[href]").evaluate_all(ADDRESSES):
            target = link.partition("#")[0]
            if target.startswith(visit.root):
                assert (site / target.removeprefix(visit.root)).is_file(), (path, target)
            else:
                assert target.startswith("https://"), (path, target)
    assert len(visit.requests) == len(pages)


def test_ranks_are_those_among_the_chosen_rows(on_files: Any, site: Path) -> None:
    visit = Visit(on_files, "", [], [])
    assert visit.ranks()[0] == "1"
    written = dict(zip(visit.names(), visit.ranks(), strict=True))
    assert written["The labels"] == "1"
    assert "<b>1</b>" in (site / "index.html").read_text()
    assert written["Sees"] == "2"
    on_files.get_by_label("Weights").select_option("open")
    assert visit.names()[0] == "Sees"
    assert visit.ranks() == ["1", "2", "not ranked", ""]  # the last learned from the benchmark
    on_files.get_by_label("Weights").select_option("none")
    assert visit.names() == ["nobody", "Blind"]
    assert visit.ranks() == ["", ""]
    on_files.get_by_label("Weights").select_option("")
    assert dict(zip(visit.names(), visit.ranks(), strict=True)) == written
    assert on_files.locator("#forecasts .board th.rank").inner_text() == "Rank"
    on_files.locator("#forecasts th[data-key=wis_skill] button").click()
    assert on_files.locator("#forecasts .board th.rank").inner_text() == "Rank by this"
    assert on_files.locator(f"{BOARD} th.rank").inner_text() == "Rank"


def test_a_search_leaves_ranks_as_they_are(on_files: Any) -> None:
    visit = Visit(on_files, "", [], [])
    written = dict(zip(visit.names(), visit.ranks(), strict=True))
    on_files.get_by_label("Search").fill("always stop")
    assert visit.names() == ["Always stop"]
    assert visit.ranks() == [written["Always stop"]] != ["1"]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [("Big-7B", ["Always stop"]), ("always STOP", ["Always stop"]), ("<i>odd", ["<b>odd</b>"])],
)
def test_models_are_found_by_their_ids(wanted: str, names: list[str], on_files: Any) -> None:
    on_files.get_by_label("Search").fill(wanted)
    assert Visit(on_files, "", [], []).names() == names


def test_where_nothing_fits_filters_can_be_cleared(on_files: Any) -> None:
    visit = Visit(on_files, "", [], [])
    all_names = visit.names()
    nothing = on_files.locator(BOARD).get_by_text("No row fits")
    assert not nothing.is_visible()
    on_files.get_by_label("Search").fill("nobody at all")
    on_files.get_by_label("Weights").select_option("open")
    assert visit.names() == []
    assert nothing.inner_text() == "No row fits; clear the filters"
    assert on_files.get_by_role("status").inner_text().endswith(": 0 of 13 rows")
    on_files.locator(BOARD).get_by_role("button", name="clear the filters").press("Enter")
    assert visit.names() == all_names
    assert not nothing.is_visible()
    assert on_files.evaluate("document.activeElement.id") == "search"


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ("", [None]),
        ("0|3", [{"better": [0], "worse": [3]}]),
        ("1 20|0 4,,5 6|7 8", [[1, 20, 0, 4], None, [5, 6, 7, 8]]),
    ],
)
def test_places_are_read_by_score_and_kind(places: str, expected: list[Any], on_files: Any) -> None:
    by_place = on_files.evaluate("places => placesOf(places)", places)
    flat = [each and [*each["better"], *each["worse"]] for each in by_place]
    assert expected in (by_place, flat)


def test_the_theme_is_switched_and_kept(visit: Visit) -> None:
    def background() -> str:
        return str(visit.page.evaluate("getComputedStyle(document.body).backgroundColor"))

    visit.page.emulate_media(color_scheme="dark")
    visit.go()
    dark = background()
    button = visit.page.get_by_role("button", name="Theme")
    assert button.inner_text() == "Theme: system"
    button.click()
    light = background()
    assert light != dark
    visit.go("early-stop.html")
    assert background() == light
    visit.page.get_by_role("button", name="Theme").click()
    assert background() == dark


def test_a_keyboard_is_enough(on_files: Any) -> None:
    keyboard = on_files.keyboard
    keyboard.press("Tab")
    assert on_files.evaluate("document.activeElement.textContent") == "Skip to content"
    seen = []
    for _ in range(60):
        keyboard.press("Tab")
        seen.append(on_files.evaluate("document.activeElement.textContent.trim()"))
        if seen[-1].startswith("WIS skill"):
            break
    outline = on_files.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    keyboard.press("Enter")
    assert on_files.locator("th[data-key=wis_skill]").get_attribute("aria-sort") == "descending"
    assert any("Overall" in text for text in seen)


def test_a_phone_scrolls_the_table_and_nothing_else(on_files: Any, site: Path) -> None:
    on_files.set_viewport_size({"width": 400, "height": 800})
    for path in PAGES:
        on_files.goto((site / path).as_uri())
        assert on_files.evaluate("document.documentElement.scrollWidth") <= 400
    on_files.goto((site / "index.html").as_uri())
    on_files.locator("#intervals .scroll").evaluate("box => { box.scrollLeft = 500 }")
    name = on_files.locator(f"{BOARD} tbody th.name").first.bounding_box()
    assert name["x"] >= 0  # it stays in sight


def test_a_phone_shows_rows_before_their_legend_and_folds_the_filters(
    on_files: Any, site: Path
) -> None:
    """The filters are open on a wide page, and their fold opens where it must."""
    assert on_files.get_by_label("Weights").is_visible()
    assert not on_files.get_by_text("Search and filter").is_visible()
    on_files.set_viewport_size({"width": 400, "height": 800})
    on_files.goto((site / "index.html").as_uri())
    row = on_files.locator("#forecasts tbody tr[data-standing]").first.bounding_box()["y"]
    for later in (".key", ".reading", ".question"):
        assert on_files.locator(later).first.bounding_box()["y"] > row
    assert not on_files.get_by_label("Weights").is_visible()
    fold = on_files.get_by_text("Search and filter")
    fold.click()
    on_files.get_by_label("Search").fill("nobody at all")
    fold.click()
    assert not on_files.get_by_label("Search").is_visible()
    on_files.locator(BOARD).get_by_role("button", name="clear the filters").press("Enter")
    assert on_files.evaluate("document.activeElement.id") == "search"
    fold.click()
    on_files.set_viewport_size({"width": 1280, "height": 900})
    on_files.get_by_label("Weights").wait_for(state="visible")


def test_few_columns_are_shown_until_more_are_chosen(on_files: Any) -> None:
    headings = on_files.locator("#forecasts .board thead tr").last.locator("th:visible")
    first = ["Rank", "Estimator", "Brier skill", "WIS skill", "Curve skill", "$ per 1,000"]
    assert titles(headings) == first
    on_files.locator("#forecasts").get_by_label("Calibration").press("Space")
    assert titles(headings) == [*first, "Within 10 to 90%", "Within 25 to 75%"]
    assert not on_files.locator(f"{BOARD} th[data-key=hit_rate]").is_visible()
    on_files.locator("#forecasts th[data-key=coverage_80] button").click()
    heading = on_files.locator("#forecasts th[data-key=coverage_80]")
    assert heading.get_attribute("aria-sort") == "descending"


def titles(headings: Any) -> list[str]:
    """Return the first line of each heading."""
    return [str(text).split("\n")[0] for text in headings.all_inner_texts()]


def test_the_reference_stands_between_better_and_worse(on_files: Any) -> None:
    names = on_files.locator("#forecasts .board tbody tr:visible th.name")
    assert titles(names) == ["Sees", "The reference", "The reference", "Blind"]
    blocks = on_files.locator("#forecasts .board tbody")
    by_block = [titles(block.locator("tr[data-standing] th.name")) for block in blocks.all()[:2]]
    assert by_block == [["Sees", "The reference"], ["The reference", "Blind"]]
    assert on_files.locator("#forecasts .board td path.zero").count() > 0
    on_files.get_by_label("Weights").select_option("open")
    assert titles(names) == ["Sees", "The reference"]  # a block without an estimator is hidden
    assert on_files.get_by_role("status").inner_text().startswith("Forecasts: 1 of 2 rows; ")
    on_files.get_by_label("Weights").select_option("")
    on_files.locator("#forecasts th[data-key=brier_skill] button").click()
    assert titles(names) == ["The reference", "Sees", "Blind", "The reference"]  # the worst first
    on_files.locator("#forecasts th[data-key=cost] button").click()
    assert titles(names) == ["Sees", "Blind"]  # no row is above or below it by a cost


MANY = """() => {
  const body = document.querySelector("#intervals .board tbody");
  const rows = [...body.rows];
  while (body.rows.length < 60) body.append(...rows.map((row) => row.cloneNode(true)));
}"""
IN_SIGHT = """link => {
  const box = link.getBoundingClientRect();
  const y = (box.top + box.bottom) / 2;
  return link.contains(document.elementFromPoint(box.left + 4, y));
}"""

FOCUSED = f"""links => {{
  const place = links.indexOf(document.activeElement);
  return [place, place >= 0 && ({IN_SIGHT})(links[place])];
}}"""
"""The place of the link that has the focus, and whether it is in sight."""


@pytest.mark.parametrize("width", [1300, 400])
def test_headings_stay_in_sight_of_many_rows(width: int, on_files: Any) -> None:
    on_files.set_viewport_size({"width": width, "height": 800})
    on_files.evaluate(MANY)
    box = on_files.locator("#intervals .scroll")
    box.evaluate("box => { box.scrollIntoView(); box.scrollTop = 1500 }")
    heading = on_files.locator(f"{BOARD} th[data-key=macro_f1]").bounding_box()
    assert 0 <= heading["y"] - box.bounding_box()["y"] < 120
    assert box.bounding_box()["height"] < 800
    assert on_files.locator(f"{BOARD} th[data-key=name] button").evaluate(IN_SIGHT)
    box.evaluate("box => { box.scrollLeft = 500 }")
    assert on_files.locator(f"{BOARD} th[data-key=name] button").evaluate(IN_SIGHT)


@pytest.mark.parametrize("width", [1300, 400])
def test_headings_cover_no_link_that_has_the_focus(width: int, on_files: Any) -> None:
    on_files.set_viewport_size({"width": width, "height": 800})
    on_files.evaluate(MANY)
    links = on_files.locator(f"{BOARD} tbody a")
    links.last.focus()
    for place in range(links.count() - 1, 0, -1):
        assert links.evaluate_all(FOCUSED) == [place, True], place
        on_files.keyboard.press("Shift+Tab")


def test_paper_shows_all_rows(on_files: Any) -> None:
    on_files.evaluate(MANY)
    on_files.emulate_media(media="print")
    box = on_files.locator("#intervals .scroll")
    assert box.evaluate("box => box.clientHeight === box.scrollHeight")


def test_a_phone_shows_figures_in_letters_that_can_be_read(on_files: Any, site: Path) -> None:
    on_files.set_viewport_size({"width": 400, "height": 800})
    for path in ("index.html", "submissions/sees.html", "decoupling.html"):
        on_files.goto((site / path).as_uri())
        for figure in on_files.locator("figure svg").all():
            assert figure.evaluate("svg => svg.getScreenCTM().a") == 1
            assert figure.locator("..").evaluate("box => box.clientWidth") <= 400


def test_a_phone_has_panels_and_captions_in_sight(on_files: Any, site: Path) -> None:
    on_files.set_viewport_size({"width": 400, "height": 800})
    for path in PAGES:
        on_files.goto((site / path).as_uri())
        for part in on_files.locator(".panels svg:visible, caption:visible").all():
            box = part.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 400


@pytest.mark.parametrize("path", ["index.html", "tasks/sokoban.html", "early-stop.html"])
def test_tables_fit_a_laptop_and_say_on_a_phone_that_they_scroll(
    path: str, on_files: Any, site: Path
) -> None:
    on_files.goto((site / path).as_uri())
    for table in on_files.locator(".scroll:visible").all():
        assert table.evaluate("box => box.scrollWidth <= box.clientWidth")
    hints = on_files.get_by_text("Scroll the table sideways")
    assert hints.count() >= 2
    assert not hints.first.is_visible()
    on_files.set_viewport_size({"width": 400, "height": 800})
    assert all(hint.is_visible() for hint in hints.all())


@pytest.mark.parametrize("name", ["left", "sees"])
def test_all_tables_of_a_submission_fit_a_laptop(name: str, on_files: Any, site: Path) -> None:
    on_files.goto((site / f"submissions/{name}.html").as_uri())
    on_files.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true })")
    tables = on_files.locator(".scroll:visible").all()
    assert len(tables) > 5
    for table in tables:
        assert table.evaluate("box => box.scrollWidth <= box.clientWidth")


def test_baselines_learners_and_the_paper_have_blocks_of_their_own(on_files: Any) -> None:
    headings = on_files.locator(f"{BOARD} tr.block:visible th")
    assert [text.split(" Not ranked:")[0] for text in texts(headings)] == [
        "Submitted estimators",
        "Models that learned from the benchmark",
        "Baselines Reference lines, not ranked: rules and statistics without a language model.",
        "In the paper",
    ]
    on_files.locator(f"{BOARD} th[data-key=macro_f1] button").click()
    blocks = on_files.locator(f"{BOARD} tbody")
    assert titles(blocks.nth(0).locator("bdi"))[:2] == ["The labels", "Sees"]
    assert titles(blocks.nth(3).locator("bdi"))[0] == "Gemini 3.1 Pro Preview"
    on_files.get_by_label("The paper's rows").uncheck()
    assert headings.count() == 3
    on_files.get_by_label("Weights").select_option("none")
    assert [text[:9] for text in texts(headings)] == ["Baselines"]


def texts(elements: Any) -> list[str]:
    return [" ".join(str(text).split()) for text in elements.all_inner_texts()]


def test_the_legend_of_bars_is_shown_with_them(on_files: Any) -> None:
    assert on_files.locator("[data-needs=bars]").is_visible()
    assert on_files.locator(f"{BOARD} td svg").count() > 0


@pytest.mark.parametrize("width", [1280, 400])
def test_the_picture_of_a_question_is_readable(width: int, on_files: Any) -> None:
    """The picture's words are in the page's size, within it, and not upon each other."""
    on_files.set_viewport_size({"width": width, "height": 800})
    picture = on_files.locator(".question svg")
    assert picture.evaluate("svg => svg.getScreenCTM().a") == 1
    boxes = [words.bounding_box() for words in picture.locator("text").all()]
    assert len(boxes) == 6
    for number, box in enumerate(boxes):
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        for other in boxes[number + 1 :]:
            apart = (
                box["x"] + box["width"] <= other["x"]
                or other["x"] + other["width"] <= box["x"]
                or box["y"] + box["height"] <= other["y"]
                or other["y"] + other["height"] <= box["y"]
            )
            assert apart, (box, other)


def test_a_long_name_leaves_room_for_scores(on_files: Any, site: Path) -> None:
    for width, room in ((1300, 900), (400, 180)):
        on_files.set_viewport_size({"width": width, "height": 800})
        for path in ("index.html", "early-stop.html"):
            on_files.goto((site / path).as_uri())
            names = on_files.locator("main table").first.locator("tbody th.name")
            names.locator("bdi").first.evaluate("name => { name.textContent = 'W'.repeat(200) }")
            assert names.first.bounding_box()["width"] <= width - room


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
def test_axe_complains_of_no_page(width: int, scheme: str, browser: Any, site: Path) -> None:
    """Screen readers and people who see little: axe-core's rules, with all folds open."""
    axe = pytest.importorskip("axe_playwright_python", reason="pip install axe-playwright-python")
    script = resources.files(axe) / "axe.min.js"
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    context.set_default_timeout(MILLISECONDS)
    page = context.new_page()
    for path in (*PAGES, "tasks/sokoban.html", "refused.html"):
        page.goto((site / path).as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true })")
        page.evaluate(script.read_text(encoding="utf-8"))
        violations = page.evaluate(
            "axe.run({resultTypes: ['violations']}).then(result => result.violations)"
        )
        assert [(path, each["id"], each["nodes"][0]["html"]) for each in violations] == []
    context.close()


def test_a_keyboard_opens_all_scores_of_a_submission(on_files: Any, site: Path) -> None:
    on_files.goto((site / "submissions/sees.html").as_uri())
    fold = on_files.locator("details", has_text="All scores by task").first
    assert not fold.locator("table").is_visible()
    summary = fold.locator("summary")
    summary.focus()
    summary.press("Enter")
    assert fold.locator("table").is_visible()
    on_files.keyboard.press("Tab")
    assert on_files.evaluate("document.activeElement.getAttribute('aria-label')") == "Scores"


@pytest.mark.parametrize("width", [1280, 1000])
def test_figures_of_a_submission_are_as_wide_as_the_page(
    width: int, on_files: Any, site: Path
) -> None:
    on_files.set_viewport_size({"width": width, "height": 800})
    on_files.goto((site / "submissions/sees.html").as_uri())
    main = on_files.locator("main").bounding_box()["width"]
    for panels in on_files.locator(".panels").all():
        boxes = [svg.bounding_box() for svg in panels.locator("> svg").all()]
        row = [box for box in boxes if box["y"] == boxes[0]["y"]]
        assert len(row) > 1
        assert row[-1]["x"] + row[-1]["width"] - row[0]["x"] > 0.9 * main


def test_it_reads_without_its_script(browser: Any, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "index.html").as_uri())
    assert page.locator("#filters").is_hidden()
    assert page.locator(f"{BOARD} tbody tr[data-standing]").count() == 13
    assert page.locator("[data-needs=bars]").is_hidden()
    assert page.locator("td.rank b").first.inner_text() == "1"
    assert not page.locator(f"{BOARD} th[data-key=hit_rate]").is_visible()
    page.locator("#intervals").get_by_label("How much is needed?").check()
    assert page.locator(f"{BOARD} th[data-key=hit_rate]").is_visible()
    assert not page.locator(f"{BOARD} th[data-key=valid_rate]").is_visible()
    context.close()


def test_pictures_to_look_at(browser: Any, site: Path) -> None:
    if not SCREENSHOTS:
        pytest.skip("SCREENSHOTS names no folder")
    for width, scheme in ((1280, "light"), (1280, "dark"), (400, "light"), (400, "dark")):
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        for path in PAGES:
            page.goto((site / path).as_uri())
            name = f"{Path(path).stem}-{width}-{scheme}.png"
            page.screenshot(path=Path(SCREENSHOTS) / name, full_page=True)
        page.close()
