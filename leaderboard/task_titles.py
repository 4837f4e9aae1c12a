"""Names of tasks as pages show them."""

from leaderboard.results import OVERALL

_TITLES = {
    "searchr1": "Search-R1",
    "sokoban": "Sokoban",
    "swebench": "SWE-bench",
    "warehouse": "Warehouse",
}


def task_title(name: str) -> str:
    """Return the name of a task as people say it; any other name as it is.

    >>> task_title("searchr1"), task_title("chess")
    ('Search-R1', 'chess')
    """
    return _TITLES.get(name, name)


def group_title(name: str) -> str:
    """Return the name of a task, or of all tasks together, as a heading shows it.

    >>> group_title("overall"), group_title("swebench")
    ('Overall', 'SWE-bench')
    """
    return "Overall" if name == OVERALL else task_title(name)


def family_title(name: str) -> str:
    """Return the name of a family, TASK/MODEL, as pages show it.

    >>> family_title("searchr1/gpt-5.2")
    'Search-R1, gpt-5.2'
    """
    task, slash, model = name.partition("/")
    return f"{task_title(task)}, {model}" if slash else name
