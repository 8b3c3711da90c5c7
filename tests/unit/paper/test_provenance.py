"""Where results come from: what is recorded of the paper, and what `caduceus why` says."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from answer_schemas import check
from caduceus.__main__ import main
from caduceus.io.files import read_json, sha256, write_json
from exported_runs import export_runs, load
from projects import Project
from run_files import attempt, train

BEST = {"name": "val/accuracy", "best_by": {"name": "val/loss", "goal": "minimize"}}
PAPER: dict[str, Any] = {
    "tables": {"t": {"metrics": {"last": "val/accuracy", "chosen": BEST}, "percent": True}},
    "figures": {"f": {"kind": "curves", "metrics": {"loss": "val/loss"}}},
    "claims": {
        "low": {
            "statement": "A low rate is better.",
            "compare": {
                "better": {"rate": 0.1},
                "worse": {"rate": 0.2},
                "metric": "val/accuracy",
                "goal": "maximize",
            },
        }
    },
}
TRAINED = attempt(2, commit="c0ffee" * 7, is_dirty=True, environment="e1")


@pytest.fixture
def made(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Exported runs with a table, and the JSON files of a figure and a claim beside it."""
    monkeypatch.chdir(project.path)
    project.change("config.yaml", paper=PAPER)
    loaded = export_runs(
        project,
        lambda parameters, seed: [
            {"val/loss": 0.1, "val/accuracy": 0.9 - parameters["rate"] + seed / 100},
            {"val/loss": 0.2, "val/accuracy": 0.5 - parameters["rate"] + seed / 100},
        ],
    )
    for run in loaded.runs:
        folder = Path("results/runs") / run
        write_json(folder / "manifest.json", {"files": {}, "run": run})
        train(run, replace(TRAINED, attempt=1, commit="0ld"), TRAINED).write(folder / "train.json")
        listed = folder / "work/wandb/2/wandb/offline-run-1/files/requirements.txt"
        project.write(f"{listed}", "wandb==1\n")
    settings = [
        *("--spec", json.dumps(loaded.paper.tables["t"].to_json())),
        *("--statistics", json.dumps(asdict(loaded.paper.statistics))),
    ]
    table = "results/paper/tables/t.csv"
    assert main(["make-table", "results/experiments/toy.json", *settings, "--out", table]) == 0
    by_rate = runs_by_rate()
    write_json(Path("results/paper/figures/f.json"), {"name": "f", "runs": [*by_rate[0.1]]})
    claim = {"name": "low", "verdict": "supported", "runs": [*by_rate[0.1], *by_rate[0.2]]}
    write_json(Path("results/paper/claims.json"), {"claims": [claim]})
    record(project)
    return project


def runs_by_rate() -> dict[float, list[str]]:
    plan = read_json(Path("results/experiments/toy.json"))
    found: dict[float, list[str]] = {}
    for run, about in plan["runs"].items():
        found.setdefault(about["definition"]["parameters"]["rate"], []).append(run)
    return found


def record(project: Project) -> dict[str, Any]:
    shown = ["tables/t.json", "figures/f.json", "claims.json"]
    metrics = json.dumps(load(project).shown_metrics)
    out = "results/paper/provenance.json"
    words = [*(f"results/paper/{name}" for name in shown), "--metrics", metrics, "--out", out]
    assert main(["record-provenance", *words]) == 0
    return project.read_json(out)


def why(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    code = main(["why", *words])
    printed = capsys.readouterr()
    return printed.err.strip() if code else printed.out


def test_each_cell_names_its_runs_value_and_metric(made: Project) -> None:
    cells = made.read_json("results/paper/provenance.json")["items"]["tables/t"]["cells"]
    by_rate = runs_by_rate()
    table = made.read_json("results/paper/tables/t.json")
    assert cells.keys() == {
        f"{rate} | {heading}" for rate in by_rate for heading in ("last", "chosen")
    }
    for row in table["rows"]:
        (rate,) = row["labels"]
        for heading, metric in (("last", "val/accuracy"), ("chosen", BEST)):
            cell = cells[f"{rate} | {heading}"]
            assert cell["runs"] == by_rate[rate]
            assert cell["value"] == row["cells"][heading]["value"]
            assert cell["metric"] == (
                metric if isinstance(metric, str) else metric | {"goal": None}
            )


def test_figures_and_claims_name_their_runs(made: Project) -> None:
    items = made.read_json("results/paper/provenance.json")["items"]
    by_rate = runs_by_rate()
    assert items["figures/f"]["runs"] == by_rate[0.1]
    assert items["claims/low"]["runs"] == [*by_rate[0.1], *by_rate[0.2]]
    for item in items.values():
        plan = "results/experiments/toy.json"
        assert item["inputs"] == {plan: sha256(Path(plan))}
        first, *others = item["command"].removeprefix("snakemake --cores 1 --force ").split()
        assert (made.path / first).is_file()
        assert others == [first.replace(".json", ".pdf")] * ("/figures/" in first)


def test_each_run_names_its_code_packages_and_manifest(made: Project) -> None:
    provenance = made.read_json("results/paper/provenance.json")
    assert provenance["runs"].keys() == {run.name for run in made.runs}
    for run, about in provenance["runs"].items():
        folder = Path("results/runs") / run
        assert about["manifest"] == sha256(folder / "manifest.json")
        for name in ("attempt", "commit", "is_dirty", "environment"):  # those of the last attempt
            assert about[name] == getattr(TRAINED, name)
    (listed,) = provenance["environments"].values()
    assert Path(listed).read_text() == "wandb==1\n"


def test_a_run_made_elsewhere_has_what_its_server_knows(made: Project) -> None:
    run = made.runs[0].name
    (made.path / f"results/runs/{run}/train.json").unlink()
    summary = made.read_json(f"results/runs/{run}/run_summary.json")
    path = Path(f"results/runs/{run}/run_summary.json")
    write_json(path, summary | {"git": {"commit": "abc", "remote": ""}, "state": "finished"})
    about = record(made)["runs"][run]
    assert (about["commit"], about["is_dirty"], about["environment"]) == ("abc", None, None)


def test_why_of_a_cell_prints_the_value_of_each_run(
    made: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = why(capsys, "tables/t", "0.1", "chosen")
    assert "0.1 | chosen: " in printed
    assert "| last" not in printed
    assert "0.2 | " not in printed
    assert "val/accuracy at the best val/loss" in printed
    for seed, run in enumerate(runs_by_rate()[0.1]):
        (line,) = [line for line in printed.splitlines() if run in line]
        assert line.split()[:2] == [run, f"{0.8 + seed / 100:g}"]
        assert "c0ffeec0ffee (dirty)" in line
    assert "snakemake --cores 1 --force results/paper/tables/t.json" in printed


def test_why_takes_names_and_paths_alike(made: Project, capsys: pytest.CaptureFixture[str]) -> None:
    for path in ("results/paper/tables/t.json", "paper/tables/t.tex", "tables/t.csv"):
        assert why(capsys, path) == why(capsys, "tables/t")
    assert why(capsys, "results/paper/figures/f.pdf") == why(capsys, "figures/f")
    assert why(capsys, "results/paper/claims.json") == why(capsys, "claims/low")
    assert "supported, by 4 runs" in why(capsys, "claims")


def test_why_tells_what_has_changed_since(
    made: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "changed" not in why(capsys, "figures/f")
    run = runs_by_rate()[0.1][0]
    made.write(f"results/runs/{run}/manifest.json", "{}")
    assert f"{run} has changed since" in why(capsys, "figures/f")
    made.write("results/experiments/toy.json", "{}")
    assert "toy.json" in (said := why(capsys, "figures/f"))
    assert "which has changed" in said


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["figures/~~~~~~~~~~~~"], "~: no such result. In provenance.json there are figures/f"),
        (["tables/tt"], "tables/tt: no such result, did you mean 'tables/t'?"),
        (["claims/law"], "claims/law: no such result, did you mean 'claims/low'?"),
        (
            ["tables/t", "0.3"],
            "tables/t: no cell has 0.3, did you mean '0.2'?; there are 0.1 | last",
        ),
        (["tables/t", "chosn"], "no cell has chosn, did you mean 'chosen'?"),
        (["results/rums/x"], "results has no rums, did you mean 'runs'?"),
        (["config.yaml"], "config.yaml: isn't below results"),
        (["../elsewhere"], "no such result"),
    ],
)
def test_a_wrong_name_gets_a_hint(
    made: Project, capsys: pytest.CaptureFixture[str], words: list[str], expected: str
) -> None:
    assert expected in why(capsys, *words)


def test_before_anything_was_made_there_is_no_such_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "all: no such result: results has no all; name a file" in why(capsys, "all")


def test_why_as_json_has_what_the_text_says(
    made: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    run = runs_by_rate()[0.1][0]
    write_json(Path("results/runs") / run / "manifest.json", {"run": run, "files": {}})

    def asked(*words: str) -> Any:
        capsys.readouterr()
        assert main(["why", *words, "--json"]) == 0
        return check("why", json.loads(capsys.readouterr().out))

    [table] = asked("tables/t", "0.1", "last")["items"]
    [cell] = table["parts"]
    assert {each["run"] for each in cell["runs"]} == {*runs_by_rate()[0.1]}
    assert cell["replaced"] == [run]
    assert [each["commit"] for each in cell["runs"]] == ["c0ffee" * 7] * len(cell["runs"])
    assert [each["value"] for each in cell["runs"]] == pytest.approx([0.4, 0.41])
    assert cell["value"] == pytest.approx(40.5)  # in percent, as the table shows it
    [claim] = asked("claims/low")["items"]
    assert (claim["parts"][0]["verdict"], len(claim["parts"][0]["runs"])) == ("supported", 4)
    [file] = asked(run)["files"]
    assert (file["sha256"], file["run"]["run"]) == (None, run)
    assert file["run"]["definition"]["parameters"]["rate"] == 0.1
    assert [each["commit"] for each in file["run"]["attempts"]] == ["0ld", "c0ffee" * 7]
