"""The samples that answers are held against, in memory or read part by part."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from bagen_data.array_types import Ints
from bagen_data.scoring.sample_table import SampleTable


class SampleSource(Protocol):
    """Samples in parts of consecutive rows; all rows of a family lie in one part.

    A `SampleTable` is a source of one part, itself. `sample_files.FiledSamples` reads its parts
    from the files of a dataset whenever they are asked for.
    """

    def __len__(self) -> int:
        """Return the number of samples."""
        ...

    @property
    def family_names(self) -> tuple[str, ...]:
        """Names of all families, `task/rollout_model`, in the order of reports."""
        ...

    @property
    def instances(self) -> Mapping[str, Ints]:
        """The ranks of each task's instances, ascending, by the task's name."""
        ...

    @property
    def part_sizes(self) -> tuple[int, ...]:
        """Samples of each part, in the order of the parts."""
        ...

    def parts(self) -> Iterator[SampleTable]:
        """Read the parts from the first one on."""
        ...

    def ids(self) -> Iterator[Any]:
        """Yield Arrow arrays of all sample ids, of one type, in the order of the rows."""
        ...
