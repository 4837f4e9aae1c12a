"""The rollouts of logs that a forecaster learns from, and why others are left out."""

from collections.abc import Sequence
from dataclasses import dataclass

from bagen_data.errors import InputError, WrongUsageError
from bagen_data.reading.plain_rollouts import PlainRollout, PlainRollouts
from bagen_data.wording import numbered

ENOUGH_JUDGED = 10
"""Instances of judged rollouts from which on success is learned where others are not judged."""


@dataclass(frozen=True)
class ChosenRollouts:
    """The rollouts that are learned from."""

    rollouts: Sequence[PlainRollout]
    models: tuple[str, ...]
    """The models that produced them, sorted; empty where nobody names one."""
    knows_success: bool
    """Whether success is learned: all of the rollouts are judged then."""
    notes: tuple[str, ...]
    """Sentences about the others."""


def chosen_rollouts(read: PlainRollouts, rollout_model: str, where: str) -> ChosenRollouts:
    """Choose rollouts of a model that were not stopped, with their outcomes if these suffice.

    Args:
        read: rollouts of logs, one or more.
        rollout_model: the model that is meant; empty for all.
        where: the name of the logs in a message.

    Raises:
        WrongUsageError: no rollout is of the model.
        InputError: all rollouts were stopped.
    """
    meant = _of_model(read, rollout_model, where)
    ended = [each for each in meant if each.success is not None or not each.stopped]
    if not ended:
        raise InputError(
            f"{where}: holds {numbered(len(meant), 'rollout')}, all stopped before their own end, "
            "so what they would have used is unknown; give runs that were not stopped"
        )
    known = [each for each in ended if each.success is not None]
    knows_success = len(known) == len(ended) or _instances(known) >= ENOUGH_JUDGED
    model = read.family.rollout_model or rollout_model
    rollouts = known if knows_success else ended
    named = {each.model for each in rollouts if each.model}
    return ChosenRollouts(
        rollouts,
        (model,) if model else tuple(sorted(named)),
        knows_success,
        (
            *_notes_of_models(len(read.rollouts) - len(meant)),
            *_notes_of_stopped(len(meant) - len(ended)),
            *_notes_of_outcomes(known, ended, knows_success),
        ),
    )


def _of_model(read: PlainRollouts, rollout_model: str, where: str) -> list[PlainRollout]:
    """Return the rollouts of a model, by its name with or without its provider's."""
    own = read.family.rollout_model
    if own and rollout_model not in ("", own):
        raise WrongUsageError(
            f"--rollout-model {rollout_model}: {where} is a family of {own}; leave it out"
        )
    if own or not rollout_model:
        return list(read.rollouts)
    meant = [
        each
        for each in read.rollouts
        if each.model in ("", rollout_model) or each.model.rpartition("/")[2] == rollout_model
    ]
    if not meant:
        named = ", ".join(sorted({each.model for each in read.rollouts}))
        raise WrongUsageError(
            f"--rollout-model {rollout_model}: {where} has no rollout of it; expected one of "
            f"{named}"
        )
    return meant


def _instances(rollouts: Sequence[PlainRollout]) -> int:
    return len({each.rollout.instance_id for each in rollouts})


def _notes_of_models(others: int) -> tuple[str, ...]:
    return (f"{numbered(others, 'rollout')} of other models taught nothing.",) if others else ()


def _notes_of_stopped(stopped: int) -> tuple[str, ...]:
    if not stopped:
        return ()
    return (
        f"{numbered(stopped, 'rollout')} stopped by a budget or a forecaster taught nothing, as "
        "what they would have used is unknown. Long runs are stopped more often, so what is "
        "forecast is too low.",
    )


def _notes_of_outcomes(
    known: Sequence[PlainRollout], ended: Sequence[PlainRollout], knows_success: bool
) -> tuple[str, ...]:
    """Return a sentence about rollouts without an outcome; nothing of none."""
    without = len(ended) - len(known)
    if not without:
        return ()
    if knows_success:
        return (
            f"{numbered(without, 'rollout')} without an outcome taught nothing: success, and the "
            f"amounts of successes, were learned from the {len(known):,} that are judged.",
        )
    if not known:
        return (
            f"None of the {numbered(without, 'rollout')} is judged: only amounts were learned.",
        )
    return (
        f"Only {len(known):,} of {numbered(len(ended), 'rollout')} are judged, of "
        f"{numbered(_instances(known), 'instance')}; below {ENOUGH_JUDGED} of them success is not "
        "learned, and the amounts of all rollouts were.",
    )
