"""The export of W&B folders that belong to no project of Caduceus."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from caduceus.errors import ResultError
from caduceus.exports.failures import reason
from caduceus.exports.group_names import group_folder
from caduceus.exports.run import export_logs
from caduceus.io.names import is_safe_name, quoted
from caduceus.runs.files.export import Summary
from caduceus.wandb_log import find_logs, group_by_run


def export_folders(
    paths: Sequence[Path], out: Path, with_groups: bool, jobs: int
) -> tuple[list[Path], list[str]]:
    """Export every run that has a log at or below `paths`.

    Args:
        paths: `.wandb` files, W&B's run folders, or any folders.
        out: takes runs/RUN/, and with groups also groups/GROUP/.
        with_groups: whether a table and the history of each W&B group are written.
        jobs: how many runs are exported at a time, each by a process.

    Returns:
        The folders of the exported runs, and a line for each loss and each run that failed.

    Raises:
        ResultError: a path doesn't exist, or there is no log.
    """
    for path in paths:
        if not path.exists():
            raise ResultError("no such file or folder", str(path))
    logs = {log.resolve(): log for path in paths for log in find_logs(path)}
    if not logs:
        raise ResultError("no `.wandb` file here or below", str(paths[0]))
    runs, problems = group_by_run(logs.values())
    folders = {}
    for name, found in runs.items():
        if is_safe_name(name):
            folders[out / "runs" / name] = found
        else:
            problems.append(f"{found[0]}: not exported, as its id {quoted(name)} can't be a name")
    exported = set()
    for folder, is_exported, lost in _export_all(folders, jobs):
        problems += [f"{folder.name}: {message}" for message in lost]
        if is_exported:
            exported.add(folder)
    done = [folder for folder in folders if folder in exported]
    if with_groups:
        problems += _export_groups(done, out / "groups")
    return done, problems


_Outcome = tuple[bool, list[str]]  # whether a run is exported, and a line for each loss


def _export_all(
    folders: Mapping[Path, Sequence[Path]], jobs: int
) -> Iterator[tuple[Path, bool, list[str]]]:
    """Export all runs, several at a time; yield the folder and the outcome of each."""
    if len(folders) <= 1:  # saves the time to import and start other processes
        for folder, logs in folders.items():
            yield folder, *_export(logs, folder)
        return
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from concurrent.futures.process import BrokenProcessPool

    import numpy  # noqa: F401  # imported before the forks, which read large logs with it
    from tqdm import tqdm

    broken = []
    with ProcessPoolExecutor(jobs) as pool:
        waiting = {pool.submit(_export, logs, folder): folder for folder, logs in folders.items()}
        for done in tqdm(as_completed(waiting), total=len(waiting), unit=" runs", disable=None):
            try:
                yield waiting[done], *done.result()
            except BrokenProcessPool:
                broken.append(waiting[done])
    for folder in broken:  # one of them killed a process, and with it all the others
        with ProcessPoolExecutor(1) as pool:
            try:
                yield folder, *pool.submit(_export, folders[folder], folder).result()
            except BrokenProcessPool:
                yield folder, False, ["not exported: its process was killed; is memory short?"]


def _export(logs: Sequence[Path], folder: Path) -> _Outcome:
    """Export one run, whose failure doesn't end the export of the others."""
    try:
        manifest = export_logs(logs, folder)
    except Exception as error:  # whatever a log from elsewhere brings about
        return False, [f"not exported: {reason(error)}"]
    replaced = [
        f"{number} rows of {log} aren't in the export: a later process started the run afresh"
        for log, number in (manifest.replaced or {}).items()
    ]
    damage = [f"the log is damaged: {manifest.lost}"] if manifest.lost else []
    return True, [*damage, *replaced, *(manifest.missing or ()), *(manifest.left_out or ())]


def _export_groups(folders: Sequence[Path], out: Path) -> list[str]:
    """Export the W&B groups of exported runs; return a line for each that failed."""
    from caduceus.exports.group import export_loose_group  # needs pyarrow, which runs don't

    groups: dict[tuple[str, str], list[Path]] = {}
    for folder in folders:
        summary = Summary.read(folder / "run_summary.json")
        owner = "/".join(filter(None, (summary.entity, summary.project)))
        groups.setdefault((summary.group, owner), []).append(folder)
    names = [group for group, _ in groups]
    failed = []
    for (group, owner), members in groups.items():
        name = group_folder(group, owner if names.count(group) > 1 else "")
        try:
            export_loose_group(members, out / name)
        except Exception as error:  # the other groups are exported all the same
            failed.append(f"group {name}: not exported: {reason(error)}")
    return failed
