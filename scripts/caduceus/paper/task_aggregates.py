"""Aggregate columns of a table with tasks: mean, average rank, IQM, probability of improvement."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from caduceus.errors import SpecError
from caduceus.io.phrases import count_of
from caduceus.paper.rank_sentences import rank_sentences
from caduceus.paper.results import find_side
from caduceus.paper.table_cells import Sample
from caduceus.paper.table_layout import Layout, LayoutColumn
from caduceus.project.paper import FigureEntry, TableEntry
from caduceus.project.sides import Side
from caduceus.runs.files.plan import Spec
from caduceus.runs.goal import Goal
from caduceus.statistics.estimates import Estimate
from caduceus.statistics.ranks import compare_ranks, task_ranks
from caduceus.statistics.samples import Array
from caduceus.statistics.settings import Methods
from caduceus.statistics.tasks import estimate_over_tasks, improvement_over_tasks

DEFAULT = ("mean", "rank")  # the aggregates of an entry that names none


@dataclass(frozen=True)
class Aggregate:
    """An aggregate column: an estimate over tasks for each row that has one.

    Attributes:
        heading: its name, which no other column has.
        title: what stands above it, below the title of all aggregates.
        shown: the heading of its metric in the entry.
        estimates: by row.
        tasks: the headings of the tasks that are aggregated.
        decimals: None for as many as the interval needs.
    """

    heading: str
    title: str
    shown: str
    estimates: Mapping[int, Estimate]
    tasks: frozenset[str]
    decimals: int | None


@dataclass(frozen=True)
class MetricOnTasks:
    """A metric's results on each task, and which tasks all methods have.

    Attributes:
        shown: the heading of the metric in the entry.
        goal: which values are better; None if nobody says it.
        columns: the tasks.
        samples: by heading of a column and row.
    """

    shown: str
    goal: Goal | None
    columns: Sequence[LayoutColumn]
    samples: Mapping[str, Mapping[int, Sample]]

    @cached_property
    def rows(self) -> list[int]:
        """The methods that have a result on any task."""
        return sorted({row for column in self.columns for row in self.samples[column.heading]})

    @cached_property
    def shared(self) -> list[LayoutColumn]:
        """The tasks on which all these methods have results."""
        return [
            column
            for column in self.columns
            if self.rows and all(row in self.samples[column.heading] for row in self.rows)
        ]

    def means(self) -> Array:
        """Return the statistic of each task and method, (tasks, methods), on shared tasks."""
        return np.array(
            [
                [self.samples[column.heading][row].estimate.value for row in self.rows]
                for column in self.shared
            ]
        )

    def scores(self, row: int, normalise: Mapping[str, Sequence[float]]) -> Array:
        """Return the runs of a method, (runs, tasks), on shared tasks, NaN where there are fewer.

        Args:
            row: of the method.
            normalise: by task, the values that count as 0 and as 1; empty for raw values.
        """
        tasks = [list(self.samples[column.heading][row].by_seed.values()) for column in self.shared]
        table = np.full((max(map(len, tasks)), len(tasks)), np.nan)
        for place, (column, values) in enumerate(zip(self.shared, tasks, strict=True)):
            zero, one = normalise.get(column.task or "", (0.0, 1.0))
            table[: len(values), place] = (np.array(values) - zero) / (one - zero)
        return table


def on_tasks(
    layout: Layout,
    samples: Mapping[str, Mapping[int, Sample]],
    goals: Mapping[str, Goal | None],
) -> list[MetricOnTasks]:
    """Return the results of each metric of a table with tasks.

    Args:
        layout: the rows and columns of the table.
        samples: its numbers, by heading of a column and row.
        goals: by heading of a column.
    """
    shown = dict.fromkeys(column.shown for column in layout.columns)
    found = []
    for each in shown:
        columns = [column for column in layout.columns if column.shown == each]
        found.append(MetricOnTasks(each, goals[columns[0].heading], columns, samples))
    return found


def aggregates_of(
    entry: TableEntry,
    layout: Layout,
    metrics: Sequence[MetricOnTasks],
    experiments: Sequence[Spec],
    methods: Methods,
    where: str,
) -> list[Aggregate]:
    """Return the aggregate columns of a table with tasks.

    All methods are aggregated over the same tasks: those on which all that have any result have
    one. Without such a task no row has an aggregate.

    Args:
        entry: its entry in `paper.tables`.
        layout: its rows and columns.
        metrics: its numbers.
        experiments: the specs of the experiments; a baseline that the entry lacks is theirs.
        methods: the statistical methods.
        where: the keys of the entry, for error messages.

    Raises:
        SpecError: the probability of improvement needs a baseline, which there isn't, or it matches
            none or several methods.
    """
    found = []
    for on in metrics:
        prefix = f"{on.shown}: " if len(metrics) > 1 else ""
        for kind in DEFAULT if entry.aggregates is None else entry.aggregates:
            if kind == "rank" and (on.goal is None or len(on.rows) < 2):
                continue  # nothing is better, or there is nothing to rank
            heading, title, decimals = _TITLES[kind]
            estimates: dict[int, Estimate] = {}
            if kind == "improvement":
                base = baseline_row(entry, layout, experiments, where)
                title = title.format(layout.rows[base].label)
                if on.shared and base in on.rows:
                    estimates = _improvements(on, base, methods)
            elif on.shared:
                estimates = _ranks(on) if kind == "rank" else _means(entry, on, kind, methods)
            names = f"{prefix}{heading}", f"{prefix}{title}"
            if methods.folds is not None:  # a bootstrap takes runs as independent
                estimates = {row: _without_interval(each) for row, each in estimates.items()}
            tasks = frozenset(column.heading for column in on.shared)
            found.append(Aggregate(*names, on.shown, estimates, tasks, decimals))
    return found


_TITLES = {
    "mean": ("mean over tasks", "mean", None),
    "iqm": ("IQM over tasks", "IQM", None),
    "rank": ("average rank over tasks", "rank", 2),
    "improvement": ("probability of improvement", "P(> {})", 2),
}


def baseline_row(
    entry: TableEntry | FigureEntry, layout: Layout, experiments: Sequence[Spec], where: str
) -> int:
    """Return the row of the baseline: the entry's, else the experiments'.

    Raises:
        SpecError: there is none, or it matches none or several rows.
    """
    sides: list[Side] = [entry.baseline] if entry.baseline else []
    for spec in [] if sides else experiments:
        if spec.baseline and spec.baseline not in sides:
            sides.append(spec.baseline)
    sides = [{k: value for k, value in side.items() if k != entry.tasks} for side in sides]
    if not sides:
        raise SpecError("there is no baseline; add the key 'baseline' here", where)
    variants = [row.variant for row in layout.rows]
    rows = {variants.index(find_side(variants, side, f"{where}.baseline")) for side in sides}
    if len(rows) > 1:
        raise SpecError("the experiments have several baselines; add the key 'baseline'", where)
    return rows.pop()


def _without_interval(found: Estimate) -> Estimate:
    """Return an estimate without its interval."""
    return replace(found, low=float("nan"), high=float("nan"))


def _means(
    entry: TableEntry, on: MetricOnTasks, kind: str, methods: Methods
) -> dict[int, Estimate]:
    return {
        row: estimate_over_tasks(
            on.scores(row, entry.normalise),
            "iqm" if kind == "iqm" else "mean",
            methods.confidence,
            methods.resamples,
        )
        for row in on.rows
    }


def _improvements(on: MetricOnTasks, base: int, methods: Methods) -> dict[int, Estimate]:
    sign = -1.0 if on.goal is Goal.MINIMIZE else 1.0
    second = sign * on.scores(base, {})
    return {
        row: improvement_over_tasks(
            sign * on.scores(row, {}), second, methods.confidence, methods.resamples
        )
        for row in on.rows
        if row != base
    }


def _ranks(on: MetricOnTasks) -> dict[int, Estimate]:
    ranks = task_ranks(on.means(), on.goal is not Goal.MINIMIZE)
    unknown = float("nan")
    counts = {
        row: min(len(on.samples[column.heading][row].by_seed) for column in on.shared)
        for row in on.rows
    }
    return {
        row: Estimate(
            counts[row], float(mean), unknown, unknown, unknown, "average rank over tasks"
        )
        for row, mean in zip(on.rows, ranks.mean(axis=0), strict=True)
    }


def aggregate_notes(
    entry: TableEntry,
    layout: Layout,
    metrics: Sequence[MetricOnTasks],
    aggregates: Sequence[Aggregate],
    methods: Methods,
    where: str,
) -> Iterator[str]:
    """Yield the notes on the tasks of a table: what its aggregates are, and what they leave out.

    Args:
        entry: its entry in `paper.tables`.
        layout: its rows and columns.
        metrics: its numbers.
        aggregates: its aggregate columns.
        methods: the statistical methods.
        where: the keys of the entry, for error messages.
    """
    kinds = DEFAULT if entry.aggregates is None else entry.aggregates
    if aggregates:
        yield from _definitions(entry, kinds, methods)
    if "rank" in kinds:
        for on in metrics:
            if on.goal is not None and on.shared and len(on.rows) > 1:
                yield from _rank_notes(entry, layout, on, methods, where)
    yield from missing_notes(layout, metrics, "Aggregates" if aggregates else "")


def _rank_notes(
    entry: TableEntry, layout: Layout, on: MetricOnTasks, methods: Methods, where: str
) -> Iterator[str]:
    ranks = compare_ranks(on.means(), on.goal is not Goal.MINIMIZE, methods.alpha)
    labels = [layout.rows[row].label for row in on.rows]
    base = baseline_row(entry, layout, [], where) if entry.baseline else None
    control = on.rows.index(base) if base in on.rows else None
    yield f"Rank of {on.shown}: {' '.join(rank_sentences(ranks, labels, control))}"


def missing_notes(
    layout: Layout, metrics: Sequence[MetricOnTasks], aggregates: str
) -> Iterator[str]:
    """Yield the methods that have no result on a task, and what that leaves out.

    Args:
        layout: the methods and tasks.
        metrics: their numbers.
        aggregates: the name of the numbers over tasks, such as "Ranks"; empty if there are none.
    """
    for on in metrics:
        of = f" of {on.shown}" if len(metrics) > 1 else ""
        if missing := _missing(layout, on):
            yield f"No result{of}: {', '.join(missing)}."
        if not aggregates:
            continue
        used = [column.task or "" for column in on.shared]
        left_out = [column.task or "" for column in on.columns if column not in on.shared]
        if not used:
            yield f"No {aggregates.lower()}{of}: on no task have all methods a result."
        elif left_out:
            yield (
                f"{aggregates}{of} are over the {count_of(len(used), 'task')} on which all these "
                f"methods have results ({', '.join(used)}), and leave out {', '.join(left_out)}."
            )


def _missing(layout: Layout, on: MetricOnTasks) -> list[str]:
    """Name the cells that have no number."""
    found = []
    for row, each in enumerate(layout.rows):
        if row not in on.rows:
            found.append(f"{each.label} on any task")
            continue
        without = [c.task or "" for c in on.columns if row not in on.samples[c.heading]]
        found += [f"{each.label} on {task}" for task in without]
    return found


def _definitions(entry: TableEntry, kinds: Sequence[str], methods: Methods) -> Iterator[str]:
    names = [name for kind, name in (("mean", "Mean"), ("iqm", "IQM")) if kind in kinds]
    interval = f"[{100 * methods.confidence:g} % interval by stratified bootstrap over seeds]"
    if methods.folds is not None:
        interval = "(without an interval, as folds aren't independent)"
    if names:
        both = " and ".join(names)
        if entry.normalise:
            ends = ", ".join(
                f"{task} {zero:g} and {one:g}" for task, (zero, one) in entry.normalise.items()
            )
            scale = f"of scores in which these values count as 0 and 1: {ends}"
        else:
            scale = "of raw values, which suits a metric with the same scale on all tasks"
        yield f"{both} over tasks {interval}: {scale}."
    if "rank" in kinds:
        yield "Rank: averaged over tasks; 1 is the best of a task, and equal values share ranks."
    if "improvement" in kinds:
        yield (
            f"P(> x) {interval}: the probability that a run is better than a run of x, averaged "
            "over tasks; 0.5 if neither is."
        )
