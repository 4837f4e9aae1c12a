"""Lines of a session: a last one that is cut is skipped, and any other one is never lost."""

from collections import Counter

import pytest

from bagen_data.errors import RolloutError
from bagen_data.logs.lines import CUT, Line, session_records

GOOD, BAD = Line(1, {"type": "user"}), "is not JSON, or cut off"


def test_a_last_line_that_is_cut_is_skipped_and_counted() -> None:
    skipped: Counter[str] = Counter()
    assert list(session_records([GOOD, Line(2, None, BAD)], skipped)) == [(1, {"type": "user"})]
    assert skipped == {CUT: 1}


@pytest.mark.parametrize(
    "lines",
    [
        [GOOD, Line(2, None, BAD), Line(3, {})],
        [GOOD, Line(2, None, BAD, is_whole=True)],
        [GOOD, Line(2, ["a list"])],
    ],
)
@pytest.mark.parametrize("path", ["", "agents/a.jsonl"])
def test_any_other_line_refuses_the_session_by_file_and_number(
    lines: list[Line], path: str
) -> None:
    where = f"^{path}: line 2 is " if path else "^line 2 is "
    with pytest.raises(RolloutError, match=where):
        list(session_records(lines, Counter(), path))
