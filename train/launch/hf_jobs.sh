#!/usr/bin/env bash
# SFT on 8 GPUs of Hugging Face Jobs, which bills by the minute; the model goes to the Hub, the job's disk is lost.
#
#   HF_TOKEN=... MODEL=your-name/bagen-sokoban-pct30 bash train/launch/hf_jobs.sh
#
# Change: MODEL, a repository that HF_TOKEN may write to; the flavor (hf jobs hardware lists them with prices; its GPUs
# have to divide 16) and GPUS with it; the hours; the config. No checkpoints are written: this run takes minutes.
set -euo pipefail
MODEL=${MODEL:?give MODEL=your-name/model}
GPUS=8

hf jobs run --name bagen-sft --flavor h200x8 --timeout 2h --secrets HF_TOKEN --detach python:3.12 bash -c "
set -e
git clone --depth 1 https://github.com/mll-lab-nu/BAGEN && cd BAGEN
pip install torch==2.13.0 && pip install -e '.[train]'
accelerate launch --config_file train/accelerate/fsdp2.yaml --num_processes $GPUS train/sft.py \
    --config train/configs/sokoban_pct30.yaml --gradient_accumulation_steps $((16 / GPUS)) \
    --save_strategy no --resume false --report_to none --push_to_hub true --hub_model_id $MODEL
"
