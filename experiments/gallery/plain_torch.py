"""A training loop in plain torch, as one writes it by hand: `python plain_torch.py --lr=0.01`."""

import argparse

import torch
import wandb
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn.functional import cross_entropy

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=1e-2)
parser.add_argument("--width", type=int, default=32)
parser.add_argument("--epochs", type=int, default=5)
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()

torch.manual_seed(options.seed)
images, labels = load_digits(return_X_y=True)
x_train, x_val, y_train, y_val = (
    torch.as_tensor(array)
    for array in train_test_split((images / 16).astype("float32"), labels, random_state=0)
)

run = wandb.init(project="digits", name="my best try", config=vars(options))
model = nn.Sequential(nn.Linear(64, options.width), nn.ReLU(), nn.Linear(options.width, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=options.lr)
for epoch in range(options.epochs):
    for batch in torch.randperm(len(x_train)).split(64):
        loss = cross_entropy(model(x_train[batch]), y_train[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        logits = model(x_val)
    wandb.log(
        {
            "epoch": epoch,
            "train/loss": loss,
            "val/loss": cross_entropy(logits, y_val),
            "val/accuracy": (logits.argmax(1) == y_val).float().mean(),
        }
    )
run.finish()
