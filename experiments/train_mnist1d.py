"""Trains one of four small networks on MNIST-1D, by the protocol of the paper.

Greydanus & Kobak, "Scaling Down Deep Learning with MNIST-1D", arXiv 2011.14439v4: Adam, batches of
100 taken in order, 6,000 steps (150 epochs), an evaluation every 250 steps. On one core a run of
6,000 steps takes 1 s (logistic), 5 s (MLP), 7 s (CNN) or 40 s (GRU).

The paper stops early by the best evaluation and doesn't say on which examples. Three test
accuracies are therefore reported:
    test/accuracy_best       the best of all evaluations, chosen on the test examples themselves
    test/accuracy_final      after the last step
    test/accuracy_selected   at the evaluation with the best validation accuracy: the honest one
"""

import argparse
import csv
from pathlib import Path

import numpy as np
import torch
from caduceus import tracking
from torch import nn
from torch.nn.functional import cross_entropy

EVALUATE_EVERY = 250  # steps
CLASS_NAMES = [str(digit) for digit in range(10)]
SPLITS = ("train", "val", "test")


class Mlp(nn.Module):
    """Two hidden layers of 256 units, the second with a connection around it."""

    def __init__(self, width: int = 256):
        super().__init__()
        self.first = nn.Linear(40, width)
        self.second = nn.Linear(width, width)
        self.out = nn.Linear(width, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.first(x).relu()
        return self.out(hidden + self.second(hidden).relu())


class Gru(nn.Module):
    """A bidirectional GRU of 6 units, whose states at all 40 positions are classified together."""

    def __init__(self, width: int = 6):
        super().__init__()
        self.gru = nn.GRU(1, width, batch_first=True, bidirectional=True)
        self.out = nn.Linear(40 * 2 * width, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states, _ = self.gru(x.unsqueeze(-1))
        return self.out(states.flatten(1))


def cnn(channels: int = 25) -> nn.Module:
    """Three convolutions that halve the length each time, then a linear layer."""
    return nn.Sequential(
        nn.Unflatten(1, (1, 40)),
        nn.Conv1d(1, channels, 5, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv1d(channels, channels, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv1d(channels, channels, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(5 * channels, 10),
    )


# Parameters: 410, 78,858, 5,210, 5,134.
ARCHITECTURES = {"logistic": lambda: nn.Linear(40, 10), "mlp": Mlp, "cnn": cnn, "gru": Gru}
OPTIMIZERS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}


def load_data(folder: Path, shuffled: bool) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Examples (n x 40, float32) and labels (n) of each split; `shuffled` permutes the 40 features.

    All seeds share the permutation, as in the paper.
    """
    np.random.seed(42)
    order = np.random.permutation(40) if shuffled else np.arange(40)
    return {
        split: (
            torch.from_numpy(np.load(folder / f"x_{split}.npy")[:, order].copy()),
            torch.from_numpy(np.load(folder / f"y_{split}.npy")),
        )
        for split in SPLITS
    }


@torch.no_grad()
def evaluate(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> tuple[float, float]:
    """Loss and accuracy over all of a split at once."""
    logits = model(x)
    accuracy = (logits.argmax(1) == y).double().mean()
    return cross_entropy(logits, y).item(), accuracy.item()


def results_of(accuracy: dict[str, float]) -> dict[str, float]:
    return {f"test/accuracy_{name}": accuracy[name] for name in ("best", "final", "selected")}


def train(run: tracking.TrackedRun, options: argparse.Namespace) -> None:
    torch.manual_seed(options.seed)
    # As torch.use_deterministic_algorithms(True), without its import of a compiler for 1 s.
    torch.set_deterministic_debug_mode("error")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    folder = tracking.dataset_path() or options.data
    data = {
        split: (x.to(device), y.to(device))
        for split, (x, y) in load_data(folder, options.shuffled).items()
    }
    x_train, y_train = data["train"]
    model = ARCHITECTURES[options.architecture]().to(device)
    optimizer = OPTIMIZERS[options.optimizer](model.parameters(), lr=options.learning_rate)
    steps = options.epochs * len(x_train) // options.batch_size

    first = run.restore(1, model=model, optimizer=optimizer)
    accuracy = {"best": 0.0, "final": 0.0, "selected": 0.0, "val": 0.0} | run.restored
    for step in range(first, steps + 1):
        start = (step - 1) * options.batch_size % len(x_train)
        batch = slice(start, start + options.batch_size)
        loss = cross_entropy(model(x_train[batch]), y_train[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

        if step % EVALUATE_EVERY == 0 or step == steps:
            metrics = {
                "epoch": step * options.batch_size / len(x_train),
                "learning_rate": optimizer.param_groups[0]["lr"],
            }
            for split in SPLITS:
                metrics[f"{split}/loss"], metrics[f"{split}/accuracy"] = evaluate(
                    model, *data[split]
                )
            run.log(metrics, step=step)
            accuracy["final"] = metrics["test/accuracy"]
            accuracy["best"] = max(accuracy["best"], accuracy["final"])
            if metrics["val/accuracy"] > accuracy["val"]:
                accuracy["val"] = metrics["val/accuracy"]
                accuracy["selected"] = accuracy["final"]
            if step == steps:
                run.log(results_of(accuracy), step=step)
        run.checkpoint(step, accuracy)

    results = results_of(accuracy)
    save(run, model, *data["test"], results, steps)


def save(
    run: tracking.TrackedRun,
    model: nn.Module,
    x_test: torch.Tensor,
    y_test: torch.Tensor,
    results: dict[str, float],
    step: int,
) -> None:
    """Log the curves and the confusion matrix; save the model and its test predictions."""
    with torch.no_grad():
        predictions = model(x_test).argmax(1).tolist()
    labels = y_test.tolist()
    run.log_curves(step)
    run.log_confusion_matrix(labels, predictions, CLASS_NAMES, step)
    output = tracking.output_folder()
    torch.save(model.state_dict(), output / "model.pt")
    run.save_model(output / "model.pt", results)
    with (output / "predictions.csv").open("w", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["example", "label", "prediction"])
        table.writerows(zip(range(len(labels)), labels, predictions, strict=True))
    run.save_predictions(output / "predictions.csv")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architecture", choices=ARCHITECTURES, default="cnn")
    parser.add_argument("--shuffled", type=lambda word: word == "True", default=False)
    parser.add_argument("--learning_rate", type=float, default=1e-2)
    parser.add_argument("--batch_size", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=150)
    parser.add_argument("--optimizer", choices=OPTIMIZERS, default="adam")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, default=Path("results/datasets/mnist1d/data"))
    options = parser.parse_args()
    with tracking.start() as run:
        train(run, options)


if __name__ == "__main__":
    main()
