"""A model whose answers and errors hold none of its keys, whatever its server says.

Answers, logs, caches and traces are all made of what a provider's client returns or raises. So that
is where keys are taken out.
"""

from collections.abc import Awaitable, Callable, Iterator
from functools import wraps
from traceback import format_exception_only
from typing import Any

from inspect_ai.model import Model, ModelCall, ModelOutput

from bagen_data.redaction import redact, remember, without_known_keys

_Answer = ModelOutput | Exception | tuple[ModelOutput | Exception, ModelCall]
_GENERATE = "generate"


def redact_answers(model: Model) -> Model:
    """Let a model answer and fail without its keys from now on; returns the same model."""
    api = model.api
    if _GENERATE not in vars(api):
        for key in (api.api_key, getattr(api, "initial_api_key", None)):  # vLLM's has one only
            remember(key)
        vars(api)[_GENERATE] = _redacting(api.generate)
    return model


def _redacting(generate: Callable[..., Awaitable[_Answer]]) -> Callable[..., Awaitable[_Answer]]:
    @wraps(generate)
    async def redacted(*arguments: Any, **options: Any) -> _Answer:
        try:
            answer = await generate(*arguments, **options)
        except Exception as error:
            clean = redact_error(error)
            if clean is error:
                raise
            raise clean from None
        if isinstance(answer, tuple):
            return _clean(answer[0]), _clean_call(answer[1])
        return _clean(answer)

    return redacted


def _clean(answer: ModelOutput | Exception) -> ModelOutput | Exception:
    if isinstance(answer, Exception):
        return redact_error(answer)
    said = answer.model_dump()
    clean = without_known_keys(said)
    return answer if clean == said else ModelOutput.model_validate(clean)


def _clean_call(call: ModelCall) -> ModelCall:
    said = call.model_dump()
    clean = without_known_keys(said)
    return call if clean == said else ModelCall.model_validate(clean)


def redact_error(error: Exception) -> Exception:
    """Return an error that says nothing secret: the same one, or another if it cannot be changed.

    The errors that caused it or are grouped in it are changed, too: a traceback shows them.
    """
    for each in error_chain(error):
        _redact_attributes(each)
        shown = "".join((*format_exception_only(type(each), each), str(each), repr(each)))
        if redact(shown) != shown:
            return RuntimeError(redact(f"{type(error).__name__}: {error}"))
    return error


def error_chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, and those that caused it or are grouped in it, once each."""
    todo: list[BaseException | None] = [error]
    seen: set[int] = set()
    while todo:
        each = todo.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        todo += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            todo += each.exceptions


def _redact_attributes(error: BaseException) -> None:
    error.args = tuple(_redacted(part) for part in error.args)
    for name, value in list(vars(error).items()):
        vars(error)[name] = _redacted(value)
    if isinstance(error, SyntaxError):
        error.text = _redacted(error.text)
        error.filename = _redacted(error.filename)
        error.msg = _redacted(error.msg)


def _redacted(value: Any) -> Any:
    """Return a value whose texts are redacted as messages are; one of another type as it is."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, bytes):
        text = value.decode("utf-8", "surrogateescape")
        clean = redact(text)
        return value if clean == text else clean.encode("utf-8", "surrogateescape")
    if isinstance(value, dict):
        return {_redacted(name): _redacted(part) for name, part in value.items()}
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(_redacted(part) for part in value)
    return value
