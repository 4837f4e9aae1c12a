"""Harbor's job folders: the outcome of a trial, and its files that tell the same as others.

    job/config.json, job/result.json, job/lock.json
    job/TRIAL/config.json, job/TRIAL/result.json
    job/TRIAL/agent/trajectory.json, and the agent's own logs beside it
    job/TRIAL/verifier/reward.txt, ...
    job/TRIAL/steps/STEP/agent/..., where a task has several steps

    {"task_name": "hello-world", "trial_name": "hello-world__fTGjqLx", "exception_info": null,
     "agent_info": {"name": "terminus-2", "model_info": {"name": "gpt-4o", "provider": "openai"}},
     "verifier_result": {"rewards": {"reward": 1.0}}, ...}

Source: https://harborframework.com/docs and the models of the package `harbor` on PyPI.
"""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bagen_data.logs import log_fields
from bagen_data.logs.rollout_log import Neighbours

_TIMEOUT = "AgentTimeoutError"
"""The exception after which Harbor judges what the agent left behind, as after none."""
_TRAJECTORY = re.compile(r"(?P<trial>(?:.*/)?)(?:steps/[^/]+/)?agent/trajectory[^/]*\.json")
_AGENT = re.compile(r"(?P<trial>(?:.*?/)??)(?:steps/(?P<step>[^/]+)/)?agent/")
_RESULTS = (frozenset({"trial_name", "task_name"}), frozenset({"stats", "n_total_trials"}))
_CONFIGS = (
    frozenset({"trial_name", "task", "agent"}),
    frozenset({"job_name", "agents"}),
    frozenset({"task", "agent", "environment", "verifier"}),
    frozenset({"trials", "retry", "n_concurrent_trials"}),
)


@dataclass(frozen=True)
class TrialOutcome:
    """The outcome of a trial, or of one step of it, as Harbor states it."""

    success: bool | None = None
    """True for a reward of 1, False for 0; None where it is another or the trial is not judged."""
    instance_id: str = ""
    """The task's name, and the step's where a task has several."""
    trial: str = ""
    model: str = ""
    scores: Mapping[str, Any] = field(default_factory=dict)
    """The rewards by name, and `exception` where one ended the trial."""
    unjudged: str = ""
    """Why the trial is not judged; empty where it is, or no result says."""


def is_job_file(value: Any) -> bool:
    """Return whether a JSON value is a result, configuration or lock of a job or trial."""
    return isinstance(value, dict) and any(
        marks <= value.keys() for marks in (*_RESULTS, *_CONFIGS)
    )


def trial_folder(path: Path) -> Path | None:
    """Return the folder of the trial that a file is a log of; None where it is of none."""
    for folder in path.parents:
        if folder.name == "agent":
            step = folder.parent
            trial = step.parent.parent if step.parent.name == "steps" else step
            if (trial / "result.json").is_file():
                return trial
    return None


def files_told_twice(paths: Collection[str]) -> Iterator[str]:
    """Yield the files of trials that their trajectories stand for.

    They are the agent's own logs, what it gave out, and what the verifier wrote. Trajectories
    themselves are not among them.

    >>> list(files_told_twice(["t/result.json", "t/agent/trajectory.json", "t/agent/a.jsonl"]))
    ['t/agent/a.jsonl']
    """
    files = frozenset(paths)
    trials = {match["trial"] for path in files if (match := _TRAJECTORY.fullmatch(path))}
    trials = {trial for trial in trials if f"{trial}result.json" in files}
    for path in sorted(files):
        if not _TRAJECTORY.fullmatch(path) and any(trial in trials for trial in _trials_of(path)):
            yield path


_LOGS = re.compile(
    r"(?P<trial>(?:^|.*?/))(?:steps/[^/]+/)?(?:agent/|user-agent/|verifier/|artifacts/|[^/]+\.log$)"
)


def _trials_of(path: str) -> Iterator[str]:
    """Yield the folders of the trials that a file may be a log of."""
    start = 0
    while match := _LOGS.match(path[start:]):
        yield path[:start] + match["trial"]
        start += max(len(match["trial"]), 1)


def trial_outcome(path: str, beside: Neighbours) -> TrialOutcome:
    """Return what Harbor states of the trial that a file belongs to.

    The file may lie beside the trial's result, or anywhere below its `agent` folder.

    Args:
        path: the file, relative to the family's folder.
        beside: the family's files as seen from there.
    """
    result, step = _result(path, beside)
    if result is None:
        return TrialOutcome()
    task, trial = (log_fields.identity(result.get(name)) for name in ("task_name", "trial_name"))
    info = result.get("agent_info")
    model = info.get("model_info") if isinstance(info, dict) else None
    judged = result
    if step:
        steps = result.get("step_results")
        named = [
            each for each in (steps if isinstance(steps, list) else ()) if isinstance(each, dict)
        ]
        judged = next((each for each in named if each.get("step_name") == step), {})
        task = f"{task}/{step}"
    rewards = _rewards(judged)
    exception = judged.get("exception_info")
    scores = dict(rewards)
    if isinstance(exception, dict):
        scores["exception"] = log_fields.identity(exception.get("exception_type"))
    is_verified = scores.get("exception") == _TIMEOUT or judged.get("reward_valid") is True
    is_valid = not exception or is_verified
    success = _success(rewards.get("reward")) if is_valid else None
    return TrialOutcome(
        success,
        task,
        trial,
        log_fields.identity(model.get("name")) if isinstance(model, dict) else "",
        scores,
        _unjudged(scores, is_valid) if success is None else "",
    )


def _unjudged(scores: Mapping[str, Any], is_valid: bool) -> str:
    """Say why a trial that has a result is not judged."""
    if not is_valid:
        how = f"the trial ended with {scores.get('exception') or 'an exception'}"
        advice = "run it again"
    elif "reward" in scores:
        how = f"the trial's reward is {log_fields.brief(scores['reward'])}, neither 0 nor 1"
        advice = "name a threshold, such as --success 'reward>=0.5'"
    else:
        names = ", ".join(name for name in scores if name != "exception") or "none"
        how = f"the trial's result has no reward named 'reward'; its rewards are: {names}"
        advice = "name one that decides, such as --success 'NAME>=0.5'"
    return f"is not judged: {how}; {advice}"


def _result(path: str, beside: Neighbours) -> tuple[dict[str, Any] | None, str]:
    """Return the trial's result, and the step that the file belongs to; empty where it has none."""
    folder = os.path.dirname(path)
    places = [("", folder)]
    places += [(match["step"] or "", match["trial"]) for match in _AGENT.finditer(f"{folder}/")]
    for step, trial in places:
        near = os.path.relpath(os.path.join(trial or ".", "result.json"), folder or ".")
        value = beside.value(near)
        if isinstance(value, dict) and _RESULTS[0] <= value.keys():
            return value, step
    return None, ""


def _rewards(judged: Mapping[str, Any]) -> dict[str, Any]:
    verdict = judged.get("verifier_result")
    rewards = verdict.get("rewards") if isinstance(verdict, dict) else None
    return log_fields.single_values(rewards) if isinstance(rewards, dict) else {}


def _success(reward: Any) -> bool | None:
    if type(reward) in (int, float, bool) and reward in (0, 1):
        return bool(reward)
    return None
