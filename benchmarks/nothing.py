"""Nothing to do for 1,000 finished runs: `python benchmarks/nothing.py`, five minutes.

Prints the CPU seconds of Snakemake, of a build that Snakemake is asked for, of commands that are
answered from its stamp, and of a loop in Python that asks for the state of as many files as the
stamp holds, which is about what ninja does. All are whole processes, called in turn, and are
printed as ratios to the loop. Where ninja is installed it is called on as many targets as
Snakemake has jobs.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from scale import AS_MAKE, REPOSITORY, finish_project, write_project
from startup import cpu_s

BUILD = ["caduceus", "build", *AS_MAKE[1:]]
PLAN = ["caduceus", "plan", "--", "--snakefile", str(REPOSITORY / "Snakefile")]
STAMPS = Path(".snakemake/caduceus")
LOOP = """
import os, sys
for path in open(sys.argv[1], "rb").read().partition(b"\\n")[2].split(b"\\0"):
    try:
        os.stat(path)
    except OSError:
        pass
"""
JOBS = 5  # of a run


def write_ninja(folder: Path, targets: int) -> None:
    """Write a ninja project of so many targets, each a file made from one source, and build it."""
    folder.mkdir()
    (folder / "source").touch()
    rules = ["rule make", "  command = cp $in $out"]
    rules += [f"build out/{number}: make source" for number in range(targets)]
    (folder / "build.ninja").write_text("\n".join(rules) + "\n")
    cpu_s(["ninja"], folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="finished: hundreds, or few (1000)")
    parser.add_argument("--repeats", type=int, default=5, help="of what takes a second (5)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        project = Path(name) / "project"
        write_project(project, options.runs)
        finish_project(project)
        times = {"Snakemake": [cpu_s(AS_MAKE, project)]}
        times["caduceus build, by Snakemake"] = [cpu_s(BUILD, project)]
        times["caduceus plan, by Snakemake"] = [cpu_s(PLAN, project)]
        stamp = project / STAMPS / "build"
        if not stamp.exists():
            sys.exit("the build left no stamp")
        files = stamp.read_bytes().count(b"\0") + 1
        loop = f"a loop over {files:,} states"
        quick = {
            loop: ([sys.executable, "-c", LOOP, str(STAMPS / "build")], project),
            "caduceus build, from the stamp": (BUILD, project),
            "caduceus plan, from the stamp": (PLAN, project),
        }
        if shutil.which("ninja"):
            ninja = Path(name) / "ninja"
            write_ninja(ninja, JOBS * options.runs)
            quick[f"ninja, {JOBS * options.runs:,} targets"] = (["ninja"], ninja)
        for _ in range(options.repeats):
            for title, (words, folder) in quick.items():
                times.setdefault(title, []).append(cpu_s(words, folder))
        medians = {title: statistics.median(found) for title, found in times.items()}
        print(f"CPU seconds for {options.runs:,} finished runs on {os.cpu_count()} cores")
        for title, median in medians.items():
            print(f"{title:36}{median:8.3f} s   {median / medians[loop]:7.1f} of the loop's")


if __name__ == "__main__":
    main()
