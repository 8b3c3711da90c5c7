#!/usr/bin/env bash
# Makes the data and trains on them: ./run.sh LR SEED
set -euo pipefail

export WANDB_PROJECT=from-a-shell
python scripts/make_points.py > points.txt
python scripts/fit_points.py points.txt "lr=$1" "seed=$2"
