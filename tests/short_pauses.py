"""Short pauses between tries of a request to the Hub, in each process that imports this module.

A process that commands are forked from imports it, so that a test of a Hub which fails for a while
waits for none of the seconds that a user's command, and the Hub's client in it, wait. Other pauses
keep their length: a file that was just written is read a tick of the clock later.
"""

import sys
import time

_CALLERS = ("bagen_data.repositories.", "huggingface_hub.")
_sleep = time.sleep


def _sleep_less(seconds: float) -> None:
    """Pause for so many seconds, or for a hundredth of them between tries of a request."""
    caller = sys._getframe(1).f_globals.get("__name__", "")
    _sleep(seconds / 100 if caller.startswith(_CALLERS) else seconds)


time.sleep = _sleep_less
