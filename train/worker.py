"""The end of a training script that runs in several processes: one of them says what went wrong."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bagen_data.command_line import run
from bagen_data.errors import BagenError, WrongUsageError
from bagen_data.garbage_collection import skip_last_collection

_INTERRUPTED, _FAILED, _WRONG_USAGE = 130, 1, 2


def run_worker(main: Callable[[Sequence[str] | None], Any]) -> None:
    """Run a script of which several processes run, and exit as `command_line.run` does.

    The process of rank 0 prints errors and the notice of Ctrl-C. Another one leaves its error to
    torchrun, in the file that torchrun gives it, and is silent otherwise. A second Ctrl-C, which
    torchrun sends on to its processes, does not interrupt the end.

    Args:
        main: the script, as a function of its arguments.
    """
    errors: list[str] = []
    try:
        if int(os.environ.get("RANK", "0")) == 0:
            run(lambda arguments: _ended(main, arguments, errors))
        else:
            skip_last_collection()
            _ended(main, None, errors)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except WrongUsageError:
        sys.exit(_WRONG_USAGE)
    except (BagenError, OSError):
        sys.exit(_FAILED)
    finally:
        for error in errors:
            _leave(error)  # after it was reported: a process that is ended meanwhile leaves no file


def _ended(
    main: Callable[[Sequence[str] | None], Any],
    arguments: Sequence[str] | None,
    errors: list[str],
) -> None:
    """Run a script, and add its error to those that are left to torchrun."""
    try:
        main(arguments)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise
    except (BagenError, OSError) as error:
        errors.append(str(error))
        raise


def _leave(message: str) -> None:
    """Write an error into the file of torchrun, in its form."""
    from bagen_data.redaction import redact

    path = os.environ.get("TORCHELASTIC_ERROR_FILE")
    if not path:
        return
    details = {"timestamp": str(int(time.time())), "py_callstack": ""}
    content = {"message": {"message": redact(message), "extraInfo": details}}
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps(content), "utf-8")
