"""Which runs of one variant with equal rows count as one."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from caduceus.io.cells import to_csv
from caduceus.io.files import sha256, write_whole
from caduceus.runs.equal_seeds import EqualSeeds, equal_notes, equal_seeds, repeats
from caduceus.runs.folder import RunFolder
from caduceus.runs.record import RunRecord
from run_files import summary

Rows = Sequence[Mapping[str, Any]]
Run = Callable[..., RunRecord]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def made(name: str, seed: int | None, rows: Rows, **values: Any) -> RunRecord:
        folder = RunFolder(tmp_path / "runs" / name)
        history = folder.path / "metrics_history.csv"
        write_whole(history, to_csv([{"_step": at} | dict(row) for at, row in enumerate(rows)], []))
        about = {"experiment": "toy", "variant": "rate=0.1", "rows_sha256": sha256(history)}
        summary(name, seed=seed, **about | values).write(folder.summary_json)
        return RunRecord(folder)

    return made


def losses(start: float, name: str = "val/loss", count: int = 6) -> Rows:
    return [{name: math.exp(start - at / 10), "accuracy": 0.5} for at in range(count)]


def values(*numbers: Any, name: str = "val/loss") -> Rows:
    return [{name: number} for number in numbers]


def equal(*records: RunRecord) -> EqualSeeds:
    (found,) = equal_seeds(records, None)
    return found


def test_a_program_that_ignores_its_seed_counts_once(run: Run) -> None:
    runs = [run(*each) for each in (("a", 0, losses(1)), ("b", 1, losses(2)), ("c", 2, losses(1)))]
    other = run("e", 0, losses(1), variant="rate=0.2")
    found = equal(*runs, run("d", 3, losses(1)), other)
    assert found == EqualSeeds("toy", "rate=0.1", ("a", "c", "d"), (0, 2, 3), counts_once=True)
    assert repeats([found]) == {"c", "d"}
    assert equal_notes([found]) == [
        "Seeds that logged equal rows count as one: rate=0.1 (seeds 0, 2 and 3)."
    ]


SINGLE = [float(np.float32(number)) for number in np.exp(np.arange(8) / 7)]


@pytest.mark.parametrize(
    "rows",
    [
        values(*SINGLE),
        values(*(math.exp(4 + at / 7) for at in range(5)), name="perplexity"),
        values(*(math.sqrt(at) for at in (2, 3, 5, 6, 7)), name="trainMSE"),
        values(*(1e-9 * math.sqrt(at) for at in (2, 3, 5, 6, 7)), name="nll"),
        values(*(-math.sqrt(at) for at in (2, 3, 5, 6, 7)), name="log_likelihood"),
        [*values(None, math.nan), *losses(1, count=5)],
    ],
)
def test_equal_losses_of_full_precision_are_no_chance(run: Run, rows: Rows) -> None:
    found = equal(run("a", 0, rows), run("b", 1, rows))
    assert found.counts_once


SHARES = [(1, 7), (2, 7), (3, 7), (611, 997), (12, 13), (1234, 999)]


@pytest.mark.parametrize(
    "rows",
    [
        values(0.5, 0.61, 0.71, 0.72, 0.73, 0.74, name="val/accuracy"),  # of 100 items
        losses(1, name="val/accuracy"),  # no loss, whatever its digits
        losses(1, name="loss_time"),
        losses(1, count=4),
        losses(1, count=4) * 3,
        values(0.5432, 0.4321, 0.3999, 0.3888, 0.2123, 0.1999),  # rounded
        values(*(k / n for k, n in SHARES)),
        values(*(100 * k / n for k, n in SHARES)),
        values(*(round(k / n, 8) for k, n in SHARES)),
        values(*(float(np.float32(k) / np.float32(n)) for k, n in SHARES)),
        values(*(float(np.float16(each)) for each in SINGLE)),
        values(*map(str, SINGLE)),  # texts
        [],
    ],
)
def test_equality_that_may_be_chance_is_only_said(run: Run, rows: Rows) -> None:
    found = equal(run("a", 0, rows), run("b", 1, rows))
    assert not found.counts_once and repeats([found]) == set()
    assert equal_notes([found]) == [
        "Seeds have equal rows, and each counts: rate=0.1 (seeds 0 and 1); "
        "perhaps the program ignores its seed."
    ]


def test_a_loss_that_a_seed_with_other_rows_has_too_says_nothing(run: Run) -> None:
    """Such as one of a frozen model, beside what depends on the seed."""
    same = [run("a", 0, losses(1)), run("b", 1, losses(1))]
    assert equal(*same).counts_once
    other = [dict(row) | {"accuracy": 0.6} for row in losses(1)]
    assert not equal(*same, run("c", 2, other)).counts_once
    assert equal(*same, run("d", 3, losses(1), variant="rate=0.2")).counts_once
    more = [dict(row) | {"train/loss": row["val/loss"] ** 2} for row in losses(1)]
    assert equal(run("e", 0, more), run("f", 1, more), run("c", 2, other)).counts_once


def test_the_numbers_of_their_summaries_must_be_equal(run: Run) -> None:
    timed = {"time/s": 1.5, "_runtime": 3, "system/cpu_percent": 7, "by": {"x": 1}, "note": "a"}
    again = {"time/s": 2.5, "_runtime": 4, "system/cpu_percent": 9, "by": {"x": 1}, "note": "b"}
    first = run("a", 0, losses(1), summary=timed)
    assert equal(first, run("b", 1, losses(1), summary=again)).counts_once
    again["by"] = {"x": 2}
    assert not equal(first, run("b", 1, losses(1), summary=again)).counts_once


def test_without_readable_rows_nothing_counts_once(run: Run, tmp_path: Path) -> None:
    for number, damage in enumerate((Path.unlink, lambda path: path.write_bytes(b"a,b\n\xff\n"))):
        pair = [run(f"{name}{number}", seed, losses(1)) for seed, name in enumerate("ab")]
        damage(pair[0].folder.path / "metrics_history.csv")
        assert not equal(*pair).counts_once


def test_folds_of_a_cross_validation_are_never_equal(run: Run) -> None:
    assert equal_seeds([run("a", 0, losses(1)), run("b", 1, losses(1))], 2) == []


def test_experiments_are_named_where_there_are_several(run: Run) -> None:
    others = [run(name, at, losses(2), experiment="b") for at, name in enumerate("cd")]
    coarse = [run(name, at, values(0.5), variant="x") for at, name in enumerate("ef")]
    runs = [run("a", 0, losses(1)), run("b", 1, losses(1)), *others, *coarse]
    once, each = equal_notes(equal_seeds(runs, None))
    assert once.endswith(": rate=0.1 of toy (seeds 0 and 1), rate=0.1 of b (seeds 0 and 1).")
    assert "counts: x of toy (seeds 0 and 1); perhaps" in each


def test_runs_without_rows_seeds_or_an_experiment_are_never_equal(run: Run) -> None:
    first, rows = run("a", 0, losses(1)), losses(1)
    for other in (
        run("b", 1, rows, rows_sha256=None),
        run("b", None, rows),
        run("b", 1, rows, experiment=None),
        run("b", 1, rows, state="failed"),
        run("b", 0, rows),  # a seed once more says nothing of seeds
    ):
        assert equal_seeds([first, RunRecord(other.folder)], None) == []
