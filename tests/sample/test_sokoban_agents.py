"""Scripted players of Sokoban: they play differently well."""

from itertools import pairwise

from collect.scripted_rollouts import Scripted
from collect.sokoban.sokoban_game import Sokoban
from sample.actors.sokoban_agents import NAMES


def test_players_play_differently_well():
    solved = {
        name: sum(Scripted(Sokoban(), 0, name)(n)["rollout_success"] for n in range(40))
        for name in NAMES
    }
    assert solved["careful"] > 34 > solved["hasty"] > 24 > solved["lost"]
    mixed = [Scripted(Sokoban(), 0)(n) for n in range(40)]
    assert 10 < sum(rollout["rollout_success"] for rollout in mixed) < 36
    assert len({len(rollout["turns"]) for rollout in mixed}) > 5


def test_errors_cost_turns():
    def turns(rate: float) -> int:
        play = Scripted(Sokoban(), 0, options={"error_rate": rate})
        return sum(len(play(number)["turns"]) for number in range(30))

    counts = [turns(rate) for rate in (0.0, 0.3, 0.7)]
    assert all(less < more for less, more in pairwise(counts))
