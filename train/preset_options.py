"""Options that go together, by name: `--preset lora liger` takes `train/presets/STAGE/NAME.yaml`.

The options of the file of `--config` go before those of the presets that it names itself, and the
command line goes before both. A preset on the command line goes before the file.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bagen_data.errors import WrongUsageError
from train.data import check_list
from train.option_flags import flags

FOLDER = Path(__file__).parent / "presets"


@dataclass
class PresetOptions:
    """Options that are chosen together."""

    preset: list[str] = field(
        default_factory=list,
        metadata={"help": "Presets of train/presets: lora, liger, and packing for SFT."},
    )

    def __post_init__(self) -> None:
        check_list("preset", self.preset, str)


def preset_values(names: Sequence[str], stage: str) -> dict[str, Any]:
    """Return the options of presets; those of a later one go before those of an earlier one.

    Args:
        names: of presets.
        stage: `sft` or `grpo`.

    Raises:
        WrongUsageError: one does not exist for this stage; the message lists those that do.

    >>> preset_values(["packing", "liger"], "sft")
    {'packing': True, 'use_liger_kernel': True}
    """
    check_list("preset", names, str)
    known = sorted(path.stem for path in (FOLDER / stage).glob("*.yaml"))
    values: dict[str, Any] = {}
    for name in names:
        if name not in known:
            raise WrongUsageError(
                f"preset {name!r}: expected one of: {', '.join(known)} (train/presets/{stage})"
            )
        values |= yaml.safe_load((FOLDER / stage / f"{name}.yaml").read_text("utf-8"))
    return values


def with_presets(words: Sequence[str], stage: str) -> list[str]:
    """Return a command line with the options of its presets before its own, which override them.

    Args:
        words: of the command line.
        stage: `sft` or `grpo`.

    Raises:
        WrongUsageError: see `preset_values`.

    >>> with_presets(["--preset", "packing", "--packing", "false"], "sft")
    ['--packing', 'true', '--preset', 'packing', '--packing', 'false']
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--preset", nargs="*", default=[])
    chosen, _ = parser.parse_known_args(list(words))
    return [*flags(preset_values(chosen.preset, stage)), *words]
