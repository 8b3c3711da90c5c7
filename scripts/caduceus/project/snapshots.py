"""Snapshots of code from which runs can be planned at any later time, whatever was edited since.

A snapshot is a folder results/tries/NAME/code/CODE with the files of the code under their paths in
the project. Beside it, CODE.yaml is the experiment, CODE.json lists the files that are code, and
CODE.commit.json has the commit. Snakemake gets CODE.yaml as an experiment: its runs have the ids
that they would have in the project itself.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from caduceus.io.copies import copy_file
from caduceus.io.files import Json, read_if_there, write_json
from caduceus.runs import source_code

_EXPERIMENT = re.compile(r"(?:.*/)?tries/[^/]+/code/[0-9a-f]+(\.holdout)?\.yaml")


def is_snapshot(experiment: str | Path) -> bool:
    """Whether an experiment file is that of a snapshot."""
    return bool(_EXPERIMENT.fullmatch(Path(experiment).as_posix()))


def code_root(experiment: str | Path, root: Path) -> Path:
    """Return the folder that the paths of code in an experiment file start from.

    Args:
        experiment: the file, relative to `root`.
        root: the project's folder.
    """
    if not is_snapshot(experiment):
        return root
    path = Path(experiment)
    return root / path.with_name(path.name.partition(".")[0])


def take_snapshot(
    files: Sequence[Path],
    root: Path,
    folder: Path,
    commit: Mapping[str, Json],
    others: Mapping[str, Path],
) -> None:
    """Copy code to `folder`, unless that was done before.

    Args:
        files: the files of the code.
        root: the folder that their paths start from.
        folder: of the snapshot.
        commit: the git commit of the code, as `git.read_commit` returns it.
        others: further files that the experiment names, by their paths in the project.
    """
    if _commit(folder).exists():  # it is written last
        return
    source_code.snapshot(files, root, folder)
    for name, path in others.items():
        if path.is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            copy_file(path, folder / name)
    write_json(_commit(folder), dict(commit))


def read_snapshot_commit(folder: Path) -> dict[str, Json]:
    """Return the commit of a snapshot's code; empty if it isn't known."""
    return read_if_there(_commit(folder), "delete it; the commit is then unknown")


def _commit(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.commit.json")
