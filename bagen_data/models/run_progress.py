"""Progress of a run: a bar or lines, and lines about a server that does not answer."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bagen_data.console import STDERR, shown
from bagen_data.models.request_events import RequestEvent, RequestRetried, SampleEnded
from bagen_data.progress_bar import progress_bar
from bagen_data.redaction import redact
from bagen_data.wording import numbered

SECONDS_BETWEEN_LINES = 10.0
"""Least time between two lines about retries."""
SECONDS_OF_SILENCE = 60.0
"""Time without an answer or a retry after which a line says that answers are awaited."""
_SHORT_WAIT = 3.0
"""Wait of a client's own retry, in seconds, below which nothing is said."""
_TICK = 1.0


class RunProgress:
    """The lines and counts that a user sees of a run while it goes on.

    Lines go to stderr, also where that is not a terminal.
    """

    def __init__(self, samples: int, answered: int) -> None:
        self.answered = answered
        """Samples that have an answer."""
        self._samples = samples
        self._waiting: set[tuple[str, str]] = set()
        self._retried: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._last_line = -SECONDS_BETWEEN_LINES
        self._last_event = time.monotonic()

    def heed(self, event: RequestEvent, server: str = "") -> None:
        """Take note of an event.

        Args:
            event: the event.
            server: the server's address, where there are several.
        """
        with self._lock:
            self._last_event = time.monotonic()
            place = server, event.sample
            if isinstance(event, RequestRetried):
                self._waiting.add(place)
                self._retried.add(place)
                self._say_retry(event, server)
            elif isinstance(event, SampleEnded):
                self._waiting.discard(place)
                self.answered += event.is_answered

    def check_silence(self) -> None:
        """Say that answers are awaited, where nothing was heard for long."""
        with self._lock:
            silence = time.monotonic() - self._last_event
            if silence >= SECONDS_OF_SILENCE:
                self._last_event = time.monotonic()
                self._say(
                    f"no answer for {silence:.0f} s; {self.answered:,} of "
                    f"{numbered(self._samples, 'sample')} are answered, still waiting"
                )

    def say_begin(self, name: str) -> None:
        """Say how many samples are asked.

        Args:
            name: the run.
        """
        asked = self._samples - self.answered
        line = f"{name}: {numbered(asked, 'sample')} to ask"
        if self.answered:
            line += f", {self.answered:,} of {self._samples:,} are answered already"
        self._say(line)

    def say_retries(self) -> None:
        """Say how many requests were retried, if any were."""
        if self._retried:
            verb = "was" if len(self._retried) == 1 else "were"
            self._say(f"{numbered(len(self._retried), 'request')} {verb} retried")

    def _say_retry(self, event: RequestRetried, server: str) -> None:
        if not event.reason and event.seconds < _SHORT_WAIT:
            return
        now = time.monotonic()
        if now - self._last_line < SECONDS_BETWEEN_LINES:
            return
        self._last_line = now
        place = f"{server}: " if server else ""
        self._say(
            f"{place}{event.reason or 'request failed'}, retrying in {max(1, event.seconds):.0f} "
            f"s, {len(self._waiting):,} of {self._samples:,} waiting"
        )

    @staticmethod
    def _say(line: str) -> None:
        STDERR.print(shown(redact(line)))


@contextmanager
def run_progress(name: str, samples: int, answered: int) -> Iterator[RunProgress]:
    """Show the progress of a run until the block ends; without a bar, say what is asked, too.

    Args:
        name: the run, beside the bar.
        samples: how many samples it has.
        answered: how many of them have an answer already.
    """
    progress = RunProgress(samples, answered)
    with progress_bar() as bar:
        task = bar.add_task(name, total=samples, completed=answered)
        if bar.disable:
            progress.say_begin(name)
        over = threading.Event()

        def watch() -> None:
            while not over.wait(_TICK):
                bar.update(task, completed=progress.answered)
                progress.check_silence()

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield progress
        finally:
            over.set()
            watcher.join()
