"""Takes its settings as nested dataclasses, by tyro."""

from dataclasses import asdict, dataclass, field

import tyro

import wandb


@dataclass
class Optimizer:
    lr: float = 3e-4
    weight_decay: float = 0.0


@dataclass
class Args:
    optimizer: Optimizer = field(default_factory=Optimizer)
    num_epochs: int = 3
    """how often the data are seen"""
    amp: bool = False
    seed: int = 1


def main(args: Args) -> None:
    run = wandb.init(project="tyro", name=f"tyro__{args.seed}", config=asdict(args))
    for epoch in range(args.num_epochs):
        loss = 1 / (epoch + 1) + args.optimizer.lr + args.seed / 1000
        run.log({"epoch": epoch, "val/loss": loss, "amp": int(args.amp)})
    run.finish()


if __name__ == "__main__":
    main(tyro.cli(Args))
