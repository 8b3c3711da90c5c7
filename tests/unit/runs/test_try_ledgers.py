"""Ledgers of tries as the board, the report and assistants read them."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from caduceus.errors import ResultError
from caduceus.io.files import write_json
from caduceus.runs.files.tries import EarlierTry, HoldoutResult, Ledger, LedgerFolder, Try
from caduceus.runs.try_designs import design_of
from caduceus.runs.try_ledgers import (
    IncumbentValues,
    incumbent_values,
    pairs_of,
    summary_value,
)
from caduceus.runs.try_reader import LedgerReader, read_try_ledger
from run_files import summary
from written_tries import add_try, confirmed, result, write_ledger

SHARE = 0.15 * 0.05  # of the level, which the first confirmation takes


@pytest.fixture
def folder(tmp_path: Path) -> LedgerFolder:
    return write_ledger(tmp_path / "results")


def test_confirmations_that_keep_nothing_spend_the_level(folder: LedgerFolder) -> None:
    add_try(folder, 1, result=result("screening", level=0.0))
    confirmed(folder, 2, "kept")
    first, kept = EarlierTry(level=0.0, is_kept=False), EarlierTry(level=SHARE, is_kept=True)
    confirmed(folder, 3, "discarded", first, kept)
    budget = read_try_ledger(folder).budget
    assert (budget.level, budget.at_stake) == (0.05, 0.0)
    assert budget.spent == pytest.approx(SHARE)
    assert budget.next == pytest.approx(0.15 * (0.05 - SHARE))
    lost = EarlierTry(level=SHARE, is_kept=False)
    confirmed(folder, 4, "running", first, kept, lost)
    budget = read_try_ledger(folder).budget
    assert budget.at_stake == pytest.approx(0.15 * (0.05 - SHARE))
    assert budget.spent == pytest.approx(SHARE + budget.at_stake)
    assert budget.left == pytest.approx(0.05 - budget.spent)


def test_a_running_try_has_no_numbers(folder: LedgerFolder) -> None:
    tried = confirmed(folder, 1, "running")
    assert tried.result is not None
    [shown] = read_try_ledger(folder).tries
    assert shown == replace(tried, result=None)


def test_the_pairs_of_a_decision_have_their_phases_and_seeds(folder: LedgerFolder) -> None:
    tried = confirmed(folder, 1, "kept")
    pairs = pairs_of(tried)
    assert [pair.seed for pair in pairs] == [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14]
    assert [pair.phase for pair in pairs] == ["screening"] * 6 + ["confirmation"] * 5
    assert (pairs[6].own, pairs[6].incumbent) == ("own10", "other10")
    left_out = replace(tried, left_out=(1, 11), seeds=(0, 1, 2, 3, 4, 5, 6))
    assert [pair.seed for pair in pairs_of(left_out)] == [0, 2, 3, 4, 5, 6, 10, 12, 13, 14, 15]
    assert pairs_of(replace(tried, runs=(), result=None)) == ()


def test_incumbents_have_the_means_of_the_seeds_that_decided(folder: LedgerFolder) -> None:
    def value(run: str, metric: str) -> float | None:
        assert metric == "acc"
        seed = int(run.removeprefix("own").removeprefix("other"))
        return {"own": 1.0, "other": 0.5}[run.rstrip("0123456789")] if seed > 10 else None

    confirmed(folder, 1, "kept")
    tried = confirmed(folder, 2, "kept")
    held = HoldoutResult(runs=("h",), value=0.7, search=0.9, error=None)
    replace(tried, holdout=held).write(folder.record(2))
    found = read_try_ledger(folder)
    assert incumbent_values(found, value) == (
        IncumbentValues(0, 0.5, None),
        IncumbentValues(1, 1.0, None),
        IncumbentValues(2, 0.9, 0.7),
    )
    assert (found.openings, [each.code.id for each in found.incumbents]) == (
        1,
        ["c0de", "code1", "code2"],
    )


def test_a_metric_is_read_of_finished_runs_alone(tmp_path: Path) -> None:
    for run, values in {
        "good": {"summary": {"val": {"acc": 0.5}}},
        "failed": {"summary": {"val": {"acc": 0.5}}, "state": "failed"},
        "text": {"summary": {"val": {"acc": "NaN"}}},
    }.items():
        summary(run, **values).write(tmp_path / f"runs/{run}/run_summary.json")
    (tmp_path / "runs/damaged").mkdir()
    (tmp_path / "runs/damaged/run_summary.json").write_text("{")
    found = [
        summary_value(tmp_path, run, "val.acc")
        for run in ("good", "failed", "text", "damaged", "none")
    ]
    assert found == [0.5, None, None, None, None]


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("0002.json", "{", "0002.json: not JSON"),
        ("0002.json", '{"number": 2}', "0002.json: why is missing"),
        ("0002.json", None, "0002.json: isn't the one record of try 2"),
        ("0003.json", "7", "0003.json: the file is 7, not an object"),
        ("ledger.json", "", "ledger.json: not JSON (empty file)"),
        ("ledger.json", None, "ledger.json: is gone"),
        ("tries.csv", "a,b\n1\n", "tries.csv: not CSV (a row has 1 cells, not 2)"),
        ("tries.csv", "\0\udcff", "tries.csv: not CSV"),
    ],
)
def test_a_damaged_file_is_one_line(
    folder: LedgerFolder, name: str, content: str | None, line: str
) -> None:
    for number in (1, 2, 3):
        add_try(folder, number)
    path = folder.path / name
    path.unlink() if content is None else path.write_text(content, errors="surrogateescape")
    found = read_try_ledger(folder)
    [said] = found.damage
    assert line in said
    assert "\n" not in said and ";" in said
    whole = name in ("ledger.json", "tries.csv")
    assert len(found.tries) == (3 if whole else 2)
    assert found.is_complete is whole
    if name != "tries.csv":
        with pytest.raises(ResultError, match=name):
            _ = found.budget


def test_records_with_the_number_of_another_and_no_files(folder: LedgerFolder) -> None:
    add_try(folder, 1)
    other = add_try(folder, 2)
    replace(other, number=1).write(folder.record(2))
    folder.record(3).mkdir()
    os.mkfifo(folder.record(4))  # reading it would wait for ever
    found = read_try_ledger(folder)
    assert [each.number for each in found.tries] == [1]
    assert [line.partition("json: ")[2].partition(";")[0] for line in found.damage] == [
        "is a record of try 1",
        "isn't a file",
        "isn't a file",
    ]


def test_only_what_changed_is_read_again(
    folder: LedgerFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2, 3):
        add_try(folder, number)
    results = folder.path.parents[1]
    write_ledger(results, "other")
    reader = LedgerReader(results)
    assert reader.refresh() == {"toy", "other"}
    read: list[str] = []
    original = Try.read.__func__  # type: ignore[attr-defined]
    monkeypatch.setattr(
        Try, "read", classmethod(lambda cls, path: read.append(path.name) or original(cls, path))
    )
    assert (reader.refresh(), read) == (set(), [])
    add_try(folder, 2, "kept")
    read.clear()  # the table has all
    assert (reader.refresh(), read) == ({"toy"}, ["0002.json"])
    assert [each.verdict for each in reader.ledgers["toy"].tries][1] == "kept"
    folder.path.rename(results / "elsewhere")
    assert reader.refresh() == {"toy"}
    assert [*reader.ledgers] == ["other"]


def test_a_folder_without_a_ledger_yet_is_none(tmp_path: Path) -> None:
    (tmp_path / "tries/new/code/c0de").mkdir(parents=True)
    write_json(tmp_path / "tries/lease.json", {})
    reader = LedgerReader(tmp_path)
    assert (reader.refresh(), reader.ledgers) == ({"new"}, {})
    write_ledger(tmp_path, "new")
    assert (reader.refresh(), [*reader.ledgers]) == ({"new"}, ["new"])


def test_a_design_of_other_rules_is_an_error(folder: LedgerFolder) -> None:
    ledger = Ledger.read(folder.ledger)
    for design in ({"rule": "new"}, {"level": "x"}, {"level": 2}, {"looks": None}):
        with pytest.raises(ResultError, match=r"design: .*; restore it from a copy"):
            design_of(replace(ledger, design=dict(ledger.design) | design))
    older = {name: value for name, value in ledger.design.items() if name != "hopeless"}
    assert design_of(replace(ledger, design=older)).hopeless == 0.3
