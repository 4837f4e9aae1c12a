"""Write a small dataset into a store, as a process that can be killed: STORE_URL TEXT FILES..."""

import sys
from collections.abc import Sequence

from bagen_data import store_locks
from bagen_data.locations import StoreUrl
from bagen_data.replaced_store import replaced_store
from bagen_data.stores import write_bytes
from bagen_data.tables import BUILD_RECORD, CARD, MANIFEST

METADATA = (CARD, BUILD_RECORD, MANIFEST)


def write(out: StoreUrl, text: str, names: Sequence[str], may_replace: Sequence[str] = ()) -> None:
    """Write files that all hold one text, and the three that each dataset has."""
    with replaced_store(out, may_replace) as staging:
        for name in (*names, *METADATA):
            write_bytes(staging / name, text.encode())


if __name__ == "__main__":
    store_locks._SETTLE = 0
    write(StoreUrl(sys.argv[1]), sys.argv[2], sys.argv[3:], [*sys.argv[3:], "old", *METADATA])
