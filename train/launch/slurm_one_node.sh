#!/usr/bin/env bash
# SFT on one node of 8 GPUs, under Slurm. A job that was ended goes on from its last checkpoint when it is queued again.
#
#   sbatch train/launch/slurm_one_node.sh
#
# Change: partition and account; the number of GPUs (2, 4 or 8), CPUs and hours; VENV; the config. Nodes
# without internet: hf download the model and the dataset on the login node, and give their folders with
# --model_name_or_path and --dataset.
#SBATCH --job-name=bagen-sft
#SBATCH --partition=gpu
#SBATCH --account=CHANGE-ME
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=64
#SBATCH --mem=0
#SBATCH --time=02:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=slurm-%x-%j.log
set -euo pipefail
VENV=${VENV:-.venv}
source "$VENV/bin/activate"
export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK # since Slurm 22.05, srun does not take it over from sbatch

# Port 0 is a free one: another job may run on the node.
srun python train/launcher.py --config_file train/accelerate/fsdp2.yaml --main_process_port 0 \
    --num_processes "$SLURM_GPUS_ON_NODE" train/sft.py --config train/configs/sokoban_pct30.yaml
