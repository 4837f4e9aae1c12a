#!/usr/bin/env bash
# SFT, then GRPO, on the GPUs of this machine. A run that was stopped goes on when the script is started again.
#
#   bash train/launch/one_machine.sh
#
# Change: CUDA_VISIBLE_DEVICES where not all GPUs are free (2, 4 or 8 have the paper's batches; GRPO of a 7B needs 4 of
# 80 GB); VENV, the environment, which needs vLLM; the configs, for another model or target. What each stage needs of
# disk and memory: docs/training.md.
set -euo pipefail
VENV=${VENV:-.venv}
source "$VENV/bin/activate"

GPUS=$(python -c 'import torch; print(torch.cuda.device_count())')
python train/launcher.py --config_file train/accelerate/fsdp2.yaml --num_processes "$GPUS" --main_process_port 0 \
    train/sft.py --config train/configs/sokoban_pct30.yaml
python train/launcher.py --config_file train/accelerate/fsdp2_grpo.yaml --num_processes "$GPUS" --main_process_port 0 \
    train/grpo.py --config train/configs/sokoban_grpo.yaml
python train/evaluate.py --model out/sokoban_grpo --config sokoban_train --split heldout \
    --variant interval_no_think --max-prompt-tokens 8192 --out out/sokoban_grpo_said
