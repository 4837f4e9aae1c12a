"""Make the bundled corpus and question file: a made-up country, and questions about it.

python -m sample.search.make_country     writes both files here, the same every time
"""

import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bagen_data.replaced_file import write_file
from sample.search.country import Country

FOLDER = Path(__file__).parent
SEED = "search-2"

PATHS = (
    ("bridge", "opened", "In which year was {name} opened?"),
    ("bridge", "metres", "How many metres long is {name}?"),
    ("mill", "built", "When was {name} built?"),
    ("mill", "product", "What did {name} make?"),
    ("ship", "owner", "Who owned the ship {name}?"),
    ("ship", "yard", "In which town was the ship {name} launched?"),
    ("guild", "town", "In which town does the {name} have its seat?"),
    ("museum", "opened", "Since which year has the {name} been open?"),
    ("town", "charter", "When did {name} receive its charter?"),
    ("mill", "owner.founded", "In which year was the owner of {name} founded?"),
    ("ship", "owner.town", "In which town does the owner of the ship {name} have its seat?"),
    ("ship", "yard.river", "On which river lies the town where the ship {name} was launched?"),
    ("bridge", "builder.town", "In which town is whoever built {name} seated?"),
    ("bridge", "town.craft", "What is the town known for in which {name} stands?"),
    (
        "museum",
        "figurehead.launched",
        "When was the ship launched whose figurehead the {name} has?",
    ),
    ("museum", "town.charter", "When did the town of the {name} receive its charter?"),
    ("town", "river.sea", "Into which sea does the river flow on which {name} lies?"),
    ("mill", "owner.town.river", "On which river is the owner of {name} seated?"),
    ("bridge", "town.river.km", "How many kilometres long is the river that {name} crosses?"),
)
"""Kind of the thing that a question names, the path from there to the answer, and the question."""
EACH = 3
"""Questions of each form."""
_KINDS = ("one-hop", "two-hop", "three-hop")


def main(folder: Path = FOLDER) -> None:
    """Write both files."""
    country = Country(random.Random(f"{SEED}/country"))
    rng = random.Random(f"{SEED}/texts")
    corpus = (
        {"id": f"doc_{number}", "title": thing.name, "text": thing.text(rng)}
        for number, thing in enumerate(country.things.values(), 1)
    )
    _write(folder / "corpus.jsonl", corpus)
    rng = random.Random(f"{SEED}/questions")
    questions = (*_along_paths(country, rng), *_comparisons(country, rng))
    rows = (
        {"id": f"question_{number}", "question": question, "answer": answer, "type": kind}
        for number, (question, answer, kind) in enumerate(questions, 1)
    )
    _write(folder / "questions.jsonl", rows)


Question = tuple[str, str | list[str], str]
"""The question, its answer or all accepted ones, and its kind."""


def _along_paths(country: Country, rng: random.Random) -> Iterator[Question]:
    for kind, path, question in PATHS:
        for thing in rng.sample(country.of_kind(kind), EACH):
            answer = str(country.follow(thing, path))
            bare = answer.removeprefix("River ")
            accepted = answer if bare == answer else [answer, bare]
            yield question.format(name=thing.name), accepted, _KINDS[path.count(".")]


def _comparisons(country: Country, rng: random.Random) -> Iterator[Question]:
    for number in range(EACH):
        one, other = rng.sample(country.of_kind("bridge"), 2)
        first = min((one, other), key=lambda bridge: bridge.facts["opened"])
        yield f"Which was opened first, {one.name} or {other.name}?", first.name, "comparison"
        one, other = rng.sample(country.of_kind("ship"), 2)
        longest = max((one, other), key=lambda ship: ship.facts["metres"])
        question = f"Which ship was longer, the {one.name} or the {other.name}?"
        yield question, longest.name, "comparison"
        older, younger = sorted(
            rng.sample(country.of_kind("mill"), 2), key=lambda mill: mill.facts["built"]
        )
        names = (older.name, younger.name) if number % 2 else (younger.name, older.name)
        question = f"Is {names[0]} older than {names[1]}?"
        yield question, "yes" if number % 2 else "no", "comparison"


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    write_file(path, "".join(f"{json.dumps(row)}\n" for row in rows))


if __name__ == "__main__":
    main()
