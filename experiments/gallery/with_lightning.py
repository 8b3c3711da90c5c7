"""A LightningModule with a WandbLogger and argparse; goes on from its last checkpoint."""

import argparse
import os

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import WandbLogger
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset, random_split


class Classifier(lightning.LightningModule):
    def __init__(self, lr: float, width: int):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))

    def training_step(self, batch, _):
        x, y = batch
        loss = cross_entropy(self.net(x), y)
        self.log("train/loss", loss)
        return loss

    def validation_step(self, batch, _):
        x, y = batch
        logits = self.net(x)
        self.log("val/loss", cross_entropy(logits, y))
        self.log("val/accuracy", (logits.argmax(1) == y).float().mean())

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=1e-2)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    lightning.seed_everything(options.seed, verbose=False)
    images, labels = load_digits(return_X_y=True)
    digits = TensorDataset(torch.as_tensor(images / 16).float(), torch.as_tensor(labels))
    train, val = random_split(digits, [0.75, 0.25], torch.Generator().manual_seed(0))
    # Under Caduceus a folder of the run's own, which the next attempt goes on from.
    checkpoints = os.environ.get("CADUCEUS_CHECKPOINT_DIR", "checkpoints")
    trainer = lightning.Trainer(
        max_epochs=options.epochs,
        accelerator="auto",
        devices=1,
        logger=WandbLogger(project="digits", name="lightning"),
        callbacks=[ModelCheckpoint(checkpoints, save_last=True)],
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=10,
    )
    trainer.fit(
        Classifier(options.lr, options.width),
        DataLoader(train, 64, shuffle=True),
        DataLoader(val, 512),
        ckpt_path="last",  # none at the first start
    )


if __name__ == "__main__":
    main()
