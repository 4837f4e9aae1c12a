"""The action that a response has."""

import time

import pytest

from collect.searchr1.search_actions import Finish, Illegal, Search, parse


@pytest.mark.parametrize(
    ("response", "action"),
    [
        ("<answer>search[river]</answer>", Search("river")),
        ("<answer> search[ river\n  map ] </answer>", Search("river map")),
        ("<answer>Search [river]</answer>", Search("river")),
        ("<answer>search[]</answer>", Search("")),
        ("<answer>search[a [b] c]</answer>", Search("a [b] c")),
        ("<answer>search[a] b]</answer>", Search("a] b")),
        ("<answer>FINISH[1874]</answer> done", Finish("1874")),
        ("<answer>finish[search engine]</answer>", Finish("search engine")),
        ("<answer>search[a]</answer><answer>finish[b]</answer>", Finish("b")),
        ("<think><answer>finish[a]</answer></think><answer>search[b]</answer>", Search("b")),
        ("thinking </think> more </think>\n<answer>finish[x]</answer>", Finish("x")),
        ("<think>never closed <answer>finish[x]</answer>", Finish("x")),
        ("<answer>no <answer>finish[x]</answer>", Finish("x")),
    ],
)
def test_legal(response: str, action: Search | Finish) -> None:
    assert parse(response) == action


@pytest.mark.parametrize(
    ("response", "problem"),
    [
        ("", "has no <answer>...</answer>"),
        ("search[river]", "has no <answer>...</answer>"),
        ("<answer>finish[a]</answer></think>", "has no <answer>...</answer>"),
        ("<answer>search[river]", "has no <answer>...</answer>"),
        ("<answer>a</answer><answer>search[river]", "has no action but 'a' in <answer>"),
        ("<answer> \n </answer>", "has an empty <answer></answer>"),
        ("<answer>river</answer>", "has no action but 'river' in <answer>"),
        ("<answer>search river</answer>", "has no action but 'search river' in"),
        ("<answer>I search[river]</answer>", "has no action but"),
        ("<answer>search[river].</answer>", "has no action but"),
        ("<answer>" + "x" * 99 + "</answer>", "has no action but '" + "x" * 57 + "...'"),
        ("<answer>search[a], search[b]</answer>", "has more than one action"),
        ("<answer>search[a] and then finish[b]</answer>", "has more than one action"),
        ("<answer>search[a] and then some</answer>", "has no action but"),
        ("<answer>search[a]\nfinish[b]</answer>", "has more than one action"),
        ("<answer>finish[a]" + " " * 40 + "search[b]</answer>", "has more than one action"),
        ("<answer>finish[ ]</answer>", "finishes without an answer"),
    ],
)
def test_illegal(response: str, problem: str) -> None:
    action = parse(response)
    assert isinstance(action, Illegal)
    assert action.problem.startswith(problem)


@pytest.mark.parametrize("junk", ["]", "] ", "<answer>", "[search", "] and ", "search["])
def test_long_junk_is_parsed_quickly(junk: str) -> None:
    began = time.process_time()  # not of the clock, which other processes hold up
    parse(f"<answer>search[{junk * 20_000}</answer>")
    parse(f"<answer>search[{junk * 20_000}]</answer>")
    assert time.process_time() - began < 5
