"""GRPO on the dataset's `rl` part, with TRL's trainer and the rewards of `bagen_data.rewards`.

    accelerate launch --config_file train/accelerate/fsdp2.yaml train/grpo.py \
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

from bagen_data.console import run


def main(arguments: Sequence[str] | None) -> None:
    """Train, and write the model to `output_dir`."""
    from trl import GRPOTrainer, get_peft_config

    from train.data import rl_rows
    from train.reward_functions import Watch, reward_functions
    from train.training_options import GRPOOptions, parse, reward_weights
    from train.training_run import train

    config, told = parse(arguments, GRPOOptions)
    training = rl_rows(told.data, told.tokenizer, told.template)
    weights = reward_weights(config.rewards)
    config.reward_weights = list(weights.values())
    trainer = GRPOTrainer(
        model=told.model.model_name_or_path,
        reward_funcs=reward_functions(weights),
        args=config,
        train_dataset=training.rows,
        processing_class=told.tokenizer,
        peft_config=get_peft_config(told.model),
        callbacks=[Watch()],
    )
    train(trainer, told.run, training.counts, told.made)


if __name__ == "__main__":
    run(main)
