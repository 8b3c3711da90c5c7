"""The files that Snakemake makes to run one sweep, and the experiment file that it reads."""

from collections.abc import Sequence
from pathlib import Path

from caduceus.io.yaml_files import Source
from caduceus.project.sweep_files import SweepFile
from caduceus.runs.files.plan import Run


def sweep_targets(sweep: str, runs: Sequence[Run], results: Path, is_remote: bool) -> list[Path]:
    """Return the files to make.

    Args:
        sweep: the sweep's id.
        runs: the runs of its experiment.
        results: the folder results/.
        is_remote: whether the runs are read from a W&B server.
    """
    table = results / "sweeps" / sweep / "trials.csv"
    if is_remote:
        return [table]
    # Snakemake doesn't look behind a file that exists, so it would miss a run to be retried.
    ended = [results / "runs" / run.id / "train.json" for run in runs]
    return [table, *(path for path in ended if not path.exists())]


def file_to_plan(source: Source, count: int | None, results: Path) -> str:
    """Return the experiment file for Snakemake; it is written if `count` isn't in the given one."""
    if isinstance(source, SweepFile) and count is not None:
        return str(source.write(results))
    return source.path
