"""Supervised fine-tuning on the dataset's `sft` part, with TRL's trainer.

    python train/launcher.py --config_file train/accelerate/fsdp2.yaml train/sft.py \
        --config train/configs/sokoban_pct30.yaml
    python train/sft.py --config train/configs/laptop_sft.yaml --use_cpu true

Options are TRL's `SFTConfig` and `ModelConfig`, and those of `train/data.py` and
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
    from trl import SFTTrainer, get_peft_config, get_quantization_config

    from train.data import check_lengths, sft_rows
    from train.global_batch import describe_step
    from train.throughput import log_throughput
    from train.training_options import SFTOptions, parse
    from train.training_run import train

    config, settings = parse(arguments, SFTOptions)
    training = sft_rows(settings.data, settings.tokenizer, settings.template)
    evaluation = (
        sft_rows(settings.data, settings.tokenizer, settings.template, "heldout")
        if settings.data.evaluate_on and config.eval_strategy != "no"
        else None
    )
    for part in filter(None, (training, evaluation)):
        check_lengths(part, settings.tokenizer, settings.template, config.max_length)
    trainer = SFTTrainer(
        model=settings.model.model_name_or_path,
        args=config,
        train_dataset=training.rows,
        eval_dataset=evaluation.rows if evaluation else None,
        processing_class=settings.tokenizer,
        quantization_config=get_quantization_config(settings.model),
        peft_config=get_peft_config(settings.model),
    )
    trainer.accelerator.print(describe_step(config, len(trainer.train_dataset)))
    log_throughput(trainer, settings.throughput)
    counts = (*training.counts, *(evaluation.counts if evaluation else ()))
    train(trainer, settings.run, counts, settings.recipe)


if __name__ == "__main__":
    run_worker(main)
