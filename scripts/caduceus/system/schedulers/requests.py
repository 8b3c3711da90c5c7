"""A job's needs from the resources of its rule, the site's profile and its settings."""

import shlex
from collections.abc import Mapping
from math import ceil
from pathlib import Path
from typing import Any

from caduceus.errors import SchedulerError
from caduceus.system.schedulers.scheduler import JobRequest


def request_for(
    name: str,
    script: Path,
    folder: Path,
    threads: int,
    minutes: Any,
    resources: Mapping[str, Any],
    hardware: str | None,
) -> JobRequest:
    """Return what a job needs; keys of SLURM's profile are understood too.

    Args:
        name: the job's name.
        script: the shell script that it runs.
        folder: the project's folder.
        threads: its CPUs.
        minutes: its time limit, or what stands for none.
        resources: Snakemake's resources of the job.
        hardware: the site's options for CPUs, memory and GPUs, with names in braces.

    Raises:
        SchedulerError: `hardware` has an unknown name in braces.
    """
    mem_mb, gpus = int(resources.get("mem_mb") or 0), ceil(float(resources.get("gpus") or 0))
    model = str(resources.get("gpu_model") or "")
    options = None
    if hardware:
        values = {
            "threads": threads,
            "mem_mb": mem_mb,
            "mem_mb_per_thread": ceil(mem_mb / threads),
            "gpus": gpus,
            "gpu_model": model,
        }
        try:
            options = tuple(shlex.split(hardware.format_map(values)))
        except (KeyError, IndexError, ValueError) as error:
            known = ", ".join(f"{{{name}}}" for name in values)
            raise SchedulerError(
                f"caduceus-cluster-hardware has an unknown {error}; it takes {known}", "profile"
            ) from None
    return JobRequest(
        name,
        script,
        folder,
        threads,
        mem_mb,
        gpus,
        model,
        int(minutes or 0),
        str(resources.get("queue") or resources.get("slurm_partition") or ""),
        str(resources.get("account") or resources.get("slurm_account") or ""),
        options,
        tuple(shlex.split(str(resources.get("cluster_extra") or ""))),
    )
