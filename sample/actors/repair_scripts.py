"""How scripted agents go about a toy: each a list of steps that is known before the first is taken.

Some fix the bug at once, some look around first, some need rounds of repair, some submit a fix that
is only half of one, and some never submit.
"""

from collections.abc import Callable, Iterator
from random import Random

from sample.actors.repair_steps import Moves, Step

Script = Callable[[Moves], Iterator[Step]]
"""The steps of a rollout. It ends with the last one, or where the agent's limit is."""


def direct(moves: Moves) -> Iterator[Step]:
    """Finds the bug at once."""
    if moves.rng.random() < 0.5:
        yield moves.look()
    yield moves.read()
    yield moves.fix()
    yield moves.try_example()
    yield from moves.submit()


def thorough(moves: Moves) -> Iterator[Step]:
    """Looks at much before, and at much after."""
    yield moves.look()
    around = [moves.history, moves.read_tests, moves.list_functions, moves.run_tests]
    moves.rng.shuffle(around)
    for look in around[moves.rng.randrange(len(around)) :]:
        yield look()
    yield moves.read()
    yield moves.try_example()
    yield moves.fix()
    checks = [moves.try_example, moves.try_other, moves.run_tests]
    moves.rng.shuffle(checks)
    for check in checks[moves.rng.randrange(len(checks)) :]:
        yield check()
    yield moves.show_change()
    yield from moves.submit()


def in_rounds(moves: Moves) -> Iterator[Step]:
    """Repairs, finds that it was not all, and repairs again."""
    yield moves.look()
    yield moves.read()
    yield moves.try_example()
    if moves.rng.random() < 0.5:
        yield moves.search_notes()
    for _ in range(1 + moves.rng.randrange(2)):
        yield from _round(moves)
    yield moves.fix()
    yield moves.try_other()
    yield moves.try_example()
    yield moves.run_tests()
    yield from moves.submit()


def hasty(moves: Moves) -> Iterator[Step]:
    """Submits half a fix without a look at what it does."""
    yield moves.read()
    yield moves.fix_half()
    if moves.rng.random() < 0.5:
        yield moves.try_example()
    yield from moves.submit()


def content(moves: Moves) -> Iterator[Step]:
    """Works with care, and is content with half a fix since all tests pass."""
    yield moves.look()
    yield moves.read()
    yield moves.read_tests()
    yield moves.run_tests()
    yield moves.try_example()
    yield moves.read_place()
    yield moves.fix_half()
    yield moves.try_example()
    yield moves.run_tests()
    yield moves.show_change()
    yield from moves.submit()


def weary(moves: Moves) -> Iterator[Step]:
    """Sees that the fix is only half of one, finds no better one, and submits it in the end."""
    yield moves.look()
    yield moves.read()
    for _ in range(2 + moves.rng.randrange(3)):
        yield from _round(moves)
    yield moves.fix_half()
    yield moves.run_tests()
    yield from moves.submit()


def lost(moves: Moves) -> Iterator[Step]:
    """Goes round in circles until the steps are over."""
    yield moves.look()
    yield moves.read()
    yield moves.run_tests()
    while True:
        if moves.rng.random() < 0.5:
            yield moves.search_notes()
        yield from _round(moves)
        yield moves.run_tests()
        again = [moves.history, moves.read_tests, moves.list_functions]
        yield moves.rng.choice(again)()


def _round(moves: Moves) -> Iterator[Step]:
    """A repair that comes to nothing."""
    yield moves.fix_half()
    if moves.rng.random() < 0.5:
        yield moves.try_example()
    yield moves.try_other()
    yield moves.undo()
    yield moves.read_place()


DECK: tuple[Script, ...] = (
    *(direct, direct, thorough, thorough, in_rounds),
    *(hasty, content, weary, lost),
)
"""Nine rollouts in a row have these scripts in some order: five resolve their instance."""


def script_of(seed: int, number: int) -> Script:
    """The script of a rollout."""
    round_, place = divmod(number, len(DECK))
    deck = list(DECK)
    Random(f"scripts {seed} {round_}").shuffle(deck)
    return deck[place]
