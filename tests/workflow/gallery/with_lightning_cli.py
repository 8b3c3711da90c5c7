"""A LightningCLI whose trainer logs to W&B where that is installed."""

import importlib.util

import torch
from lightning.pytorch import LightningDataModule, LightningModule
from lightning.pytorch.cli import LightningCLI
from torch.utils.data import DataLoader, TensorDataset


class Line(LightningModule):
    def __init__(self, lr: float = 0.1):
        super().__init__()
        self.save_hyperparameters()
        self.net = torch.nn.Linear(1, 1)

    def training_step(self, batch, _):
        x, y = batch
        loss = torch.nn.functional.mse_loss(self.net(x), y)
        self.log("train/loss", loss)
        return loss

    def validation_step(self, batch, _):
        x, y = batch
        self.log("val/loss", torch.nn.functional.mse_loss(self.net(x), y))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.hparams.lr)


class Points(LightningDataModule):
    def __init__(self, batch_size: int = 8):
        super().__init__()
        self.batch_size = batch_size
        x = torch.linspace(-1, 1, 32)[:, None]
        self.points = TensorDataset(x, 2 * x + 1)

    def train_dataloader(self):
        return DataLoader(self.points, self.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.points, 32)


def main() -> None:
    defaults = {"max_epochs": 3, "accelerator": "cpu", "log_every_n_steps": 1}
    if importlib.util.find_spec("wandb"):
        logger = "lightning.pytorch.loggers.WandbLogger"
        defaults["logger"] = {"class_path": logger, "init_args": {"project": "lines"}}
    LightningCLI(Line, Points, trainer_defaults=defaults, save_config_kwargs={"overwrite": True})


if __name__ == "__main__":
    main()
