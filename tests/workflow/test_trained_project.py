"""Every part of the record of a project that was trained."""

import os
import re
from pathlib import Path

import pandas as pd
import pytest
from caduceus.__main__ import main
from caduceus.analysis import load_history, load_runs
from caduceus.io.files import digest_text
from ledgers import attempt
from projects import Project


def test_a_trained_run_has_all_of_it_on_record(trained: Project) -> None:
    for run in trained.runs:
        (made,) = trained.read_json(f"results/runs/{run.name}/train.json")["attempts"]
        assert attempt().to_json().keys() <= made.keys()
        assert made["machine"]["cpu"]
        assert made["machine"]["cpus"] == os.cpu_count()
        (listed,) = run.glob("work/wandb/1/wandb/*run-*/files/requirements.txt")
        lines = sorted(listed.read_text().splitlines())
        assert made["environment"] == digest_text("\n".join(lines))
        assert any(line.startswith("wandb==") for line in lines)
    compute = trained.read_json("results/paper/compute.json")
    assert compute["total"] == {"experiment": "total", "kind": None} | compute["parts"]["reported"]
    group = trained.read_json("results/groups/baseline/compute.json")
    assert {name: compute["total"][name] for name in group if name in compute["total"]} == {
        name: value for name, value in group.items() if name in compute["total"]
    }


def test_the_plan_lists_every_run(trained: Project) -> None:
    plan = trained.read_json("results/experiments/toy.json")
    assert plan["runs"].keys() == {run.name for run in trained.runs}
    for run in trained.runs:
        assert (
            trained.read_json(f"results/runs/{run.name}/params.json")
            == (plan["runs"][run.name]["definition"])
        )


def test_a_run_folder_holds_the_code_that_ran(trained: Project) -> None:
    for run in trained.runs:
        code = run / "work/code"
        for name in ("experiments/train.py", "experiments/curve.py"):
            assert not (code / name).is_symlink()
            assert (code / name).read_text() == (trained.path / name).read_text()


def test_no_link_in_results_leads_out_of_it(trained: Project) -> None:
    results = (trained.path / "results").resolve()
    entries = (Path(base, name) for base, fs, ns in os.walk(results) for name in [*fs, *ns])
    links = [entry for entry in entries if entry.is_symlink()]
    assert links
    for link in links:
        assert link.exists(), link
        assert link.resolve().is_relative_to(results), link
        assert not link.parent.is_relative_to(link.resolve()), link


def test_evidence_of_a_real_project_exists(trained: Project) -> None:
    text = (trained.path / "results/paper/checklist.md").read_text()
    paths = [
        path
        for line in re.findall(r"^Evidence: (.*)$", text, re.MULTILINE)
        for path in re.findall(r"`([^`]+)`", line)
    ]
    assert len(paths) > 5
    for path in paths:
        assert (trained.path / path).is_file(), path


def why(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    code = main(["why", *words])
    printed = capsys.readouterr()
    return printed.err.strip() if code else printed.out


def test_why_explains_every_file_of_a_project(
    trained: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trained.path)
    ids = {run.name for run in trained.runs}
    passed_over = {"work", "logs", "further"}
    for path in Path("results").rglob("*"):
        if not path.is_file() or passed_over & set(path.parts) or path.name.startswith("."):
            continue
        printed = why(capsys, str(path))
        assert re.search(r"^  command  snakemake --cores 1 --force results/", printed, re.MULTILINE)
        named = {run for run in ids if run in printed}
        if path.parts[1] == "runs":
            assert named == {path.parts[2]}
            assert "the file is changed" not in printed
        elif path.parts[1] in ("groups", "paper"):
            assert named == ids, path


def test_why_tells_a_file_that_was_changed(
    finished: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished.path)
    run = finished.runs[0].name
    assert "the file is unchanged since it was made" in why(capsys, f"{run}/output/model.txt")
    for name in ("metrics_history.csv", "output/model.txt"):
        finished.write(f"results/runs/{run}/{name}", "other")
        assert "the file is changed since" in why(capsys, f"results/runs/{run}/{name}")


def test_what_is_loaded_is_what_was_exported(trained: Project) -> None:
    """Each table beside the files of a real project."""
    runs = load_runs(project=trained.path)
    table = pd.read_csv(trained.path / "results/groups/baseline/runs.csv")
    assert set(table.columns) <= set(runs.columns)
    assert runs["run"].tolist() == table["run"].tolist()
    assert runs["summary.val/accuracy"].tolist() == table["summary.val/accuracy"].tolist()
    parquet = pd.read_parquet(trained.path / "results/groups/baseline/history.parquet")
    pd.testing.assert_frame_equal(
        load_history(project=trained.path), parquet, check_dtype=False, check_exact=True
    )
