"""Tables: what they show of the aggregates, and how."""

import csv
from pathlib import Path
from typing import Any

import pytest
from caduceus.errors import SpecError
from caduceus.paper.aggregates import read_rows
from caduceus.paper.tables import Table, build_table, write_table
from caduceus.validation import validate

HEADER = (
    "experiment,variant,runs,failed,metric,n,mean,std,low,high,min,max,"
    "config.arch,config.deep,config.rate\n"
)
ROWS = (
    "toy,a,3,0,acc,3,0.5,0.01,0.475,0.525,0.49,0.51,cnn,true,0.1\n"
    "toy,a,3,0,loss,3,1,0.1,0.8,1.2,0.9,1.1,cnn,true,0.1\n"
    "toy,b,3,2,acc,1,0.25,NaN,NaN,NaN,0.25,0.25,mlp_x,false,0.1\n"
    "toy,c,2,2,,0,,,,,,,gru,true,0.1\n"
)
SPEC = {
    "title": "Accuracy",
    "metrics": {"accuracy": "acc"},
    "percent": True,
    "published": [
        {"parameters": {"arch": "cnn"}, "value": 52, "interval": 2},
        {"label": "human", "value": 96.5},
    ],
    "source": "Somebody 2020",
}


def table(folder: Path, spec: dict[str, Any] = SPEC, text: str = HEADER + ROWS) -> Table:
    (folder / "variants.csv").write_text(text)
    config = {"tables": {"t": spec}}
    filled = validate(config, "paper", str)["tables"]["t"]
    return build_table(filled, read_rows([folder / "variants.csv"], []), "t")


def test_markdown(tmp_path: Path) -> None:
    write_table(table(tmp_path), tmp_path, "t")
    assert (tmp_path / "t.md").read_text() == (
        """\
Accuracy

| arch  | deep  |   accuracy |   n | published |
| ----- | ----- | ---------: | --: | --------: |
| cnn   | true  | 50.0 ± 2.5 |   3 |    52 ± 2 |
| mlp_x | false |       25.0 |   1 |         – |
| gru   | true  |          – |   0 |         – |
| human |       |          – |   – |      96.5 |

Mean in % ± half the 95 % interval over n seeds (Student's t).
Published: Somebody 2020.
Failed and left out: 4 of 8 runs.
"""
    )


def test_latex(tmp_path: Path) -> None:
    write_table(table(tmp_path), tmp_path, "t")
    lines = (tmp_path / "t.tex").read_text().splitlines()
    assert r"\begin{tabular}{llrrr}" in lines
    assert r"cnn & true & $50.0 \pm 2.5$ & 3 & $52 \pm 2$ \\" in lines
    assert r"mlp\_x & false & $25.0$ & 1 & -- \\" in lines
    assert lines[-1] == r"\end{tabular}"


def test_csv_has_the_numbers_unrounded(tmp_path: Path) -> None:
    write_table(table(tmp_path, SPEC | {"percent": False}), tmp_path, "t")
    with (tmp_path / "t.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert rows[0] == {
        "arch": "cnn",
        "deep": "true",
        "accuracy": "0.5",
        "accuracy (95 % ±)": str((0.525 - 0.475) / 2),
        "accuracy (n)": "3",
        "published": "52",
        "published (±)": "2",
        "failed": "0",
    }
    assert rows[1]["accuracy (95 % ±)"] == ""


def test_a_metric_that_no_run_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"metrics.accuracy: no run has 'x'; there are acc, loss"):
        table(tmp_path, SPEC | {"metrics": {"accuracy": "x"}})


def test_a_table_of_failed_runs_only_is_a_table_all_the_same(tmp_path: Path) -> None:
    text = HEADER + ROWS.splitlines()[-1]
    found = table(tmp_path, SPEC, text)
    write_table(found, tmp_path, "t")
    assert "Failed and left out: 2 of 2 runs." in (tmp_path / "t.md").read_text()


def test_a_single_variant_is_called_by_its_name(tmp_path: Path) -> None:
    found = table(tmp_path, SPEC, HEADER + ROWS.splitlines()[0])
    assert found.label_names == ("variant",)
    assert found.rows[0].labels == ("a",)


def test_rows_of_other_experiments_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "variants.csv"
    path.write_text(HEADER + ROWS + ROWS.replace("toy", "other"))
    assert len(read_rows([path], ["toy"])) == 4
    assert len(read_rows([path], [])) == 8
