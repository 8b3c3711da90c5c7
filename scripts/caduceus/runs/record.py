"""A run as its folder holds it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from caduceus.errors import ResultError
from caduceus.runs.attempts import read_attempts, remote_attempt
from caduceus.runs.files.attempt import Attempt
from caduceus.runs.files.export import Manifest, Summary
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.params import Params
from caduceus.runs.files.train import Train
from caduceus.runs.folder import RunFolder


@dataclass(frozen=True)
class RunRecord:
    """A run, read from its folder: each file is read once, when its content is first used.

    A damaged file raises a ResultError that names it; the other files stay readable.

    Attributes:
        folder: results/runs/RUN, or a folder of the same layout below results/projects.
        type: the type of its experiment; None if it belongs to none.
    """

    folder: RunFolder
    type: str | None = None

    @property
    def run(self) -> str:
        """The run's id."""
        return self.folder.path.name

    @cached_property
    def params(self) -> Params:
        """params.json.

        Raises:
            ResultError: `caduceus retry` has cleared the run, or the file is damaged.
        """
        path = self.folder.params_json
        if not path.exists():
            raise ResultError(
                "isn't there, as after `caduceus retry`; `snakemake` plans the run again", str(path)
            )
        return Params.read(path)

    @property
    def is_planned(self) -> bool:
        """Whether params.json and run.json are there; `caduceus retry` removes the first."""
        return self.folder.params_json.exists() and self.folder.run_json.exists()

    @cached_property
    def identity(self) -> Identity:
        """run.json."""
        return Identity.read(self.folder.run_json)

    @cached_property
    def train(self) -> Train | None:
        """train.json; None if its training hasn't ended, or ended elsewhere."""
        return Train.read_if_there(self.folder.train_json)

    @cached_property
    def exported(self) -> Summary | None:
        """run_summary.json; None if the run isn't exported."""
        return Summary.read_if_there(self.folder.summary_json)

    @cached_property
    def summary(self) -> Summary:
        """run_summary.json of a run that is exported."""
        return self.exported or Summary.read(self.folder.summary_json)

    @cached_property
    def manifest(self) -> Manifest | None:
        """manifest.json; None if the run isn't exported."""
        return Manifest.read_if_there(self.folder.manifest_json)

    @cached_property
    def damage(self) -> list[str]:
        """A line for each damaged file; manifest.json, which may be large, isn't read."""
        found = []
        if self.folder.params_json.exists():
            found += _damage(lambda: self.params)
        if self.folder.run_json.exists():
            found += _damage(lambda: self.identity)
        found += [*_damage(lambda: self.train), *_damage(lambda: self.exported)]
        # Without a whole train.json its attempts are those of the files below work/.
        return found or _damage(lambda: self.attempts)

    @cached_property
    def attempts(self) -> tuple[Attempt, ...]:
        """Its attempts, oldest first; a remote run has one, of which only the time is known."""
        if self.train:
            return self.train.attempts
        if here := read_attempts(self.folder.attempts):
            return tuple(here)
        return (remote_attempt(self.exported),) if self.exported else ()


def read_records(results: Path) -> list[RunRecord]:
    """Return every run below results/runs, in the order of their ids."""
    folders = sorted(path for path in (results / "runs").glob("*") if path.is_dir())
    return [RunRecord(RunFolder(path)) for path in folders]


def _damage(read: Callable[[], object]) -> list[str]:
    try:
        read()
    except ResultError as error:
        return [str(error)]
    return []
