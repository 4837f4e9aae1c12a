"""Real files with one thing changed: what contradicts itself is refused, and nothing breaks.

Of 250 digits that were changed in counts once, 163 passed beside a `total_tokens` that said
otherwise, and of two values under one key the last was taken in silence. A changed digit that
nothing else in the file contradicts cannot be known; `worst` counts how many there were.
"""

import json
import random
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from bagen_data.errors import BagenError
from bagen_data.logs.rollout_log import Log
from bagen_data.logs.turn_readers import Counting
from bagen_data.reading.family_reading import read_witnessed
from bagen_data.reading.origin import find_families
from bagen_data.reading.outcomes import Judge, Judgement
from bagen_data.reading.reading_options import ReadingOptions
from bagen_data.reading.witness import Witness
from tests.attacks.tallies import Tally
from tests.making import SAMPLE, SHARED, SHARED_LOGS, build

SECONDS = 30
"""A file that takes longer to read counts as one that hangs."""
_INPUTS = ("api_input_tokens", "prompt_tokens", "input_tokens", "input")
_OUTPUTS = ("api_output_tokens", "completion_tokens", "output_tokens", "output")
_TOTALS = ("api_total_tokens", "total_tokens", "total")
_APART = (
    *("reasoning_tokens", "thinking_tokens", "reasoning_output_tokens", "thoughts", "tool"),
    *("input_tokens_cache_read", "input_tokens_cache_write"),
)
"""Counts that some tools leave out of the input and output, and hold in the total."""
_WITHIN = (
    ("cached_tokens", _INPUTS[1:2]),
    ("cached_input_tokens", ("input_tokens",)),
    ("reasoning_output_tokens", ("output_tokens",)),
    ("cached", ("input",)),
)
"""Counts that are a part of another one, and these others."""
_ODD = (
    *('"12"', "true", "[]", "{}", '""', "NaN", "Infinity", "-Infinity", "1e400", "-1", "0.5"),
    *("1e13", "1" + "0" * 30, "1" + "0" * 5_000, '"' + "9" * 70_000 + '"', "-0", "-0.0", "0"),
)
"""Values that are no count of a request with a text."""

_NOT_JUDGED = "06-not-graded"
"""The case of which some rollouts are refused as they are."""


@dataclass(frozen=True)
class Original:
    """A family of real files, one of which is to be changed."""

    name: str
    files: Mapping[str, bytes]
    """The other files, by paths relative to the family's folder."""
    path: str
    text: bytes
    """The file to be changed."""

    @property
    def is_lines(self) -> bool:
        """Whether the file holds a value a line."""
        return self.path.endswith(".jsonl")

    def values(self) -> list[Any]:
        """Return the JSON values of the file."""
        texts = self.text.splitlines() if self.is_lines else [self.text]
        return [json.loads(text) for text in texts if text.strip()]

    def written(self, values: list[Any]) -> bytes:
        """Return the file's text with other values."""
        return "".join(json.dumps(value) + "\n" for value in values).encode()

    def family(self, folder: Path, text: bytes) -> Path:
        """Write the family with another text of the file."""
        for path, content in {**self.files, self.path: text}.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return folder


def _trajectories(folder: Path, most: int) -> Iterator[Original]:
    """Yield the smallest trajectories of a family, each with the family's report."""
    reports = {path.name: path.read_bytes() for path in folder.glob("*.json")}
    sized = sorted((path.stat().st_size, path) for path in folder.rglob("*.traj.json"))
    for _, path in [each for each in sized if each[0]][:most]:
        yield Original("swebench-origin-m", reports, f"run/{path.name}", path.read_bytes())


def _originals() -> list[Original]:
    originals = [*_trajectories(SAMPLE / "swebench-origin-scripted", 2)]
    for path in sorted(SAMPLE.glob("*/*_dialogues.json")):
        rollouts = json.loads(path.read_bytes())[:2]
        text = json.dumps(rollouts).encode()
        originals.append(Original(path.parent.name, {}, path.name, text))
    originals += _trajectories(SHARED / "swebench-origin-gpt5.2-instant", 3)
    for path in sorted(SHARED_LOGS.glob("*/*.json*")) if SHARED_LOGS.is_dir() else ():
        originals.append(Original("agent-origin-m", {}, path.name, path.read_bytes()))
    for case in sorted(SHARED_LOGS.glob("usage-cases/*/origin/*")):
        files = {
            path.relative_to(case).as_posix(): path.read_bytes()
            for path in case.rglob("*")
            if path.is_file()
        }
        for path, text in files.items():
            others = {name: content for name, content in files.items() if name != path}
            if path.endswith((".json", ".jsonl")) and case.parent.parent.name != _NOT_JUDGED:
                originals.append(Original(case.name, others, path, text))
    return originals


@dataclass(frozen=True)
class Outcome:
    """The outcome of reading a family."""

    rollouts: tuple[Any, ...] = ()
    """The usage of each turn of each rollout, and whether the rollout succeeded."""
    reasons: tuple[str, ...] = ()
    broke: str = ""
    """A traceback's last line; empty where there is none."""
    seconds: float = 0.0


class _Judging(Witness):
    """Lets rollouts fail whose log states no outcome, so that their counts are looked at."""

    def judge(self, judge: Judge) -> Judge:
        """Return the judge of rollouts that have an outcome, and a lenient one of others."""

        def lenient(log: Log, rollout_id: str, content: str) -> Judgement:
            if log.success is None and not log.unjudged:
                return Judgement(success=False)
            return judge(log, rollout_id, content)

        return lenient


def _read(original: Original, folder: Path, text: bytes) -> Outcome:
    started = time.perf_counter()
    family = original.family(folder / original.name, text)
    try:
        [own] = find_families(family, [original.name.partition("-")[0]])
        index = read_witnessed(own, folder, ReadingOptions(Counting()), _Judging())
        rollouts = tuple(
            (tuple(tuple(turn.usage.items()) for turn in rollout.turns), rollout.success)
            for rollout in index.rollouts
            if index.entries
        )
        outcome = Outcome(rollouts, tuple(reason for _, reason in index.unused()))
    except BagenError as error:
        outcome = Outcome(reasons=(str(error),))
    except Exception as error:
        outcome = Outcome(broke=f"{type(error).__name__}: {error}")
    finally:
        shutil.rmtree(folder / original.name, ignore_errors=True)
    return replace(outcome, seconds=time.perf_counter() - started)


Place = tuple[dict[str, Any], str]
"""An object and a key of it."""


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    waiting = [value]
    for each in waiting:
        if isinstance(each, dict):
            yield each
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each


def _is_count(value: Any) -> bool:
    return type(value) is int and value > 0


def _first(usage: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((name for name in names if _is_count(usage.get(name))), None)


def _parts(usage: Mapping[str, Any]) -> list[int]:
    """Return the counts of a usage object that its total may hold beside input and output."""
    inner = [usage, *(each for each in usage.values() if isinstance(each, dict))]
    return [each[name] for each in inner for name in _APART if _is_count(each.get(name))]


def _adds_up(usage: Mapping[str, Any]) -> bool | None:
    """Return whether a stated total is a sum of the counts beside it; None without a total."""
    names = [_first(usage, kind) for kind in (_INPUTS, _OUTPUTS, _TOTALS)]
    if None in names:
        return None
    read, written, total = (usage[name] for name in names if name is not None)
    parts = _parts(usage)
    sums = {
        read + written + sum(chosen)
        for size in range(len(parts) + 1)
        for chosen in combinations(parts, size)
    }
    within = all(
        usage[part] <= usage[whole]
        for part, (whole,) in _WITHIN
        if _is_count(usage.get(part)) and _is_count(usage.get(whole))
    )
    return total in sums and within


def _with_total(values: list[Any]) -> list[Place]:
    """Return the counts that a total beside them says again."""
    return [
        (usage, name)
        for usage in _objects(values)
        if _adds_up(usage)
        for kind in (_INPUTS, _OUTPUTS, _TOTALS)
        if (name := _first(usage, kind)) is not None
    ]


def _with_sum(values: list[Any]) -> list[Place]:
    """Return the counts that a sum over the rollout says again: of tokens, or of calls."""
    places: list[Place] = []
    for value in values:
        totals = value.get("final_metrics") if isinstance(value, dict) else None
        if totals:
            metrics = [each["metrics"] for each in _objects(value) if each.get("metrics")]
            names = ("prompt_tokens", "completion_tokens")
            places += [(each, name) for each in metrics for name in names if each.get(name)]
            places += [(totals, f"total_{name}") for name in names if totals.get(f"total_{name}")]
        places += [
            (each, "api_calls") for each in _objects(value) if _is_count(each.get("api_calls"))
        ]
    return places


def _calls(values: list[Any]) -> list[Place]:
    """Return the counts of calls of trajectories that were submitted, beside their messages."""
    infos = [value["info"] for value in values if isinstance(value, dict) and "info" in value]
    return [
        (info["model_stats"], "api_calls")
        for info in infos
        if info.get("exit_status") == "Submitted" and info.get("model_stats", {}).get("api_calls")
    ]


def _counts(values: list[Any]) -> list[Place]:
    """Return all counts of tokens."""
    return [
        (each, name)
        for each in _objects(values)
        for name, value in each.items()
        if _is_count(value)
        and ("token" in name or name in {*_INPUTS, *_OUTPUTS, "total", "thoughts", "cached"})
    ]


def _other_digit(number: int, rng: random.Random) -> int:
    digits = [*str(number)]
    place = rng.randrange(len(digits))
    digits[place] = rng.choice([digit for digit in "0123456789" if digit != digits[place]])
    return int("".join(digits))


def _marked(original: Original, values: list[Any], place: Place, text: str) -> bytes:
    """Return the file's text with a JSON text in the place of a count."""
    usage, name = place
    usage[name] = "<the mutated count>"
    return original.written(values).replace(b'"<the mutated count>"', text.encode())


@dataclass
class MutationAttack:
    """Changes files, one after the other, and counts what becomes of them."""

    tally: Tally
    folder: Path
    originals: list[tuple[Original, Outcome]]
    rng: random.Random
    harms: list[str]
    unknowable: int = 0
    slowest: float = 0.0

    def judge(
        self, original: Original, text: bytes, what: str, is_refused: Callable[[Outcome], bool]
    ) -> Outcome:
        """Read a changed file, and count it."""
        outcome = _read(original, self.folder, text)
        self.tally.tried += 1
        self.slowest = max(self.slowest, outcome.seconds)
        is_wrong = not outcome.broke and not is_refused(outcome)
        self.tally.crashed += bool(outcome.broke)
        self.tally.hung += outcome.seconds > SECONDS
        self.tally.wrong += is_wrong
        if outcome.broke or is_wrong:
            self.harms.append(f"{original.name}/{original.path}: {what}: {outcome}"[:600])
        return outcome

    def finish(self) -> None:
        """Say what was seen, and show what went wrong."""
        self.tally.worst = f"{self.slowest:.1f} s a file"
        if self.unknowable:
            self.tally.worst += f"; {self.unknowable} digits that nothing else states"
        assert not self.harms, "\n".join(self.harms[:10])


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Original, Outcome]]:
    """Return the real files and what they are read as; those that hold a rollout."""
    folder = tmp_path_factory.mktemp("originals")
    read = [(original, _read(original, folder, original.text)) for original in _originals()]
    return [(original, outcome) for original, outcome in read if outcome.rollouts]


@pytest.fixture
def attack(
    tally: Tally, tmp_path: Path, originals: list[tuple[Original, Outcome]]
) -> Iterator[MutationAttack]:
    """Give an attack on all real files, and say afterwards what it saw."""
    made = MutationAttack(tally, tmp_path, originals, random.Random(17), [])
    yield made
    made.finish()


def _lost(before: Outcome, after: Outcome) -> bool:
    """Return whether a rollout is refused, and a reason is given."""
    return len(after.rollouts) < len(before.rollouts) and len(after.reasons) > len(before.reasons)


def _cases(
    attack: MutationAttack, places_of: Callable[[list[Any]], list[Place]], size: int
) -> Iterator[tuple[Original, Outcome, list[Any], Place]]:
    """Yield counts to change, of one file after the other."""
    usable = [each for each in attack.originals if places_of(each[0].values())]
    for number in range(size):
        original, before = usable[number % len(usable)]
        values = original.values()
        yield original, before, values, attack.rng.choice(places_of(values))


@pytest.mark.attack("a changed digit beside a total")
def test_a_changed_digit_beside_a_total(attack: MutationAttack) -> None:
    for original, before, values, (usage, name) in _cases(
        attack, _with_total, attack.tally.size(40, 700)
    ):
        old = usage[name]
        usage[name] = _other_digit(old, attack.rng)
        if _adds_up(usage):
            continue  # reasoning or a cache explains the other total just as well
        what = f"{name} {old} -> {usage[name]}"
        attack.judge(original, original.written(values), what, partial(_lost, before))


@pytest.mark.attack("a changed digit beside a sum")
def test_a_changed_digit_beside_a_sum_over_the_rollout(attack: MutationAttack) -> None:
    for original, before, values, (part, name) in _cases(
        attack, _with_sum, attack.tally.size(10, 100)
    ):
        old = part[name]
        part[name] = _other_digit(old, attack.rng)
        what = f"{name} {old} -> {part[name]}"
        is_none = name == "api_calls" and not part[name]  # 0 calls of a model that counts none
        attack.judge(
            original,
            original.written(values),
            what,
            (lambda _: True) if is_none else partial(_lost, before),
        )


@pytest.mark.attack("a response dropped or doubled beside a count of calls")
def test_a_response_dropped_or_doubled_beside_a_count_of_calls(attack: MutationAttack) -> None:
    for original, before, values, _ in _cases(attack, _calls, attack.tally.size(10, 100)):
        messages = attack.rng.choice([each["messages"] for each in values])
        responses = [n for n, each in enumerate(messages) if each.get("role") == "assistant"]
        place = attack.rng.choice(responses)
        doubled = attack.rng.random() < 0.5
        messages[place : place + 1] = [messages[place]] * 2 if doubled else []
        what = f"messages[{place}] {'doubled' if doubled else 'dropped'}"
        attack.judge(original, original.written(values), what, partial(_lost, before))


@pytest.mark.attack("a changed digit of any count")
def test_a_changed_digit_of_any_count(attack: MutationAttack) -> None:
    for original, before, values, (usage, name) in _cases(
        attack, _counts, attack.tally.size(20, 300)
    ):
        usage[name] = _other_digit(usage[name], attack.rng)
        outcome = attack.judge(original, original.written(values), name, lambda _: True)
        attack.unknowable += outcome.rollouts != before.rollouts and not outcome.reasons


@pytest.mark.attack("an odd value in the place of a count")
def test_an_odd_value_in_the_place_of_a_count(attack: MutationAttack) -> None:
    for original, before, values, place in _cases(attack, _with_total, attack.tally.size(36, 400)):
        odd = attack.rng.choice(_ODD)
        text = _marked(original, values, place, odd)
        attack.judge(original, text, f"{place[1]}: {odd[:20]}", partial(_lost, before))


@pytest.mark.attack("a key that stands twice")
def test_a_key_that_stands_twice(attack: MutationAttack) -> None:
    for original, _, values, (usage, name) in _cases(attack, _counts, attack.tally.size(20, 200)):
        other = attack.rng.choice([usage[name], usage[name] + 1])
        text = _marked(original, values, (usage, name), f'{usage[name]}, "{name}": {other}')
        attack.judge(
            original,
            text,
            f"{name} twice",
            lambda outcome: any("twice" in reason for reason in outcome.reasons),
        )


def _broken(text: bytes, values: list[Any], rng: random.Random) -> Iterator[tuple[str, bytes]]:
    """Yield texts that are cut, spelt otherwise or damaged, and what was done to them."""
    place = rng.randrange(1, len(text))
    yield "cut", text[:place]
    yield "a byte order mark", b"\xef\xbb\xbf" + text
    yield "CRLF", text.replace(b"\n", b"\r\n")
    yield "UTF-16", text.decode("utf-8").encode("utf-16")
    yield "a wrong byte", text[:place] + b"\xff" + text[place:]
    yield "NUL", text[:place] + b"\0" + text[place:]
    yield "twice", text + text
    yield "empty", b""
    quoted = json.dumps(rng.choice([*_objects(values)]))[:40].encode()
    yield "deep", text.replace(quoted, b"[" * 100_000 + quoted, 1)
    yield (
        "one bit",
        text[:place] + bytes([text[place] ^ (1 << rng.randrange(8))]) + text[place + 1 :],
    )


def _changed(values: list[Any], rng: random.Random) -> Iterator[tuple[str, list[Any]]]:
    """Yield values with a record or key less, more or swapped, and what was done to them."""
    copy = partial(json.loads, json.dumps(values))
    lists = [each for value in _objects(values) for each in value.values() if each]
    if any(isinstance(each, list) for each in lists):
        for what in ("dropped", "doubled", "nothing"):
            new = copy()
            every = [
                each
                for value in _objects(new)
                for each in value.values()
                if isinstance(each, list) and each
            ]
            chosen = rng.choice(every)
            place = rng.randrange(len(chosen))
            chosen[place : place + 1] = {
                "dropped": [],
                "doubled": [chosen[place], chosen[place]],
                "nothing": [None],
            }[what]
            yield f"a record {what}", new
    for what in ("renamed", "null", "a list", "an object", "a text", "a number"):
        new = copy()
        chosen = rng.choice([each for each in _objects(new) if each])
        name = rng.choice([*chosen])
        if what == "renamed":
            chosen[f"{name}x"] = chosen.pop(name)
        else:
            chosen[name] = {
                "null": None,
                "a list": [chosen[name]],
                "an object": {"a": chosen[name]},
                "a text": "\ud800" if rng.random() < 0.5 else "x" * 100_000,
                "a number": rng.choice([0, -1, 2**64, 1e308]),
            }[what]
        yield f"{name} {what}", new
    new = copy()
    for each in _objects(new):
        for name in ("success", "rollout_success", "resolved"):
            if isinstance(each.get(name), bool):
                each[name] = not each[name]
    yield "swapped outcomes", new


@pytest.mark.attack("a damaged file")
def test_a_damaged_file(attack: MutationAttack) -> None:
    for number in range(attack.tally.size(2, 20)):
        original, _ = attack.originals[number % len(attack.originals)]
        values = original.values()
        texts = [*_broken(original.text, values, attack.rng)]
        texts += [
            (what, original.written(changed)) for what, changed in _changed(values, attack.rng)
        ]
        for what, text in texts:
            attack.judge(original, text, what, lambda _: True)


@pytest.mark.attack("a damaged file, built")
def test_a_damaged_file_is_built_or_refused(
    tally: Tally, tmp_path: Path, originals: list[tuple[Original, Outcome]]
) -> None:
    rng = random.Random(18)
    usable = [each for each, _ in originals if each.name.split("-")[0] != "agent"]
    for _ in range(tally.size(4, 60)):
        original = rng.choice(usable)
        values = original.values()
        texts = [*_broken(original.text, values, rng)]
        texts += [(what, original.written(new)) for what, new in _changed(values, rng)]
        _, text = rng.choice(texts)
        family = original.family(tmp_path / original.name, text)
        out = tmp_path / "out"
        tally.tried += 1
        try:
            code = build(family, out)
        except Exception:
            tally.crashed += 1
        else:
            tally.wrong += code not in (0, 1) or (code == 1 and out.exists())
        shutil.rmtree(family)
        shutil.rmtree(out, ignore_errors=True)
