"""Find and remove the runs and sweeps that no experiment names any more."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from caduceus.paper.ledger import record_removed
from caduceus.project.planned import planned_once
from caduceus.project.project import Project
from caduceus.runs.files.train import Train
from caduceus.runs.files.tries import tried_runs
from caduceus.runs.folder import RunFolder
from caduceus.system.leases import is_held


@dataclass(frozen=True)
class Leftover:
    """A folder of a run or sweep that no experiment names.

    Attributes:
        folder: results/runs/RUN or results/sweeps/SWEEP.
        size_bytes: the size of all files in it.
        wall_s: seconds that a run's attempts took; 0 for a sweep, whose runs are listed themselves.
    """

    folder: Path
    size_bytes: int
    wall_s: float


def find_leftovers(project: Project, results: Path) -> Iterator[Leftover]:
    """Yield each run and sweep below `results` that no experiment names and no process holds.

    An experiment counts if config.yaml lists it, or if it was planned once (by --config, say) and
    its file is still there. The runs of tries are kept as long as their ledger.

    Raises:
        SpecError: the file of an experiment that was planned once is wrong.
    """
    runs, sweeps = {*project.runs, *tried_runs(results)}, set(project.sweeps)
    for experiment in planned_once(project, results):
        runs |= {run.id for run in experiment.runs}
        sweeps |= {experiment.sweep.id} if experiment.sweep else set()
    for parent, named in (("runs", runs), ("sweeps", sweeps)):
        for folder in sorted((results / parent).glob("*")):
            run = RunFolder(folder)
            if folder.is_dir() and folder.name not in named and not is_held(run.lease, run.lock):
                yield Leftover(folder, _size(folder), _wall_s(folder / "train.json"))


def remove(leftovers: Sequence[Leftover], results: Path) -> None:
    """Remove the folders, of which git has no copy; the ledger keeps what the runs cost."""
    runs = [RunFolder(each.folder) for each in leftovers if each.folder.parent.name == "runs"]
    record_removed(results, runs)
    for leftover in leftovers:
        shutil.rmtree(leftover.folder)


def _size(folder: Path) -> int:
    files = (path for path in folder.rglob("*") if not path.is_symlink())
    return sum(path.stat().st_size for path in files if path.is_file())


def _wall_s(train_json: Path) -> float:
    train = Train.read_if_there(train_json)
    return train.compute.wall_s if train else 0.0
