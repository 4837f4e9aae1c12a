import random
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bagen_data.tasks.sokoban import TASK
from bagen_data.usage import words_and_marks
from collect.agents import ScriptedAgent
from collect.play import play
from collect.sokoban.level import STEPS, Level
from collect.sokoban.level_generator import DEPTH, LEAST, generate
from collect.sokoban.level_solver import solve
from collect.sokoban.sokoban_environment import MOVES, RULES, SokobanEnvironment, parse_moves
from collect.sokoban.sokoban_game import Sokoban

SIZES = st.sampled_from([(6, 6, 1), (6, 7, 1), (7, 7, 2), (8, 8, 2)])


def level(text: str) -> Level:
    marks = {
        (row, column): mark
        for row, line in enumerate(text.split())
        for column, mark in enumerate(line)
    }
    rows, columns = (max(side) + 1 for side in zip(*marks, strict=True))
    where = {kind: {cell for cell in marks if marks[cell] in kind} for kind in ("#", "OS√", "X√")}
    floor = frozenset(marks.keys() - where["#"])
    (player,) = (cell for cell in marks if marks[cell] in "PS")
    targets, boxes = frozenset(where["OS√"]), frozenset(where["X√"])
    return Level(rows, columns, floor, targets, boxes, player)


CORRIDOR = "####### #P_X_O# #######"


@given(SIZES, st.integers(0, 10**6))
@settings(max_examples=60)
def test_every_generated_level_is_solved_within_the_turns(size, seed):
    made = generate(random.Random(f"{seed}"), *size)
    plan = solve(made)
    assert plan is not None
    assert LEAST <= len(plan) <= DEPTH == RULES.turns * MOVES
    for move in plan:
        made = made.after(move)
    assert made.is_solved


@given(SIZES, st.integers(0, 999), st.lists(st.sampled_from(list(STEPS)), max_size=60))
@settings(max_examples=60)
def test_no_move_loses_a_box_or_leaves_the_floor(size, seed, moves):
    now = generate(random.Random(f"{seed}"), *size)
    for move in moves:
        after = now.after(move)
        assert len(after.boxes) == len(now.boxes) == len(now.targets)
        assert after.boxes | {after.player} <= after.floor
        assert after.player not in after.boxes
        assert len(after.boxes - now.boxes) <= 1
        now = after


@given(st.integers(0, 999))
@settings(max_examples=30)
def test_the_solution_is_a_shortest_one(seed):
    made = generate(random.Random(f"{seed}"), 6, 6, 1)
    plan = solve(made)
    edge, moves = {made}, 0
    while not any(each.is_solved for each in edge):
        edge |= {each.after(move) for each in edge for move in STEPS}
        moves += 1
    assert len(plan) == moves


def test_a_level_reads_back_and_draws_every_mark():
    drawn = "####### #S_X√O# ##_#### #######"
    assert level(drawn).text().split("Grid Map:\n")[1].split() == drawn.split()


@pytest.mark.parametrize(
    ("before", "move", "after"),
    [
        ("##### #PXO# #####", "Right", "##### #_P√# #####"),
        ("##### #OXP# #####", "Right", "##### #OXP# #####"),
        ("##### #PX## #####", "Right", "##### #PX## #####"),
        ("###### #PXXO# ######", "Right", "###### #PXXO# ######"),
        ("##### #P_O# #####", "Right", "##### #_PO# #####"),
        ("##### #PO_# #####", "Right", "##### #_S_# #####"),
    ],
)
def test_moves(before, move, after):
    assert level(before).after(move) == level(after)


@pytest.mark.parametrize(
    ("response", "moves", "problem"),
    [
        ("<answer>Up</answer>", ["Up"], ""),
        ("<answer>up||DOWN || left</answer>", ["Up", "Down", "Left"], ""),
        ("<answer>Up, Down</answer>", ["Up", "Down"], ""),
        ("<answer>Up</answer> no, <answer>Down</answer>", ["Down"], ""),
        ("<think><answer>Up</answer></think> <answer>Left</answer>", ["Left"], ""),
        ("<answer>Up || Up || Up || Up</answer>", ["Up"] * 3, "first 3"),
        ("<answer>Up || Fly || Up</answer>", ["Up"], "'Fly' is no move"),
        ("<answer></answer>", [], "empty"),
        ("<answer>||</answer>", [], "empty"),
        ("Up", [], "no answer"),
        ("<think><answer>Up</answer></think>", [], "no answer"),
        ("", [], "no answer"),
    ],
)
def test_answers(response, moves, problem):
    parsed, message = parse_moves(response)
    assert parsed == moves
    assert problem in message
    assert bool(problem) == bool(message)


@given(st.text(max_size=200))
def test_no_response_breaks_the_game(response):
    environment = SokobanEnvironment(level(CORRIDOR))
    seen = environment.step(f"<answer>{response}</answer>")
    assert len(environment.level.boxes) == 1
    assert environment.level.text() in seen.text


def test_a_solved_level_ends_the_rollout_and_a_blocked_move_is_told():
    environment = SokobanEnvironment(level(CORRIDOR))
    blocked = environment.step("<answer>Up</answer>")
    assert "Up (blocked)" in blocked.text
    assert not blocked.done
    environment.step("<answer>Right</answer>")
    solved = environment.step("<answer>Right || Right || Right</answer>")
    assert solved.done
    assert solved.success
    assert solved.actions == ("Right", "Right")
    assert environment.level.is_solved


def test_the_same_seed_and_actions_give_the_same_states_on_every_machine():
    environment = Sokoban(8, 8, 2).environment(0, 1)
    texts = [environment.start()]
    texts += [environment.step(f"<answer>{move}</answer>").text for move in STEPS]
    assert texts[0].split("Grid Map:\n")[1].split() == GOLDEN.split()
    assert sha256("\n".join(texts).encode()).hexdigest()[:16] == "4bcd51ba171b6445"


GOLDEN = """
########
#_#____#
#______#
#__X_#X#
#P_O___#
#_####_#
#_####O#
########
"""


def test_a_talkative_agents_history_is_cut_to_what_a_build_takes():
    agent = ScriptedAgent(lambda _: "so " * 700, words_and_marks)
    turns = play(Sokoban().environment(0, 0), agent, RULES, words_and_marks).turns
    assert len(turns) == RULES.turns
    assert max(turn.reply.input_tokens for turn in turns) <= TASK.context_limit == 2_500
    assert [turn.is_cut for turn in turns] == [False] * 3 + [True] * 7
