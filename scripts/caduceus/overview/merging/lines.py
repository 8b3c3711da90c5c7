"""What a merge has done, as lines of text."""

from collections.abc import Iterator

from caduceus.io.phrases import count_of
from caduceus.overview.merging.merge import Merged


def merged_lines(merged: Merged, is_dry: bool) -> Iterator[str]:
    """Yield what was taken, then what wasn't, with how to get it; refused runs are only counted."""
    for run in merged.taken:
        yield f"{'would take' if is_dry else 'taken'}: {run}"
    yield from merged.notes
    counts = [f"{'to take' if is_dry else 'taken'}: {len(merged.taken)}"]
    if merged.kept:
        counts.append(f"here already, and kept: {len(merged.kept)}")
    if merged.refused:
        counts.append(f"refused: {len(merged.refused)}")
    yield "; ".join(counts)
    if merged.costs:
        yield (
            f"attempts at {count_of(len(merged.costs), 'run')} that aren't taken: their cost is in "
            "the ledger"
        )
    if merged.unfinished:
        count = count_of(len(merged.unfinished), "run")
        yield f"not ended there: {count}; --unfinished takes them, to go on here"
    if merged.unplanned:
        count = count_of(len(merged.unplanned), "run")
        yield f"planned by no experiment here: {count}; --abandoned takes them, for the ledger"
