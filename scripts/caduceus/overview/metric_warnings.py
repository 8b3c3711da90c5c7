"""Metrics of the paper that no run of its experiments has logged so far, said before training."""

from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path

from caduceus.errors import ResultError
from caduceus.io.csv_rows import columns_of
from caduceus.project.paper import Entry, FigureEntry
from caduceus.project.project import Project
from caduceus.runs.record import RunRecord, read_records
from caduceus.runs.unknown_metrics import no_run_logged
from caduceus.runs.variants import leaves

_WANDBS_OWN = ("_step", "_runtime", "_timestamp")  # which every row has


def metric_warnings(project: Project, results: Path) -> Iterator[str]:
    """Yield a line for each metric of an entry that no finished run of its experiments has logged.

    They are no errors, since a changed program may start to log the metric. Nothing is said of
    experiments without a finished run.

    Args:
        project: the project.
        results: the folder results/.
    """
    wanted = {
        at: entry
        for at, entry in project.paper.entries.items()
        if not (isinstance(entry, FigureEntry) and entry.kind == "confusion")  # names a chart
    }
    if not wanted:
        return
    experiments = {
        at: list(dict.fromkeys(project.runs[run][0].id for run in project.shown_runs(*at)))
        for at in wanted
    }
    named: dict[str, set[str]] = {}
    for at, entry in wanted.items():
        for id in experiments[at]:
            named.setdefault(id, set()).update(metric for _, metric in _named(entry))
    logged = _logged(read_records(results), project, named)
    for (section, name), entry in wanted.items():
        ids = experiments[section, name]
        known = sorted({metric for id in ids for metric in logged.get(id, ())})
        for key, metric in _named(entry):
            if known and metric not in (*known, *_WANDBS_OWN):
                yield f"paper.{section}.{name}: {key}: so far {no_run_logged(metric, known)}"


def _named(entry: Entry) -> Iterator[tuple[str, str]]:
    """Yield each metric that an entry names, after its key: also axes, and what chooses a row."""
    for heading, metric in entry.metrics.items():
        yield f"metrics.{heading}", metric.name
        if metric.best_by:
            yield f"metrics.{heading}.best_by", metric.best_by.name
        if metric.axis:
            yield f"metrics.{heading}.at", metric.axis
    if isinstance(entry, FigureEntry) and entry.axis:
        yield "axis", entry.axis


def _logged(
    records: Sequence[RunRecord], project: Project, named: Mapping[str, Set[str]]
) -> dict[str, set[str]]:
    """Return the names that finished runs logged, in rows or summary, by experiment.

    Of an experiment no more runs are read once all that is named of it was found.

    Args:
        records: of all runs.
        project: the project, by which the experiment of a run is known before it is read.
        named: the metrics that entries name, by experiment.
    """
    found: dict[str, set[str]] = {}
    for record in records:
        if planned := project.runs.get(record.run):
            id = planned[0].id
            if named.get(id, set()) <= found.get(id, set()) | {*_WANDBS_OWN}:
                continue
        try:
            summary = record.exported
            if summary is None or summary.state != "finished" or not summary.experiment:
                continue
            names = {name for name, _ in leaves(summary.summary)}
            names.update(columns_of(record.folder.path / "metrics_history.csv"))
        except (ResultError, OSError):  # a damaged file, which `caduceus status` names
            continue
        found.setdefault(summary.experiment, set()).update(names)
    return found
