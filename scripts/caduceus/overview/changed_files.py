"""Lines on files that runs used beyond their code, and that changed or are gone since."""

from collections.abc import Iterable, Iterator

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


def changed_lines(finished: Iterable[RunRecord]) -> Iterator[str]:
    """Yield the finished runs whose files aren't what they were, by experiment and files."""
    found: dict[tuple[str, str, bool], int] = {}
    for run in finished:
        if phrase := change_phrase(changes_since(run.attempts)):
            is_kept = not stale_since(run.folder, run.attempts)
            key = (run.identity.experiment, phrase, is_kept)
            found[key] = found.get(key, 0) + 1
    if found:
        yield "ran with files that have changed, which aren't counted as code:"
    for (experiment, phrase, is_kept), count in found.items():
        what = "left alone" if is_kept else "snakemake trains them again"
        yield f"  {experiment}, {count_of(count, 'run')}: {phrase}; {what}"
