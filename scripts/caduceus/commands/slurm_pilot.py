"""Run the whole workflow inside one SLURM job: best for many short runs.

What follows -- goes to Snakemake as it is; all that is missing is made if nothing does.
"""

import argparse
import shlex

from caduceus.system.slurm_pilots import Allocation, submit, work


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cores", type=int, required=True, help="CPUs, on one node")
    parser.add_argument("--gpus", type=int, default=0, help="GPUs, on the same node (0)")
    parser.add_argument(
        "--minutes",
        type=int,
        required=True,
        help="its time limit; what isn't done by then goes on in a next allocation",
    )
    parser.add_argument("--mem-mb", type=int, help="memory for all (what the site gives)")
    parser.add_argument("--partition", help="SLURM's partition (its default)")
    parser.add_argument("--sbatch", default="", help="further options: --sbatch='--account=lab'")
    parser.add_argument("--inside", action="store_true", help="how the job itself calls this")
    parser.set_defaults(snakemake=[])  # what follows --


def run(arguments: argparse.Namespace) -> int | None:
    allocation = Allocation(arguments.cores, arguments.gpus, arguments.minutes, arguments.mem_mb)
    if arguments.inside:
        return work(allocation, arguments.snakemake)
    options = shlex.split(arguments.sbatch)
    job_id, log = submit(allocation, arguments.partition, options, arguments.snakemake)
    print(f"SLURM job {job_id}; its log: {log}")
    return None
