"""Arrays that are kept on disk come back as they were."""

import numpy as np
import pytest

from leaderboard.stored_arrays import ArrayFile


def test_arrays_come_back_by_name() -> None:
    file = ArrayFile()
    kept = [
        file.keep({"one": np.full(3, number), "none": np.empty(0), "nan": np.array([np.nan])})
        for number in (1.5, 2.5)
    ]
    assert [arrays["one"].tolist() for arrays in kept] == [[1.5] * 3, [2.5] * 3]
    assert list(kept[0]) == ["one", "none", "nan"]
    assert len(kept[0]) == 3
    assert kept[1]["none"].tolist() == []
    assert np.isnan(kept[1]["nan"]).all()
    assert "two" not in kept[0]
    with pytest.raises(KeyError):
        kept[0]["two"]


def test_arrays_outlive_whoever_wrote_them() -> None:
    kept = ArrayFile().keep({"one": np.arange(4.0)})
    assert kept["one"].tolist() == [0, 1, 2, 3]
