"""Training parts."""

from hypothesis import given
from hypothesis import strategies as st

from bagen_data.splits import PARTS, split_instances


@given(st.sets(st.text(max_size=5)))
def test_parts_are_40_50_10_percent_of_the_instances(ids: set[str]) -> None:
    parts = list(split_instances(ids).values())
    sizes = [parts.count(part) for part in PARTS]
    for size, share in zip(sizes, (0.4, 0.5, 0.1), strict=True):
        assert abs(size - share * len(ids)) <= 1


@given(st.lists(st.text(max_size=5)), st.randoms())
def test_order_and_repeats_change_nothing(ids: list[str], rng: object) -> None:
    shuffled = ids * 2
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    assert split_instances(ids) == split_instances(shuffled)
