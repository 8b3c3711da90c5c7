"""Run the whole workflow inside one SLURM job: best for many short runs.

Arguments after -- go to Snakemake unchanged; without any, everything missing is made.
"""

import argparse
import shlex

from caduceus.commands import add_json, print_answer
from caduceus.system.slurm_pilots import Allocation, submit, work


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cores", type=int, required=True, help="CPUs, on one node")
    parser.add_argument("--gpus", type=int, default=0, help="GPUs, on the same node (0)")
    parser.add_argument(
        "--minutes",
        type=int,
        required=True,
        help="time limit of the job; what is left then goes on in another allocation",
    )
    parser.add_argument("--mem-mb", type=int, help="memory of the job (the site's default)")
    parser.add_argument("--partition", help="SLURM partition (the site's default)")
    parser.add_argument("--sbatch", default="", help="further options: --sbatch='--account=lab'")
    parser.add_argument("--inside", action="store_true", help="used by the job itself")
    add_json(parser)
    parser.set_defaults(snakemake=[])  # the arguments after --


def run(arguments: argparse.Namespace) -> int | None:
    allocation = Allocation(arguments.cores, arguments.gpus, arguments.minutes, arguments.mem_mb)
    if arguments.inside:
        return work(allocation, arguments.snakemake)
    options = shlex.split(arguments.sbatch)
    job_id, log = submit(allocation, arguments.partition, options, arguments.snakemake)
    if not print_answer(arguments, {"job": job_id, "log": log}):
        print(f"SLURM job {job_id}; its log: {log}")
    return None
