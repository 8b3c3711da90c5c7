"""Trains in the processes that torchrun starts; the first of them logs."""

import argparse
import os

import torch
import torch.distributed as dist

import wandb

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()

dist.init_process_group("gloo")
is_main = int(os.environ["RANK"]) == 0
if is_main:
    wandb.init(project="ddp", config={**vars(args), "world_size": dist.get_world_size()})
for step in range(3):
    loss = torch.tensor(dist.get_rank() + args.lr / (step + 1) + args.seed)
    dist.all_reduce(loss)
    if is_main:
        wandb.log({"step": step, "train/loss": loss.item()})
if is_main:
    wandb.finish()
dist.destroy_process_group()
