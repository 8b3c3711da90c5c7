"""What Snakemake is called with."""

import sys
from pathlib import Path

import pytest
from caduceus.system.snakemake_process import run_snakemake
from snakemake import cli


@pytest.mark.parametrize(
    ("words", "scheduler"), [(["--cores", "1"], "greedy"), (["--scheduler", "ilp"], "ilp")]
)
def test_a_build_starts_no_solver_unless_it_is_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], scheduler: str
) -> None:
    given: list[str] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.setattr(cli, "main", given.extend)
    assert run_snakemake(words) == 0
    assert cli.get_argument_parser().parse_args(given).scheduler == scheduler


def test_a_folder_without_a_snakefile_is_said_to_be_no_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors: list[str] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [])
    assert run_snakemake(["--cores", "1"], errors=errors) == 1
    [error] = errors
    assert "`caduceus init`" in error
