"""Names and links that strangers make to pass for others, or to upset who reads them.

A submission says what it is called and where to read more. Names with Cyrillic or full-width
letters, with characters of no width, with marks over letters, or of spaces alone passed for others
on the board, and `https://known.example@other.example/` for a page of the known one.
"""

import random
import unicodedata

import pytest
from pydantic import ValidationError

from bagen_data.submissions import Labels
from leaderboard.look_alikes import ShownName, look_alikes, skeleton
from tests.attacks.tallies import Tally

NAMES = ("gpt-5.2", "Claude Opus 4.5", "Qwen3-8B", "gemini-3-pro", "o4-mini", "quantiles")
PAGES = ("example.org", "huggingface.co", "arxiv.org")


def accepts(name: str | None = None, link: str | None = None) -> bool:
    """Whether a submission may have this name and link."""
    try:
        Labels.model_validate({"name": name, "link": link}, strict=False)
    except ValidationError:
        return False
    return True


def twins() -> dict[str, list[str]]:
    """Characters by the one that each looks like."""
    characters = map(chr, [*range(0xA0, 0xD800), *range(0xF900, 0x1F900)])
    twins_of: dict[str, list[str]] = {}
    for character in characters:
        if unicodedata.category(character) not in ("Cn", "Co", "Cs"):
            plain = skeleton(unicodedata.normalize("NFKC", character))
            if plain.isascii() and plain.strip():
                twins_of.setdefault(plain, []).append(character)
    return twins_of


@pytest.mark.attack("names that look like another")
def test_names_that_look_like_another(tally: Tally) -> None:
    draw = random.Random(17)
    characters = twins()
    for _ in range(tally.size(4_000, 200_000)):
        name = draw.choice(NAMES)
        letters = list(name)
        places = draw.sample(range(len(name)), draw.choice([1, 1, 2, 3, len(name)]))
        for place in places:
            letters[place] = draw.choice(characters.get(skeleton(name[place]), [name[place]]))
        forged = "".join(letters)
        if forged == name:
            continue
        tally.tried += 1
        # the forger's date is earlier, and its folder first
        names = [ShownName("a", forged, "2020-01-01"), ShownName("b", name, "2026-11-21")]
        tally.wrong += accepts(forged) and look_alikes(names).keys() != {"a"}


@pytest.mark.attack("names that are not seen")
def test_names_that_are_not_seen(tally: Tally) -> None:
    draw = random.Random(17)
    unseen = [
        character
        for character in map(chr, [*range(0xD800), *range(0xE000, 0x110000)])
        if unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp", "Zs", "Mn", "Me", "Co")
        and character != " "
    ]
    unseen += list("\u115f\u1160\u3164\uffa0\u2800\ud800")
    for _ in range(tally.size(4_000, 200_000)):
        name = draw.choice(NAMES)
        place = draw.randint(0, len(name))
        mark = draw.choice(unseen)
        forged_names = (name[:place] + mark + name[place:], mark * draw.randint(1, 9), f"{name} ")
        for forged in forged_names:
            composed = unicodedata.normalize("NFC", forged)
            tally.tried += 1
            tally.wrong += accepts(forged) or (accepts(composed) and skeleton(composed) in NAMES)


@pytest.mark.attack("links that lead elsewhere")
def test_links_that_lead_elsewhere(tally: Tally) -> None:
    draw = random.Random(17)
    before = ("{page}@", "{page}:443@", "user:pw@", "{page}%40x@", "@", "{page}\\@", "{page}\t@")
    evil = ("evil.example.com", "8.8.8.8", "xn--e1awd7f.com")
    inside = (
        "localhost",
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "router",
        "printer.local",
        "localhost.",
        "a.localhost",
        "０.０.０.０",
        "0",
        "",
    )
    schemes = ("http://", "https://", "HTTPS://", "http:", "https:/", "https:\\\\", "//", "ftp://")
    mended = ("\\", "\n", "\r", "\t", " ", "\0", "\u202e")
    for _ in range(tally.size(2_000, 100_000)):
        page, scheme = draw.choice(PAGES), draw.choice(schemes)
        for link in (
            f"{scheme}{draw.choice(before).format(page=page)}{draw.choice(evil)}/{page}",
            f"{scheme}{draw.choice(inside)}{draw.choice(['', ':8000', ':80/', '/admin?a=b#c'])}",
            f"{draw.choice(['javascript', 'data', 'file', 'ftp', 'vbscript'])}://{page}/%0aalert(1)",
            f"https://{page}{draw.choice(mended)}/x",
        ):
            tally.tried += 1
            tally.wrong += accepts(link=link)
    for page in PAGES:
        assert accepts(link=f"https://{page}:8443/@user/paper?q=a@b#c")


def test_hosts_in_other_scripts_are_shown_in_ascii() -> None:
    labels = Labels.model_validate({"name": None, "link": "https://аррӏе.com/"}, strict=False)
    assert str(labels.link) == "https://xn--80ak6aa92e.com/"
