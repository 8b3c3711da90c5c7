"""Many short runs on SLURM: a job each, one pilot for all, and Snakemake without SLURM.

    python benchmarks/slurm.py                  as root on Debian, 200 runs of 5 s, eight at a time

A real SLURM of one node is started on loopback, as the tests do. The programs sleep, so that the
rest is what Snakemake, Caduceus and SLURM cost on this machine's own cores.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/support"))

from slurm_cluster import SlurmCluster, wait_until

REPOSITORY = Path(__file__).parents[1]
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
SNAKEMAKE = ["snakemake", "--snakefile", str(REPOSITORY / "Snakefile"), "--quiet", "all"]


def write_project(folder: Path, runs: int, seconds: float) -> Path:
    (folder / "experiments").mkdir(parents=True)
    (folder / "experiments/train.py").write_text(f"import time\ntime.sleep({seconds})\n")
    experiment = {
        "id": "short",
        "type": "baseline",
        "program": "experiments/train.py",
        "seeds": [*range(runs)],
        "resources": {"mem_mb": 50},
    }
    (folder / "experiments/short.yaml").write_text(yaml.safe_dump(experiment))
    (folder / "config.yaml").write_text("experiments: [experiments/short.yaml]\n")
    return folder


def timed(words: list[str], folder: Path) -> float:
    started = time.perf_counter()
    finished = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    if finished.returncode:
        sys.exit(f"{' '.join(words)}\n{finished.stdout[-2000:]}{finished.stderr[-2000:]}")
    return time.perf_counter() - started


def time_pilot(cluster: SlurmCluster, folder: Path) -> float:
    started = time.perf_counter()
    words = [sys.executable, "-m", "caduceus", "slurm-pilot", "--cores", str(cluster.cpus)]
    words += ["--minutes", "120", "--", "--snakefile", str(REPOSITORY / "Snakefile")]
    timed([*words, "--until", "train"], folder)
    wait_until(lambda: not cluster.jobs("PD,R,CG"), "the pilot has ended", 7200)
    return time.perf_counter() - started


def measure(cluster: SlurmCluster, base: Path, runs: int, seconds: float) -> dict[str, float]:
    """Seconds that so many runs take in each way; `base` is an empty folder."""
    folders = {
        name: write_project(base / name, runs, seconds)
        for name in ("without SLURM", "one pilot", "a job each")
    }
    profile = str(REPOSITORY / "workflow/profiles/slurm")
    until = ["--until", "train"]
    cores = ["--cores", str(cluster.cpus), "--scheduler", "greedy"]
    took = {
        "without SLURM": timed([*SNAKEMAKE, *cores, *until], folders["without SLURM"]),
        "one pilot": time_pilot(cluster, folders["one pilot"]),
        "a job each": timed(
            [*SNAKEMAKE, "--workflow-profile", profile, *until], folders["a job each"]
        ),
    }
    for name, folder in folders.items():
        done = len(list(folder.glob("results/runs/*/train.json")))
        assert done == runs, (name, done)
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--cpus", type=int, default=8, help="that SLURM believes in (8)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as base, SlurmCluster(options.cpus) as cluster:
        took = measure(cluster, Path(base), options.runs, options.seconds)
    least = options.runs * options.seconds / options.cpus
    print(f"{options.runs} runs of {options.seconds:g} s, {options.cpus} at a time")
    print(f"{'the programs alone':20} {least:6.0f} s")
    for name, seconds in took.items():
        print(f"{name:20} {seconds:6.0f} s   {seconds / least:4.1f} times")


if __name__ == "__main__":
    main()
