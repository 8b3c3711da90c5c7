"""From experiment files to a table, as a user does it."""

import csv
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from caduceus.exports.run import VOLATILE, VOLATILE_VALUES
from projects import REPOSITORY, Project


def test_every_run_is_trained_exported_and_shown(trained: Project) -> None:
    assert len(trained.runs) == 4
    for run in trained.runs:
        assert json.loads((run / "train.json").read_text())["state"] == "finished"
        with (run / "metrics_history.csv").open() as stream:
            rows = list(csv.DictReader(stream))
        assert [row["_step"] for row in rows] == ["0", "1", "2", "3", "4"]
        assert [row["val/loss"] for row in rows][:2] == ["1", "0.5"]
    assert trained.read_json("results/failures.json") == {
        "damaged": {},
        "failed_trials": {},
        "secrets": [],
    }


def test_the_identity_reaches_wandb(trained: Project) -> None:
    run = trained.runs[0]
    summary = json.loads((run / "run_summary.json").read_text())
    log = next(run.glob("work/wandb/1/wandb/offline-run-*/*.wandb"))

    assert log.name == f"run-{run.name}.wandb"
    assert summary["run_id"] == run.name
    assert summary["group"] == "baseline"
    assert summary["job_type"] == "train"
    assert summary["tags"] == ["toy", "baseline", "dataset-points"]
    assert summary["name"].startswith("toy rate=0.")
    assert summary["config"]["hypothesis"] == "A lower rate is better."
    assert summary["config"]["width"] == 4
    assert summary["program"] == "experiments/train.py"


def test_artifacts_are_logged_for_a_program_that_logs_none(trained: Project) -> None:
    run = trained.runs[0]
    receipt = json.loads((run / "upload.json").read_text())["artifacts"]

    types = {name: artifact["type"] for name, artifact in receipt.items()}
    assert types == {
        "spec-toy": "experiment-spec",
        "code-toy": "code",
        "dataset-points": "dataset",
        f"model-{run.name}": "model",
        f"results-{run.name}": "results",
    }
    assert receipt["dataset-points"]["is_used"]
    exported = run / "artifacts" / f"model-{run.name}" / "model.txt"
    assert exported.read_text().endswith(" 4")
    assert not (run / "artifacts/dataset-points").exists()


def test_the_manifest_names_every_exported_file_with_its_digest(trained: Project) -> None:
    for run in trained.runs:
        manifest = json.loads((run / "manifest.json").read_text())
        assert manifest["files"]["metrics_history.csv"]["rows"] == 5
        assert set(manifest["damage"].values()) == {0}
        for name, known in manifest["files"].items():
            content = (run / name).read_bytes()
            assert len(content) == known["bytes"]
            assert hashlib.sha256(content).hexdigest() == known["sha256"]


def test_a_group_has_all_runs_their_aggregates_and_their_history(trained: Project) -> None:
    group = trained.path / "results/groups/baseline"
    with (group / "runs.csv").open() as stream:
        runs = list(csv.DictReader(stream))
    with (group / "variants.csv").open() as stream:
        variants = [row for row in csv.DictReader(stream) if row["metric"] == "val/accuracy"]

    assert {row["run"] for row in runs} == {run.name for run in trained.runs}
    assert [(row["variant"], row["n"], row["failed"]) for row in variants] == [
        ("rate=0.1", "2", "0"),
        ("rate=0.2", "2", "0"),
    ]
    # The mean of 1 - 1/6 - rate - seed/1000 over seeds 0 and 1.
    assert float(variants[0]["mean"]) == pytest.approx(5 / 6 - 0.1 - 0.0005)
    history = pq.read_table(group / "history.parquet")
    assert history.num_rows == 20
    assert json.loads((group / "compute.json").read_text())["attempts"] == 4


def test_the_table_is_written_in_three_formats_and_printed(trained: Project) -> None:
    tables = trained.path / "results/paper/tables"
    printed = trained.path.with_name("printed.txt").read_text()  # by the Snakemake that made it
    assert (tables / "accuracy.md").read_text() in printed
    assert r"\toprule" in (tables / "accuracy.tex").read_text()
    assert "accuracy" in (tables / "accuracy.csv").read_text()


def test_the_same_seed_gives_the_same_bytes_in_another_place(
    trained: Project, project: Project
) -> None:
    first = trained.runs[0]
    project.snakemake(f"results/runs/{first.name}/manifest.json").check()

    (again,) = project.runs
    assert again.name == first.name
    assert without_volatile(again) == without_volatile(first)
    assert without_times(again / "metrics_history.csv") == without_times(
        first / "metrics_history.csv"
    )


def without_volatile(run: Path) -> dict[str, Any]:
    summary = json.loads((run / "run_summary.json").read_text())
    for name in VOLATILE:
        del summary[name]
    for name in VOLATILE_VALUES:
        del summary["summary"][name]
    return summary


def without_times(path: Path) -> list[dict[str, str]]:
    with path.open() as stream:
        rows = list(csv.DictReader(stream))
    assert all(row.pop("_timestamp") and row.pop("_runtime") for row in rows)
    return rows


PUBLISHED = {"logistic": 32, "mlp": 68, "cnn": 94}


@pytest.mark.parametrize(
    ("architectures", "seeds"),
    [(["logistic", "mlp"], [0]), pytest.param([*PUBLISHED], [0, 1, 2], marks=pytest.mark.soak)],
)
def test_mnist1d_reproduces_the_published_table(
    project: Project, architectures: list[str], seeds: list[int]
) -> None:
    """The shipped quick experiment: two of its 24 runs, or nine."""
    shutil.rmtree(project.path / "experiments")
    shutil.copytree(REPOSITORY / "experiments", project.path / "experiments")
    shutil.copy(REPOSITORY / "config.yaml", project.path)
    matrix = {"architecture": architectures}
    project.change("experiments/mnist1d_quick.yaml", seeds=seeds, matrix=matrix)
    paper = yaml.safe_load((project.path / "config.yaml").read_text())["paper"]
    project.change("config.yaml", paper={"tables": paper["tables"]})  # claims want all of them
    project.snakemake("results/paper/tables/accuracy.csv").check()

    with (project.path / "results/paper/tables/accuracy.csv").open() as stream:
        rows = {row["architecture"]: row for row in csv.DictReader(stream)}
    assert {*architectures, "human"} == rows.keys()
    for architecture in architectures:
        value = PUBLISHED[architecture]
        for how in ("best", "final", "selected"):
            assert float(rows[architecture][how]) == pytest.approx(value, abs=3.5)
        assert float(rows[architecture]["published"]) == value
    assert_what_tracking_logs(project)


def assert_what_tracking_logs(project: Project) -> None:
    run = next(run for run in project.runs if "mlp" in (run / "params.json").read_text())
    summary = json.loads((run / "run_summary.json").read_text())
    with (run / "metrics_history.csv").open() as stream:
        last = list(csv.DictReader(stream))[-1]
    with (run / "system_metrics.csv").open() as stream:
        system = list(csv.DictReader(stream))

    for name in ("loss", "accuracy"):
        assert {f"train/{name}", f"val/{name}", f"test/{name}"} <= last.keys()
    assert last["epoch"] == "100"
    assert json.loads(last["visualizations/loss_curves"])["_type"] == "image-file"
    assert json.loads(last["visualizations/confusion_matrix_table"])["nrows"] == 100
    assert any(float(row["system/cpu_percent"] or 0) > 0 for row in system)
    assert any(row["system.proc.memory.rssMB"] for row in system)
    media = json.loads(last["visualizations/loss_curves"])["path"]
    assert (run / media).read_bytes().startswith(b"\x89PNG")
    assert {artifact["name"] for artifact in summary["used_artifacts"]} == {"dataset-mnist1d"}
    assert {artifact["type"] for artifact in summary["artifacts"]} == {
        "code",
        "experiment-spec",
        "model",
        "results",
    }
    # No second wandb process was needed: the program logged all its artifacts itself.
    assert not (run / "work/wandb/upload").exists()
