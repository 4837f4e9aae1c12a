"""Ask a model a split's questions, write a submission, print the columns of the paper's Table 7.

    python train/evaluate.py --model OUT/sft --dataset MLL-Lab/BAGEN --config sokoban_train \
        --split heldout --out OUT/sft-heldout

The folder that it writes is one that `bagen score` and the leaderboard take: an answer to every
question. The table leaves out questions with nothing remaining, which only training configs have. A
run that was stopped goes on with the same command. Each GPU has an engine with all of the weights,
unless --tensor-parallel has several share them.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # not this folder
    import train.installed  # noqa: F401

import typer

from bagen_data.command_line import new_app, run
from bagen_data.errors import InputError, WrongUsageError
from bagen_data.prompt_variants import VARIANTS, question_of
from bagen_data.published import HUB_ID
from train.base_model import read_model_shape
from train.fitted_prompts import AS_BUILT
from train.generation import BACKENDS, Decoding, choose_backend, plan_engines, visible_gpus

SCORES = "scores.json"
"""The table's row, beside the submission."""
_LONGEST = 1 << 20
"""Tokens of a context that a model does not name."""
app = new_app((__doc__ or "").partition("\n")[0])


@app.command()
def evaluate(
    model: Annotated[
        str, typer.Option(help="Model: a folder with weights or an adapter, or a Hub id.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to write the submission to.")],
    dataset: Annotated[
        str, typer.Option(help="Dataset: a folder that `build` wrote, or ORG/NAME or ORG/NAME@REV.")
    ] = HUB_ID,
    dataset_revision: Annotated[
        str | None,
        typer.Option(
            metavar="REV",
            help="Revision of the Hub's dataset: a branch, tag, commit or content revision "
            "[default: main].",
        ),
    ] = None,
    config: Annotated[
        str, typer.Option(help="Config of the dataset: a task or a <task>_train.")
    ] = "sokoban_train",
    split: Annotated[
        str, typer.Option(help="Split: test; or sft, rl, heldout of a <task>_train.")
    ] = "heldout",
    variant: Annotated[
        str, typer.Option(help=f"Variant of the question: {', '.join(VARIANTS)}, or as_built.")
    ] = AS_BUILT,
    prompt_form: Annotated[
        str, typer.Option(help="Form of the prompts: as_built, or numbers_only (amounts alone).")
    ] = AS_BUILT,
    max_prompt_tokens: Annotated[
        int | None,
        typer.Option(
            help="Most tokens of a prompt; longer ones lose their oldest turns [default: what the "
            "context holds beside --max-new-tokens].",
            min=1,
        ),
    ] = None,
    max_new_tokens: Annotated[int, typer.Option(help="Most tokens of an answer.", min=1)] = 512,
    batch_size: Annotated[
        int, typer.Option(help="Prompts answered at once by transformers.", min=1)
    ] = 16,
    backend: Annotated[
        str, typer.Option(help=f"Program that answers: {', '.join(BACKENDS)}.")
    ] = "auto",
    replicas: Annotated[
        int | None,
        typer.Option(
            help="Engines that answer at once, each with all of the weights [default: one a GPU, "
            "one on a CPU].",
            min=1,
        ),
    ] = None,
    tensor_parallel: Annotated[
        int,
        typer.Option(
            help="GPUs that share the weights of one engine of vLLM; divides GPUs and heads.",
            min=1,
        ),
    ] = 1,
    dtype: Annotated[
        str, typer.Option(help="Type of the weights: auto, float32, bfloat16, float16.")
    ] = "auto",
    template: Annotated[
        str, typer.Option(help='Options of the chat template, in JSON: {"enable_thinking": false}.')
    ] = "{}",
    name: Annotated[
        str | None, typer.Option(help="Name of the estimator [default: the model's].")
    ] = None,
    trained_on: Annotated[
        str, typer.Option(help="Data learned from: none, train, benchmark, other.")
    ] = "train",
) -> None:
    """Ask a model a split's questions, write a submission, print the columns of Table 7."""
    from bagen_data.console import STDERR, shown
    from bagen_data.held_folder import made_folder
    from bagen_data.hub import load_samples
    from bagen_data.repositories.dataset_names import at_revision
    from bagen_data.rewards import PAPER
    from bagen_data.submission_writer import (
        PREDICTIONS,
        check_out,
        new_metadata,
        write_submission,
    )
    from train.answering import QuestionOptions, ResumableAnswers
    from train.break_even import BALANCED, BreakEven, sums_of
    from train.data import check_choice, checked_variant
    from train.model_card import add_scores
    from train.number_prompts import PROMPT_FORMS
    from train.paper_table import markdown, table_row

    for flag, value, choices in (
        ("backend", backend, BACKENDS),
        ("dtype", dtype, ("auto", "float32", "bfloat16", "float16")),
        ("trained-on", trained_on, ("none", "train", "benchmark", "other")),
    ):
        if value not in choices:
            raise WrongUsageError(f"--{flag} {value}: expected one of: {', '.join(choices)}")
    variant = checked_variant("--variant", variant)
    check_choice("--prompt-form", prompt_form, PROMPT_FORMS)
    estimator = name or Path(model).name
    shape = read_model_shape(model, None)
    context = shape.context or _LONGEST
    room = context - max_new_tokens
    limit = min(max_prompt_tokens or room, room)
    if limit < 1:
        raise InputError(
            f"{model}: its context has {context:,} tokens, of which --max-new-tokens takes "
            f"{max_new_tokens:,}; give a smaller --max-new-tokens"
        )
    provider = choose_backend(backend, model)
    engines = plan_engines(provider, visible_gpus(), replicas, tensor_parallel, shape.config)
    dataset = at_revision(dataset, dataset_revision)
    questions = QuestionOptions(dataset, config, split, variant, limit, prompt_form)
    decoding = Decoding(model, max_new_tokens, batch_size, dtype, _json(template))
    with made_folder(out) as held:
        check_out(out, estimator)
        samples = load_samples(
            dataset, config, split, also=("prompt", "prompt_variant", "completed_turns")
        )
        resumable = ResumableAnswers(
            out, questions, decoding, shape.tokenizer, engines, shape.commit
        )
        predictions, answered_variant = resumable.answers(samples)
        metadata = new_metadata(
            samples.source["revision"],
            estimator=estimator,
            provider=provider,
            model_id=model,
            decoding={
                "temperature": 0,
                "max_tokens": max_new_tokens,
                "max_prompt_tokens": limit,
                "dtype": dtype,
            },
            prompt_variant=answered_variant,
            trained_on=trained_on,
            weights="open",
        )
        question = question_of(answered_variant)
        row = table_row(samples.table, predictions, question=question)
        scores = json.dumps(row, indent=1) + "\n"
        write_submission(held, metadata, {PREDICTIONS: predictions}, {SCORES: scores})
        resumable.forget()
    card = add_scores(model, samples.source, answered_variant, row)
    if card is not None:
        STDERR.print(shown(f"{card}: holds these scores now"))
    print(markdown({estimator: row}))
    responses = {row["sample_id"]: row["response"] for row in predictions}
    sums = sums_of(samples, responses, PAPER, question)
    for line in BreakEven(sums, PAPER, BALANCED).lines():
        STDERR.print(shown(f"under the paper's reward: {line}"))


def _json(text: str) -> Mapping[str, Any]:
    try:
        arguments = json.loads(text)
    except ValueError as error:
        raise WrongUsageError(f"--template {text}: is not JSON: {error}") from error
    if not isinstance(arguments, dict):
        raise WrongUsageError(f"--template {text}: expected a JSON object")
    return arguments


if __name__ == "__main__":
    run(app)
