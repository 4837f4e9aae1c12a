"""Options of the commands that read logs."""

from typing import Annotated

import typer

from bagen_data.usage import UsageChoice

LogTokenizer = Annotated[
    str | None,
    typer.Option(help="For logs without token counts: a tokenizer's folder or Hub id."),
]
BareCounts = Annotated[
    UsageChoice,
    typer.Option(help="Meaning of input counts that stand alone: the whole request or one turn."),
]
SuccessField = Annotated[
    str | None,
    typer.Option(
        metavar="RULE",
        help="Field of a log that decides its outcome: 'reward>=0.5', 'status=passed', "
        "resolved. [default: the log's own outcome, and labels.jsonl in the family's folder]",
    ),
]
ModelPrices = Annotated[
    list[str] | None,
    typer.Option(
        metavar="MODEL=IN,OUT[,CACHED[,CACHE_WRITE]]",
        help="Price of a model in US dollars per million tokens, for costs that a log does not "
        "state; repeatable. [default: of the package genai-prices]",
    ),
]
PriceDay = Annotated[
    str | None,
    typer.Option(
        "--price-date",
        metavar="YYYY-MM-DD",
        help="Day whose prices genai-prices gives. [default: today]",
    ),
]
