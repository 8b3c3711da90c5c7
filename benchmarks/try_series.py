"""A series of scripted edits of the shipped program through `caduceus try`, to the end.

    python benchmarks/try_series.py [--edits 20] [--epochs 8] [--folder FOLDER]

Three edits are real gains, the others only draw other random numbers, change next to nothing, or
do harm. Each is applied to the best program so far, tried, and taken back unless it is kept. The
truth is printed beside the verdict, with the pairs of runs and the processor time of both sides.
An interrupted series goes on where it was if it is given its folder again.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parents[1]
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
PROGRAM = "experiments/train_mnist1d.py"
SEED = "torch.manual_seed(options.seed)"
MODEL = "model = ARCHITECTURES[options.architecture]().to(device)"
OPTIMIZER = "OPTIMIZERS[options.optimizer](model.parameters(), "  # the rate may have changed
STEP = "        loss.backward()\n"
FIRST = "nn.Conv1d(1, channels, 5, stride=2, padding=1),\n        nn.ReLU(),"
LAST = "nn.Linear(5 * channels, 10),"


@dataclass(frozen=True)
class Edit:
    """An edit of the program: what it is for, what it truly is, and a text to be replaced."""

    why: str
    truth: str  # gain, nothing or loss
    old: str
    new: str


def other_numbers(offset: int) -> Edit:
    """Draw other random numbers, which changes each run and no mean."""
    seed = f"torch.manual_seed(options.seed + {offset})"
    return Edit(f"initial weights {offset}", "nothing", SEED, seed)


EDITS = (
    Edit(
        "a higher learning rate", "gain", "lr=options.learning_rate", "lr=4 * options.learning_rate"
    ),
    other_numbers(1000),
    Edit("dropout before the last layer", "loss", LAST, f"nn.Dropout(0.5),\n        {LAST}"),
    other_numbers(2000),
    Edit("fewer channels", "loss", "def cnn(channels: int = 25)", "def cnn(channels: int = 12)"),
    other_numbers(3000),
    Edit("tiny weight decay", "nothing", OPTIMIZER, f"{OPTIMIZER}weight_decay=1e-9, "),
    other_numbers(4000),
    Edit(
        "twice as many channels",
        "gain",
        "def cnn(channels: int = 25)",
        "def cnn(channels: int = 50)",
    ),
    other_numbers(5000),
    Edit("tanh in the first layer", "loss", FIRST, FIRST.replace("ReLU", "Tanh")),
    other_numbers(6000),
    Edit(
        "clipped gradients",
        "loss",
        STEP,
        f"{STEP}        nn.utils.clip_grad_norm_(model.parameters(), 0.01)\n",
    ),
    other_numbers(7000),
    Edit(
        "normalised activations",
        "gain",
        FIRST,
        FIRST.replace("nn.ReLU()", "nn.BatchNorm1d(channels),\n        nn.ReLU()"),
    ),
    other_numbers(8000),
    Edit("half of the steps", "loss", "steps = options.epochs", "steps = options.epochs // 2"),
    other_numbers(9000),
    Edit(
        "half of the data",
        "loss",
        "% len(x_train)\n        batch",
        "% (len(x_train) // 2)\n        batch",
    ),
    other_numbers(10000),
)


def write_project(folder: Path, epochs: int) -> None:
    """Write a project with the shipped program and one variant of it."""
    (folder / "experiments").mkdir(parents=True)
    for name in ("train_mnist1d.py", "make_mnist1d.py"):
        (folder / "experiments" / name).write_text((REPOSITORY / "experiments" / name).read_text())
    experiment = {
        "id": "series",
        "type": "baseline",
        "dataset": {"name": "mnist1d", "program": "experiments/make_mnist1d.py", "version": 1},
        "program": PROGRAM,
        "parameters": {
            "architecture": "cnn",
            "learning_rate": 0.001,
            "batch_size": 100,
            "epochs": epochs,
        },
        "seeds": [0],
        "metric": {"name": "val/accuracy"},
        "preload": ["numpy", "torch", "wandb"],
    }
    (folder / "experiments/series.yaml").write_text(yaml.safe_dump(experiment, sort_keys=False))
    (folder / "config.yaml").write_text(
        "experiments: [experiments/series.yaml]\nwandb: {project: series}\npaper: {}\n"
    )
    (folder / "Snakefile").write_text(
        "from caduceus import SNAKEFILE\n"
        'configfile: "config.yaml"\n'
        "module caduceus:\n    snakefile: SNAKEFILE\n    config: config\n"
        "use rule * from caduceus\n"
    )
    call(folder, "snakemake", "--cores", "2", "--quiet", "all", "--until", "export_run")


def call(folder: Path, *words: str, allowed: tuple[int, ...] = (0,)) -> str:
    """Run a command in the project, and return its standard output."""
    finished = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    if finished.returncode not in allowed:
        sys.exit(finished.stdout[-2000:] + finished.stderr[-2000:])
    return finished.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edits", type=int, default=len(EDITS), help="the first so many")
    parser.add_argument("--epochs", type=int, default=8, help="of each run; 40 steps each")
    parser.add_argument("--folder", type=Path, help="of the project; a temporary one if left out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as base:
        folder = options.folder or Path(base) / "project"
        if not (folder / "Snakefile").exists():
            write_project(folder, options.epochs)
        series(folder, EDITS[: options.edits])


def series(folder: Path, edits: tuple[Edit, ...]) -> None:
    """Try the edits one after another, and print each verdict and their sum."""
    began = time.monotonic()
    program = folder / PROGRAM
    best = (REPOSITORY / PROGRAM).read_text()
    counted: Counter[tuple[str, str]] = Counter()
    pairs = cpu_s = 0.0
    for edit in edits:
        if edit.old not in best:
            sys.exit(f"{edit.why}: its place is gone")
        program.write_text(best.replace(edit.old, edit.new))
        text = call(
            folder, "caduceus", "try", edit.why, "--json", "--cores", "2", allowed=(0, 4, 5)
        )
        answer = json.loads(text)
        counted[edit.truth, answer["verdict"]] += 1
        found = answer["result"] or {"pairs": 0, "effect": None}
        effect = "" if found["effect"] is None else f"{found['effect']:+.4f}"
        cpu_s += answer["cpu_s"] or 0
        pairs += found["pairs"]
        print(
            f"{answer['number']:3} {edit.truth:8} {answer['verdict']:10} {effect:>8} "
            f"{found['pairs']:3} pairs ({found.get('phase', '')})  {edit.why}",
            flush=True,
        )
        if answer["verdict"] == "kept":
            best = program.read_text()
    program.write_text(best)
    for truth in ("gain", "nothing", "loss"):
        of = {verdict: n for (kind, verdict), n in counted.items() if kind == truth}
        print(f"{truth}: " + (", ".join(f"{n} {verdict}" for verdict, n in of.items()) or "none"))
    runs = len([*folder.glob("results/runs/*/train.json")])
    minutes = (time.monotonic() - began) / 60
    print(f"{runs} runs, {cpu_s:.0f} s of CPU in programs, {minutes:.0f} minutes in all")


if __name__ == "__main__":
    main()
