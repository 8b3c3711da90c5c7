"""Exports of runs and groups: what is in the files, down to the cell."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from caduceus.errors import ResultError
from caduceus.exports.group import export_group, leaves
from caduceus.exports.history import fold_media
from caduceus.exports.run import export_run
from caduceus.runs.files.train import Train
from caduceus.runs.folder import RunFolder
from caduceus.runs.left_logs import left_logs
from caduceus.wandb_log import read_log
from projects import EXPERIMENT, ONE_RUN, TRAIN, Project

VALUES = """
    run.log({"nan": float("nan"), "inf": float("inf"), "text": "NaN", "big": 2**60, "f": 0.1,
             "none": None, "flag": True, "comma": 'a,"b"\\n', "nest": {"a": 1}, "odd.key": 2})
    run.log({"only_here": 1, "system/mine": 3, "system/cpu_percent": 4,
             "histogram": wandb.Histogram([1, 2])})
"""


ADDITIONS = """run.log({"seed": 7, "run": "x"})
run.config.update({"started": "now"})
for version in range(2):
    artifact = wandb.Artifact("several", type="results")
    with artifact.new_file(f"{version}.txt") as stream:
        stream.write(str(version))
    run.log_artifact(artifact)
run.finish()"""
REPORTS = """run.config.update({"width": 2, "rate": "1e-1"}, allow_val_change=True)
run.config["dataset"] = "other"
run.notes = "Half the width: too large."
for step in range(3):
    run.log({"late": step, "val/loss": 9, "system/cpu_percent": 1}, step=step)
run.finish()"""
SEEDED = TRAIN.replace('"--seed"', '"--rng-seed", dest="seed"').replace(
    "wandb.init()",
    'wandb.init(config={"rng_seed": options.seed, "seed": 42})\nassert run.config.seed == 42',
)
PROGRAMS = {
    "seeded": SEEDED,
    "reports": TRAIN.replace("run.finish()", REPORTS),
    "values": TRAIN.replace("run.finish()", f"if True:{VALUES}"),
    "additions": TRAIN.replace("run.finish()", ADDITIONS),
    "silent": """\
import os
with open(os.environ["CADUCEUS_OUTPUT_DIR"] + "/answer.txt", "w") as stream:
    stream.write("42")
""",
}


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """What programs log that not all do, exported: one run each, in a group of its name."""
    project = Project.create(tmp_path_factory.mktemp("logged") / "project")
    for name, program in PROGRAMS.items():
        project.write(f"experiments/{name}.py", program)
        settings = {"id": name, "group": name, "program": f"experiments/{name}.py"}
        project.write_yaml(f"experiments/{name}.yaml", EXPERIMENT | ONE_RUN | settings)
    wandb = {"project": "tests", "groups": dict.fromkeys(PROGRAMS, "A program.")}
    experiments = [f"experiments/{name}.yaml" for name in PROGRAMS]
    project.change("experiments/reports.yaml", description="A toy.")
    project.change("experiments/seeded.yaml", seed_argument="rng-seed")
    project.change("config.yaml", wandb=wandb, experiments=experiments, paper={})
    groups = [f"results/groups/{name}/runs.csv" for name in PROGRAMS]
    project.snakemake(*groups).check()
    return project


def run_of(project: Project, experiment: str) -> Path:
    (run,) = (path for path in project.runs if path.name.startswith(experiment))
    return run


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_value_has_its_one_rendering(logged: Project) -> None:
    run = run_of(logged, "values")
    rows = rows_of(run / "metrics_history.csv")

    assert rows[5] | {"_timestamp": "", "_runtime": ""} == dict.fromkeys(rows[5], "") | {
        "_step": "5",
        "nan": "NaN",
        "inf": "Infinity",
        "text": '"NaN"',
        "big": str(2**60),
        "f": "0.1",
        "none": "null",
        "flag": "true",
        "comma": 'a,"b"\n',
        "nest.a": "1",
        r"odd\.key": "2",
    }
    assert json.loads(rows[6]["histogram"])["_type"] == "histogram"
    assert (rows[6]["system/mine"], "system/cpu_percent" in rows[6]) == ("3", False)
    system = rows_of(run / "system_metrics.csv")
    measured = [(row["_step"], row["system/cpu_percent"]) for row in system]
    assert [pair for pair in measured if pair[1]] == [("6", "4")]
    first, *_, runtime, timestamp = rows[0]
    assert [first, runtime, timestamp] == ["_step", "_runtime", "_timestamp"]

    history = pq.read_table(logged.path / "results/groups/values/history.parquet")
    kinds = {name: str(history.schema.field(name).type) for name in history.column_names}
    assert kinds["val/loss"] == kinds["nan"] == kinds["f"] == "double"
    assert kinds["big"] == kinds["_step"] == kinds["seed"] == "int64"
    assert kinds["text"] == kinds["comma"] == "string"
    assert kinds["flag"] == "bool"
    assert history.column("big").to_pylist()[5] == 2**60


def test_a_seed_with_another_name_leaves_the_programs_own_seed(logged: Project) -> None:
    run = run_of(logged, "seeded")
    summary = json.loads((run / "run_summary.json").read_text())
    config = summary["config"]
    assert (summary["seed"], config["rng-seed"], config["rng_seed"], config["seed"]) == (
        0,
        0,
        0,
        42,
    )
    assert "changed_parameters" not in json.loads((run / "manifest.json").read_text())


def test_what_a_program_adds_is_exported_and_disturbs_nothing(logged: Project) -> None:
    run = run_of(logged, "additions")
    group = logged.path / "results/groups/additions"

    assert [path.name for path in (run / "artifacts/several").iterdir()] == ["1.txt"]
    history = pq.read_table(group / "history.parquet")
    assert history.column("logged.seed").to_pylist()[5] == 7
    assert history.column("seed").to_pylist()[5] == 0
    assert rows_of(group / "runs.csv")[0]["config.started"] == "now"
    # What tells variants apart is what the experiment says, not what a program adds.
    (variant, *_) = rows_of(group / "variants.csv")
    assert "config.rate" in variant
    assert "config.started" not in variant
    # A sync takes the summary of the last process, here the one that logged the artifacts.
    (log,) = run.glob("work/wandb/upload/wandb/offline-run-*/*.wandb")
    assert read_log(log).summary["val/loss"] == 0.2


def test_the_export_has_what_the_run_used_and_says_what_differs(logged: Project) -> None:
    run = run_of(logged, "reports")
    summary = logged.read_json(f"results/runs/{run.name}/run_summary.json")
    config = {name: summary["config"][name] for name in ("width", "rate", "seed", "dataset")}
    assert config == {"width": 2, "rate": 0.1, "seed": 0, "dataset": "points"}
    assert summary["variant"] == "rate=0.1"
    assert summary["notes"] == "A toy.\n\nHalf the width: too large."
    manifest = logged.read_json(f"results/runs/{run.name}/manifest.json")
    assert manifest["changed_parameters"] == {"width": {"planned": 4, "used": 2}}
    assert manifest["dropped_rows"] == {
        "rows": 3,
        "metrics": {"late": 3, "val/loss": 3},
        "lost": ["late"],
    }
    for table in ("runs", "variants"):
        rows = rows_of(logged.path / f"results/groups/reports/{table}.csv")
        assert {row["config.width"] for row in rows} == {"2"}
    quiet = logged.read_json(f"results/runs/{run_of(logged, 'additions').name}/manifest.json")
    assert not {"changed_parameters", "dropped_rows"} & quiet.keys()


def test_a_program_that_never_calls_wandb_is_a_run_all_the_same(logged: Project) -> None:
    run = run_of(logged, "silent")

    assert rows_of(run / "metrics_history.csv") == []
    assert logged.read_json(f"results/runs/{run.name}/run_summary.json")["state"] == "finished"
    assert (run / f"artifacts/results-{run.name}/answer.txt").read_text() == "42"
    (variant,) = rows_of(logged.path / "results/groups/silent/variants.csv")
    assert (variant["runs"], variant["failed"], variant["n"]) == ("1", "0", "0")


def test_media_are_one_cell_each_without_random_parts() -> None:
    row = {
        "_step": "1",
        "image._type": '"image-file"',
        "image.path": '"media/images/x.png"',
        "image.artifact_path": '"wandb-client-artifact://random"',
        "imagery": "2",
    }
    assert fold_media(row) == {
        "_step": "1",
        "imagery": "2",
        "image": '{"_type": "image-file", "path": "media/images/x.png"}',
    }


def test_media_inside_of_media_stay_inside_in_whatever_order_their_parts_come() -> None:
    parts = {
        "m._type": '"image-file"',
        "m.masks.a\\.b._type": '"mask"',
        "m.masks.a\\.b.path": '"x"',
        "m.masks.a\\.b._latest_artifact_path": '"random"',
        r"n\._type": "1",
        r"n\.b": "2",
    }
    folded = {
        "m": '{"_type": "image-file", "masks": {"a.b": {"_type": "mask", "path": "x"}}}',
        r"n\._type": "1",
        r"n\.b": "2",
    }
    for order in (parts, dict(reversed(parts.items()))):
        assert fold_media(order) == folded


def test_leaves_passes_over_media() -> None:
    values = {"a": {"b": 1, "c.d": [1]}, "m": {"_type": "image-file", "path": "x"}, "e": None}
    assert dict(leaves(values)) == {"a.b": 1, r"a.c\.d": [1], "e": None}


def test_an_export_survives_a_moved_project(
    finished: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Artifacts are found where the folder lies now, not where it was when they were logged."""
    moved = Project(finished.path.rename(finished.path.with_name("moved")))
    monkeypatch.chdir(moved.path)
    for run in moved.runs:
        before = (run / "manifest.json").read_text()
        shutil.rmtree(run / "artifacts")
        export_run(RunFolder(run))
        assert (run / "manifest.json").read_text() == before


def test_an_artifact_that_is_not_what_was_logged_is_refused(finished: Project) -> None:
    run = finished.runs[0]
    staged = next(
        path
        for path in run.glob("work/wandb/upload/data/artifacts/staging/*")
        if path.read_text().startswith("0.")
    )
    staged.chmod(0o644)
    staged.unlink()
    staged.write_text("tampered")
    with pytest.raises(ResultError, match=r"artifact model-.*, file model.txt: .* isn't what was"):
        export_run(RunFolder(run))


def record_logs(run: Path) -> None:
    """Have the logs count as those that the run left."""
    train = Train.read(run / "train.json")
    (attempt,) = train.attempts
    attempt = replace(attempt, logs=left_logs(RunFolder(run), 1))
    replace(train, attempts=(attempt,)).write(run / "train.json")


def test_a_log_that_was_cut_off_after_its_run_has_ended_is_not_exported(finished: Project) -> None:
    run = finished.runs[0]
    (log,) = run.glob("work/wandb/1/wandb/offline-run-*/*.wandb")
    whole = log.read_bytes()
    log.write_bytes(whole[:100])
    how = f"the log has 100 bytes; {len(whole):,} were left by the run"
    with pytest.raises(ResultError, match=f"{how}; restore it"):
        export_run(RunFolder(run))
    (run / "manifest.json").unlink()
    ended = finished.snakemake()
    assert ended.code
    where = f"caduceus check-logs: results/runs/{run.name}: its export lacks manifest.json, and "
    assert f"{where}the logs to make it from are lost ({log.relative_to(run)}: {how});" in (
        ended.output
    )
    log.write_bytes(whole)
    finished.snakemake().check()


def test_a_damaged_log_is_exported_and_the_damage_is_said(finished: Project) -> None:
    run = finished.runs[0]
    (log,) = run.glob("work/wandb/1/wandb/offline-run-*/*.wandb")
    whole = log.read_bytes()
    log.write_bytes(whole[:-20])
    record_logs(run)
    export_run(RunFolder(run))

    manifest = finished.read_json(f"results/runs/{run.name}/manifest.json")
    assert manifest["damage"] == {
        "corrupt_blocks": 0,
        "unreadable_records": 0,
        "lost_records": 0,
        "cut_off": 1,
    }
    assert manifest["files"]["metrics_history.csv"]["rows"] == 5

    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 1
    log.write_bytes(damaged)
    record_logs(run)
    forced = ("--forcerun", f"results/runs/{run.name}/manifest.json")
    printed = finished.snakemake(*forced).check().output
    assert f"caduceus export-run: {run.name}: the log is damaged: {{'corrupt_blocks': 1" in printed
    assert f"damaged: {run.name}: its log has lost {{'corrupt_blocks': 1" in printed
    failures = finished.read_json("results/failures.json")
    assert failures["damaged"][run.name]["corrupt_blocks"] == 1


def test_a_group_is_made_of_the_experiments_that_name_it(
    finished: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished.path)
    plan = finished.read_json("results/experiments/toy.json")
    plan["spec"]["group"] = "ablation"
    finished.write("results/experiments/other.json", json.dumps(plan))
    plans = [Path(f"results/experiments/{name}.json") for name in ("toy", "other")]
    export_group("ablation", plans, Path("results/groups/ablation"), None)

    rows = rows_of(Path("results/groups/ablation/runs.csv"))
    assert len(rows) == 4
    assert list(rows[0])[:7] == ["run", "name", "experiment", "type", "variant", "seed", "state"]
    assert rows[0]["config.rate"] == "0.1"
    assert rows[0]["config.hypothesis"] == "A lower rate is better."
