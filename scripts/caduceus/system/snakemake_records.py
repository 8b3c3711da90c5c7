"""What Snakemake notes of each job: by which rule, from which files, by which command."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from caduceus.io.files import read_json

_NAME_LENGTH = 254  # of a file, in which Snakemake cuts the names of its records


@dataclass(frozen=True)
class JobRecord:
    """The job that made a file. Paths are relative to `root`, the folder that Snakemake works in.

    `made` is what the job declares: the file, or the folder that it lies in.
    """

    made: str
    rule: str
    inputs: Sequence[str]
    command: str
    ended: datetime
    root: Path


def find_record(path: Path) -> JobRecord | None:
    """The record of the job that made a file, or the folder that it lies in; None if none did.

    Snakemake 9 keeps it in .snakemake/metadata, in a file named by the path in base64.
    """
    absolute = path.absolute()
    root = next((folder for folder in absolute.parents if (folder / ".snakemake").is_dir()), None)
    if root is None:
        return None
    inside = absolute.relative_to(root)
    for made in (inside, *inside.parents[:-1]):
        name = urlsafe_b64encode(made.as_posix().encode()).decode()
        parts = [name[at : at + _NAME_LENGTH] for at in range(0, len(name), _NAME_LENGTH)]
        folders = (f"@{part}" for part in parts[:-1])
        record = root.joinpath(".snakemake/metadata", *folders, parts[-1])
        if record.exists():
            found = read_json(record)
            ended = datetime.fromtimestamp(found["endtime"], UTC)
            about = (found["rule"], found["input"], found["shellcmd"] or "", ended)
            return JobRecord(made.as_posix(), *about, root)
    return None
