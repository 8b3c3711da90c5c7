import sys

import wandb

path, *settings = sys.argv[1:]
config = {name: float(text) for name, _, text in (word.partition("=") for word in settings)}
wandb.init(config=config)
for line in open(path):
    x, y = map(int, line.split())
    wandb.log({"x": x, "val/loss": y * config["lr"] + config["seed"]})
