"""The paper's five models, by name, as Inspect calls them.

The paper names the models; that GPT-5.2 Instant is `gpt-5.2` without reasoning is what its recorded
SWE-bench rollouts say. Everything else is left to the provider.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bagen_data.errors import WrongUsageError
from bagen_data.models.model_options import ModelOptions


@dataclass(frozen=True)
class Preset:
    """A model and how it is asked."""

    model: str
    usual: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `ModelOptions` where the command line leaves them out."""

    def complete(self, options: ModelOptions) -> ModelOptions:
        """Return the options, with this preset's where they say nothing."""
        open_fields = {k: v for k, v in self.usual.items() if getattr(options, k) is None}
        return replace(options, **open_fields)


_ROOM_TO_REASON = {"max_tokens": 16_384}
"""Options of a model that always reasons before it answers."""

PRESETS: Mapping[str, Preset] = {
    "gpt-5.2-instant": Preset("openai/gpt-5.2", {"reasoning_effort": "none"}),
    "claude-opus-4.7": Preset("anthropic/claude-opus-4-7"),
    "claude-sonnet-4.6": Preset("anthropic/claude-sonnet-4-6"),
    "gemini-3.1-pro": Preset("google/gemini-3.1-pro-preview", _ROOM_TO_REASON),
    "qwen3-235b": Preset("openrouter/qwen/qwen3-235b-a22b-2507"),
}


def find_preset(name: str) -> Preset:
    """Return the preset of a name.

    Raises:
        WrongUsageError: the name is unknown; the message lists all names.
    """
    if name not in PRESETS:
        raise WrongUsageError(f"--preset {name}: unknown; expected one of: {', '.join(PRESETS)}")
    return PRESETS[name]
