"""Seeds that are added after a look at the results are known by what had been shown."""

from dataclasses import replace
from pathlib import Path

from caduceus.io.files import write_json
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
    assert shown_before(tmp_path, "toy", "a-1") == ()

    show(tmp_path, ["a-0", "t-0"])
    assert shown_before(tmp_path, "toy", "a-1") == ("tables/t", "claims/c")
    assert shown_before(tmp_path, "toy", "a-0") == ()  # it trains again
    assert shown_before(tmp_path, "toy", "b-0") == ()  # of another variant
    assert shown_before(tmp_path, "toy", "t-0") == ()
    assert shown_before(tmp_path, "other", "a-1") == ()
    (tmp_path / "paper/claims.json").write_text("")
    assert shown_before(tmp_path, "toy", "a-1") == ("tables/t",)
