"""Names of tasks as pages show them."""

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
