"""Read Snakemake's records of finished jobs: rule, input files and command."""

from base64 import urlsafe_b64encode
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from caduceus.io.files import read_json

_RECORDS = ".snakemake/metadata"
_NAME_LENGTH = 254  # Snakemake splits longer names of records into folders and a file


@dataclass(frozen=True)
class JobRecord:
    """The job that made a file. Paths are relative to `root`, the folder where Snakemake ran.

    `made` is the output that the job declares: the file, or a folder above it.
    """

    made: str
    rule: str
    inputs: Sequence[str]
    command: str
    ended: datetime
    root: Path


def find_record(path: Path) -> JobRecord | None:
    """Return the record of the job that made a file or a folder above it; None if there is none.

    Snakemake 9 keeps records in .snakemake/metadata, each in a file with the base64 of the output's
    path as its name.
    """
    absolute = path.absolute()
    root = next((folder for folder in absolute.parents if (folder / ".snakemake").is_dir()), None)
    if root is None:
        return None
    inside = absolute.relative_to(root)
    for made in (inside, *inside.parents[:-1]):
        record = root / record_path(made.as_posix())
        if record.exists():
            job = read_json(record)
            ended = datetime.fromtimestamp(job["endtime"], UTC)
            command = job["shellcmd"] or ""
            return JobRecord(made.as_posix(), job["rule"], job["input"], command, ended, root)
    return None


def record_names() -> frozenset[str]:
    """Return the names in the folder of Snakemake's records, in the folder where it ran."""
    try:
        return frozenset(path.name for path in Path(_RECORDS).iterdir())
    except FileNotFoundError:
        return frozenset()


def may_have_record(names: Collection[str], made: str) -> bool:
    """Whether a declared output may have a record; false if it has none.

    Args:
        names: from `record_names`.
        made: the output's path, from the folder where Snakemake ran.
    """
    return bool(names) and record_path(made).split("/")[2] in names


def record_path(made: str) -> str:
    """Return the path of Snakemake's record of a declared output, from the folder where it ran."""
    name = urlsafe_b64encode(made.encode()).decode()
    parts = [name[at : at + _NAME_LENGTH] for at in range(0, len(name), _NAME_LENGTH)]
    return "/".join([_RECORDS, *(f"@{part}" for part in parts[:-1]), parts[-1]])
