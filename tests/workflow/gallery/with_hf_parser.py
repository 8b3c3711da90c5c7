"""Takes its settings as dataclasses, by transformers' HfArgumentParser."""

import sys
from dataclasses import asdict, dataclass, field

import wandb
from transformers import HfArgumentParser


@dataclass
class ModelArguments:
    model_name_or_path: str = field(metadata={"help": "A folder or a name on the hub."})
    use_fast_tokenizer: bool = field(default=True)


@dataclass
class TrainArguments:
    learning_rate: float = field(default=5e-5)
    num_train_epochs: float = field(default=3.0)
    lora_targets: list[str] = field(default_factory=list)
    seed: int = field(default=42)


def main() -> None:
    parser = HfArgumentParser((ModelArguments, TrainArguments))
    if len(sys.argv) == 2 and sys.argv[1].endswith(".json"):
        model_args, train_args = parser.parse_json_file(sys.argv[1])
    else:
        model_args, train_args = parser.parse_args_into_dataclasses()

    wandb.init(project="huggingface", name=model_args.model_name_or_path)
    wandb.config.update({**asdict(model_args), **asdict(train_args)}, allow_val_change=True)
    for epoch in range(int(train_args.num_train_epochs)):
        loss = 1 / (epoch + 1) + train_args.learning_rate + train_args.seed / 1000
        wandb.log({"train/global_step": 10 * (epoch + 1), "eval/loss": loss})
    wandb.finish()


if __name__ == "__main__":
    main()
