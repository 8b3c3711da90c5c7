"""An entry that can't be made costs only itself, and is recorded until it is made."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest
from caduceus.errors import ResultError, SpecError
from caduceus.io.failed_entries import Entry, clear_failed, failed_entries


def make(results: Path, item: str, work: Callable[[], None]) -> Entry:
    """Make an entry of one file, which holds the error if it fails."""
    entry = Entry(item, results, [results / f"{item}.txt"], results / "logs/entry.log")
    entry.files[0].parent.mkdir(parents=True, exist_ok=True)

    with entry.costs_only_itself(lambda error: void(entry.files[0].write_text(error))):
        work()
    return entry


def void(_: object) -> None:
    pass


def fail(error: Exception) -> Callable[[], None]:
    def work() -> None:
        raise error

    return work


def test_an_error_stands_in_its_place_until_it_is_mended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = "paper.tables.t: metrics.a: no run logged metric 'a'"
    error = SpecError("metrics.a: no run logged metric 'a'", where="paper.tables.t")
    entry = make(tmp_path, "tables/t", fail(error))
    assert entry.files[0].read_text() == line
    assert capsys.readouterr().err == f"caduceus: failed, others go on: {line}\n"
    [failed] = failed_entries(tmp_path, ["figures/f", "tables/t"])
    assert (failed.item, failed.errors, failed.files) == ("tables/t", (line,), ("tables/t.txt",))

    make(tmp_path, "tables/t", lambda: None)
    assert failed_entries(tmp_path, ["tables/t"]) == []


def test_another_error_names_its_entry(tmp_path: Path) -> None:
    entry = make(tmp_path, "groups/g", fail(ResultError("not CSV", where="results/runs/r/x.csv")))
    assert entry.files[0].read_text() == "groups/g: results/runs/r/x.csv: not CSV"


def test_an_unexpected_error_is_one_line_and_its_traceback_is_in_the_log(tmp_path: Path) -> None:
    entry = make(tmp_path, "figures/a.b", fail(KeyError("two\nlines")))
    log = tmp_path / "logs/entry.log"
    line = entry.files[0].read_text()
    assert line.startswith("figures/a.b: internal error: KeyError('two\\nlines') in test_failed_")
    assert line.endswith(f"; {log} has the traceback")
    assert log.read_text().startswith("Traceback (most recent call last):")
    assert len(failed_entries(tmp_path, ["figures/a.b"])) == 1


def test_an_object_in_an_unexpected_error_has_no_address(tmp_path: Path) -> None:
    """The archive's rebuild compares bytes."""
    entry = make(tmp_path, "report", fail(ValueError(object())))
    assert "ValueError(<object object>)" in entry.files[0].read_text()


def test_a_full_disk_is_no_failure_of_an_entry(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="free some space"):
        make(tmp_path, "report", fail(OSError(errno.ENOSPC, "No space left on device", "x")))
    assert failed_entries(tmp_path, ["report"]) == []


def test_an_interruption_is_no_failure_of_an_entry(tmp_path: Path) -> None:
    def work() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, "report", work)
    assert failed_entries(tmp_path, ["report"]) == []


def test_what_failed_is_cleared_to_be_made_again(tmp_path: Path) -> None:
    fine = make(tmp_path, "tables/fine", lambda: None)
    fine.files[0].write_text("1")
    bad = make(tmp_path, "tables/bad", fail(SpecError("no")))
    assert clear_failed(tmp_path) == ["tables/bad"]
    assert (fine.files[0].exists(), bad.files[0].exists()) == (True, False)
    assert clear_failed(tmp_path) == []
