"""The checklist: data answer what they can, and claim no more."""

import re
from dataclasses import replace
from typing import Any

import pytest
from caduceus.paper.checklist import ChecklistData, fill_checklist
from run_files import plan

TITLES = (
    "Claims",
    "Limitations",
    "Theory assumptions and proofs",
    "Experimental result reproducibility",
    "Open access to data and code",
    "Experimental setting/details",
    "Experiment statistical significance",
    "Experiments compute resources",
    "Code of ethics",
    "Broader impacts",
    "Safeguards",
    "Licenses for existing assets",
    "New assets",
    "Crowdsourcing and research with human subjects",
    "Institutional review board (IRB) approvals or equivalent for research with human subjects",
    "Declaration of LLM usage",
)
CELL = {"n": 3, "value": 0.5, "low": 0.4, "high": 0.6, "method": "mean, 95 % interval by t"}
RUN = {"attempt": 1, "commit": "c0ffee00c0ffee00", "is_dirty": False, "environment": "e1"}
ROW = {"runs": 3, "attempts": 3, "gpu_hours": 0, "cpu_hours": 1.5, "wall_hours": 1.0}
SPEC: dict[str, Any] = {
    "program": "train.py",
    "dataset": {"name": "points", "path": "points.csv", "version": 1},
    "parameters": {"width": 4},
    "matrix": {"rate": [0.1, 0.2]},
    "variants": {},
    "sweep": None,
    "seeds": [0, 1, 2],
}
COMPLETE = ChecklistData(
    plans={"results/experiments/toy.json": plan({"a": None, "b": None}, **SPEC)},
    datasets={"results/datasets/points/dataset.json": {"name": "points", "sha256": "d1"}},
    tables={"results/paper/tables/t.json": {"rows": [{"labels": [0.1], "cells": {"x": CELL}}]}},
    claims={
        "alpha": 0.05,
        "test": "sign_flip",
        "claims": [{"verdict": "supported", "statement": "Ours is\nbetter."}],
    },
    compute={"parts": {"reported": ROW}, "total": ROW, "machines": [{"cpu": "a CPU"}]},
    provenance={"runs": {"a": RUN, "b": RUN}, "environments": {"e1": "requirements.txt"}},
    remote="https://example.org/paper.git",
    folder="results/paper",
)


def filled(data: ChecklistData = COMPLETE) -> dict[int, str]:
    """The text of each item by its number."""
    text = fill_checklist(data)
    parts = re.split(r"^## (\d+)\. ", text, flags=re.MULTILINE)
    return dict(zip(map(int, parts[1::2]), parts[2::2], strict=True))


def answers(data: ChecklistData = COMPLETE) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, text in filled(data).items():
        found.setdefault(re.search(r"`\\answer(\w+)\{\}`", text)[1], []).append(number)
    return found


def with_cell(**changes: Any) -> ChecklistData:
    rows = [{"labels": [0.1], "cells": {"x": CELL, "y": CELL | changes}}]
    return replace(COMPLETE, tables={"t.json": {"rows": rows}})


def with_verdict(verdict: str) -> ChecklistData:
    claims = [*COMPLETE.claims["claims"], {"verdict": verdict, "statement": "It is quick."}]
    return replace(COMPLETE, claims=COMPLETE.claims | {"claims": claims})


def test_it_has_the_sixteen_items_in_order() -> None:
    assert [text.splitlines()[0] for text in filled().values()] == list(TITLES)
    assert list(filled()) == list(range(1, 17))


def test_data_answer_five_items_and_the_author_the_rest() -> None:
    assert answers() == {
        "Yes": [1, 4, 6, 7, 8],
        "TODO": [2, 3, 5, 9, 10, 11, 12, 13, 14, 15, 16],
    }
    assert "Answered from the data: 1, 4, 6, 7, 8. TODO for the author: 2, 3" in fill_checklist(
        COMPLETE
    )
    for number in answers()["TODO"]:
        assert "TODO for the author: " in filled()[number]


@pytest.mark.parametrize(
    ("verdict", "answer"),
    [
        ("supported", "Yes"),
        ("refuted", "No"),
        ("within noise", "TODO"),
        ("not enough runs", "TODO"),
    ],
)
def test_claims_are_answered_by_their_verdicts(verdict: str, answer: str) -> None:
    evidence = with_verdict(verdict)
    assert 1 in answers(evidence)[answer]
    assert f"- {verdict}: It is quick." in filled(evidence)[1]
    assert "- supported: Ours is better." in filled(evidence)[1]
    said = f"- {verdict.capitalize()}: It is quick."
    assert (said in filled(evidence)[2]) == (answer != "Yes")


def test_without_claims_the_author_answers() -> None:
    assert 1 in answers(replace(COMPLETE, claims=None))["TODO"]


def test_a_cell_without_an_interval_leaves_the_item_open() -> None:
    evidence = with_cell(n=1, low=None, high=None)
    assert 7 in answers(evidence)["TODO"]
    assert (
        "Cells without an interval, of a single run or of seeds that agree: 1."
        in filled(evidence)[7]
    )
    assert "1 to 3 runs in a cell" in filled(evidence)[7]
    assert "mean, 95 % interval by t" in filled(evidence)[7]
    assert 7 in answers(with_cell(n=5))["Yes"]


def test_significance_isnt_answered_where_nothing_could_be_decided() -> None:
    claims = {"alpha": 0.05, "test": "sign_flip", "claims": []}
    for verdict, mark, answer in (
        ("not enough runs", "undecided", "TODO"),
        ("no verdict", "untested", "TODO"),
        ("not enough runs", "worse", "Yes"),
        ("undecided", "undecided", "Yes"),  # of a claim: its runs could have decided
        ("within noise", "undecided", "Yes"),
    ):
        claim = {"statement": "So.", "name": "so", "verdict": verdict}
        rows = [{"labels": [0.1], "cells": {"x": CELL | {"verdict": "best"}}}]
        rows.append({"labels": [0.2], "cells": {"x": CELL | {"verdict": mark}}})
        tables = {"t.json": {"rows": rows}}
        data = replace(COMPLETE, tables=tables, claims=claims | {"claims": [claim]})
        assert 7 in answers(data)[answer], (verdict, mark)
        said = "No comparison could be decided, however large the difference."
        assert (said in filled(data)[7]) == (answer == "TODO")


def test_runs_made_elsewhere_leave_reproducibility_open() -> None:
    runs = {"a": RUN, "b": RUN | {"attempt": None, "is_dirty": None, "environment": None}}
    evidence = replace(COMPLETE, provenance=COMPLETE.provenance | {"runs": runs})
    assert 4 in answers(evidence)["TODO"]
    assert "Remote runs: 1." in filled(evidence)[4]


def test_a_dirty_tree_is_told() -> None:
    runs = {"a": RUN, "b": RUN | {"is_dirty": True}}
    evidence = replace(COMPLETE, provenance=COMPLETE.provenance | {"runs": runs})
    assert "Runs with uncommitted changes: 1." in filled(evidence)[4]
    assert "c0ffee00c0ff (2 runs)" in filled(evidence)[4]
    assert "uncommitted" not in filled()[4]


def test_what_a_run_used_other_than_planned_and_dropped_rows_are_limitations() -> None:
    changed = {"changed_parameters": {"width": {"planned": 4, "used": 2}}}
    dropped = {"dropped_rows": {"rows": 6, "metrics": {"late": 6}, "lost": ["late"]}}
    runs = {"a": RUN | changed, "b": RUN | dropped}
    text = filled(replace(COMPLETE, provenance=COMPLETE.provenance | {"runs": runs}))[2]
    assert "reported other parameters than planned: 1;" in text
    assert "dropped, as their step went back: 6 in 1 run." in text
    assert "planned" not in filled()[2]


def test_unknown_hardware_leaves_compute_open() -> None:
    evidence = replace(COMPLETE, compute=COMPLETE.compute | {"machines": [{"cpu": None}]})
    assert 8 in answers(evidence)["TODO"]


def test_settings_are_those_of_the_plans() -> None:
    text = filled()[6]
    for said in ("train.py, 2 runs", "width=4", "rate=[0.1, 0.2]", "seeds: 0, 1, 2"):
        assert said in text


def test_files_beyond_the_code_are_named_and_left_to_the_author() -> None:
    runs = {"a": RUN, "b": RUN | {"beyond_code": ["libs/model.py"]}}
    data = replace(COMPLETE, provenance=COMPLETE.provenance | {"runs": runs})
    assert (
        "- Runs that used more than the code that is counted: 1 (libs/model.py). Their snapshots "
        "lack these files; an archive has those that haven't changed since, and lists the others "
        "in left_out.csv."
    ) in filled(data)[4]
    assert 4 in answers(data)["TODO"]
    assert "TODO for the author: add the files beyond the code under `code:`." in filled(data)[4]
    assert "beyond the code" not in filled()[4]
