"""Sentences on choices that looked at the results, which no p or interval here accounts for."""

import re
from collections.abc import Iterator, Mapping, Sequence

from caduceus.io.phrases import listed
from caduceus.paper.results import Variant
from caduceus.runs.metric import Metric

_NAMED = 4  # seeds, tables or claims in a sentence
_TEST = re.compile(r"(^|[/_.-])test([/_.-]|$)", re.IGNORECASE)
_EXTREMES = (".max", ".min", ".best")  # W&B's names of the best value in a run's summary


def selection_notes(metrics: Mapping[str, Metric], variants: Sequence[Variant]) -> Iterator[str]:
    """Yield a sentence on each metric that chose itself, and on seeds added after a look."""
    for heading, metric in metrics.items():
        if chosen := _choice(metric):
            yield f"{heading} is {chosen}, and so better than what new data would give."
    added: dict[tuple[Sequence[str], Sequence[str]], list[str]] = {}
    for variant in variants:
        if found := _added(variant):
            added.setdefault(found, []).append(variant.name)
    for (seeds, places), names in added.items():
        yield (
            f"Added after {listed(places, _NAMED)} had shown other seeds of "
            f"{listed(names, _NAMED)}: {'seed' if len(seeds) == 1 else 'seeds'} "
            f"{listed(seeds, _NAMED)}. No p accounts for that; test new seeds alone."
        )


def _added(variant: Variant) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return the seeds that were added after a look, and what had shown others; None if none."""
    added = {
        str(result.record.summary.seed): shown  # not the number of its fold
        for result in variant.results
        if (attempts := result.record.attempts) and (shown := attempts[0].shown_before)
    }
    places = dict.fromkeys(place for shown in added.values() for place in shown)
    return (tuple(added), tuple(places)) if added else None


def _choice(metric: Metric) -> str | None:
    """Return by what a metric's step is chosen if that is biased; None if it isn't."""
    if metric.best_by is None:
        return "the best of each run's steps by itself" if metric.name.endswith(_EXTREMES) else None
    if metric.best_by.name == metric.name:
        return "the best of each run's steps by itself"
    if _TEST.search(metric.best_by.name):
        return f"taken at the best {metric.best_by.name}, which is a test result"
    return None
