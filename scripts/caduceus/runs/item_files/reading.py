"""Find and read the file of a run that has the scores of its test items."""

from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from caduceus.errors import ResultError
from caduceus.io.phrases import listed, pasted
from caduceus.runs.files.export import Summary
from caduceus.runs.item_files.inspect_logs import inspect_scores
from caduceus.runs.item_files.item_file import ItemFile
from caduceus.runs.item_files.item_scores import ItemScore, by_item
from caduceus.runs.item_files.records import csv_scores, json_scores

SUFFIXES = (".csv", ".jsonl", ".json", ".eval")
_LISTED = 10  # files that an error lists


def read_items(path: Path, chosen: ItemFile) -> dict[str, ItemScore]:
    """Return the scores in a file, by item.

    Its suffix says how it is read: `.csv`; `.jsonl`, as lm-eval writes it; `.eval`, a log of
    Inspect; `.json`, a list as lm-eval logs it to W&B, or a log of Inspect.

    Raises:
        ResultError: the file is wrong in some way; names its line.
        ResourceError: it is a log of Inspect, and inspect_ai isn't installed.
    """
    match path.suffix:
        case ".csv":
            scores = csv_scores(path, chosen)
        case ".jsonl":
            scores = json_scores(path, chosen)
        case ".json" if _is_list(path):
            scores = json_scores(path, chosen)
        case ".json" | ".eval":
            scores = inspect_scores(path, chosen)
        case _:
            raise ResultError(f"a file of items ends in {', '.join(SUFFIXES)}", str(path))
    return by_item(path, scores)


def find_items(folder: Path, summary: Summary, chosen: ItemFile) -> Path:
    """Return the file of a run's artifacts that has the scores of its items.

    Args:
        folder: the folder of the run's export.
        summary: its run_summary.json.
        chosen: names the file, and the artifact if several have it.

    Raises:
        ResultError: no artifact has the file, several have it, or it wasn't exported.
    """
    last = {artifact.name: artifact for artifact in summary.artifacts}
    files = [(name, file) for name, artifact in last.items() for file in artifact.files]
    found = [
        (name, file)
        for name, file in files
        if fnmatchcase(file, chosen.file) and fnmatchcase(name, chosen.artifact or "*")
    ]
    if len(found) > 1:
        raise ResultError(
            f"{_named(chosen)} matches several files: {_listed(found)}; name the `artifact`, or "
            "more of the file's name",
            str(folder),
        )
    if not found:
        there = f"there are {_listed(files)}" if files else "it logged no artifacts"
        raise ResultError(f"no artifact of the run has {_named(chosen)}; {there}", str(folder))
    [(artifact, file)] = found
    path = folder / "artifacts" / artifact / PurePosixPath(file)
    if not path.is_file():
        raise ResultError(
            "missing, though the run logged it; delete the run's manifest.json, and `snakemake` "
            "exports it again",
            str(path),
        )
    return path


def _is_list(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="replace") as stream:
        start = stream.read(1_000)
    return start.lstrip("\ufeff \t\r\n").startswith("[")


def _named(chosen: ItemFile) -> str:
    artifact = f" in {pasted(chosen.artifact)}" if chosen.artifact else ""
    return f"{pasted(chosen.file)}{artifact}"


def _listed(files: list[tuple[str, str]]) -> str:
    return listed([f"{file} in {artifact}" for artifact, file in files], _LISTED)
