"""Sentences on values outside the range that their metric declares."""

from collections.abc import Iterator, Mapping, Sequence

from caduceus.io.phrases import count_of
from caduceus.paper.results import Variant
from caduceus.paper.rounding import round_value
from caduceus.runs.metric import Metric


def range_notes(metrics: Mapping[str, Metric], variants: Sequence[Variant]) -> Iterator[str]:
    """Yield a sentence on each metric that has values outside its declared range.

    The interval of a variant with such a value isn't kept within the range; see `estimate_within`.
    """
    for heading, metric in metrics.items():
        if metric.range is None:
            continue
        least, greatest = metric.range
        outside = {
            result.run: value
            for variant in variants
            for result in variant.results
            if (value := result.value(metric)) is not None
            and (
                (least is not None and value < least) or (greatest is not None and value > greatest)
            )
        }
        if outside:
            run, value = next(iter(outside.items()))
            yield (
                f"Outside the declared range {_words(metric)}: {heading} of "
                f"{count_of(len(outside), 'run')}, such as {round_value(value)} of {run}. "
                "Intervals with such values ignore the range; correct the metric or its `range`."
            )


def _words(metric: Metric) -> str:
    least, greatest = metric.range or (None, None)
    if least is None or greatest is None:
        return f"from {least:g}" if greatest is None else f"up to {greatest:g}"
    return f"{least:g} to {greatest:g}"
