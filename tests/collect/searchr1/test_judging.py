"""Judging against cases with known results."""

import pytest

from collect.searchr1.judging import exact_match, f1, normalised


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("The  Beatles", "beatles"),
        ("an apple, a day", "apple day"),
        ("U.S.A.", "usa"),
        ("Baron-Black", "baronblack"),
        ("theatre", "theatre"),
        ("the", ""),
        ("?!", ""),
        ("Ørsted – 3", "ørsted – 3"),  # SQuAD knows ASCII's punctuation only
        ("$1,250.50", "125050"),
        ("'The' end\n", "end"),
    ],
)
def test_normalisation(answer: str, expected: str) -> None:
    assert normalised(answer) == expected


@pytest.mark.parametrize(
    ("answer", "accepted", "is_exact", "score"),
    [
        ("Berlin", ["Berlin"], True, 1.0),
        ("berlin.", ["Paris", "Berlin"], True, 1.0),
        ("Keble College, Oxford", ["Keble College"], False, 2 * 2 / (3 + 2)),
        ("Keble", ["Keble College", "Keble House, Oxford"], False, 2 * 1 / (1 + 2)),
        ("the the", ["a"], True, 1.0),
        ("", ["Berlin"], False, 0.0),
        ("b b c", ["b c c"], False, 2 * 2 / (3 + 3)),
        ("yes, both are", ["yes"], False, 0.0),
        ("Yes!", ["yes"], True, 1.0),
        ("no", ["no one"], False, 0.0),
        ("Berlin", [], False, 0.0),
    ],
)
def test_measures(answer: str, accepted: list[str], is_exact: bool, score: float) -> None:
    assert exact_match(answer, accepted) is is_exact
    assert f1(answer, accepted) == pytest.approx(score)
