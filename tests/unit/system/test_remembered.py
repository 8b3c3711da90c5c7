"""A command that only reads finds again what it printed once something that it read has changed."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from caduceus.errors import ResultError
from caduceus.system import processes
from caduceus.system.recorded_reads import doubt
from caduceus.system.remembered import print_remembered

FOUND: list[str] = []  # by calls


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project in which Snakemake has run, with a file older than a tick of the clock."""
    monkeypatch.chdir(tmp_path)
    FOUND.clear()
    Path(".snakemake").mkdir()
    Path("state").write_text("one")
    written = Path("state").stat().st_ctime_ns
    while Path(".snakemake").stat().st_ctime_ns < written + 60_000_000:
        time.sleep(0.005)
        Path(".snakemake/probe").touch()
        Path(".snakemake/probe").unlink()


def find() -> Iterator[str]:
    FOUND.append(Path("state").read_text())
    yield f"it is {FOUND[-1]}"


def test_it_is_found_once(capsys: pytest.CaptureFixture[str]) -> None:
    print_remembered("status", [], find)
    print_remembered("status", [], find)

    assert FOUND == ["one"]
    assert capsys.readouterr().out == "it is one\nit is one\n"


def test_it_is_found_again_after_a_change_and_with_other_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_remembered("status", [], find)
    print_remembered("status", ["results"], find)
    Path("state").write_text("two")
    print_remembered("status", ["results"], find)

    assert FOUND == ["one", "one", "two"]
    assert capsys.readouterr().out == "it is one\nit is one\nit is two\n"


def test_what_another_program_says_is_asked_each_time() -> None:
    def ask() -> Iterator[str]:
        yield from find()
        yield str(processes.capture(["git", "--version"]))

    print_remembered("status", [], ask)
    print_remembered("status", [], ask)

    assert FOUND == ["one", "one"]


def test_what_goes_by_the_clock_is_found_each_time() -> None:
    def ask() -> Iterator[str]:
        doubt("the clock")
        yield from find()

    print_remembered("status", [], ask)
    print_remembered("status", [], ask)

    assert FOUND == ["one", "one"]


def test_a_program_that_is_missing_is_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask() -> Iterator[str]:
        yield from find()
        with suppress(processes.StartError):
            yield str(processes.capture(["squeue"]))

    monkeypatch.setenv("PATH", "bin")
    print_remembered("status", [], ask)
    print_remembered("status", [], ask)
    assert FOUND == ["one"]

    Path("bin").mkdir()
    Path("bin/squeue").write_text("#!/bin/sh\n")
    Path("bin/squeue").chmod(0o755)
    print_remembered("status", [], ask)

    assert FOUND == ["one", "one"]


def test_an_error_comes_each_time_after_the_lines_before_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> Iterator[str]:
        yield from find()
        raise ResultError("no such result", "state")

    for _ in range(2):
        with pytest.raises(ResultError):
            print_remembered("why", [], fail)
        assert capsys.readouterr().out == "it is one\n"
