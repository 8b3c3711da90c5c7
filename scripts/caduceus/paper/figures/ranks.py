"""Figures of kind ranks: the critical-difference diagram of Demšar 2006."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Self

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from caduceus.paper.figures.figure_data import FigureContent, FigureData, rounded
from caduceus.paper.figures.layout import (
    LINE_IN,
    new_panels,
    set_panel_height,
    text_width,
    wrap,
)
from caduceus.paper.figures.style import COLOURS, GREY, LABEL_SIZE, TICK_SIZE
from caduceus.paper.rank_sentences import rank_sentences
from caduceus.paper.table_cells import samples_of
from caduceus.paper.table_layout import Layout, lay_out
from caduceus.paper.task_aggregates import MetricOnTasks, baseline_row, missing_notes, on_tasks
from caduceus.runs.goal import Goal
from caduceus.statistics.ranks import (
    RankComparison,
    bayesian_signed_rank,
    compare_ranks,
    compare_with_control,
)

_MOST_SHARE = 0.3  # of the width, for the labels at either side
_EDGE_IN = 0.05  # inches left free at the sides
_GAP_IN = 0.08  # inches between a label and its line
_BAR_IN = 0.09  # inches between the bars of groups
_LEAST_TICK_IN = 0.12  # inches between the numbers of ranks
_LINE: dict[str, Any] = {"color": "black", "lw": 0.8, "solid_capstyle": "butt"}
# The panel leaves room for its texts, so that the layout needn't.
_TEXT: dict[str, Any] = {"size": TICK_SIZE, "in_layout": False}


def measure_ranks(data: FigureData) -> FigureContent:
    """Rank the methods on each task, for each metric, and test the differences.

    Raises:
        SpecError: the baseline matches none or several methods.
    """
    entry = data.entry
    layout = lay_out(entry, data.variants, list(data.specs.values()))
    samples = {
        column.heading: samples_of(
            column.variants, column.metric, data.scale(column.shown), data.methods
        )
        for column in layout.columns
    }
    goals = {column.heading: data.goal(column.metric) for column in layout.columns}
    metrics = on_tasks(layout, samples, goals)
    panels, sentences, runs = [], [], dict[str, None]()
    for on in metrics:
        runs |= dict.fromkeys(run for row in on.rows for run in _runs(on, row))
        if len(on.rows) < 2 or not on.shared:
            continue
        panel, said = _measure(data, layout, on)
        panels.append(panel)
        prefix = f"{on.shown}: " if len(metrics) > 1 else ""
        sentences += [f"{prefix}{sentence}" for sentence in said]
    caption = [
        "Average ranks over tasks; 1 is the best.",
        *sentences,
        *missing_notes(layout, metrics, "Ranks"),
        *data.failures(),
    ]
    return FigureContent(" ".join(caption), list(runs), {"panels": panels} if panels else {})


def _runs(on: MetricOnTasks, row: int) -> list[str]:
    return [run for column in on.shared for run in on.samples[column.heading][row].runs]


def _measure(
    data: FigureData, layout: Layout, on: MetricOnTasks
) -> tuple[dict[str, Any], list[str]]:
    """Return the numbers of a panel, and what they say."""
    means, is_greater_better = on.means(), on.goal is not Goal.MINIMIZE
    ranks = compare_ranks(means, is_greater_better, data.methods.alpha)
    labels = [layout.rows[row].label for row in on.rows]
    control = _control(data, layout, on)
    against = None if control is None else compare_with_control(ranks, control)
    sentences = list(rank_sentences(ranks, labels, control))
    if ranks.differ and control is None:
        sentences.append("Bars join methods that can't be distinguished.")
    bayesian = []
    if data.entry.equal_within is not None:
        pairs = [pair for pair in combinations(range(len(labels)), 2) if control in (None, *pair)]
        for first, second in pairs:
            differences = (means[:, first] - means[:, second]) * (1 if is_greater_better else -1)
            found = bayesian_signed_rank(differences, data.entry.equal_within)
            names = {"first": labels[first], "second": labels[second]}
            shares = zip(("better", "equal", "worse"), found, strict=True)
            bayesian.append(names | {name: rounded(share) for name, share in shares})
        sentences += _bayesian_sentences(bayesian, data.entry.equal_within)
    rows = [
        {
            "label": label,
            "rank": rounded(float(ranks.ranks[place])),
            "runs": _runs(on, row),
            "p": None if against is None or place == control else rounded(float(against[place])),
        }
        for place, (label, row) in enumerate(zip(labels, on.rows, strict=True))
    ]
    panel = {
        "heading": data.titled(on.shown),
        "metric": on.columns[0].metric.name,
        "tasks": [column.task for column in on.shared],
        "rows": rows,
        "bayesian": bayesian,
    }
    return panel | _tests(ranks, control), sentences


def _tests(ranks: RankComparison, control: int | None) -> dict[str, Any]:
    return {
        "chi_square": rounded(ranks.chi_square),
        "f": rounded(ranks.f),
        "degrees": list(ranks.degrees),
        "friedman_p": rounded(ranks.p),
        "nemenyi_p": rounded(ranks.pairs),
        "critical_difference": rounded(ranks.critical_difference) if ranks.differ else None,
        "groups": ranks.groups if control is None else [],
    }


def _control(data: FigureData, layout: Layout, on: MetricOnTasks) -> int | None:
    """Return the place of the baseline that the entry names among ranked methods."""
    if not data.entry.baseline:
        return None
    row = baseline_row(data.entry, layout, [], data.where)
    return on.rows.index(row) if row in on.rows else None


def _bayesian_sentences(found: Sequence[Mapping[str, Any]], equal_within: float) -> Iterator[str]:
    each = "; ".join(
        f"{pair['first']} against {pair['second']} {pair['better']:.2f}, {pair['equal']:.2f}, "
        f"{pair['worse']:.2f}"
        for pair in found
    )
    yield (
        "Probabilities of being better, equal and worse over tasks by the Bayesian signed-rank "
        f"test, where differences up to {equal_within:g} are equal: {each}."
    )


def draw_ranks(numbers: Mapping[str, Any], width: float) -> Figure:
    """Draw a panel for each metric: methods at their average ranks, and bars that join groups."""
    diagrams = [_Diagram.of(panel, width) for panel in numbers["panels"]]
    heights = [diagram.height for diagram in diagrams]
    figure, all_axes = new_panels(width, len(diagrams), 1, max(heights))
    grid: Any = all_axes[0].get_gridspec()
    grid.set_height_ratios(heights)
    for axes, diagram in zip(all_axes, diagrams, strict=True):
        axes.set_ylim(diagram.height, 0)
        _draw_axis(axes, diagram)
        _draw_groups(axes, diagram)
        _draw_methods(axes, diagram)
    set_panel_height(figure, all_axes, heights[0])
    return figure


@dataclass(frozen=True)
class _Diagram:
    """The places of a diagram: ranks from left to right, and inches from the top.

    Attributes:
        panel: its numbers.
        rows: its methods, the best first; the first half is labelled at the left.
        labels: of the rows, broken into lines.
        inch: the ranks to an inch.
        left: the rank at the left edge.
        right: the rank at the right edge.
        pitch: from one label to the next.
    """

    panel: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]
    labels: Sequence[str]
    inch: float
    left: float
    right: float
    pitch: float

    @classmethod
    def of(cls, panel: Mapping[str, Any], width: float) -> Self:
        rows = sorted(panel["rows"], key=lambda row: float(row["rank"]))
        labels = [wrap(row["label"], _MOST_SHARE * width, TICK_SIZE) for row in rows]
        half = (len(rows) + 1) // 2
        first, second = (
            max(text_width(line, TICK_SIZE) for label in side for line in label.split("\n"))
            + _GAP_IN
            + _EDGE_IN
            for side in (labels[:half], labels[half:])
        )
        inch = (len(rows) - 1) / (width - first - second - 2 * _GAP_IN)
        lines = max(label.count("\n") + 1 for label in labels)
        pitch = lines * LINE_IN + _GAP_IN / 2
        return cls(panel, rows, labels, inch, 1 - first * inch, len(rows) + second * inch, pitch)

    @property
    def axis(self) -> float:
        """The axis of ranks."""
        return 3 * LINE_IN - _GAP_IN

    @property
    def below(self) -> float:
        """The end of the bars, where labels begin."""
        return self.axis + _BAR_IN * (len(self.panel["groups"]) + 1)

    @property
    def height(self) -> float:
        """The whole height."""
        return self.below + self.pitch * ((len(self.rows) + 1) // 2) + 1.5 * LINE_IN


def _draw_axis(axes: Axes, diagram: _Diagram) -> None:
    """Draw the axis, the critical difference above it, and the heading below all."""
    axes.axis("off")
    axes.set_xlim(diagram.left, diagram.right)
    k, y = len(diagram.rows), diagram.axis
    axes.plot([1, k], [y, y], **_LINE)
    step = 1 if _LEAST_TICK_IN * diagram.inch <= 1 else 2
    for rank in range(1, k + 1):
        axes.plot([rank, rank], [y - 0.06, y], **_LINE)
        if (rank - 1) % step == 0:
            axes.text(rank, y - 0.08, str(rank), ha="center", va="bottom", **_TEXT)
    critical = diagram.panel["critical_difference"]
    if critical is not None and critical <= k - 1:
        axes.plot([1, 1 + critical], [0.08, 0.08], marker="|", ms=5, **_LINE)
        text = f"critical difference {critical:.3g}"
        axes.text(1 + critical + _GAP_IN * diagram.inch, 0.08, text, va="center", **_TEXT)
    middle = (diagram.left + diagram.right) / 2
    style = _TEXT | {"size": LABEL_SIZE}
    axes.text(middle, diagram.height, diagram.panel["heading"], ha="center", va="bottom", **style)


def _draw_groups(axes: Axes, diagram: _Diagram) -> None:
    """Draw a bar for each group of methods that can't be distinguished."""
    for level, group in enumerate(diagram.panel["groups"], 1):
        ranks = [diagram.panel["rows"][place]["rank"] for place in group]
        ends = min(ranks) - 0.04 * diagram.inch, max(ranks) + 0.04 * diagram.inch
        y = diagram.axis + level * _BAR_IN
        axes.plot(ends, [y, y], color=COLOURS[0], lw=2.4, solid_capstyle="round")


def _draw_methods(axes: Axes, diagram: _Diagram) -> None:
    """Draw a line from each method's rank to its label."""
    k = len(diagram.rows)
    for place, (row, label) in enumerate(zip(diagram.rows, diagram.labels, strict=True)):
        is_left = place < (k + 1) // 2
        y = diagram.below + diagram.pitch * ((place if is_left else k - 1 - place) + 0.5)
        gap = _GAP_IN * diagram.inch
        end, label_end = (1 - gap / 2, 1 - gap) if is_left else (k + gap / 2, k + gap)
        axes.plot([row["rank"], row["rank"], end], [diagram.axis, y, y], color=GREY, lw=0.8)
        axes.plot([row["rank"]], [diagram.axis], marker="o", ms=3, color="black")
        axes.text(label_end, y, label, ha="right" if is_left else "left", va="center", **_TEXT)
