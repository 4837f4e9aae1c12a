#!/usr/bin/env bash
# SFT of a 7B with LoRA on one GPU of 80 GB, with the paper's 16 samples a step; then whole weights of its adapters.
#
#   bash train/launch/one_gpu_lora.sh
#
# Change: CUDA_VISIBLE_DEVICES; add --load_in_4bit true (pip install bitsandbytes) for a GPU of 24 GB; add liger to
# --preset (pip install liger-kernel). GRPO begins with the merged weights.
set -euo pipefail
VENV=${VENV:-.venv}
source "$VENV/bin/activate"
export CUDA_VISIBLE_DEVICES=${CUDA_VISIBLE_DEVICES:-0} # one: TRL refuses one process that sees several

python train/launcher.py --config_file train/accelerate/single_gpu.yaml train/sft.py \
    --config train/configs/sokoban_pct30.yaml --preset lora \
    --output_dir out/sokoban_pct30_lora
python train/merge_adapter.py out/sokoban_pct30_lora out/sokoban_pct30_merged
python train/evaluate.py --model out/sokoban_pct30_merged --config sokoban_train --split heldout \
    --variant interval_no_think --max-prompt-tokens 8192 --out out/sokoban_pct30_lora_said
