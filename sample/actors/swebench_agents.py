"""Scripted bug fixers: mini-swe-agent's deterministic model, on toys whose fix they know.

Some fix the bug at once, some look around first, some need rounds of repair, some submit a fix that
is only half of one, and some never submit.
"""

import difflib
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from random import Random
from typing import Any

import orjson

from collect.recorded_family import Start
from collect.scripted_agents import SCRIPTED
from collect.swebench.agent_prompts import OBSERVATION, SUBMIT
from collect.swebench.instances import TEST_COMMAND, Instance
from collect.swebench.local_rollout import LIMITS, Limits, rollout
from collect.swebench.minisweagent_import import load_mini_swe_agent
from collect.swebench.trajectory_layout import record
from collect.token_count import token_count
from sample.actors.toy_repositories import Case, Toy, choose_toys, make_repositories

__all__ = ["NAMES", "ContinuedToys", "ScriptedToys", "choose_toys", "make_repositories"]
NAMES: tuple[str, ...] = ()
"""Names of agents to choose: none, as a family is dealt all scripts in turn."""

STEPS = {
    "list files": ("I look at what is in the repository.", "git ls-files", "cat README.md"),
    "read history": (
        "Perhaps the history tells when this began.",
        "git log --format='%h %an, %ad: %s' --date=short",
    ),
    "read module": ("The issue must be in {file}; I read it from top to bottom.", "cat -n {file}"),
    "read tests": ("The tests may show how this is meant.", "cat test_{file}"),
    "list functions": ("Which functions are there, and where?", "git grep -n 'def ' -- {file}"),
    "search notes": (
        "Perhaps this is a known gap, and somebody left a note.",
        "git grep -n -i -E 'todo|fixme|hack'",
    ),
    "run tests": (
        "Let me see what the tests say.",  # without the seconds they took
        f"{TEST_COMMAND} 2>&1 | grep -E '^(FAIL|ERROR|AssertionError|OK|FAILED)'",
    ),
    "try example": ("The example of the issue: it should be {expected}.", "{try_example}"),
    "try other case": (
        "The issue says more than its example does. Here I expect {other_expected}.",
        "{try_other_case}",
    ),
    "fix": ("I see what is wrong, and change all that the issue names.", "{fix}"),
    "fix half": ("A small change should make the example come out right.", "{fix_half}"),
    "undo": (
        "That is not right yet. I take my change back and think again.",
        "git checkout -- {file}",
        "git status --short",
    ),
    "show change": ("I look at my change as a whole.", "git diff"),
    "write patch": ("That should be all. The patch:", "git diff -- {file} > patch.txt"),
    "read patch": ("I read it once more before I hand it in.", "cat patch.txt"),
    "submit": ("Good. I hand it in.", SUBMIT),
}
"""Words of an agent and the commands it runs, with the names of `step_fields` in braces."""
_LOOKS = ("list files", "read history", "read tests", "list functions", "run tests")
_CHECKS = ("try example", "try other case", "run tests", "show change")
_FRUITLESS = ("fix half", "try example", "try other case", "undo")
_HAND_IN = ("write patch", "read patch", "submit")


def _direct(rng: Random) -> Iterator[str]:
    """Find the bug at once."""
    yield from rng.sample(_LOOKS, rng.randrange(2))
    yield from ("read module", "fix", "try example", *_HAND_IN)


def _thorough(rng: Random) -> Iterator[str]:
    """Look at much before, and at much after."""
    yield from rng.sample(_LOOKS, 1 + rng.randrange(len(_LOOKS)))
    yield from ("read module", "try example", "fix")
    yield from rng.sample(_CHECKS, 1 + rng.randrange(len(_CHECKS)))
    yield from _HAND_IN


def _in_rounds(rng: Random) -> Iterator[str]:
    """Repair, find that it was not all, and repair again."""
    yield from ("list files", "read module", *_FRUITLESS * (1 + rng.randrange(2)))
    yield from ("search notes", "fix", "try other case", "run tests", *_HAND_IN)


def _hasty(rng: Random) -> Iterator[str]:
    """Submit half a fix, with a look at the example at most."""
    yield from rng.sample(_LOOKS, rng.randrange(3))
    yield from ("read module", "fix half", "try example", *_HAND_IN)


def _weary(rng: Random) -> Iterator[str]:
    """See that the fix is only half of one, find no better one, and submit it in the end."""
    yield from ("list files", "read module", *_FRUITLESS * (1 + rng.randrange(3)))
    yield from ("fix half", "run tests", *_HAND_IN)


def _lost(rng: Random) -> Iterator[str]:
    """Go round in circles until the steps are over."""
    yield from ("list files", "read module")
    while True:
        yield from (*_FRUITLESS, rng.choice(_LOOKS), "search notes")


SCRIPTS: dict[str, Callable[[Random], Iterator[str]]] = {
    "direct": _direct,
    "thorough": _thorough,
    "in_rounds": _in_rounds,
    "hasty": _hasty,
    "weary": _weary,
    "lost": _lost,
}
"""Names of `STEPS` in order; a rollout ends with the last one, or at the agent's limit."""
RESOLVING = ("direct", "thorough", "in_rounds")
DECK = ("direct", "direct", "thorough", "thorough", "in_rounds", "hasty", "weary", "weary", "lost")
"""Nine rollouts in a row have these scripts in some order: five resolve their instance."""


def script_name(seed: int, number: int) -> str:
    """Return the name of a rollout's script."""
    deal, place = divmod(number, len(DECK))
    deck = list(DECK)
    Random(f"scripts {seed} {deal}").shuffle(deck)
    return deck[place]


@dataclass(frozen=True)
class ScriptStep:
    """Words of an agent, and the commands that it calls the tool with."""

    thought: str
    commands: tuple[str, ...]


def script_steps(name: str, toy: Toy, rng: Random) -> Iterator[ScriptStep]:
    """Yield the steps of a script on a toy; there may be no end to them."""
    fields = step_fields(toy)
    for step in SCRIPTS[name](rng):
        thought, *commands = (text.format_map(fields) for text in STEPS[step])
        yield ScriptStep(thought, tuple(commands))


def step_fields(toy: Toy) -> Mapping[str, str]:
    """Return what the texts of `STEPS` name."""
    bug = toy.bug
    return {
        "file": toy.file,
        "expected": bug.example.expected,
        "other_expected": bug.other_case.expected,
        "try_example": _print(toy, bug.example),
        "try_other_case": _print(toy, bug.other_case),
        "fix": _apply(toy, bug.right),
        "fix_half": _apply(toy, bug.half),
    }


def _print(toy: Toy, case: Case) -> str:
    code = f"from {toy.module} import *; print(repr({case.expression}))"
    return f"python3 -c {shlex.quote(code)}"


def _apply(toy: Toy, part: str) -> str:
    before = toy.with_part(toy.bug.wrong).splitlines(keepends=True)
    after = toy.with_part(part).splitlines(keepends=True)
    diff = difflib.unified_diff(before, after, f"a/{toy.file}", f"b/{toy.file}")
    return f"git apply -v - <<'EOF'\n{''.join(diff)}EOF"


@dataclass(frozen=True)
class ScriptedToys:
    """Player of rollouts by number: the same seed and number give the same bytes."""

    toys: Sequence[Toy]
    instances: Sequence[Instance]
    """Instances of the toys, in their order."""
    seed: int
    tokenizer: str | None = None
    """Tokenizer that counts the simulated usage; words and marks if None."""
    limits: Limits = LIMITS

    def __call__(self, number: int) -> dict[str, Any]:
        """Return the rollout of a number, as the family keeps it."""
        name = script_name(self.seed, number)
        steps = script_steps(name, self.toys[number], Random(f"swebench {self.seed} {number}"))
        played = rollout(
            self.instances[number], scripted_model(name, steps, self.limits), self.limits
        )
        return record(number, with_simulated_usage(played.trajectory, self.tokenizer), SCRIPTED)


@dataclass(frozen=True)
class ContinuedToys:
    """Player of continuations of toys: all of the recorded commands again, then others.

    Nothing of a rollout is kept but its messages. A fresh clone in which the same commands run is
    in the same state.
    """

    recorded: ScriptedToys
    """The toys, with the seed and the limits of the recorded family."""
    starts: Sequence[Start]
    seed: int
    """Seed of what is drawn after the recorded turns."""

    def __call__(self, number: int) -> dict[str, Any]:
        """Return the continuation of a number: continuations go round the starts."""
        again, place = divmod(number, len(self.starts))
        start = self.starts[place]
        played = self._played(start, start.seed(self.seed, again), self.recorded.limits)
        kept = record(number, played, SCRIPTED)
        info = kept["info"] | {"continues": start.provenance(again, self.seed)}
        return kept | {"instance_id": str(start.name(again)), "info": info}

    def prefix(self, start: Start) -> Sequence[Mapping[str, Any]]:
        """Return the messages of the recorded turns, from commands that are run again."""
        limits = replace(self.recorded.limits, steps=start.turn)
        played = self._played(start, "", limits)
        return [each for each in played["messages"] if each["role"] != "exit"]

    def _played(self, start: Start, seed: str, limits: Limits) -> dict[str, Any]:
        recorded, number = self.recorded, start.number
        name = script_name(recorded.seed, number)
        rng = Random(f"swebench {recorded.seed} {number}")
        steps = _played_on(script_steps(name, recorded.toys[number], rng), start.turn, rng, seed)
        played = rollout(recorded.instances[number], scripted_model(name, steps, limits), limits)
        return with_simulated_usage(played.trajectory, recorded.tokenizer)


def _played_on(
    steps: Iterator[ScriptStep], turn: int, rng: Random, seed: str
) -> Iterator[ScriptStep]:
    """Yield some steps as they were recorded, then those of other draws."""
    yield from islice(steps, turn)
    rng.seed(seed)
    yield from steps


def scripted_model(name: str, steps: Iterable[ScriptStep], limits: Limits) -> Any:
    """Return mini-swe-agent's deterministic model, with the steps as its answers."""
    load_mini_swe_agent()
    from minisweagent.models.test_models import DeterministicToolcallModel

    taken = enumerate(islice(steps, limits.steps), 1)
    return DeterministicToolcallModel(
        outputs=[_answer(step, number) for number, step in taken],
        model_name=f"{SCRIPTED}/{name}",
        observation_template=OBSERVATION,
        cost_per_call=0.0,
    )


def with_simulated_usage(trajectory: Mapping[str, Any], tokenizer: str | None) -> dict[str, Any]:
    """Return a scripted trajectory with the usage of a model without a cache.

    It reads the whole history each time. Texts and commands are counted, and nothing for the
    names of tools and roles.
    """
    counted: dict[str, Any] = orjson.loads(orjson.dumps(trajectory))
    counting = token_count(tokenizer)
    counted["info"]["simulated_usage"] = counting.name
    count = cache(counting.count)
    del counted["info"]["config"]["model"]["outputs"]  # the messages are the same
    history = 0
    for message in counted["messages"]:
        actions = message.get("extra", {}).get("actions", ())
        texts = [message["content"], *(action["command"] for action in actions)]
        size = sum(count(text) for text in texts if text)
        if message["role"] == "assistant":
            usage = {
                "prompt_tokens": history,
                "completion_tokens": size,
                "total_tokens": history + size,
            }
            message["extra"]["response"] = {"usage": usage}
        history += size
    return counted


def _answer(step: ScriptStep, number: int) -> dict[str, Any]:
    """Return an assistant's message in mini-swe-agent's form."""
    calls = {f"call_{number}_{place}": each for place, each in enumerate(step.commands, 1)}
    return {
        "role": "assistant",
        "content": step.thought,
        "tool_calls": [
            {
                "id": name,
                "type": "function",
                "function": {
                    "name": "bash",
                    "arguments": orjson.dumps({"command": command}).decode(),
                },
            }
            for name, command in calls.items()
        ],
        "extra": {
            "actions": [
                {"command": command, "tool_call_id": name} for name, command in calls.items()
            ],
            "cost": 0.0,
        },
    }
