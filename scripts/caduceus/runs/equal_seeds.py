"""Seeds that change nothing: runs of one variant whose rows are equal, whatever their seeds.

Where the equality can't be chance, as in a program that ignores its seed, such runs are one
observation, not several. Few accuracies on few examples are often equal by chance, and each seed
then counts. Rows are compared by the digest that the export has made of them, without times, speeds
and the like (`exports.history_columns`).
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from pathlib import Path
from struct import pack, unpack

from caduceus.errors import ResultError
from caduceus.io.csv_rows import cell_lists
from caduceus.io.phrases import spoken_list
from caduceus.runs.files.export import Summary
from caduceus.runs.metric_names import is_incidental, is_system_metric, words_of
from caduceus.runs.record import RunRecord
from caduceus.runs.variants import leaves

# How notes on sets of equal runs begin: on those that count once, and on those that each count.
ONCE = "Seeds that logged equal rows count as one: "
EACH = "Seeds have equal rows, and each counts: "

# Words in the names of losses, which are means of real numbers and no counts.
_LOSS = {
    *("bce", "bpb", "bpc", "bpd", "ce", "crossentropy", "elbo", "entropy", "kl", "likelihood"),
    *("logloss", "loss", "losses", "mae", "mse", "nll", "perplexity", "ppl", "rmse", "xent"),
}
_LEAST_VALUES = 5  # distinct ones of a loss
_LEAST_DIGITS = 7
_MOST_ITEMS = 1000  # of which a value may be a share, or a mean of whole numbers
_MOST_SEEN = 1000  # distinct values of a loss that are looked at
_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?")
# Relative errors of a mean of few items in single and double precision.
_SINGLE, _DOUBLE, _LARGEST_SINGLE = 2.0**-23, 1e-15, 3e38


@dataclass(frozen=True)
class EqualSeeds:
    """Runs of a variant with equal rows: their ids and their seeds, in one order.

    Attributes:
        counts_once: whether they are one observation, as their equality can't be chance.
    """

    experiment: str
    variant: str
    runs: tuple[str, ...]
    seeds: tuple[int, ...]
    counts_once: bool


def equal_seeds(records: Iterable[RunRecord], folds: int | None) -> list[EqualSeeds]:
    """Return each set of finished runs of one variant that have equal rows and different seeds.

    Runs without rows, or without an experiment, are in no set. A set counts once if a loss in its
    rows has five distinct values of seven digits, none of them a share of 1,000 items at most, if
    no seed with other rows has the same values of this loss, and if the numbers of the summaries
    are equal too.

    Args:
        records: exported runs.
        folds: the k of a cross-validation whose folds are the runs, which have other examples each,
            so that none are equal; None or 0 for none.
    """
    by_variant: dict[tuple[str, str], dict[str, dict[int, RunRecord]]] = {}
    for record in () if folds else records:
        run = record.summary
        if run.state != "finished" or run.experiment is None or run.variant is None:
            continue
        if run.rows_sha256 is not None and run.seed is not None:
            by_rows = by_variant.setdefault((run.experiment, run.variant), {})
            by_rows.setdefault(run.rows_sha256, {}).setdefault(run.seed, record)
    return [
        EqualSeeds(
            *variant,
            tuple(record.run for record in alike.values()),
            tuple(alike),
            _counts_once(alike.values(), [each for each in by_rows.values() if each is not alike]),
        )
        for variant, by_rows in by_variant.items()
        for alike in by_rows.values()
        if len(alike) > 1
    ]


def equal_notes(sets: Sequence[EqualSeeds]) -> list[str]:
    """Return the sentences that name sets of equal runs, for the reader of a result."""
    several = len({each.experiment for each in sets}) > 1
    names: dict[bool, list[str]] = {True: [], False: []}
    for each in sets:
        name = f"{each.variant} of {each.experiment}" if several else each.variant
        names[each.counts_once].append(f"{name} (seeds {spoken_list([*map(str, each.seeds)])})")
    sentences = {
        True: f"{ONCE}{', '.join(names[True])}.",
        False: f"{EACH}{', '.join(names[False])}; perhaps the program ignores its seed.",
    }
    return [sentences[once] for once, found in names.items() if found]


def repeats(sets: Iterable[EqualSeeds]) -> set[str]:
    """Return the ids of the runs that don't count: all but the first of each set of one."""
    return {run for each in sets if each.counts_once for run in each.runs[1:]}


def _counts_once(alike: Iterable[RunRecord], others: Iterable[Mapping[int, RunRecord]]) -> bool:
    """Whether runs have equal rows for another reason than chance.

    Args:
        alike: the runs.
        others: the variant's runs with other rows.
    """
    first, *rest = alike
    if any(_numbers(each.summary) != _numbers(first.summary) for each in rest):
        return False
    losses = _losses_of(first)
    for other in (each for runs in others for each in runs.values()):
        losses -= _losses_of(other)  # a loss without chance says nothing of the seed
    return bool(losses)


def _losses_of(record: RunRecord) -> set[tuple[str, str]]:
    return set(_losses(record.folder.path / "metrics_history.csv", record.summary.rows_sha256))


@lru_cache(1 << 12)
def _losses(history: Path, _rows_sha256: str | None) -> Sequence[tuple[str, str]]:
    """Return the losses that two runs hardly ever share by chance, with a digest of their cells.

    Args:
        history: metrics_history.csv; without it, or if it is damaged, there are none.
        _rows_sha256: tells whether the file is the one that was read before.
    """
    try:
        lines = cell_lists(history)
        columns = next(lines, [])
        sums = {place: hashlib.sha256() for place, name in enumerate(columns) if _is_loss(name)}
        seen: dict[int, dict[str, None]] = {place: {} for place in sums}
        for cells in lines:
            for place, digest in sums.items():
                digest.update(f"{cells[place]}\n".encode(errors="replace"))
                if len(seen[place]) < _MOST_SEEN:
                    seen[place][cells[place]] = None
    except (OSError, ResultError):
        return ()
    return [(columns[at], digest.hexdigest()) for at, digest in sums.items() if _is_rare(seen[at])]


def _is_loss(name: str) -> bool:
    return not _LOSS.isdisjoint(words_of(name)) and not is_incidental(name)


def _is_rare(cells: Iterable[str]) -> bool:
    """Whether enough of some distinct cells are numbers that are hardly ever equal by chance."""
    precise = (cell for cell in cells if _NUMBER.fullmatch(cell) and _is_precise(Decimal(cell)))
    return len([*islice(precise, _LEAST_VALUES)]) == _LEAST_VALUES


def _is_precise(number: Decimal) -> bool:
    """Whether a number has enough digits and isn't k/n, to its precision, of few items n."""
    _, digits, place = number.normalize().as_tuple()
    if len(digits) < _LEAST_DIGITS:
        return False
    value = float(number)
    is_single = abs(value) < _LARGEST_SINGLE and unpack("f", pack("f", value)) == (value,)
    rounding = max(abs(value) * (_SINGLE if is_single else _DOUBLE), 0.5 * 10.0 ** int(place))
    return abs(value - Fraction(value).limit_denominator(_MOST_ITEMS)) > rounding


def _numbers(summary: Summary) -> dict[str, str]:
    """Return the numbers of a summary that equal runs have in common, as text: NaN equals NaN."""
    return {
        name: repr(value)
        for name, value in leaves(summary.summary)
        if isinstance(value, int | float)
        and not (name.startswith("_") or is_incidental(name) or is_system_metric(name))
    }
