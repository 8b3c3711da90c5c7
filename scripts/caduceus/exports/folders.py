"""The export of W&B folders that belong to no project of Caduceus."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from caduceus.errors import ResultError
from caduceus.exports.group_names import group_folder
from caduceus.exports.run import export_logs
from caduceus.runs.files.export import Summary
from caduceus.wandb_log import LogError, find_logs, group_by_run


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
        The folders of the exported runs, and a line for each loss.

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
    folders = {out / "runs" / name: found for name, found in runs.items()}
    for folder, lost in _export_all(folders, jobs):
        problems += [f"{folder.name}: {message}" for message in lost]
    done = [folder for folder in folders if (folder / "manifest.json").exists()]
    if with_groups:
        _export_groups(done, out / "groups")
    return done, problems


def _export_all(
    folders: Mapping[Path, Sequence[Path]], jobs: int
) -> Iterator[tuple[Path, list[str]]]:
    """Export all runs, several at a time; yield the folder of each and a line for each loss."""
    if len(folders) == 1:  # saves the time to import and start other processes
        for folder, logs in folders.items():
            yield folder, _export(logs, folder)
        return
    from concurrent.futures import ProcessPoolExecutor, as_completed

    import numpy  # noqa: F401  # once for all processes; it makes short logs faster to read too
    from tqdm import tqdm

    with ProcessPoolExecutor(jobs) as pool:
        waiting = {pool.submit(_export, logs, folder): folder for folder, logs in folders.items()}
        for done in tqdm(as_completed(waiting), total=len(waiting), unit=" runs", disable=None):
            yield waiting[done], done.result()


def _export(logs: Sequence[Path], folder: Path) -> list[str]:
    """Export one run; return a line for each loss."""
    try:
        manifest = export_logs(logs, folder)
    except LogError as error:
        return [str(error)]
    replaced = [
        f"{number} rows of {log} aren't in the export: a later process started the run afresh"
        for log, number in (manifest.replaced or {}).items()
    ]
    damage = [f"the log is damaged: {manifest.lost}"] if manifest.lost else []
    return [*damage, *replaced, *(manifest.missing or ())]


def _export_groups(folders: Sequence[Path], out: Path) -> None:
    from caduceus.exports.group import export_loose_group  # needs pyarrow, which runs don't

    groups: dict[tuple[str, str], list[Path]] = {}
    for folder in folders:
        summary = Summary.read(folder / "run_summary.json")
        owner = "/".join(filter(None, (summary.entity, summary.project)))
        groups.setdefault((summary.group, owner), []).append(folder)
    names = [group for group, _ in groups]
    for (group, owner), members in groups.items():
        name = group_folder(group, owner if names.count(group) > 1 else "")
        export_loose_group(members, out / name)
