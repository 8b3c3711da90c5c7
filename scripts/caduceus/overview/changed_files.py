"""Lines on files that runs used beyond their code, and that changed or are gone since."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from caduceus.io.phrases import count_of, listed
from caduceus.runs.record import RunRecord
from caduceus.runs.used_files import Changes, changes_since, stale_since

_NAMED = 3  # files in a line


def change_phrase(changes: Changes) -> str:
    """Return which files have changed, are gone, or may have; empty if all are as they were."""
    parts = [
        (changes.changed, "changed since it ran"),
        (changes.missing, "gone since it ran"),
        (changes.unknown, "changed while it ran"),
    ]
    return "; ".join(f"{listed(names, _NAMED)} {what}" for names, what in parts if names)


@dataclass(frozen=True)
class ChangedFiles:
    """Finished runs of an experiment whose files aren't what they were.

    Attributes:
        experiment: its id.
        runs: how many there are.
        files: which files, and what became of them.
        is_kept: whether the runs are left alone; snakemake trains the others again.
    """

    experiment: str
    runs: int
    files: str
    is_kept: bool


def find_changed(finished: Iterable[RunRecord]) -> list[ChangedFiles]:
    """Return the finished runs whose files aren't what they were, by experiment and files."""
    found: dict[tuple[str, str, bool], int] = {}
    for run in finished:
        if phrase := change_phrase(changes_since(run.attempts)):
            is_kept = not stale_since(run.folder, run.attempts)
            key = (run.identity.experiment, phrase, is_kept)
            found[key] = found.get(key, 0) + 1
    return [
        ChangedFiles(experiment, count, phrase, is_kept)
        for (experiment, phrase, is_kept), count in found.items()
    ]


def changed_lines(found: Sequence[ChangedFiles]) -> Iterator[str]:
    """Yield a line for each entry of `find_changed`, after a heading."""
    if found:
        yield "ran with files that have changed, which aren't counted as code:"
    for each in found:
        what = "left alone" if each.is_kept else "snakemake trains them again"
        yield f"  {each.experiment}, {count_of(each.runs, 'run')}: {each.files}; {what}"
