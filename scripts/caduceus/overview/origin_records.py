"""Where a result comes from, as records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from caduceus.io.files import Json
from caduceus.runs.files.params import Adopted


@dataclass(frozen=True)
class RunOrigin:
    """A run behind a result.

    Attributes:
        run: its id.
        state: its state; None if it isn't known.
        commit: the git commit; None if it isn't known.
        is_dirty: whether the tree had other changes; None if it isn't known.
        environment: digest of the packages.
        manifest: sha256 of the manifest of its export.
        value: its value of the metric; None if it has none, or no metric is asked for.
        is_exported: whether its export is there.
    """

    run: str
    state: str | None
    commit: str | None
    is_dirty: bool | None
    environment: str | None
    manifest: str | None
    value: float | None
    is_exported: bool


@dataclass(frozen=True)
class Input:
    """An input of an item of the paper: a file, its digest then, and whether it has changed."""

    file: str
    sha256: str
    has_changed: bool


@dataclass(frozen=True)
class Part:
    """A cell of a table, or all of another item of the paper.

    Attributes:
        cell: labels and heading; None for what isn't a cell.
        value: of a cell.
        verdict: of a claim.
        metric: the metric whose values the runs have, in words.
        runs: the runs behind it.
        replaced: the runs whose export isn't the one that was used, or is gone.
        changed: by run, which files it used beyond its code changed since.
    """

    cell: str | None
    value: float | None
    verdict: str | None
    metric: str | None
    runs: Sequence[RunOrigin]
    replaced: Sequence[str]
    changed: Mapping[str, str]


@dataclass(frozen=True)
class ItemOrigin:
    """Where an item of the paper comes from; `command` makes it again."""

    item: str
    command: str
    inputs: Sequence[Input]
    parts: Sequence[Part]


@dataclass(frozen=True)
class AttemptOrigin:
    """An attempt of a run; `environment` is the digest of its packages."""

    attempt: int | None
    state: str
    host: str | None
    started_at: str | None
    wall_s: float
    commit: str | None
    is_dirty: bool | None
    environment: str | None


@dataclass(frozen=True)
class Definition:
    """The definition of a run, as params.json has it; `code` is a digest.

    `adopted` is of a run that an earlier one was declared to be: what ran, and who declared it.
    """

    program: str
    code: str
    parameters: Json
    seed: int
    dataset: Json
    adopted: Adopted | None


@dataclass(frozen=True)
class RunDetails:
    """A run's definition and attempts.

    Attributes:
        run: its id.
        name: its name.
        state: its state; None if it hasn't finished.
        is_unchanged: whether the file is as it was made; None if nothing tells.
        definition: None if its params.json isn't there, as for remote runs.
        attempts: all of them.
        used: the files that it used beyond its code.
        changed: which of them changed since; empty if none.
    """

    run: str
    name: str | None
    state: str | None
    is_unchanged: bool | None
    definition: Definition | None
    attempts: Sequence[AttemptOrigin]
    used: Sequence[str]
    changed: str


@dataclass(frozen=True)
class JobOrigin:
    """The job of Snakemake that made a file; `command` makes it again, `shell` is what it ran."""

    rule: str
    ended: str
    command: str
    shell: str
    inputs: Sequence[str]


@dataclass(frozen=True)
class FileOrigin:
    """Where a file or folder comes from.

    Attributes:
        file: its path.
        sha256: its digest; None for a folder.
        job: the job that made it; None if Snakemake has recorded none here.
        run: the run that it belongs to, if it does.
        runs: the runs behind it, if it belongs to none.
    """

    file: str
    sha256: str | None
    job: JobOrigin | None
    run: RunDetails | None
    runs: Sequence[RunOrigin]
