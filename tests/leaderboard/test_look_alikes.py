"""Names that look alike on one board."""

import pytest

from leaderboard.look_alikes import ShownName, look_alikes, skeleton


def shown(folder: str, estimator: str, date: str = "2026-11-21") -> ShownName:
    return ShownName(folder, estimator, date)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("GPT-4l", "GPT-4I"),
        ("gpt-4o", "gpt-40"),
        ("Claude", "claude"),
        ("Modern", "Modem"),
        ("apple", "ap\u0440l\u0435"),
        ("\u0410\u0412\u0415", "ABE"),
        ("\u0251lpha", "alpha"),
        ("gpt\u20135", "gpt-5"),
        ("gpt\u20145", "gpt-5"),
        ("gpt\u30fc5", "gpt-5"),
        ("gpt\u4e005", "gpt-5"),
        ("gpt\u23af5", "gpt-5"),
        ("gpt\u2e3a5", "gpt-5"),
        ("G\u1d18T-5", "GPT-5"),
        ("M\u026an\u026a", "MINI"),
        ("\u26a1\ufe0f a", "\u26a1 a"),
        ("\u0455\u0455\u0455", "sss"),
    ],
)
def test_the_second_of_two_look_alikes_is_refused(name: str, other: str) -> None:
    (reason,) = look_alikes([shown("a", name), shown("b", other)]).values()
    assert "looks like" in reason


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("nobody", "nobody"),
        ("Müller", "Muller"),
        ("GPT-5", "GPT-5.1"),
        ("GPT 5", "GPT-5"),
        ("run 10", "run 11"),
        ("мир", "mir"),
    ],
)
def test_names_that_are_the_same_or_differ_in_plain_sight_stay(name: str, other: str) -> None:
    assert look_alikes([shown("a", name), shown("b", other)]) == {}


def test_the_plain_name_stays_and_then_the_earlier_one() -> None:
    names = [shown("a", "АВЕ", "2020-01-01"), shown("b", "abe", "2026-02-02"), shown("c", "ABE")]
    assert set(look_alikes([*names, shown("d", "Abe", "2026-01-01")])) == {"a", "b", "c"}


def test_a_name_that_is_refused_keeps_nothing() -> None:
    names = [shown("a", "x1"), shown("b", "xl"), shown("B", "y")]
    assert set(look_alikes(names)) == {"b"}


def test_the_paper_keeps_its_names() -> None:
    (reason,) = look_alikes([shown("a", "gpt-5")], ["GPT-5"]).values()
    assert reason.startswith("the estimator's name 'gpt-5' looks like 'GPT-5', another on the")
    assert look_alikes([shown("a", "GPT-5")], ["GPT-5"]) == {}


def test_folders_that_look_alike_are_refused() -> None:
    (reason,) = look_alikes([shown("run-1", "x"), shown("run-l", "y")]).values()
    assert reason.startswith("the folder's name looks like 'run-1'")


def test_of_folders_that_differ_in_case_the_earlier_one_stays() -> None:
    names = [shown("Honest", "x", "2026-11-22"), shown("honest", "y", "2026-11-21")]
    assert set(look_alikes(names)) == {"Honest"}


def test_a_skeleton_is_that_of_unicode() -> None:
    assert skeleton("\u0440aypal") == skeleton("paypa1") == "paypal"
    assert skeleton("m") == "rn"
    assert skeleton("") == ""
