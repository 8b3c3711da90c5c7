"""The tool that returns what the next snakemake would do."""

import os
from dataclasses import asdict
from pathlib import Path

from caduceus.overview.mcp.answers import Answer, page, some

_MOST_RESULTS = 30


def plan(results: Path, cores: int | None = None, offset: int = 0, limit: int = 20) -> Answer:
    """Return what the next `snakemake` would train and make, why, and how long that may take.

    Nothing is run. A dry run of Snakemake takes seconds, and longer in large projects.

    Args:
        cores: cores that the estimated time is for; by default all of this machine.
        offset: how many runs to skip.
        limit: how many runs at most.

    Returns:
        trainings, a page: each run with why, threads, and typical seconds of such runs (null: none
        has finished); hours_of_training in total, hours_until_done on these cores, both without
        unknown_lengths, the runs of unknown duration; results to make, each with why and is_there,
        whether it was made before.
    """
    from caduceus.overview.plans import read_plan

    found = read_plan()
    return {
        **asdict(found.cost(cores or os.cpu_count() or 1)),
        "trainings": page("runs", [asdict(each) for each in found.trainings], offset, limit),
        "results": some([asdict(each) for each in found.rebuilds], _MOST_RESULTS),
    }
