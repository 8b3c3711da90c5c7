"""What the pipeline costs beside training: `python benchmarks/overhead.py`.

Trains the same short MNIST-1D runs twice, two at a time: by a bare script, which imports torch once
in each of two processes and tracks nothing, and through `snakemake --cores 2`, where every run is a
process of its own, tracked, exported and put into a table. Both call the same training function on
the same data. Prints the ratio of their wall times, and where the difference goes.
"""

import argparse
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import yaml

REPOSITORY = Path(__file__).parents[1]
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
STEPS_PER_EPOCH = 40
PIECES = {
    "Python": "pass",
    "import torch": "import torch",
    "import torch, first optimizer": "import torch; torch.optim.Adam([torch.zeros(1)])",
    "import wandb": "import wandb",
    "wandb.init": "import wandb; wandb.init(mode='offline').finish()",
    "import matplotlib": "import matplotlib.figure, matplotlib.backends.backend_agg",
}


class Untracked:
    """Takes the place of a tracked run and does nothing."""

    def __init__(self):
        self.restored = {}
        self.restore = lambda first_step, **objects: first_step

    def __getattr__(self, name):
        return lambda *args, **kwargs: None


def train_bare(task: tuple[int, int, Path]) -> float:
    seed, epochs, data = task
    sys.path.insert(0, str(REPOSITORY / "experiments"))
    import torch
    from train_mnist1d import train

    torch.set_num_threads(1)
    os.environ["CADUCEUS_OUTPUT_DIR"] = tempfile.mkdtemp(dir=data.parent)
    options = SimpleNamespace(
        architecture="cnn",
        shuffled=False,
        learning_rate=1e-2,
        batch_size=100,
        epochs=epochs,
        optimizer="adam",
        seed=seed,
        data=data,
    )
    started = time.perf_counter()
    train(Untracked(), options)
    return time.perf_counter() - started


def bare(runs: int, epochs: int, data: Path) -> tuple[float, list[float]]:
    """Wall time of all runs, and of each run's training, in seconds."""
    started = time.perf_counter()
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        times = pool.map(train_bare, [(seed, epochs, data) for seed in range(runs)], chunksize=1)
    return time.perf_counter() - started, times


def write_project(folder: Path, runs: int, epochs: int) -> None:
    shutil.copytree(REPOSITORY / "experiments", folder / "experiments")
    quick = (REPOSITORY / "experiments/mnist1d_quick.yaml").read_text()
    quick = quick.replace("epochs: 100", f"epochs: {epochs}")
    quick = quick.replace("[logistic, mlp, cnn, gru]", "[cnn]").replace("logistic", "cnn")
    quick = quick.replace("[0, 1, 2]", str(list(range(runs))))
    (folder / "experiments/mnist1d_quick.yaml").write_text(quick)
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    # What compares architectures has nothing to compare here.
    del config["paper"]["claims"], config["paper"]["figures"]["differences"]
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def snakemake(folder: Path, *arguments: str) -> float:
    """Wall time in seconds."""
    command = ["snakemake", "--snakefile", REPOSITORY / "Snakefile", "--directory", folder]
    started = time.perf_counter()
    finished = subprocess.run(
        [*command, "--quiet", "all", "--cores", "2", *arguments], capture_output=True, text=True
    )
    if finished.returncode:
        sys.exit(finished.stdout + finished.stderr)
    return time.perf_counter() - started


def seconds_of(command: list[str], folder: Path, times: int = 3) -> float:
    """Median wall time of a command, in seconds."""
    found = []
    for _ in range(times):
        started = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        found.append(time.perf_counter() - started)
    return statistics.median(found)


def print_pieces(folder: Path, runs: int) -> None:
    """What a run costs beside training, piece by piece, each measured alone."""
    python = seconds_of([sys.executable, "-c", "pass"], folder)
    print("\nMeasured alone, seconds:")
    for name, code in PIECES.items():
        seconds = seconds_of([sys.executable, "-c", code], folder)
        print(f"  {name:<42}{seconds - (python if name != 'Python' else 0):6.2f}")
    run = sorted((folder / "results/runs").iterdir())[0].relative_to(folder)
    record = "results/datasets/mnist1d/dataset.json"
    caduceus = [sys.executable, "-m", "caduceus"]
    commands = {
        "train, of a run that has finished": ["train", record, "--out", f"{run}/train.json"],
        "upload-artifacts": ["upload-artifacts", record, "--out", f"{run}/upload.json"],
        "export-run": ["export-run", "--out", f"{run}/manifest.json"],
    }
    for name, words in commands.items():
        words += ["--log", "log"]
        print(f"  caduceus {name:<33}{seconds_of([*caduceus, *words], folder):6.2f}")
    print(
        f"  Snakemake with nothing to do{seconds_of_snakemake(folder):20.2f}, once for {runs} runs"
    )


def seconds_of_snakemake(folder: Path) -> float:
    return statistics.median(snakemake(folder) for _ in range(3))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="(20)")
    parser.add_argument("--seconds", type=float, default=20, help="of training in a run (20)")
    parser.add_argument("--repeats", type=int, default=1, help="pairs of measurements (1)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = folder / "data"
        data.mkdir()
        make = [sys.executable, REPOSITORY / "experiments/make_mnist1d.py", data]
        subprocess.run(make, check=True)
        _, short = bare(4, 30, data)  # a process's first run also imports parts of torch
        epochs = max(1, round(30 * options.seconds / min(short)))
        print(f"{options.runs} runs of {epochs * STEPS_PER_EPOCH} steps, two at a time")
        ratios = []
        for repeat in range(options.repeats):
            project = folder / f"project{repeat}"
            write_project(project, options.runs, epochs)
            snakemake(project, "results/datasets/mnist1d/dataset.json")
            bare_s, times = bare(options.runs, epochs, data)
            pipeline_s = snakemake(project)
            ratios.append(pipeline_s / bare_s)
            print(
                f"bare {bare_s:.1f} s ({statistics.median(times):.1f} s of training a run), "
                f"pipeline {pipeline_s:.1f} s, ratio {ratios[-1]:.3f}"
            )
        print(f"median ratio {statistics.median(ratios):.3f}")
        print_pieces(project, options.runs)


if __name__ == "__main__":
    main()
