"""Train and export the runs of tries by Snakemake, as any other runs."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from caduceus.errors import ProgramError
from caduceus.runs.files.tries import Ledger, LedgerFolder
from caduceus.system.foreground import run_here
from caduceus.system.snakemake_lock import find_holder
from caduceus.tries.codes import plan_runs, run_of
from caduceus.tries.gate import Wanted

_POLL_S = 0.5


def train_runs(
    folder: LedgerFolder,
    ledger: Ledger,
    results: Path,
    arguments: Sequence[str],
    wanted: Sequence[Wanted],
) -> None:
    """Train and export runs, those of all codes at the same time.

    Args:
        folder: the ledger's.
        ledger: what is fixed in it.
        results: the folder results/.
        arguments: of Snakemake, beside what chooses the runs.
        wanted: the runs.

    Raises:
        ProgramError: Snakemake ended before all of them had been exported.
    """
    files = [plan_runs(folder, each.code, each.seeds, each.extra) for each in wanted]
    # A manifest that is there doesn't make Snakemake train a run that `caduceus retry` has cleared.
    targets = [
        results / "runs" / run_of(ledger.experiment, each.code, seed, each.extra) / name
        for each in wanted
        for seed in each.seeds
        for name in ("train.json", "manifest.json")
    ]
    words = [sys.executable, "-m", "snakemake", *map(str, targets)]
    # The paper in config.yaml may show other experiments, which aren't made here.
    words += ["--config", f"experiments=[{', '.join(map(str, files))}]", "paper=none"]
    words += ["--rerun-incomplete", "--quiet", "host", "rules", "reason", *arguments]
    status = _run_alone(words)
    missing = [path for path in targets if not path.exists()]
    if status or missing:
        raise ProgramError(
            f"Snakemake ended with status {status} before the try was decided; the same `caduceus "
            "try` goes on",
            str(missing[0].parent if missing else folder.path),
        )


def _run_alone(words: Sequence[str]) -> int:
    """Run Snakemake once no other works in this folder, and return its exit status.

    While it starts, another may lock the folder, and it then ends at once with an error.
    """
    while True:
        _wait_for_others()
        # Standard output holds nothing but the verdict.
        status = run_here(words, prints_to_error=True)
        if not status or not (holder := find_holder()) or holder[1] is None:
            return status


def _wait_for_others() -> None:
    """Wait for a Snakemake that works in this folder, such as that of a killed `caduceus try`."""
    is_said = False
    while holder := find_holder():
        host, pid = holder
        if pid is None:  # on another host, where it may have ended: Snakemake itself decides
            return
        if not is_said:
            print(f"caduceus try: waiting for Snakemake, process {pid}, on {host}", file=sys.stderr)
            is_said = True
        time.sleep(_POLL_S)
