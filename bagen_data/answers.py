"""The answer grammar: the only parser, in `answer_reading`, and the only writer of answers.

To the question `interval`:

    [<think> ... </think>] <answer>[low, high]</answer>
    [<think> ... </think>] <answer>time_weeks:[l, h], warehouse_item_weeks:[l, h], ...</answer>
    [<think> ... </think>] <answer>impossible</answer>

To the question `point`, where a number stands for each interval:

    [<think> ... </think>] <answer>3200</answer>
    [<think> ... </think>] <answer>time_weeks:3, warehouse_item_weeks:120, ...</answer>
    [<think> ... </think>] <answer>impossible</answer>

To the question `forecast`:

    [<think> ... </think>] <answer>finish=0.65, success=0.8, tokens=[850, 1100, 1400, 1900, 2600]
    </answer>

Parsing is strict and repairs nothing. Text up to the last `</think>` is ignored; of what follows,
the last `<answer>...</answer>` counts and its whole content must have one of the forms. Tags and
`impossible` match in any case. A number is ASCII digits with at most one decimal point between
digits: no separator, sign, exponent or unit. Time is linear in the length of the text.
"""

import re
from collections.abc import Sequence

from bagen_data.answer_reading import LABEL, PROBABILITIES, answer_content, read
from bagen_data.errors import InputError
from bagen_data.number_texts import plain
from bagen_data.prompt_variants import find_variant, question_of, thinks
from bagen_data.schema import QUANTILE_LEVELS, Estimate, Forecast, Interval, Question


def parse(
    text: str, resources: Sequence[str] | None = None, question: Question = "interval"
) -> Estimate:
    """Read an answer.

    Args:
        text: a response, of any length and content.
        resources: the resources the answer must name. One resource is answered with a bare
            interval or number, several with a labelled one each; a forecast labels all. Left out,
            a bare answer is one of `tokens` and a labelled one must name the three warehouse
            resources; a forecast must name `tokens`.
        question: the question that was asked.

    Returns:
        An `Estimate`, whatever the text. A text that is not an answer is invalid, with one reason.
        A number N to the question `point` is the interval [N, N].

    Raises:
        ValueError: `resources` is empty, or one string instead of a list of names.

    >>> parse("<think>20 turns?</think> <answer>[1200, 1500]</answer>").intervals
    {'tokens': Interval(low=1200, high=1500)}
    >>> parse("<answer>Impossible</answer>").verdict
    'infeasible'
    >>> parse("<answer>[1,200, 1,500]</answer>").reason
    'malformed'
    >>> parse("<think><answer>[0, 9]</answer></think> done").reason
    'no_answer'
    >>> parse("<answer>1200</answer>", question="point").intervals
    {'tokens': Interval(low=1200, high=1200)}
    >>> text = "<answer>finish=0.4, success=0.5, tokens=[1, 2, 3, 4, 5]</answer>"
    >>> parse(text, question="forecast").forecast.finish
    0.4
    """
    if isinstance(resources, str) or (resources is not None and not resources):
        raise ValueError(f"resources is {resources!r}; expected a list of at least one name")
    reading = read(text.encode("utf-8", "surrogatepass"), resources, question)
    if reading.quantiles:
        quantiles = {
            name: tuple(map(_plain_number, amounts)) for name, amounts in reading.quantiles.items()
        }
        return Forecast(reading.finish, reading.success, quantiles).estimate()
    intervals = {
        name: Interval(_plain_number(low), _plain_number(high))
        for name, (low, high) in reading.bounds.items()
    }
    return Estimate(reading.verdict, intervals, reading.reason)


def answer_in(text: str) -> str | None:
    """Return the stripped text in the last whole answer after the last thought; None without one.

    The text need not be an estimate: agents answer their environments in the same tags.

    >>> answer_in("<think><answer>Up</answer>?</think> No: <answer> Down </answer>")
    'Down'
    >>> answer_in("Down")
    """
    content = answer_content(text.encode("utf-8", "surrogatepass"))
    return None if content is None else content.decode("utf-8", "surrogatepass").strip()


def check_resource_name(name: str) -> None:
    """Refuse a resource's name that is not a label of the grammar, or is a label of a probability.

    Raises:
        InputError: the name is refused.
    """
    is_label = re.fullmatch(LABEL, name.encode("utf-8", "surrogatepass"))
    if not is_label or name in PROBABILITIES:
        raise InputError(
            f"resource {name!r}: expected a lower-case letter, then letters, digits and _, and not "
            "finish or success, which are labels of a forecast"
        )


def render(estimate: Estimate, question: Question = "interval") -> str:
    """Write an answer, such that `parse(render(estimate, question), resources, question)` is it.

    Raises:
        ValueError: the estimate does not answer the question: it is invalid, is not of a forecast,
            or its interval is not a single point.

    >>> render(Estimate("feasible", {"tokens": Interval(0.5, 1e21)}))
    '<answer>[0.5, 1000000000000000000000]</answer>'
    >>> render(Estimate("infeasible"), "point")
    '<answer>impossible</answer>'
    >>> render(Forecast(0.65, 0.8, {"tokens": (1, 2, 3, 4, 5)}).estimate(), "forecast")
    '<answer>finish=0.65, success=0.8, tokens=[1, 2, 3, 4, 5]</answer>'
    """
    if estimate.verdict == "invalid":
        raise ValueError(f"an invalid estimate ({estimate.reason}) has no answer to render")
    if question == "forecast":
        return f"<answer>{_rendered_forecast(estimate.forecast)}</answer>"
    if estimate.verdict == "infeasible":
        return "<answer>impossible</answer>"
    amounts = {name: _rendered(interval, question) for name, interval in estimate.intervals.items()}
    if len(amounts) == 1:
        return f"<answer>{next(iter(amounts.values()))}</answer>"
    return f"<answer>{', '.join(f'{name}:{text}' for name, text in amounts.items())}</answer>"


def _rendered(interval: Interval, question: Question) -> str:
    if question == "interval":
        return f"[{plain(interval.low)}, {plain(interval.high)}]"
    if interval.low != interval.high:
        raise ValueError(f"[{interval.low}, {interval.high}] is not a single number")
    return plain(interval.low)


def _rendered_forecast(forecast: Forecast | None) -> str:
    if forecast is None:
        raise ValueError("the estimate is not of a forecast")
    amounts = {
        name: ", ".join(map(plain, quantiles)) for name, quantiles in forecast.quantiles.items()
    }
    return ", ".join(
        [
            f"finish={plain(forecast.finish)}",
            f"success={plain(forecast.success)}",
            *(f"{name}=[{text}]" for name, text in amounts.items()),
        ]
    )


def grammar(resources: Sequence[str], variant: str) -> str:
    """Return the answer grammar as a regular expression, for decoders that can be held to one.

    Numbers have at most twelve digits before the point and six after it, so that a number ends.
    A regular expression cannot say that numbers are in order.

    Args:
        resources: resources that the answer must name, in this order.
        variant: the prompt's variant, one of `VARIANTS` or a name of version 1. The thought of
            a variant that asks for one holds no `<`.

    Raises:
        InputError: no variant has this name.

    >>> pattern = grammar(["tokens"], "interval_no_think")
    >>> bool(re.fullmatch(pattern, "<answer>[600, 900.5]</answer>"))
    True
    """
    question = question_of(find_variant(variant))
    number = r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?"
    think = "<think>[^<]+</think> " if thinks(variant) else ""
    if question == "forecast":
        probability = r"(0(\.[0-9]{1,6})?|1)"
        quantiles = rf"\[{', '.join([number] * len(QUANTILE_LEVELS))}\]"
        labelled = ", ".join(
            [
                *(f"{name}={probability}" for name in PROBABILITIES),
                *(f"{name}={quantiles}" for name in resources),
            ]
        )
        return f"{think}<answer>{labelled}</answer>"
    amount = number if question == "point" else rf"\[{number}, {number}\]"
    labelled = ", ".join(f"{name}:{amount}" for name in resources)
    return f"{think}<answer>({amount if len(resources) == 1 else labelled}|impossible)</answer>"


def _plain_number(value: float) -> float:
    """Return a number, as an int where it is a whole one that a float holds exactly."""
    return int(value) if value.is_integer() and value < 2**53 else value
