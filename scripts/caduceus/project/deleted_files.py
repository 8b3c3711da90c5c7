"""The files of a finished project that the user has deleted, and that a build makes again.

Snakemake doesn't miss a file if all that is made from it exists, and of a job that makes several
files it only looks at those that others take. So the default targets name what is missing.

Where the record of a dataset is missing, `Targets.kept_without_dataset` has its runs keep their
training.
"""

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from caduceus.project.targets import Targets

EXPORTED = ("manifest.json", "run_summary.json", "metrics_history.csv")
PLANNED = ("params.json", "run.json")
# An archive may lack these, which only the run's logs bring back.
_FROM_LOGS = ("system_metrics.csv", "media", "artifacts")
# By a file of `Targets.paper`, the others of its job, and of jobs that it stands for.
_BESIDE = {
    "results/groups/*/runs.csv": ("variants.csv", "history.parquet", "compute.json"),
    "results/projects/*/groups/*/runs.csv": ("history.parquet",),
    "results/sweeps/*/trials.csv": ("confirmed.csv", "best.json", "importance.csv", "figures"),
    "results/paper/tables/*.md": ("*.csv", "*.tex", "*.json"),
    "results/paper/figures/*.pdf": ("*.svg", "*.png", "*.json", "*.tex", "*.md"),
    "results/paper/claims.md": ("claims.json",),
    "results/paper/compute.json": ("compute.csv", "compute.tex"),
    "results/paper/provenance.json": ("numbers.tex",),
}


def deleted_files(targets: "Targets", of_training: tuple[str, ...]) -> list[str]:
    """Return the files that are missing though what is made with or from them exists.

    Args:
        targets: the files of the project.
        of_training: the names of the files of a run that its export is made from.
    """
    exists = targets.exists
    found: list[str] = []
    for experiment in targets.project.experiments.values():
        if not exists(f"results/groups/{experiment.spec.group}/runs.csv"):
            continue
        runs = [run.id for run in experiment.runs]
        paths = [f"results/experiments/{experiment.id}.json"]
        for name in (*PLANNED, *EXPORTED):
            paths += (f"results/runs/{run}/{name}" for run in runs)
        found += (path for path in paths if not exists(path))
        found += (path for run in runs for path in _from_logs(targets, run, of_training))
        dataset = experiment.spec.dataset
        # An unpacked archive may lack the data, and a program may take hours to make them again.
        if dataset and dataset.path and Path(dataset.path).exists():
            path = f"results/datasets/{dataset.name}/dataset.json"
            found += [path] if path in targets.datasets() and not exists(path) else []
    return [*dict.fromkeys(found), *_beside(targets.paper(), exists)]


def _from_logs(targets: "Targets", run: str, of_training: tuple[str, ...]) -> list[str]:
    """Return what is missing of a run and can be made if its logs exist."""
    folder = f"results/runs/{run}"
    names = (*of_training, *_FROM_LOGS)
    missing = [path for name in names if not targets.exists(path := f"{folder}/{name}")]
    # Snakemake deletes an export before it makes it again: one without logs would be lost.
    return [] if missing and targets.lost_logs(folder) else missing


def _beside(made: list[str], exists: Callable[[str], bool]) -> Iterator[str]:
    """Yield the files that are missing beside those that are there."""
    for path in filter(exists, made):
        for pattern, others in _BESIDE.items():
            if fnmatchcase(path, pattern):
                place = PurePosixPath(path)
                paths = (
                    place.with_suffix(other[1:]) if other[0] == "*" else place.with_name(other)
                    for other in others
                )
                yield from (str(other) for other in paths if not exists(str(other)))
