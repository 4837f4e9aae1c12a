"""How the scripted searcher finds answers in pages: by words that question and sentence share."""

import re
from collections.abc import Sequence

from sample.actors.page_reading import Page, is_about, names, stem, stems
from sample.actors.question_analysis import Asked, Kind

_YEAR = re.compile(r"\b1[0-9]{3}\b|\b20[0-9]{2}\b")
_LENGTH = re.compile(r"\b[\d,.]*\d (?:kilometres|metres|centimetres|miles|feet|km|m)\b")
_COUNT = re.compile(r"\b([\d,]*\d) (\w+)")
_OWNERS = ("company", "owner", "guild", "group")
_SAME = {"long": "length", "length": "long", "tall": "metre", "old": "built", "height": "metre"}
"""Words that mean much the same in a question and in a text."""


def linked(page: Page, link: str, asked: Asked) -> str | None:
    """The name on a page that fits the word of the link best; None where there is none."""
    best, best_points = None, 0.0
    for sentence in page.sentences():
        shared = len(stems(sentence) & stems(asked.text))
        for name in names(sentence):
            if name in page.title or page.title in name or name in asked.names:
                continue
            points = _fits(name, link, sentence) + 0.1 * shared
            if points > best_points and points >= 1:
                best, best_points = name, points
    return best


def _fits(name: str, link: str, sentence: str) -> float:
    if link in _OWNERS:
        return 3.0 * bool(re.search(r"Company|Guild|Group|Inc|Ltd", name))
    if re.search(rf"\b{link}s? (?:of |called )?{re.escape(name)}", sentence, re.IGNORECASE):
        return 3.0
    before = {"town": "in|at|near|above|off", "city": "in|at|near", "river": "the|over the"}
    word = before.get(link, "the|by|of")
    return 1.0 * bool(re.search(rf"\b(?:{word}) {re.escape(name)}\b", sentence, re.IGNORECASE))


def answers(asked: Asked, focus: str, seen: Sequence[Page]) -> list[str]:
    """Candidates for the answer to a question about `focus`, the best first; may be empty."""
    wanted = _wanted(asked)
    rated: list[tuple[float, int, str]] = []
    for page in seen:
        about = 3.0 * is_about(page, focus) + 1.0 * (focus in page.text)
        about += len(wanted & stems(page.title)) if about else 0
        for sentence in page.sentences():
            points = about + len(wanted & stems(sentence))
            for candidate, nearness in _candidates(asked, sentence, wanted):
                if candidate not in (focus, page.title) and candidate not in asked.names:
                    rated.append((points + nearness, -len(rated), candidate))
    ordered = [candidate for _, _, candidate in sorted(rated, reverse=True)]
    return list(dict.fromkeys(ordered))


def _candidates(asked: Asked, sentence: str, wanted: set[str]) -> list[tuple[str, float]]:
    """Parts of a sentence of the wanted kind, each with up to one point for where it stands."""
    match asked.kind:
        case Kind.YEAR:
            found = [(year[0], year.start()) for year in _YEAR.finditer(sentence)]
        case Kind.AMOUNT if "how many" in asked.text.lower():
            counts = _COUNT.finditer(sentence)
            found = [(it[1], it.start()) for it in counts if stem(it[2].lower()) in wanted]
        case Kind.AMOUNT:
            found = [(length[0], length.start()) for length in _LENGTH.finditer(sentence)]
        case Kind.NAME:
            found = [(name, sentence.index(name)) for name in names(sentence)]
        case _:
            return [(words, 0.5) for words in _after(sentence, wanted)]
    return [(text, _nearness(sentence, position, wanted)) for text, position in found]


def _nearness(sentence: str, position: int, wanted: set[str]) -> float:
    """How near a wanted word ends before the position, from 0 to 1."""
    before = re.findall(r"\w+", sentence[:position].lower())
    for distance, word in enumerate(reversed(before)):
        if stem(word) in wanted:
            return 1 / (1 + distance)
    return 0.0


def _after(sentence: str, wanted: set[str]) -> list[str]:
    """What follows the last wanted word, up to a comma or the end."""
    words = list(re.finditer(r"\w+", sentence))
    last = next((word for word in reversed(words) if stem(word[0].lower()) in wanted), None)
    if last is None:
        return []
    rest = re.split(r"[,.;]", sentence[last.end() :])[0]
    bare = re.sub(r"^(?:\s*(?:for|its|the|a|was|is|of|from|anything|but)\b)+", "", rest).strip()
    return [bare] if bare else []


def measure(asked: Asked, name: str, seen: Sequence[Page]) -> float | None:
    """The year or amount to compare of the thing of that name; None where no page tells it."""
    page = next((page for page in seen if is_about(page, name)), None)
    if page is None:
        return None
    rule = _YEAR if asked.compares_years else _LENGTH
    wanted = _wanted(asked)
    sentences = sorted(page.sentences(), key=lambda it: -len(wanted & stems(it)))
    found = [text for sentence in sentences for text in rule.findall(sentence)]
    return float(re.sub(r"[^\d.]", "", found[0])) if found else None


def _wanted(asked: Asked) -> set[str]:
    """Stems to look for in a sentence with the answer."""
    wanted = stems(" ".join(asked.words))
    wanted |= {_SAME[word] for word in wanted if word in _SAME}
    return wanted - {stem(asked.link)}
