"""Starts from a clone that isn't installed: src/ is put on the path, a model is taken by name."""

import argparse
import importlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "src"))

import wandb
from digits.training import train

parser = argparse.ArgumentParser()
parser.add_argument("--model", default="linear")
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()

model = importlib.import_module(f"digits.models.{args.model}")
with wandb.init(project="digits", config=vars(args)) as run:
    for row in train(model.Model(), args.seed):
        run.log(row)
