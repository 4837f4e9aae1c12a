"""Options of a trainer that may hold a key: checkpoints and run records keep all options."""

from collections.abc import Mapping
from typing import Any

from bagen_data.errors import WrongUsageError
from bagen_data.redaction import holds_secret

_NAMES = ("hub_token", "model_init_kwargs", "trackio_space_id", "hub_model_id")


def check_no_token(options: Mapping[str, Any]) -> None:
    """Refuse options that hold a key.

    Raises:
        WrongUsageError: one does; the message does not repeat it.
    """
    for name in _NAMES:
        value = options.get(name)
        if value and (name == "hub_token" or holds_secret(value)):
            raise WrongUsageError(
                f"{name}: holds a key, and checkpoints keep all options; give it in the "
                "environment, as in HF_TOKEN"
            )
