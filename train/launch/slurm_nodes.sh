#!/usr/bin/env bash
# GRPO on two nodes of 8 GPUs, under Slurm: one task a node starts the node's processes. A job that was ended goes on
# from its last checkpoint when it is queued again.
#
#   sbatch train/launch/slurm_nodes.sh
#
# Change: partition and account; nodes, CPUs and hours; VENV, which needs vLLM; the config. output_dir has to be on a
# file system that all nodes see. Where nodes talk by InfiniBand, NCCL finds it; NCCL_SOCKET_IFNAME names the network
# otherwise. Each node reads the weights once a process: a 7.6B needs 487 GB of its memory.
#SBATCH --job-name=bagen-grpo
#SBATCH --partition=gpu
#SBATCH --account=CHANGE-ME
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=64
#SBATCH --mem=0
#SBATCH --time=12:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=slurm-%x-%j.log
set -euo pipefail
VENV=${VENV:-.venv}
source "$VENV/bin/activate"
export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK # since Slurm 22.05, srun does not take it over from sbatch

export GPUS=$((SLURM_NNODES * SLURM_GPUS_ON_NODE))
HEAD=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | sed -n 1p) # which reads all: pipefail
PORT=$((20000 + SLURM_JOB_ID % 20000)) # the same on all nodes, another one for each job
export HEAD PORT
# Each node's own rank is known in its task only, so the command is expanded there.
srun --kill-on-bad-exit=1 bash -c 'python train/launcher.py --config_file train/accelerate/fsdp2_grpo.yaml \
    --num_machines "$SLURM_NNODES" --num_processes "$GPUS" --machine_rank "$SLURM_NODEID" \
    --main_process_ip "$HEAD" --main_process_port "$PORT" \
    train/grpo.py --config train/configs/sokoban_grpo.yaml'
