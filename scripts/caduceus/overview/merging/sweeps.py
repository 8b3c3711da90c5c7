"""The sweeps and datasets of another results/: whether they agree with those here, and to take."""

from collections.abc import Mapping
from pathlib import Path

from caduceus.errors import ResultError
from caduceus.io.files import write_whole
from caduceus.overview.merging.copying import copy_folder, remove_folder, set_time
from caduceus.project.project import Project
from caduceus.runs.files.dataset import DatasetRecord
from caduceus.runs.files.sweep import SweepPlan
from caduceus.runs.files.trial import Trial
from caduceus.sweeps.folders import SweepFolder

_OF_START = ("work/code", "work/experiment.yaml", "work/commit.json", "sweep.yaml")


def differing_sweeps(project: Project, there: Path, here: Path) -> dict[str, str]:
    """Return the sweeps that chose a trial differently there and here, each with why."""
    found = {}
    for sweep in project.sweeps:
        try:
            if trial := _differing_trial(_folder(there, sweep), _folder(here, sweep)):
                found[sweep] = f"trial {trial} has other parameters there than here"
        except ResultError as error:
            found[sweep] = str(error)
    return found


def take_trial(sweep: str, trial: str, there: Path, here: Path, time_ns: int) -> bool:
    """Copy the file of a trial that isn't here; return False if it isn't there either.

    Raises:
        ResultError: the file is damaged.
    """
    source, target = _folder(there, sweep), _folder(here, sweep)
    if target.trial(trial).exists():
        return True
    path = next((p for p in (source.trial(trial), source.kept_copy(trial)) if p.exists()), None)
    if path is None:
        return False
    Trial.read(path)
    content = path.read_bytes()
    write_whole(target.kept_copy(trial), content)
    write_whole(target.trial(trial), content)
    set_time([target.trial(trial)], time_ns)
    return True


def has_trial(sweep: str, trial: str, *places: Path) -> bool:
    """Whether the file of a trial is in any of these results/."""
    folders = [_folder(place, sweep) for place in places]
    return any(p.exists() for f in folders for p in (f.trial(trial), f.kept_copy(trial)))


def take_start(plan: SweepPlan, there: Path, here: Path, stage: Path, time_ns: int) -> None:
    """Copy what the start of a sweep wrote, if it isn't here and is as it would be written here."""
    source, target = _folder(there, plan.sweep), _folder(here, plan.sweep)
    if target.plan.exists() or not source.plan.exists() or not source.code.is_dir():
        return
    if SweepPlan.read(source.plan) != plan:
        return
    remove_folder(stage)
    copy_folder(source.path, stage)
    for name in (*_OF_START, source.plan.name):  # sweep.json last: without it, it isn't started
        if (stage / name).exists():
            remove_folder(target.path / name)
            (target.path / name).parent.mkdir(parents=True, exist_ok=True)
            (stage / name).rename(target.path / name)
    remove_folder(stage)
    set_time([target.plan, target.config_yaml], time_ns)


def differing_datasets(project: Project, there: Path, here: Path) -> dict[str, str]:
    """Return the datasets that have another content there than here, each with why."""
    found = {}
    for name in project.datasets:
        try:
            digests = [_digest(place, name) for place in (there, here)]
        except ResultError as error:
            found[name] = str(error)
            continue
        if None not in digests and digests[0] != digests[1]:
            other, own = (str(each)[:12] for each in digests)
            found[name] = (
                f"dataset {name} has another content there (sha256 {other}…) than here ({own}…); "
                "declare what tells them apart by its version or sha256"
            )
    return found


def take_dataset(name: str, there: Path, here: Path, stage: Path, time_ns: int) -> bool:
    """Copy the record of a dataset, and data that were made with it; return whether it was."""
    source, target = there / "datasets" / name, here / "datasets" / name
    if target.exists() or not (source / "dataset.json").exists():
        return False
    remove_folder(stage)
    copy_folder(source, stage)
    set_time([stage / "dataset.json"], time_ns)
    target.parent.mkdir(parents=True, exist_ok=True)
    stage.rename(target)
    return True


def _digest(results: Path, name: str) -> str | None:
    record = DatasetRecord.read_if_there(results / "datasets" / name / "dataset.json")
    return record.sha256 if record else None


def _differing_trial(there: SweepFolder, here: SweepFolder) -> str | None:
    own = _chosen(here)
    for name, path in _chosen(there).items():
        if name in own and Trial.read(path).parameters != Trial.read(own[name]).parameters:
            return name
    return None


def _chosen(folder: SweepFolder) -> Mapping[str, Path]:
    """Return the file of each trial that was chosen, by its name."""
    files = sorted((folder.path / "trials").glob("*.json"))
    return {path.stem: path for path in [*folder.all_kept_copies(), *files]}


def _folder(results: Path, sweep: str) -> SweepFolder:
    return SweepFolder(results / "sweeps" / sweep)
