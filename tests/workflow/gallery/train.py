"""Trains in the style of nanoGPT: settings are globals, which configurator.py overrides."""

import os

import wandb

out_dir = "out"
wandb_log = False
wandb_project = "owt"
wandb_run_name = "gpt2"
learning_rate = 6e-4
max_iters = 3
decay_lr = True
# -----------------------------------------------------------------------------
config_keys = [
    k for k, v in globals().items() if not k.startswith("_") and isinstance(v, (int, float, str))
]
exec(open("configurator.py").read())
config = {k: globals()[k] for k in config_keys}
# -----------------------------------------------------------------------------

os.makedirs(out_dir, exist_ok=True)
if wandb_log:
    wandb.init(project=wandb_project, name=wandb_run_name, config=config)

for iter_num in range(max_iters):
    lr = learning_rate / (iter_num + 1) if decay_lr else learning_rate
    losses = {"train": 1 / (iter_num + 1), "val": 1 / (iter_num + 1) + learning_rate}
    print(f"step {iter_num}: train loss {losses['train']:.4f}, val loss {losses['val']:.4f}")
    if wandb_log:
        wandb.log(
            {"iter": iter_num, "train/loss": losses["train"], "val/loss": losses["val"], "lr": lr}
        )
    with open(os.path.join(out_dir, "ckpt.pt"), "w") as f:
        f.write(str(losses))
