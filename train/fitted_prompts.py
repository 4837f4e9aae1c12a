"""Make prompts fit: the oldest turns of a prompt that is too long are left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bagen_data.prompt_variants import Variant, find_variant
from train.number_prompts import NUMBERS_ONLY, numbers_only

Messages = list[dict[str, str]]
AS_BUILT = "as_built"
"""The choice of no variant: each prompt stays in the one that the dataset has it in."""


def reworded(
    row: Mapping[str, Any], variant: str, form: str = AS_BUILT
) -> tuple[Messages, Variant]:
    """Return the prompt of a row of the dataset in a variant, and that variant.

    Args:
        row: with `task`, `prompt`, `prompt_variant`, `resources` and `completed_turns`.
        variant: one of `VARIANTS`, a name of version 1, or `as_built`.
        form: one of `PROMPT_FORMS`.

    Raises:
        TemplateError: the prompt ends with the question of no variant.
    """
    from bagen_data import prompt_rewording  # no help text needs it

    built = find_variant(row["prompt_variant"])
    wanted = built if variant == AS_BUILT else find_variant(variant)
    if form == NUMBERS_ONLY:
        return numbers_only(row, wanted), wanted
    if wanted == built:
        return list(row["prompt"]), built
    return prompt_rewording.reworded(row, wanted), wanted


@dataclass(frozen=True)
class FittedPrompt:
    """A prompt that fits."""

    messages: Messages
    dropped_turns: int
    """Turns, of one user and one assistant message each, that were left out after the system."""
    tokens: int
    """Tokens of the prompt, the chat template's own included."""


@dataclass(frozen=True)
class PromptFitter:
    """Counts a prompt's tokens as a chat model sees them, and shortens it."""

    tokenizer: Any
    limit: int
    """The most tokens of a prompt, the chat template's own included."""
    template: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of the chat template, e.g. `{"enable_thinking": False}`."""

    def fit(
        self, messages: Sequence[Mapping[str, str]], *, trim: bool = True
    ) -> FittedPrompt | None:
        """Return the prompt without as few of its oldest turns as need be; None if it cannot fit.

        Args:
            messages: a system message, turns of a user and an assistant message each, the question.
            trim: whether turns may be left out at all.
        """
        system, *turns, question = ({**message} for message in messages)
        pairs = len(turns) // 2

        def without(dropped: int) -> Messages:
            return [system, *turns[2 * dropped :], question]

        tokens = self._tokens(without(0))
        if tokens <= self.limit:
            return FittedPrompt(without(0), 0, tokens)
        if not trim or self._tokens(without(pairs)) > self.limit:
            return None
        fails, fits = 0, pairs  # one more turn left out never makes a prompt longer
        while fits - fails > 1:
            middle = (fits + fails) // 2
            is_short = self._tokens(without(middle)) <= self.limit
            fails, fits = (fails, middle) if is_short else (middle, fits)
        return FittedPrompt(without(fits), fits, self._tokens(without(fits)))

    def _tokens(self, messages: Messages) -> int:
        return token_count(messages, self.tokenizer, self.template, add_generation_prompt=True)


def token_count(
    messages: Messages, tokenizer: Any, template: Mapping[str, Any], **more: bool
) -> int:
    """Return how many tokens a conversation has, its chat template's own included."""
    text = tokenizer.apply_chat_template(messages, tokenize=False, **more, **template)
    return len(tokenizer(text, add_special_tokens=False)["input_ids"])
