"""Tables of the scores that runs logged for the same test items."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from caduceus.io.phrases import count_of, pasted
from caduceus.paper.results import Result
from caduceus.runs.item_files.item_file import ItemFile
from caduceus.runs.item_files.item_scores import ItemScore, brief, fault
from caduceus.runs.item_files.reading import find_items, read_items
from caduceus.statistics.samples import Array

_SCALES = (1.0, 100.0)  # a metric is the mean score, or that in %


@dataclass(frozen=True)
class ItemTables:
    """The scores of runs on the same test items.

    Attributes:
        sides: of each variant, (runs, items).
        clusters: numbers of the items' clusters, (items,); None if items are drawn one by one.
    """

    sides: tuple[Array, ...]
    clusters: Array | None


def read_tables(sides: Sequence[Sequence[Result]], chosen: ItemFile) -> ItemTables:
    """Read the scores of runs, and check that all have the same items.

    Args:
        sides: the runs of each variant.
        chosen: where their scores are.

    Raises:
        ResultError: a run lacks its file, the file is wrong, or two runs have other items, other
            labels or other clusters; names file and line.
    """
    first: tuple[Path, Mapping[str, ItemScore]] | None = None
    tables: list[Array] = []
    for results in sides:
        rows = []
        for result in results:
            path = find_items(result.folder, result.record.summary, chosen)
            scores = read_items(path, chosen)
            first = first or (path, scores)
            _check_same(first, (path, scores))
            rows.append([scores[item].score for item in first[1]])
        tables.append(np.array(rows))
    assert first is not None  # every side has a run
    names = [score.cluster for score in first[1].values()]
    clusters = None
    if chosen.cluster is not None:
        clusters = np.unique(np.array(names), return_inverse=True)[1].astype(float)
    return ItemTables(tuple(tables), clusters)


def _check_same(
    first: tuple[Path, Mapping[str, ItemScore]], second: tuple[Path, Mapping[str, ItemScore]]
) -> None:
    """Refuse two runs whose ids don't name the same items."""
    (one_path, one), (path, other) = first, second
    for (a, in_a), (b, in_b) in (((path, other), first), ((one_path, one), second)):
        missing = [item for item in in_a if item not in in_b]
        if missing:
            score = in_a[missing[0]]
            raise fault(
                a,
                score.place,
                f"{count_of(len(missing), 'item')} of {len(in_a):,}, such as {pasted(score.item)}, "
                f"{'is' if len(missing) == 1 else 'are'} missing in {b}; runs are compared on the "
                "same items",
            )
    for item, score in other.items():
        was = one[item]
        for what, new, old in (
            ("what is right for", score.label, was.label),
            ("the cluster of", score.cluster, was.cluster),
        ):
            if new != old:
                raise fault(
                    path,
                    score.place,
                    f"{what} {pasted(item)} is {brief(new)}, but {brief(old)} in {one_path}, "
                    f"{was.place}; an id must name the same item in all runs",
                )


def scale_to_metric(tables: ItemTables, logged: Sequence[Array]) -> float | None:
    """Return by what the mean scores of all runs are multiplied to be the metric; None if by none.

    A metric that was rounded before it was logged counts as the mean if no other number of right
    items is as close.

    Args:
        tables: the scores.
        logged: the metric of the same runs, (runs,) of each variant.
    """
    for scale in _SCALES:
        pairs = [
            (scale * scores.mean(axis=1), values, scale / scores.shape[1])
            for scores, values in zip(tables.sides, logged, strict=True)
        ]
        if all(are_close(means, values, step) for means, values, step in pairs):
            return scale
    return None


def are_close(means: Array, values: Array, step: float) -> bool:
    """Whether mean scores, of which the next could be a step away, are the logged values."""
    near = np.maximum(step / 2 * (1 - 1e-6), 1e-5 * np.abs(values))
    return bool((np.abs(means - values) <= near).all())
