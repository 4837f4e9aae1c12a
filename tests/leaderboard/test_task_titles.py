"""Pages name tasks as people say them."""

import pytest

from leaderboard.task_titles import task_title


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("searchr1", "Search-R1"),
        ("sokoban", "Sokoban"),
        ("swebench", "SWE-bench"),
        ("warehouse", "Warehouse"),
        ("chess", "chess"),
        ("overall", "overall"),
    ],
)
def test_a_task_is_named_as_people_say_it(name: str, title: str) -> None:
    """A known task has its usual name, and any other name stays as it is."""
    assert task_title(name) == title
