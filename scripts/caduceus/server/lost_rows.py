"""Rows that a server lacks before its last one: a sync sends none of them."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from caduceus.io.csv_rows import text_rows
from caduceus.io.phrases import count_of

_HISTORY = "metrics_history.csv"


def lost_rows(here: Path, there: Path, run: str, page: str) -> Iterator[str]:
    """Yield a line that says how to mend a run of which the server lacks earlier rows, if any.

    A server takes rows only after its last one, so that another sync doesn't send them.

    Args:
        here: the folder of the run's export from its own logs.
        there: the folder of its export from the server.
        run: the name of the run's folder.
        page: the address of the run's page on the server.
    """
    steps = [
        Counter(int(row["_step"]) for row in text_rows(folder / _HISTORY))
        for folder in (here, there)
    ]
    last = max(steps[1], default=-1)
    missing = sorted(step for step in (steps[0] - steps[1]).elements() if step < last)
    if missing:
        yield (
            f"the server has lost {count_of(len(missing), 'row')} of {run}, from _step {missing[0]}"
            f" to {missing[-1]}, and takes none before its last one, at _step {last}; all are here."
            f" To mend it, delete the run on {page}, or, if the server refuses the id of a deleted "
            f"run, set another wandb.project and type `snakemake`; then `caduceus sync {run}` sends"
            " all rows"
        )
