"""Questions about the world, with every answer that is right."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from sample.search.country import Thing, World


@dataclass(frozen=True)
class Asked:
    """A question."""

    kind: str
    """`one-hop`, `two-hop` or `comparison`."""
    text: str
    answers: tuple[str, ...]
    """Accepted, the usual one first."""


def ask(world: World, rng: random.Random) -> Iterator[Asked]:
    """All questions."""
    yield from _one_hop(world, rng)
    yield from _two_hops(world, rng)
    yield from _comparisons(world, rng)


ONE_HOP: tuple[tuple[str, str, str, int, tuple[str, ...]], ...] = (
    (
        *("bridge", "opened", "{}", 4),
        (
            "In which year was {name} opened?",
            "When did {name} over the {river} open?",
            "What year did traffic first use {name}?",
        ),
    ),
    (
        *("bridge", "metres", "{} metres", 3),
        ("How long is {name}?", "What is the length of {name} in {town}?"),
    ),
    (
        *("mill", "built", "{}", 4),
        ("When was {name} built?", "In which year was {name} near {town} built?"),
    ),
    (*("mill", "product", "{}", 3), ("What did {name} make?", "What was made at {name}?")),
    (
        *("lighthouse", "lit", "{}", 3),
        ("In which year was {name} first lit?", "When was the lighthouse {name} first lit?"),
    ),
    (
        *("lighthouse", "metres", "{} metres", 2),
        ("How tall is the tower of {name}?", "How many metres tall is {name}?"),
    ),
    (
        *("ship", "owner", "{}", 4),
        ("Which company owned the ship {short}?", "Who was the owner of the {short}?"),
    ),
    (
        *("ship", "yard", "{}", 3),
        ("Where was the ship {short} built?", "In which town was the {short} launched?"),
    ),
    (
        *("guild", "town", "{}", 3),
        ("In which town does the {name} have its seat?", "Where is the {name} seated?"),
    ),
    (
        *("guild", "founded", "{}", 3),
        ("When was the {name} founded?", "In which year was the {name} founded?"),
    ),
    (*("canal", "locks", "{}", 3), ("How many locks does the {name} have?",)),
    (*("museum", "town", "{}", 2), ("In which town is the {name}?", "Where is the {name}?")),
    (
        *("festival", "month", "{}", 3),
        ("In which month is {name} held?", "When in the year does {town} hold {name}?"),
    ),
    (*("observatory", "opened", "{}", 2), ("In which year was the {name} opened?",)),
    (*("town", "charter", "{}", 3), ("When did {name} receive its charter?",)),
)
"""Kind of thing, fact asked for, the answer's form, how many of them, phrasings."""

TWO_HOPS: tuple[tuple[str, str, str, str, str, str, int, tuple[str, ...]], ...] = (
    (
        *("guild", "town", "bridge", "town", "opened", "{}", 6),
        (
            "In which year was the bridge opened in the town where the {name} has its seat?",
            "The {name} is seated in a town with a bridge; when was that bridge opened?",
        ),
    ),
    (
        *("ship", "yard", "town", "name", "river", "{}", 6),
        (
            "On which river lies the town where the ship {short} was built?",
            "The {short} was launched at a town on which river?",
        ),
    ),
    (
        *("ship", "owner", "guild", "name", "town", "{}", 6),
        (
            "In which town does the company that owned the ship {short} have its seat?",
            "Where is the owner of the {short} seated?",
        ),
    ),
    (
        *("bridge", "river", "river", "short", "km", "{} kilometres", 6),
        (
            "How long is the river that {name} crosses?",
            "What is the length of the river under {name}?",
        ),
    ),
    (
        *("mill", "river", "river", "short", "hills", "{}", 5),
        (
            "In which hills does the river rise that drives {name}?",
            "Where does the river rise on which {name} stands?",
        ),
    ),
    (
        *("mill", "owner", "guild", "name", "founded", "{}", 5),
        (
            "In which year was the owner of {name} founded?",
            "When was the guild or company founded to which {name} belongs?",
        ),
    ),
    (
        *("festival", "town", "bridge", "town", "builder", "{}", 4),
        (
            "Who built the bridge in the town where {name} is held?",
            "Which guild built the bridge of the town that holds {name}?",
        ),
    ),
    (
        *("museum", "ship", "ship", "short", "launched", "{}", 5),
        (
            "In which year was the ship launched whose figurehead is in the {name}?",
            "The {name} shows a ship's figurehead; when was that ship launched?",
        ),
    ),
    (
        *("town", "river", "river", "short", "sea", "{}", 4),
        (
            "Into which sea does the river flow on which {name} lies?",
            "The river at {name} has its mouth on which sea?",
        ),
    ),
    (
        *("lighthouse", "town", "town", "name", "craft", "{}", 3),
        ("What is the town known for near which {name} stands?",),
    ),
)
"""Kind of thing, its fact that leads on, to which kind and fact of it, and then as above."""


def _one_hop(world: World, rng: random.Random) -> Iterator[Asked]:
    for kind, fact, form, count, phrasings in ONE_HOP:
        for thing in _some(world, kind, count, rng):
            text = rng.choice(phrasings).format(**thing.facts)
            yield Asked("one-hop", text, _accepted(form, thing.facts[fact]))


def _two_hops(world: World, rng: random.Random) -> Iterator[Asked]:
    for kind, link, second_kind, fits, fact, form, count, phrasings in TWO_HOPS:
        for thing in _some(world, kind, count, rng):
            second = world.at(second_kind, fits, thing.facts[link])
            text = rng.choice(phrasings).format(**thing.facts)
            yield Asked("two-hop", text, _accepted(form, second.facts[fact]))


def _comparisons(world: World, rng: random.Random) -> Iterator[Asked]:
    for one, other in _pairs(world, "bridge", 5, rng):
        earlier = min((one, other), key=lambda bridge: bridge.facts["opened"])
        yield _compared(f"Which was opened first, {one.name} or {other.name}?", earlier.name)
    for one, other in _pairs(world, "river", 4, rng):
        longer = max((one, other), key=lambda river: river.facts["km"])
        text = f"Which river is longer, the {one.facts['short']} or the {other.facts['short']}?"
        yield _compared(text, str(longer.facts["short"]), longer.name)
    for one, other in _pairs(world, "ship", 4, rng):
        longer = max((one, other), key=lambda ship: ship.facts["metres"])
        names = f"the {one.facts['short']} or the {other.facts['short']}"
        yield _compared(f"Which ship was longer, {names}?", str(longer.facts["short"]))
    for one, other in _pairs(world, "lighthouse", 4, rng):
        is_taller = int(one.facts["metres"]) > int(other.facts["metres"])
        yield _compared(f"Is {one.name} taller than {other.name}?", _yes_or_no(is_taller))
    for one, other in _pairs(world, "mill", 4, rng):
        is_older = int(one.facts["built"]) < int(other.facts["built"])
        yield _compared(f"Is {one.name} older than {other.name}?", _yes_or_no(is_older))
    for is_same in (True, False, True, False):
        one = _some(world, "town", 1, rng)[0]
        others = [
            town
            for town in world.of("town")
            if town != one and (town.facts["river"] == one.facts["river"]) == is_same
        ]
        text = f"Do {one.name} and {rng.choice(others).name} lie on the same river?"
        yield _compared(text, _yes_or_no(is_same))


def _compared(text: str, *answers: str) -> Asked:
    return Asked("comparison", text, answers)


def _yes_or_no(is_so: bool) -> str:
    return "yes" if is_so else "no"


def _some(world: World, kind: str, count: int, rng: random.Random) -> list[Thing]:
    things = world.of(kind)
    rng.shuffle(things)
    return things[:count]


def _pairs(
    world: World, kind: str, count: int, rng: random.Random
) -> Iterator[tuple[Thing, Thing]]:
    things = _some(world, kind, 2 * count, rng)
    return zip(things[::2], things[1::2], strict=True)


def _accepted(form: str, fact: str | int) -> tuple[str, ...]:
    """The answer, and a number also without its unit."""
    full = form.format(fact)
    return (full,) if full == str(fact) else (full, str(fact))
