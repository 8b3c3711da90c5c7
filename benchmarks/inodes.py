"""How many files and folders a run takes, since clusters give a project so many and no more.

    python benchmarks/inodes.py [PROGRAM ...]

Trains a program that only logs, and the shipped one with its pictures, model and predictions, and
counts what lies in each run's folder when all is done.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parents[1]
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
LOGS_ONLY = "import wandb\nwandb.init()\nfor step in range(9):\n    wandb.log({'loss': step})\n"
EXPERIMENTS = {
    "logs only": {"program": "experiments/train.py"},
    "logs a model and pictures": {
        "program": "experiments/train_mnist1d.py",
        "parameters": {
            "architecture": "logistic",
            "shuffled": False,
            "learning_rate": 0.01,
            "batch_size": 100,
            "epochs": 1,
            "optimizer": "adam",
        },
        "dataset": {"name": "mnist1d", "program": "experiments/make_mnist1d.py", "version": 1},
    },
}


def count(spec: dict[str, object], folder: Path) -> Counter[str]:
    """Entries below each part of the run's folder."""
    (folder / "experiments").mkdir(parents=True)
    for name in ("train_mnist1d.py", "make_mnist1d.py"):
        (folder / "experiments" / name).write_text((REPOSITORY / "experiments" / name).read_text())
    (folder / "experiments/train.py").write_text(LOGS_ONLY)
    experiment = {"id": "one", "type": "baseline", **spec}
    (folder / "experiments/one.yaml").write_text(yaml.safe_dump(experiment))
    (folder / "config.yaml").write_text("experiments: [experiments/one.yaml]\n")
    words = ["snakemake", "--snakefile", str(REPOSITORY / "Snakefile"), "--cores", "1"]
    finished = subprocess.run(
        [*words, "--quiet", "all"], cwd=folder, capture_output=True, text=True
    )
    if finished.returncode:
        sys.exit(finished.stdout[-2000:] + finished.stderr[-2000:])
    (run,) = (folder / "results/runs").iterdir()
    counted: Counter[str] = Counter()
    for path in run.rglob("*"):
        parts = path.relative_to(run).parts
        counted["/".join(parts[:2]) if parts[0] == "work" else parts[0]] += 1
    return counted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help=f"{', '.join(EXPERIMENTS)}")
    chosen = parser.parse_args().programs or EXPERIMENTS
    with tempfile.TemporaryDirectory() as base:
        for number, name in enumerate(chosen):
            counted = count(EXPERIMENTS[name], Path(base) / str(number))
            print(f"{name}: {sum(counted.values()) + 1} files and folders")
            for part, entries in counted.most_common():
                if entries > 1:
                    print(f"  {entries:4} {part}")


if __name__ == "__main__":
    main()
