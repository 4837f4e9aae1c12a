#!/usr/bin/env bash
# SFT on 8 GPUs of Hugging Face Jobs, which bills by the minute. The model goes to the Hub, and then its card with
# the scores of the held-out part; the job's disk is lost.
#
#   HF_TOKEN=... MODEL=your-name/bagen-sokoban-pct30 bash train/launch/hf_jobs.sh
#
# Change: MODEL, a repository that HF_TOKEN may write to; the flavor (hf jobs hardware lists them with prices) and GPUS
# with it; the hours; the config. No checkpoints are written: a job that ends early begins anew.
set -euo pipefail
MODEL=${MODEL:?give MODEL=your-name/model}
GPUS=8

hf jobs run --name bagen-sft --flavor h200x8 --timeout 2h --secrets HF_TOKEN --detach python:3.12 bash -c "
set -e
git clone --depth 1 https://github.com/mll-lab-nu/BAGEN && cd BAGEN
pip install torch==2.13.0 && pip install -e '.[train]'
python train/launcher.py --config_file train/accelerate/fsdp2.yaml --num_processes $GPUS train/sft.py \
    --config train/configs/sokoban_pct30.yaml \
    --save_strategy no --resume false --report_to none --push_to_hub true --hub_model_id $MODEL
python train/evaluate.py --model out/sokoban_pct30 --config sokoban_train --split heldout \
    --variant interval_no_think --max-prompt-tokens 8192 --out out/sokoban_pct30_said
hf upload $MODEL out/sokoban_pct30/README.md README.md
"
