"""Supervised fine-tuning on the dataset's `sft` part, with TRL's trainer.

    accelerate launch --config_file train/accelerate/fsdp2.yaml train/sft.py \
        --config train/configs/sokoban_pct30.yaml
    python train/sft.py --config train/configs/laptop_sft.yaml --use_cpu true

Options are TRL's `SFTConfig` and `ModelConfig`, and those of `train/data.py` and
`train/options.py`; the command line goes before the file.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # not this folder, with its evaluate.py

from bagen_data.command import run  # noqa: E402


def main(arguments: Sequence[str] | None) -> None:
    """Train, and write the model to `output_dir`."""
    from trl import SFTTrainer, get_peft_config

    from train.data import sft_rows
    from train.options import KeepEpochs, SFTOptions, last_checkpoint, parse

    config, told = parse(arguments, SFTOptions)
    training = sft_rows(told.data, told.tokenizer, told.template)
    watched = (
        sft_rows(told.data, told.tokenizer, told.template, "heldout")
        if told.data.evaluate_on and config.eval_strategy != "no"
        else None
    )
    keep = KeepEpochs(told.run.keep_epochs)
    trainer = SFTTrainer(
        model=told.model.model_name_or_path,
        args=config,
        train_dataset=training.rows,
        eval_dataset=watched.rows if watched else None,
        processing_class=told.tokenizer,
        peft_config=get_peft_config(told.model),
        callbacks=[keep],
    )
    keep.trainer = trainer
    for counts in (*training.counts, *(watched.counts if watched else ())):
        trainer.accelerator.print(counts)
    checkpoint = last_checkpoint(config.output_dir) if told.run.resume else None
    trainer.train(resume_from_checkpoint=checkpoint or config.resume_from_checkpoint)
    trainer.save_model(config.output_dir)


if __name__ == "__main__":
    run(main)
