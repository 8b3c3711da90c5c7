"""How much a build prints: `python benchmarks/terminal.py`, two minutes.

Builds the project that `caduceus init` writes, with more seeds, once as lines by `--plain`, and
beside it counts Snakemake's own lines of the same build, which its log file keeps.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from startup import make_project


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="two runs each (10)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        project = Path(name) / "project"
        runs = make_project(project, options.seeds)
        words = [sys.executable, "-m", "caduceus", "build", "--plain", "--cores", "2"]
        built = subprocess.run(words, cwd=project, capture_output=True, text=True)
        if built.returncode:
            sys.exit(built.stdout + built.stderr)
        printed = len((built.stdout + built.stderr).encode())
        own = sum(path.stat().st_size for path in project.glob(".snakemake/log/*.log"))
        print(f"{runs} runs: {printed / 1000:.1f} kB, with the results at the end")
        print(f"Snakemake's own lines: {own / 1000:.1f} kB, {own / printed:.1f} times as much")


if __name__ == "__main__":
    main()
