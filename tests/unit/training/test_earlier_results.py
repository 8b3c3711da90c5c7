"""Seeds that are added after a look at the results are known by what had been shown."""

from dataclasses import replace
from pathlib import Path

from caduceus.io.files import write_json
from caduceus.runs.folder import RunFolder
from caduceus.training.earlier_results import shown_before
from run_files import plan


def show(results: Path, runs: list[str]) -> None:
    """A table and a claim that show these runs."""
    rows = [{"cells": {"accuracy": {"runs": [run]}}} for run in runs]
    write_json(results / "paper/tables/t.json", {"name": "t", "rows": rows})
    write_json(results / "paper/claims.json", {"claims": [{"name": "c", "runs": runs}]})


def test_a_seed_is_late_if_others_were_shown_without_it(tmp_path: Path) -> None:
    path = tmp_path / "experiments/toy.json"
    planned = plan({"a-0": None, "a-1": None, "b-0": None, "t-0": "0000"})
    runs = [replace(run, variant=run.id[0]) for run in planned.runs]
    replace(planned, runs=tuple(runs)).write(path)

    def late(run: str, experiment: str = "toy") -> tuple[str, ...] | None:
        return shown_before(RunFolder(tmp_path / "runs" / run), experiment)

    assert late("a-1") is None
    show(tmp_path, ["a-0", "t-0"])
    assert late("a-1") == ("tables/t", "claims/c")
    assert late("a-0") is None  # it trains again
    assert late("b-0") is None  # of another variant
    assert late("t-0") is None
    assert late("a-1", "other") is None
    (tmp_path / "paper/claims.json").write_text("")
    assert late("a-1") == ("tables/t",)
