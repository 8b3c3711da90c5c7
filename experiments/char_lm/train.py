"""A small GPT that writes the next character, or a table of bigrams: `python train.py --help`.

The model is that of nanoGPT, in short: a causal transformer with layer norms before its blocks, and
the token's embedding as the last layer. Nothing here is from its code.
"""

import argparse
import math
from pathlib import Path

import torch
import wandb
from torch import nn
from torch.nn import functional

VALIDATION_SHARE = 0.1
EVAL_BATCHES = 4


class Block(nn.Module):
    """Attention to earlier characters, then a network for each."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        heads = self.qkv(self.norm_1(x)).view(batch, length, 3, self.heads, width // self.heads)
        q, k, v = heads.permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(batch, length, width))
        return x + self.mlp(self.norm_2(x))


class GPT(nn.Module):
    """Characters (batch x length) to logits of the next ones (batch x length x characters)."""

    def __init__(self, characters: int, options: argparse.Namespace):
        super().__init__()
        self.context = options.context
        self.token = nn.Embedding(characters, options.width)
        self.position = (
            nn.Embedding(options.context, options.width) if options.model == "gpt" else None
        )
        self.blocks = nn.Sequential(
            *(Block(options.width, options.heads) for _ in range(options.layers))
        )
        self.norm = nn.LayerNorm(options.width)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                is_residual = name.endswith(("out.weight", "mlp.2.weight"))
                std = 0.02 / math.sqrt(2 * options.layers) if is_residual else 0.02
                nn.init.normal_(parameter, std=std)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.token(x)
        if self.position is not None:
            hidden = hidden + self.position(torch.arange(x.shape[1]))
        return functional.linear(self.norm(self.blocks(hidden)), self.token.weight)


class Bigram(nn.Module):
    """The next character by the last one alone."""

    context = 1

    def __init__(self, characters: int):
        super().__init__()
        self.table = nn.Embedding(characters, characters)
        nn.init.zeros_(self.table.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.table(x)


def batch(
    text: torch.Tensor, options: argparse.Namespace, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Random pieces of the text, and the same one character later."""
    size = (options.batch_size, 1)
    starts = torch.randint(len(text) - options.context, size, generator=generator)
    pieces = text[starts + torch.arange(options.context + 1)]
    return pieces[:, :-1], pieces[:, 1:]


def loss_of(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return functional.cross_entropy(model(x).flatten(0, 1), y.flatten())


@torch.no_grad()
def validation_loss(model: nn.Module, text: torch.Tensor, options: argparse.Namespace) -> float:
    """On the same pieces of the text for every seed and step."""
    generator = torch.Generator().manual_seed(0)
    losses = [loss_of(model, *batch(text, options, generator)) for _ in range(EVAL_BATCHES)]
    return torch.stack(losses).mean().item()


@torch.no_grad()
def sample(model: nn.Module, prompt: str, count: int, characters: str) -> str:
    generator = torch.Generator().manual_seed(0)
    x = torch.tensor([[characters.index(c) for c in prompt]])
    for _ in range(count):
        chances = model(x[:, -model.context :])[0, -1].softmax(0)
        x = torch.cat([x, torch.multinomial(chances, 1, generator=generator)[None]], dim=1)
    return "".join(characters[i] for i in x[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data/text.txt"))
    parser.add_argument(
        "--model", choices=["gpt", "gpt_without_positions", "bigram"], default="gpt"
    )
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--context", type=int, default=64)
    parser.add_argument("--batch_size", type=int, default=16)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--eval_every", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    generator = torch.Generator().manual_seed(options.seed)
    text = options.data.read_text()
    characters = "".join(sorted(set(text)))
    data = torch.tensor([characters.index(c) for c in text])
    train, validation = data.tensor_split([round(len(data) * (1 - VALIDATION_SHARE))])

    run = wandb.init(project="char-lm", config=vars(options))
    model = Bigram(len(characters)) if options.model == "bigram" else GPT(len(characters), options)
    run.summary["parameters"] = sum(p.numel() for p in model.parameters())
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.lr, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=options.lr, total_steps=options.steps + 1, pct_start=0.1
    )
    for step in range(options.steps + 1):
        loss = loss_of(model, *batch(train, options, generator))
        row = {"train/loss": loss.item()}
        if step % options.eval_every == 0 or step == options.steps:
            row["val/loss"] = validation_loss(model, validation, options)
        run.log(row, step=step)
        if step < options.steps:
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    prompts = ["The ", "class ", "An exception "]
    rows = [[prompt, sample(model, prompt, 120, characters)] for prompt in prompts]
    run.log({"samples": wandb.Table(columns=["prompt", "text"], data=rows)}, step=options.steps)
    run.finish()


if __name__ == "__main__":
    main()
