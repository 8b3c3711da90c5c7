"""The files by which a cluster's job and the Snakemake that submitted it know of each other.

They lie in `.snakemake/caduceus/jobs/` of the project, on the file system that all nodes share. So
how a job ended is known without the scheduler, whose list forgets jobs, and without accounting.
"""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from caduceus.errors import ResultError
from caduceus.io.files import read_json, write_json

FOLDER = Path(".snakemake/caduceus/jobs")
VARIABLE = "CADUCEUS_CLUSTER_JOB"  # leads the processes of a job to its files
# limit: its time limit came, and it goes on from a checkpoint. interrupted: a signal of the
# scheduler ended it, which may start it again under the same id.
Ending = Literal["finished", "failed", "limit", "interrupted"]


@dataclass(frozen=True)
class Submission:
    """A job as it was submitted.

    Attributes:
        job: its id; empty while it is being submitted.
        comment: which job of the workflow it is.
        continued: how often it was submitted again at its time limit.
    """

    job: str
    comment: str
    continued: int = 0


@dataclass(frozen=True)
class JobFiles:
    """The files of one job.

    Attributes:
        base: their path without suffix.
    """

    base: Path

    @classmethod
    def named(cls, folder: Path, name: str) -> "JobFiles":
        """Return the files of the job with this name, of the project in `folder`."""
        return cls(folder / FOLDER / name)

    @classmethod
    def of_this_job(cls, environment: Mapping[str, str] = os.environ) -> "JobFiles | None":
        """Return the files of the job in which this process runs; None outside of any."""
        base = environment.get(VARIABLE)
        return cls(Path(base)) if base else None

    @property
    def script(self) -> Path:
        """The shell script that the scheduler starts."""
        return self._with(".sh")

    def write_submission(self, submission: Submission) -> None:
        """Note how the job was submitted."""
        write_json(self._with(".json"), asdict(submission))

    def read_submission(self) -> Submission | None:
        """Return how the job was submitted; None if it wasn't, or if the file is damaged."""
        return read_submission(self._with(".json"))

    def write_end(self, ending: Ending) -> None:
        """Note how the job ended."""
        write_json(self._with(".end"), ending)

    def read_end(self) -> Ending | None:
        """Return how the job ended; None if that isn't known."""
        try:
            ending: Ending = read_json(self._with(".end"))
        except (OSError, ResultError):
            return None
        return ending

    def note_limit(self) -> None:
        """Note that the job was warned of its time limit."""
        write_json(self._with(".limit"), True)

    def is_at_limit(self) -> bool:
        """Whether the job was warned of its time limit."""
        return self._with(".limit").exists()

    def note_checkpoint(self) -> None:
        """Note that what the job has saved is enough to go on."""
        write_json(self._with(".saved"), True)

    def has_checkpoint(self) -> bool:
        """Whether what the job has saved is enough to go on."""
        return self._with(".saved").exists()

    def begin(self) -> None:
        """Remove what an earlier attempt of the job has noted."""
        for suffix in (".end", ".limit", ".saved"):
            self._with(suffix).unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove all files of the job."""
        self.begin()
        self._with(".json").unlink(missing_ok=True)
        self.script.unlink(missing_ok=True)

    def _with(self, suffix: str) -> Path:
        return self.base.with_name(self.base.name + suffix)


def read_submission(path: Path) -> Submission | None:
    """Return how a job was submitted; None if it wasn't, or if the file is damaged."""
    try:
        found = read_json(path)
        return Submission(str(found["job"]), str(found["comment"]), int(found["continued"]))
    except (OSError, ResultError, KeyError, TypeError, ValueError):
        return None


def submissions(folder: Path) -> dict[str, Submission]:
    """Return the jobs of the project in `folder` that were submitted, by name."""
    found = {path.stem: read_submission(path) for path in (folder / FOLDER).glob("*.json")}
    return {name: submission for name, submission in found.items() if submission}
