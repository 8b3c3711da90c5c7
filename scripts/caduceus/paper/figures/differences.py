"""Figures of kind differences: differences to a baseline by seed, with intervals and verdicts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from caduceus.errors import SpecError
from caduceus.io.phrases import count_of
from caduceus.paper.figures.figure_data import FigureContent, FigureData, rounded, run_count
from caduceus.paper.figures.style import COLOURS, GREY
from caduceus.paper.figures.variant_rows import note_missing, row_panels
from caduceus.paper.labels import varying_parameters
from caduceus.paper.results import Variant, find_side, without_variation
from caduceus.paper.verdict_names import TEST_NAMES, difference_verdict
from caduceus.runs.metric import Metric
from caduceus.runs.variants import matches
from caduceus.statistics.comparisons import Comparison, compare_by_seed
from caduceus.statistics.verdicts import Verdict, decide, greater

_MARKS: dict[str, dict[str, Any]] = {
    "better": {"marker": "o", "color": COLOURS[0], "ms": 5},
    "higher": {"marker": "o", "color": COLOURS[0], "ms": 5},
    "worse": {"marker": "s", "color": COLOURS[1], "ms": 4.6},
    "lower": {"marker": "s", "color": COLOURS[1], "ms": 4.6},
    "within noise": {"marker": "o", "color": GREY, "mfc": "white", "ms": 5},
    "not enough runs": {"marker": "D", "color": GREY, "mfc": "white", "ms": 4.2},
    "no verdict": {"marker": "x", "color": GREY, "ms": 4.2},
}
_DOT: dict[str, Any] = {"marker": "o", "ms": 2.2, "mew": 0, "alpha": 0.45, "ls": ""}
_COUNTS = ("n", "n_second", "test", "is_paired")  # written as they are
_NUMBERS = ("effect", "low", "high", "p", "minimum_p", "effect_size", "improvement")


@dataclass(frozen=True)
class Pair:
    """A variant, the baseline it is compared with, and the labels of both."""

    variant: Variant
    label: str
    baseline: Variant
    baseline_label: str

    def compare(self, heading: str, metric: Metric, data: FigureData) -> Comparison | None:
        """Compare the variant with the baseline; None if either has no result."""
        first, second = (
            {seed: data.scale(heading) * value for seed, value in side.by_seed(metric).items()}
            for side in (self.variant, self.baseline)
        )
        if not first or not second:
            return None
        methods = data.methods
        found = compare_by_seed(
            first,
            second,
            test=methods.test,
            confidence=methods.confidence,
            folds=methods.folds,
        )
        return without_variation(found, self.variant, self.baseline)

    def by_seed(self, metric: Metric) -> Iterator[tuple[int, float]]:
        """Yield the difference, variant minus baseline, at each seed that both have."""
        values, base = self.variant.by_seed(metric), self.baseline.by_seed(metric)
        return ((seed, values[seed] - base[seed]) for seed in values if seed in base)


def measure_differences(data: FigureData) -> FigureContent:
    """Compare each variant with its baseline, for each metric, as one family of comparisons.

    Raises:
        SpecError: the baseline matches none or several of the variants that are shown.
    """
    pairs = list(find_pairs(data))
    if not pairs:
        raise SpecError("shows nothing but the baseline; widen `variants`", data.where)
    metrics = data.entry.metrics
    found = {
        (heading, place): pair.compare(heading, metric, data)
        for heading, metric in metrics.items()
        for place, pair in enumerate(pairs)
    }
    compared = {key: comparison for key, comparison in found.items() if comparison}
    tests = [greater(comparison) for comparison in compared.values()]
    verdicts = dict(zip(compared, decide(tests, data.methods.alpha), strict=True))
    panels = [
        {
            "heading": _titled(data, heading, pairs),
            "metric": metric.name,
            "rows": [
                _row(pair, heading, found[heading, place], verdicts.get((heading, place)), data)
                for place, pair in enumerate(pairs)
            ],
        }
        for heading, metric in metrics.items()
    ]
    runs = dict.fromkeys(
        run
        for pair in pairs
        for side in (pair.baseline, pair.variant)
        for metric in metrics.values()
        for run in side.runs(metric)
    )
    numbers = {"interval": data.interval_name, "panels": panels}
    return FigureContent(
        _caption(list(compared.values()), list(verdicts.values()), data), list(runs), numbers
    )


def find_pairs(data: FigureData) -> Iterator[Pair]:
    """Yield each variant that isn't a baseline, with its baseline.

    The baseline is named by the figure or by the variant's experiment. Where several variants have
    the named parameters, it is the one that equals the variant in all other parameters.

    Raises:
        SpecError: no variant matches, or several do.
    """
    names = varying_parameters(data.variants)
    for variant, label in zip(data.variants, data.labels, strict=True):
        side = data.entry.baseline or data.specs[variant.experiment].baseline or {}
        wanted = {name: value for name, value in side.items() if name != "experiment"}
        experiment = side.get("experiment", None if data.entry.baseline else variant.experiment)
        candidates = [v for v in data.variants if experiment in (None, v.experiment)]
        if variant in candidates and matches(variant.parameters, wanted):
            continue
        rest = {n: variant.parameters.get(n) for n in names if n not in wanted}
        matching = [
            other
            for other in candidates
            if matches(other.parameters, wanted)
            and all(other.parameters.get(name) == value for name, value in rest.items())
        ]
        if len(matching) == 1:
            [baseline] = matching
        else:
            baseline = find_side(candidates, side, f"{data.where}.baseline")
        yield Pair(variant, label, baseline, data.labels[data.variants.index(baseline)])


def _row(
    pair: Pair,
    heading: str,
    compared: Comparison | None,
    verdict: Verdict | None,
    data: FigureData,
) -> dict[str, Any]:
    metric = data.entry.metrics[heading]
    row: dict[str, Any] = {"label": pair.label, "baseline": pair.baseline_label}
    row |= {"experiment": pair.variant.experiment, "variant": pair.variant.name}
    if compared is None or verdict is None:
        return row | {"verdict": None}
    row |= {"verdict": difference_verdict(verdict, data.goal(metric))}
    row |= {"runs_that_would_do": verdict.runs_that_would_do}
    row |= {name: getattr(compared, name) for name in _COUNTS}
    row |= {name: rounded(getattr(compared, name)) for name in _NUMBERS}
    row["adjusted_p"] = rounded(verdict.adjusted_p)
    if compared.is_paired:
        scaled = {seed: data.scale(heading) * value for seed, value in pair.by_seed(metric)}
        row["differences"] = {seed: rounded(value) for seed, value in scaled.items()}
    return row


def _titled(data: FigureData, heading: str, pairs: Sequence[Pair]) -> str:
    baselines = dict.fromkeys(pair.baseline_label for pair in pairs)
    baseline = next(iter(baselines)) if len(baselines) == 1 else "the baseline"
    unit = " (percentage points)" if heading in data.percents else ""
    return f"{heading}: difference to {baseline}{unit}"


def _caption(compared: Sequence[Comparison], verdicts: Sequence[Verdict], data: FigureData) -> str:
    if not compared:
        return " ".join(["No variant has a result that can be compared.", *data.failures()])
    tests = " or ".join(dict.fromkeys(TEST_NAMES[found.test] for found in compared))
    sentences = [
        f"Mean difference over {run_count([found.n for found in compared])} with "
        f"{data.interval_name}. Verdicts by {tests} at {data.methods.alpha:g}, corrected for "
        f"{count_of(len(compared), 'comparison')} (Holm)."
    ]
    if data.methods.statistic != "mean":
        sentences.append("Differences and tests are of means, whatever `statistic` is.")
    undecided = [verdict for verdict in verdicts if verdict.outcome == "not enough runs"]
    needed = [verdict.runs_that_would_do for verdict in undecided if verdict.runs_that_would_do]
    if undecided:
        least = min(verdict.minimum_p for verdict in undecided)
        use = f"; use {max(needed)}" if needed else ""
        sentences.append(f"With so few runs p can't be below {least:.2g}{use}.")
    if any(verdict.outcome == "no verdict" for verdict in verdicts):
        sentences.append("No verdict where all seeds gave the same value or difference.")
    return " ".join([*sentences, *data.failures()])


def draw_differences(numbers: Mapping[str, Any], width: float) -> Figure:
    """Draw a panel for each metric, with each variant's interval and a marker for its verdict."""
    panels = numbers["panels"]
    layout = row_panels(width, panels)
    handles: dict[str, Any] = {}
    for axes, panel in zip(layout.all_axes, panels, strict=True):
        axes.axvline(0, color="black", lw=0.8, zorder=1)
        for place, row in enumerate(panel["rows"]):
            if row["verdict"]:
                _draw_row(axes, place, row, numbers["interval"], handles)
            else:
                note_missing(axes, place)
    order = [name for name in (*_MARKS, numbers["interval"], "one seed") if name in handles]
    return layout.finish({name: handles[name] for name in order})


def _draw_row(
    axes: Axes, place: int, row: Mapping[str, Any], interval: str, handles: dict[str, Any]
) -> None:
    mark = _MARKS[row["verdict"]]
    values = list(row.get("differences", {}).values())
    if len(values) > 1:
        spread = np.linspace(-0.2, 0.2, len(values))
        axes.plot(values, place + spread, **_DOT, color=mark["color"])
        handles.setdefault("one seed", Line2D([], [], **_DOT, color="black"))
    if row["low"] is not None:
        ends = [row["low"], row["high"]]
        axes.plot(ends, [place, place], color=mark["color"], lw=1.3, zorder=3)
        handles.setdefault(interval, Line2D([], [], color="black", lw=1.3))
    [point] = axes.plot(row["effect"], place, ls="", zorder=4, **mark)
    handles.setdefault(row["verdict"], point)
