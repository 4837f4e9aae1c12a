"""A recorded family with what each of its rollouts came to."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bagen_data.errors import InputError, RolloutError
from bagen_data.log_formats import dialogues
from bagen_data.logs.prices import OVERRIDE, PriceTable
from bagen_data.logs.rollout_log import FamilyFacts, Log
from bagen_data.logs.turn_readers import token_turns
from bagen_data.logs.unified_cost import unified_cost
from bagen_data.schema import TOKENS
from bagen_data.usage import Request
from collect.agent_name import read_agent_name
from collect.counted_turns import counted_turns
from collect.dialogue_layout import Dialogues
from collect.family_run import COLLECTION, read_collection
from collect.scripted_agents import SCRIPTED
from collect.searchr1.search_environment import SEARCH
from collect.token_count import token_count

_TOOLS: Mapping[str, Sequence[str]] = {"sokoban": (), "searchr1": (SEARCH,), "warehouse": ()}
"""Tools of each task whose families can be compared."""


@dataclass(frozen=True)
class Prices:
    """Prices of tokens and of tool calls."""

    tokens: PriceTable
    tools: Mapping[str, float]
    """US dollars a call, by tool; other tools are free."""


@dataclass(frozen=True)
class PricedRollout:
    """Outcome, amounts and cost of a rollout."""

    instance_id: str
    success: bool
    tokens: float
    """Fresh tokens, as a build counts them."""
    calls: Mapping[str, int]
    """Executed tool calls by tool."""
    cost_usd: float
    """The unified cost."""
    stopped_by: str
    """The cause that stopped the rollout; empty without one."""


@dataclass(frozen=True)
class PricedFamily:
    """A family's rollouts, and how they were recorded."""

    folder: Path
    settings: Mapping[str, Any]
    """Settings that decided what was played, as `collection.yaml` has them."""
    rollouts: Sequence[PricedRollout]

    @property
    def task(self) -> str:
        """Name of the task."""
        return str(self.settings["task"])

    @property
    def tools(self) -> frozenset[str]:
        """Tools that the task has, and others that a rollout called."""
        called = (tool for rollout in self.rollouts for tool in rollout.calls)
        return frozenset((*_TOOLS.get(self.task, ()), *called))


def read_priced(folder: Path, prices: Prices) -> PricedFamily:
    """Read a family and price its rollouts.

    Raises:
        InputError: the folder is not of a finished family, or a price is not known.
    """
    if not (folder / COLLECTION).is_file():
        raise InputError(
            f"{folder}: holds no {COLLECTION}; expected the folder of a family that "
            "'python -m collect TASK' recorded and finished"
        )
    settings, _ = read_collection(folder / COLLECTION)
    task = settings.get("task")
    if task not in _TOOLS:
        raise InputError(f"{folder}: is a family of {task}; expected one of {', '.join(_TOOLS)}")
    try:
        rollouts = tuple(_priced(Dialogues(str(task)), folder, settings, prices))
    except RolloutError as error:
        raise InputError(f"{folder}: {error}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder}: its rollouts cannot be read: {error}") from error
    if not rollouts:
        raise InputError(f"{folder}: holds no rollouts; expected one or more")
    return PricedFamily(folder, settings, rollouts)


def _priced(
    layout: Dialogues, folder: Path, settings: Mapping[str, Any], prices: Prices
) -> Iterator[PricedRollout]:
    agent = str(settings.get("agent", ""))
    model = read_agent_name(agent).model
    table = replace(prices.tokens, given=_by_agent(prices.tokens, agent, model))
    if model.partition("/")[0] == SCRIPTED and model not in table.given:
        raise _scripted_without_price(model)
    count = token_count(None).count
    for _, rollout in layout.read(folder):
        log = dialogues.read(rollout, FamilyFacts())
        calls = _calls(log)
        turns = counted_turns(rollout, token_turns, count)
        yield PricedRollout(
            instance_id=str(rollout["instance_id"]),
            success=bool(rollout["rollout_success"]),
            tokens=sum(turn.usage[TOKENS.name] for turn in turns),
            calls=calls,
            cost_usd=unified_cost(_requests(log), model, calls, table, prices.tools),
            stopped_by=log.stopped,
        )


def _by_agent(table: PriceTable, agent: str, model: str) -> Mapping[str, Any]:
    """Return the given prices, with that of a family's model under the name it has there.

    A price may be given of `openai/gpt-5.2` or of `gpt-5.2`, and that of every scripted agent of
    `scripted`.
    """
    provider, _, name = model.partition("/")
    names = (agent, model, name, model.rpartition("/")[2], provider)
    known = [each for each in names if each in table.given]
    return {**table.given, model: table.given[known[0]]} if known else table.given


def _scripted_without_price(model: str) -> RolloutError:
    form = "=IN,OUT[,CACHED[,CACHE_WRITE]]"
    own = f", or {OVERRIDE} '{model}{form}' for this one" if model != SCRIPTED else ""
    return RolloutError(
        f"the price of {model} is not known; give {OVERRIDE} '{SCRIPTED}{form}' for all scripted "
        f"agents{own}, in US dollars per million tokens"
    )


def _calls(log: Log) -> Mapping[str, int]:
    calls: Counter[str] = Counter()
    for turn in log.turns:
        calls.update(turn.calls_by_tool or {})
    calls.pop("finish", None)  # an answer, which no tool gives
    return dict(calls)


def _requests(log: Log) -> Iterator[Request]:
    """Yield what was paid for; a cut history makes a request cheaper.

    Raises:
        RolloutError: a turn has no counts.
    """
    for turn in log.turns:
        if turn.requests is None:
            raise RolloutError(
                f"turn {turn.number} has no token counts, so it has no price; {OVERRIDE} is of no "
                "use without them"
            )
        yield from turn.requests
