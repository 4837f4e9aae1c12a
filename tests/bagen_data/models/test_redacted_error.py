"""Errors of a model's client say no key, wherever they hold it."""

from traceback import format_exception

import pytest

from bagen_data.models.redacted_model import redact_error

KEY = "qZ8vN3kT5wR1yB6mXX"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def _with_attributes() -> Exception:
    error = ValueError("x")
    vars(error).update(body=KEY.encode(), parts=(KEY,), names={KEY}, deep=[{"a": (KEY,)}])
    return error


def _behind_a_cause() -> Exception:
    error = RuntimeError("top")
    error.__cause__, error.__context__ = OSError("cause"), ValueError(KEY)
    return error


@pytest.mark.parametrize(
    "error",
    [
        SyntaxError("x", ("file", 1, 1, KEY)),
        ExceptionGroup("several", [ValueError(KEY)]),
        UnicodeDecodeError("utf-8", KEY.encode(), 0, 1, "bad"),
        OSError(2, "missing", KEY),
        _with_attributes(),
        _behind_a_cause(),
    ],
)
def test_an_error_says_no_key(error: Exception) -> None:
    clean = redact_error(error)
    assert KEY not in "".join(format_exception(clean))
    assert KEY not in f"{clean} {clean!r} {vars(clean)} {clean.__context__!r}"
