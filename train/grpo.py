"""GRPO on the dataset's `rl` part, with TRL's trainer and the rewards of `bagen_data.rewards`.

    accelerate launch --config_file train/accelerate/fsdp2_grpo.yaml train/grpo.py \
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

from bagen_data.command_line import run
from train.process_group import ended_process_group


@ended_process_group()
def main(arguments: Sequence[str] | None) -> None:
    """Train, and write the model to `output_dir`."""
    from trl import GRPOTrainer, get_peft_config, get_quantization_config

    from train.data import rl_rows
    from train.global_batch import describe_step
    from train.reference_model import check_reference
    from train.reward_functions import CollapseWatch, reward_functions
    from train.throughput import log_throughput
    from train.training_options import GRPOOptions, parse, reward_weights
    from train.training_run import train

    config, settings = parse(arguments, GRPOOptions)
    training = rl_rows(settings.data, settings.tokenizer, settings.template)
    step = describe_step(config, len(training.rows), config.num_generations)
    weights = reward_weights(config.rewards)
    config.reward_weights = list(weights.values())
    trainer = GRPOTrainer(
        model=settings.model.model_name_or_path,
        reward_funcs=reward_functions(weights),
        args=config,
        train_dataset=training.rows,
        processing_class=settings.tokenizer,
        quantization_config=get_quantization_config(settings.model),
        peft_config=get_peft_config(settings.model),
        callbacks=[CollapseWatch()],
    )
    trainer.accelerator.print(step)
    check_reference(trainer)
    log_throughput(trainer, settings.throughput)
    train(trainer, settings.run, training.counts, settings.recipe)


if __name__ == "__main__":
    run(main)
