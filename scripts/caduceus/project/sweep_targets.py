"""Run one sweep by Snakemake: the files to make, the experiment file, and the exit status."""

import sys
from collections.abc import Sequence
from pathlib import Path

from caduceus.io.failed_entries import Entry, FailedEntry
from caduceus.io.phrases import printable
from caduceus.io.yaml_files import Source
from caduceus.project.experiments import Experiment
from caduceus.project.sweep_files import SweepFile
from caduceus.runs.files.plan import Run
from caduceus.sweeps.plans import Sweep


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


def snakemake_words(
    experiment: Experiment, sweep: Sweep, count: int | None, results: Path, is_remote: bool
) -> list[str]:
    """Return the command line that runs a sweep by Snakemake, without its cores.

    Args:
        experiment: the sweep's experiment.
        sweep: the sweep.
        count: how many trials were asked for.
        results: the folder results/.
        is_remote: whether the runs are read from a W&B server.
    """
    wanted = sweep_targets(sweep.id, experiment.runs, results, is_remote)
    # The paper in config.yaml may show other experiments, which aren't made here.
    file = file_to_plan(experiment.source, count, results)
    return [
        *(sys.executable, "-m", "snakemake", *map(str, wanted)),
        *("--config", f"experiments={file}", "paper=none"),
        *("--rerun-incomplete", "--quiet", "host", "rules", "reason"),
    ]


def file_to_plan(source: Source, count: int | None, results: Path) -> str:
    """Return the experiment file for Snakemake; it is written if `count` isn't in the given one."""
    if isinstance(source, SweepFile) and count is not None:
        return str(source.write(results))
    return source.path


def failure_status(sweep: str, results: Path, arguments: Sequence[str]) -> int:
    """Return the exit status of a sweep that has run: 1, with a line of the reason, if it failed.

    A sweep fails if no trial has a result. Its trials' failures are no failures of a job, so
    Snakemake's own status doesn't show them.

    Args:
        sweep: its id.
        results: the folder results/.
        arguments: the user's for Snakemake; after a dry run nothing has failed.
    """
    if {"-n", "--dry-run", "--dryrun"} & {*arguments}:
        return 0
    record = FailedEntry.read_if_there(Entry(f"sweeps/{sweep}", results).record)
    for error in record.errors if record else ():
        print(f"caduceus sweep: {printable(error)}", file=sys.stderr)
    return 1 if record else 0
