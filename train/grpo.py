"""GRPO on the dataset's `rl` part, with TRL's trainer and the rewards of `bagen_data.rewards`.

    python train/launcher.py --config_file train/accelerate/fsdp2_grpo.yaml train/grpo.py \
        --config train/configs/sokoban_grpo.yaml
    python train/grpo.py --config train/configs/laptop_grpo.yaml --use_cpu true

Options are TRL's `GRPOConfig` and `ModelConfig`, and those of `train/data.py` and
`train/training_options.py`; the command line goes before the file.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # not this folder
    import train.installed  # noqa: F401

from train.process_group import ended_process_group
from train.worker import run_worker


@ended_process_group()
def main(arguments: Sequence[str] | None) -> None:
    """Train, and write the model to `output_dir`."""
    from trl import GRPOTrainer, get_peft_config, get_quantization_config

    from train.data import rl_rows
    from train.global_batch import describe_step
    from train.reference_model import check_reference
    from train.reward_functions import AnswerWatch, CollapseWatch, reward_functions
    from train.starting_answers import StartingAnswers, feasible_share
    from train.throughput import log_throughput
    from train.training_options import GRPOOptions, parse, reward_weights
    from train.training_run import train

    config, settings = parse(arguments, GRPOOptions)
    weights = reward_weights(config.rewards)
    source = settings.data, settings.tokenizer, settings.template
    training = rl_rows(*source, weights=weights)
    step = describe_step(config, len(training.rows), config.num_generations)
    evaluation = (
        rl_rows(*source, "heldout", weights=weights)
        if settings.data.evaluate_on and config.eval_strategy != "no"
        else None
    )
    config.reward_weights = list(weights.values())
    watch = AnswerWatch(weights, feasible_share(training.rows))
    trainer = GRPOTrainer(
        model=settings.model.model_name_or_path,
        reward_funcs=reward_functions(watch),
        args=config,
        train_dataset=training.rows,
        eval_dataset=evaluation.rows if evaluation else None,
        processing_class=settings.tokenizer,
        quantization_config=get_quantization_config(settings.model),
        peft_config=get_peft_config(settings.model),
        callbacks=[CollapseWatch()],
    )
    trainer.accelerator.print(step)
    check_reference(trainer)
    log_throughput(trainer, settings.throughput)
    if config.break_even_prompts:
        trainer.add_callback(StartingAnswers(trainer, watch, config.break_even_prompts))
    counts = (*training.counts, *(evaluation.counts if evaluation else ()))
    train(trainer, settings.run, counts, settings.recipe)


if __name__ == "__main__":
    run_worker(main)
