"""The states of runs, as lines for a reader."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType

from caduceus.io.phrases import count_of
from caduceus.overview.forecasts import duration_text
from caduceus.overview.plans import Rebuild
from caduceus.overview.progress import Progress
from caduceus.overview.run_notes import Note
from caduceus.overview.status import DAMAGED, RunStatus
from caduceus.runs.states import STATES

_LISTED = (
    "running",
    "queued",
    "interrupted",
    "to export",
    "failed",
    DAMAGED,
)  # states with a line a run
_SHOWN = 20  # runs of a state


def state_lines(
    experiments: Mapping[str, Sequence[RunStatus]],
    listed: Collection[str],
    notes: Mapping[str, Sequence[Note]] = MappingProxyType({}),
) -> Iterator[str]:
    """Yield a line for each experiment, then its runs that are running or need attention.

    Args:
        experiments: the states of their runs, by experiment.
        listed: the experiments that config.yaml lists; others were planned before.
        notes: on their ended runs, by experiment.
    """
    for experiment, runs in experiments.items():
        counts = Counter(run.state for run in runs)
        parts = ", ".join(
            f"{counts[state]} {state}" for state in (*STATES, DAMAGED) if counts[state]
        )
        where = "" if experiment in listed else " (not in config.yaml)"
        yield f"{experiment}{where}: {count_of(len(runs), 'run')}, {parts}"
        for state in _LISTED:
            shown = [run for run in runs if run.state == state]
            for run in shown[:_SHOWN]:
                yield f"  {state:<11}  {run.name}{_about(run)}"
            if len(shown) > _SHOWN:
                yield f"  {state:<11}  and {len(shown) - _SHOWN} more"
        for note in notes.get(experiment, ()):
            yield f"  {note.kind:<11}  {note.text}"
    if any(run.state == "failed" for name in listed for run in experiments.get(name, ())):
        yield "failed runs: fix the cause, type `caduceus retry`, and start snakemake again"


def stale_lines(stale: Sequence[Rebuild]) -> Iterator[str]:
    """Yield the results that would be made again, each with its reason."""
    if not stale:
        return
    yield f"stale: {count_of(len(stale), 'result')} would be made again"
    width = max(len(each.item) for each in stale[:_SHOWN])
    for each in stale[:_SHOWN]:
        yield f"  {each.item:{width}}  {each.why}"
    if len(stale) > _SHOWN:
        yield f"  and {len(stale) - _SHOWN} more; `caduceus plan` has them all"


def _about(run: RunStatus) -> str:
    parts = [_progress(run.progress)] if run.progress else []
    parts += [run.about] if run.about else []
    return f": {', '.join(parts)}" if parts else ""


def _progress(progress: Progress) -> str:
    if progress.step is None:
        how_far = "no row yet"
    elif progress.steps is None:
        how_far = f"step {progress.step}"
    else:
        share = min(1.0, (progress.step + 1) / progress.steps)
        how_far = f"step {progress.step} of {progress.steps - 1} ({share:.0%})"
    if progress.left_s is None:
        left = ""
    elif progress.left_s < 0:
        left = ", longer than earlier runs"
    else:
        left = f", about {duration_text(progress.left_s)} left"
    return f"{how_far}, for {duration_text(progress.elapsed_s)}{left}"
