"""The share of prompt tokens a prefix cache serves, in our order of questions and in a random one.

    python benchmarks/prefix_cache.py [DATASET] [--config swebench] [--tokens 20000,100000,1000000]

Without a dataset it builds the recorded SWE-bench family, if it lies beside the clone, else the
bundled one. The cache is the usual one of inference servers: prompts are cut into blocks of 16
tokens, a block is known by itself and all before it, the least recently used blocks go first, and
the longest known beginning of a prompt is served. A token is a word or a mark here; a role costs
one.
"""

import argparse
import random
import re
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from bagen_data.hub import load_samples  # noqa: E402
from benchmarks.measuring import BUNDLED, RECORDED  # noqa: E402
from builders.build import build  # noqa: E402
from builders.build_record import BuildOptions  # noqa: E402

BLOCK = 16
BOUND = 0.80
"""The share in our order is at least this, of the recorded family."""

_TOKEN = re.compile(r"\w+|[^\w\s]")


class PrefixCache:
    """Blocks, the least recently used first."""

    def __init__(self, tokens: int) -> None:
        self._room = tokens // BLOCK
        self._blocks: OrderedDict[int, None] = OrderedDict()

    def serve(self, blocks: Sequence[int]) -> int:
        """Return how many tokens of a prompt were in the cache; now all its blocks are."""
        served = next((n for n, key in enumerate(blocks) if key not in self._blocks), len(blocks))
        for key in reversed(blocks):  # so that a prompt's end goes before its beginning
            self._blocks[key] = None
            self._blocks.move_to_end(key)
        while len(self._blocks) > self._room:
            self._blocks.popitem(last=False)
        return served * BLOCK


def blocks_of(prompt: Iterable[dict[str, str]]) -> tuple[list[int], int]:
    """Return the keys of a prompt's whole blocks, and its tokens."""
    tokens = [token for each in prompt for token in (each["role"], *_tokens(each["content"]))]
    keys, parent = [], 0
    for start in range(0, len(tokens) - BLOCK + 1, BLOCK):
        parent = hash((parent, *tokens[start : start + BLOCK]))
        keys.append(parent)
    return keys, len(tokens)


@cache
def _tokens(text: str) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(text))


def share(prompts: Sequence[tuple[list[int], int]], tokens: int) -> float:
    """Return the share of all prompt tokens that a cache of this size serves."""
    room = PrefixCache(tokens)
    return sum(room.serve(blocks) for blocks, _ in prompts) / sum(size for _, size in prompts)


def read_prompts(dataset: str, config: str) -> Iterator[tuple[list[int], int]]:
    """Yield `blocks_of` every sample's prompt, in the dataset's order, which is the questions'."""
    table = load_samples(dataset, config, also=("prompt",)).table
    for batch in table.select(["prompt"]).to_batches(max_chunksize=64):
        yield from map(blocks_of, batch["prompt"].to_pylist())


def main() -> None:
    """Print the shares."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("dataset", nargs="?")
    parser.add_argument("--config", default="swebench")
    parser.add_argument("--tokens", default="20000,100000,1000000")
    options = parser.parse_args()
    sizes = [int(size) for size in options.tokens.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        dataset = options.dataset or _built(Path(folder))
        prompts = list(read_prompts(dataset, options.config))
    shuffled = random.Random(0).sample(prompts, len(prompts))
    total = sum(size for _, size in prompts)
    print(f"{len(prompts):,} prompts, {total:,} tokens, blocks of {BLOCK}")
    print(f"{'cache, in tokens':>18}{'our order':>12}{'bound':>8}{'random order':>15}")
    for size in sizes:
        shares = f"{share(prompts, size):>12.1%}{BOUND:>8.0%}{share(shuffled, size):>15.1%}"
        print(f"{size:>18,}{shares}")


def _built(folder: Path) -> str:
    family = RECORDED if RECORDED.is_dir() else BUNDLED
    print(f"family: {family.name}; the bound is for {RECORDED.name}")
    build(BuildOptions(origin=family, out=folder / "built"))
    return str(folder / "built")


if __name__ == "__main__":
    main()
