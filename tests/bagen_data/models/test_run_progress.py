"""The lines that a run says about what it asks, and about a server that does not answer."""

import time

import pytest

from bagen_data import progress_bar
from bagen_data.models import run_progress
from bagen_data.models.request_events import RequestRetried, SampleEnded, failure_words
from bagen_data.models.run_progress import RunProgress


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        ("RateLimitError", 429, "server busy (429)"),
        ("InternalServerError", 503, "server error (503)"),
        ("ConflictError", 409, "server refusal (409)"),
        ("AttemptTimeoutError", None, "no answer in time"),
        ("APIConnectionError", None, "connection failed"),
        (None, None, "request failed"),
    ],
)
def test_a_failure_is_said_in_words(error: str | None, status: int | None, words: str) -> None:
    assert failure_words(error, status) == words


def test_many_retries_are_few_lines_and_one_count(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = RunProgress(samples=48, answered=10)
    for sample in "abc":
        progress.heed(RequestRetried(sample, "", 0.6), "http://one/v1")  # a client's own
    progress.heed(RequestRetried("a", "server busy (429)", 8.4), "http://one/v1")
    progress.heed(RequestRetried("b", "server busy (429)", 9.0), "http://one/v1")
    progress.heed(SampleEnded("a", is_answered=True), "http://one/v1")
    progress.heed(SampleEnded("c", is_answered=False), "http://one/v1")
    monkeypatch.setattr(run_progress, "SECONDS_BETWEEN_LINES", 0)
    progress.heed(RequestRetried("b", "server error (500)", 16), "http://one/v1")
    progress.say_retries()
    assert progress.answered == 11
    assert capsys.readouterr().err.splitlines() == [
        "http://one/v1: server busy (429), retrying in 8 s, 3 of 48 waiting",
        "http://one/v1: server error (500), retrying in 16 s, 1 of 48 waiting",
        "3 requests were retried",
    ]


def test_a_silent_server_is_noticed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = RunProgress(samples=48, answered=10)
    progress.check_silence()
    assert not capsys.readouterr().err
    monkeypatch.setattr(run_progress, "SECONDS_OF_SILENCE", 0)
    progress.check_silence()
    progress.say_retries()
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "no answer for 0 s; 10 of 48 samples are answered, still waiting"


@pytest.mark.parametrize(
    ("samples", "answered", "line"),
    [
        (94, 0, "m on t: 94 samples to ask"),
        (1_094, 93, "m on t: 1,001 samples to ask, 93 of 1,094 are answered already"),
    ],
)
def test_a_run_in_a_pipe_says_what_it_asks_and_how_far_it_is(
    samples: int,
    answered: int,
    line: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run in a pipe used to print nothing until its end, hours later."""
    monkeypatch.setattr(run_progress, "_TICK", 0.01)
    monkeypatch.setattr(progress_bar, "SECONDS_BETWEEN_LINES", 0)
    with run_progress.run_progress("m on t", samples, answered) as progress:
        progress.answered += 50
        said, give_up = "", time.monotonic() + 60
        while said.count("\n") < 2 and time.monotonic() < give_up:
            time.sleep(0.01)
            said += capsys.readouterr().err
    assert said == f"{line}\nm on t: {answered + 50:,} of {samples:,} done\n"
