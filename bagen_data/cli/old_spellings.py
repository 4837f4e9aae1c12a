"""Commands as they were spelled before, each with the spelling that took its place."""

from collections.abc import Sequence

_MOVED = {
    ("predict", "--estimator"): "bagen predict baseline NAME",
    ("predict", "--model"): "bagen predict model PROVIDER/NAME",
    ("predict", "--preset"): "bagen predict model --preset NAME",
    ("show", "--estimator"): "bagen show SAMPLE_ID --baseline NAME",
}


def moved(arguments: Sequence[str]) -> str | None:
    """Return one line on the new spelling; None if the arguments are not spelled the old way.

    >>> moved(["predict", "--estimator", "quantiles"])
    'bagen predict --estimator has moved; it is now: bagen predict baseline NAME'
    >>> moved(["predict", "model", "--preset", "qwen3-235b"])
    """
    command, *rest = arguments or [""]
    if command == "predict" and rest and not rest[0].startswith("-"):
        return None
    for flag in (argument.partition("=")[0] for argument in rest):
        if (command, flag) in _MOVED:
            return f"bagen {command} {flag} has moved; it is now: {_MOVED[command, flag]}"
    return None
