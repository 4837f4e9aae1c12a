"""Two containers build into one folder: both are process 1, and neither may harm the other.

The staging folder was named by the process id once, so each of two containers took the other's for
a leftover of its own and removed it: of 40 pairs, 2 published a corrupt folder with exit 0, and
with an earlier build in the way 20 of 30 did.
"""

import shutil
from pathlib import Path

import pytest

from tests.attacks.namespaces import at_once, needs_namespaces
from tests.attacks.tallies import Tally
from tests.making import build, dialogue, run, write_json

pytestmark = needs_namespaces


@pytest.mark.attack("two builders at once")
@pytest.mark.parametrize("before", [False, True], ids=["new", "earlier build"])
def test_two_builders_at_once(tmp_path: Path, before: bool, tally: Tally) -> None:
    origin, out = tmp_path / "origin", tmp_path / "out"
    rows = [dialogue([(9, 5)] * 30, name=f"row {n}") for n in range(60)]
    write_json(origin / "sokoban-origin-m" / "a.json", rows)
    command = ["-m", "builders", "build", "--origin", origin, "--out", out]
    for _ in range(tally.size(3, 30)):
        if before:
            assert build(origin, out, "--limit", 2) == 0
        pair = list(at_once([command, command]))
        errors = "".join(process.stderr for process in pair)
        codes = sorted(process.returncode for process in pair)
        tally.tried += 1
        tally.crashed += "Traceback" in errors
        is_refused = codes == [0, 1] and "another process is writing it" in errors
        left = sorted(path.name for path in tmp_path.iterdir())
        tally.wrong += not (
            (codes == [0, 0] or is_refused)
            and run("verify", out) == 0
            and left == ["origin", "out"]
        )
        shutil.rmtree(out)
