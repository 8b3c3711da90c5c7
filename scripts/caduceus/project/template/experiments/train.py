"""Fits a line to noisy points by gradient descent, and logs it to W&B as any program does."""

import argparse

import numpy as np
import wandb

parser = argparse.ArgumentParser()
parser.add_argument("--learning_rate", type=float)
parser.add_argument("--seed", type=int)
options = parser.parse_args()

random = np.random.default_rng(options.seed)
x = random.normal(size=(2, 100))  # 100 points for training, 100 for validation
y = 3 * x + 1 + 0.1 * random.normal(size=x.shape)
slope = intercept = 0.0

with wandb.init() as run:
    for epoch in range(100):
        error = slope * x + intercept - y
        slope -= options.learning_rate * (error[0] * x[0]).mean()
        intercept -= options.learning_rate * error[0].mean()
        loss = (error**2).mean(axis=1)
        run.log({"epoch": epoch, "train/loss": loss[0], "val/loss": loss[1]})
