"""Make the bundled corpus and question file: a made-up country, and questions about it.

python -m sample.search.make_country     writes both files here, the same every time
"""

import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sample.search.country import World
from sample.search.country_questions import ask
from sample.search.country_texts import document

FOLDER = Path(__file__).parent
SEED = "search-1"


def main(folder: Path = FOLDER) -> None:
    """Write both files."""
    world = World(f"{SEED}/world")
    writing, asking = random.Random(f"{SEED}/texts"), random.Random(f"{SEED}/questions")
    corpus = [
        {"id": f"doc_{number}", "title": thing.name, "text": document(thing, writing)}
        for number, thing in enumerate(world.things, 1)
    ]
    questions = [
        {
            "id": f"question_{number}",
            "question": asked.text,
            "answer": asked.answers[0] if len(asked.answers) == 1 else list(asked.answers),
            "type": asked.kind,
        }
        for number, asked in enumerate(ask(world, asking), 1)
    ]
    _write(folder / "corpus.jsonl", corpus)
    _write(folder / "questions.jsonl", questions)


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    lines = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    path.write_bytes(lines.encode("utf-8"))


if __name__ == "__main__":
    main()
