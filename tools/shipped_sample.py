"""Make the dataset that the package ships for `bagen demo`, from the bundled rollouts.

    python -m tools.shipped_sample       writes bagen_data/demo/dataset anew

It is the build of two tasks of `sample/origin`, with a short card and without the description for
searches, so that it stays below 200 kB. Its rows are those of `make demo`; another version of
pyarrow may write other bytes.
"""

import shutil
import tempfile
from pathlib import Path

import yaml

from bagen_data.tables import CARD, CROISSANT
from builders.build import build
from builders.build_record import BuildOptions

REPO = Path(__file__).resolve().parents[1]
SHIPPED = REPO / "bagen_data/demo/dataset"
"""The dataset in the package."""
TASKS = ["sokoban", "swebench"]
"""Tasks of the shipped dataset."""
_KEPT = ("pretty_name", "license", "configs")
"""Keys of the built card that the shipped one has too: `datasets` reads the configs."""
_CARD = """\
# The sample of `bagen demo`

Questions about 36 short runs of Sokoban and SWE-bench. The agents are scripted and their usage is
simulated: the sample is there to try the tools, and its scores mean nothing. The benchmark is
[MLL-Lab/BAGEN](https://huggingface.co/datasets/MLL-Lab/BAGEN).

    bagen predict baseline quantiles --dataset FOLDER --out my-predictions
    bagen score my-predictions --dataset FOLDER

FOLDER is the folder of this file.
"""


def main(out: Path = SHIPPED) -> None:
    """Build the dataset, and put it in place of the one in `out`."""
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder, "dataset")
        build(BuildOptions(REPO / "sample/origin", built, tasks=TASKS))
        (built / CROISSANT).unlink()
        (built / CARD).write_text(_shortened((built / CARD).read_text("utf-8")), "utf-8")
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(built, out)


def _shortened(card: str) -> str:
    """Return the card of the shipped dataset: the built card's configs, and a text of its own."""
    header = yaml.safe_load(card.split("---\n")[1])
    kept = yaml.safe_dump({key: header[key] for key in _KEPT}, sort_keys=False)
    return f"---\n{kept}---\n\n{_CARD}"


if __name__ == "__main__":
    main()
