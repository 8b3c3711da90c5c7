"""The lines of `plan` and `status` in a trained project."""

import json
from pathlib import Path
from typing import Any

import pytest
from caduceus.io.yaml_files import load
from caduceus.overview.forecasts import TypicalDurations, duration_text, durations_of
from caduceus.overview.plan_report import plan_lines
from caduceus.overview.plans import read_plan
from caduceus.overview.status import read_states
from caduceus.overview.status_lines import stale_lines, state_lines
from caduceus.overview.training_reasons import TrainedRuns, planned_runs
from caduceus.project.project import load_project
from caduceus.runs.folder import RunFolder
from caduceus.runs.record import read_records
from caduceus.system.leases import held
from projects import REPOSITORY, Project

PREFIXED = """\
from caduceus import SNAKEFILE
configfile: "config.yaml"
module study:
    snakefile: SNAKEFILE
    config: config
    prefix: "study"
use rule * from study as study_*
"""
SNAKEFILE = ["--snakefile", str(REPOSITORY / "Snakefile")]


def test_the_plan_says_what_makes_each_run_new(finished: Project) -> None:
    finished.change("experiments/toy.yaml", matrix={"rate": [0.1, 0.3]}, seeds=[0, 5])
    finished.replace("experiments/curve.py", "- rate", "- 2 * rate")
    finished.change("config.yaml", claims="strict")
    said = finished.caduceus("plan", "--cores", "2", "--", *SNAKEFILE).check().output.splitlines()
    took = TypicalDurations(durations_of(read_records(finished.path / "results")))
    each = [
        duration_text(took.seconds_of("experiments/train.py", "toy", v)) for v in ("rate=0.1", "")
    ]
    assert said[0].startswith("4 runs to train, about ") and said[0].endswith(" on 2 cores")
    assert said[1] == "  toy"
    assert sorted(said[2:5]) == [
        f"    rate=0.1  seed 0 ({each[0]} each): experiments/curve.py changed",
        f"    rate=0.1  seed 5 ({each[0]} each): its seed is new",
        f"    rate=0.3  seeds 0, 5 ({each[1]} each): its variant is new",
    ]
    assert "  tables/accuracy  4 runs of it would be new" in said
    finished.write("Snakefile", PREFIXED)
    other = finished.caduceus("plan").check().output.splitlines()
    assert other[0] == "4 runs to train; duration unknown, as no such run has finished yet"
    assert sum(": nothing of its experiment is trained yet" in line for line in other) == 2
    finished.replace("experiments/toy.yaml", "seeds", "seedz")
    line = finished.caduceus("plan", "--", *SNAKEFILE).line()
    assert line.startswith("caduceus plan: experiments/toy.yaml:")
    assert "unknown key 'seedz', did you mean 'seeds'?" in line


def test_nothing_to_do_is_said_and_a_changed_entry_is_stale(
    finished: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished.path)
    assert list(plan_lines(read_plan(SNAKEFILE), 1)) == ["Nothing to run."]
    config = load(Path("config.yaml")).value
    table = config["paper"]["tables"]["accuracy"]
    table["metrics"] = {"loss": "val/loss"}
    finished.change("config.yaml", paper=config["paper"])
    finished.change("experiments/toy.yaml", tags=["new"])
    plan = read_plan(SNAKEFILE)
    assert plan.trainings == []
    lines = list(plan_lines(plan, 1))
    assert lines[:2] == ["4 runs to export again", "  4 runs: W&B name, tags or group changed"]
    stale = list(stale_lines(plan.stale))
    assert stale[0] == f"stale: {len(plan.rebuilds)} results would be made again"
    assert any("tables/accuracy" in line for line in stale)


def change(folder: Path, **changes: Any) -> None:
    """Set keys of a JSON file."""
    folder.write_text(json.dumps(json.loads(folder.read_text()) | changes))


def test_what_became_of_runs_is_told_apart(
    finished: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished.path)
    results = Path("results")
    a, b, c, d = finished.runs
    change(a / "train.json", state="failed", error="train.py exited with 1: no data")
    (b / "manifest.json").unlink()
    for run in (c, d):
        (run / "train.json").unlink()
        (run / "manifest.json").unlink()
        change(run / "work/attempts/1.json", state="running", error=None)
    project = load_project(load(Path("config.yaml")).value, ["config.yaml"])
    folder = RunFolder(d)
    with held(folder.lease, folder.lock, lambda where: None):
        states = {
            each.run: each for each in read_states(project, results, read_records(results))["toy"]
        }
    assert [states[run.name].state for run in (a, b, c, d)] == [
        *("failed", "to export", "interrupted", "running")
    ]
    assert states[c.name].about == "killed together with its supervisor"
    progress = states[d.name].progress
    assert progress is not None and progress.step == 4
    lines = list(state_lines({"toy": list(states.values())}, ["toy"]))
    assert lines[0] == "toy: 4 runs, 1 running, 1 interrupted, 1 to export, 1 failed"
    assert any("train.py exited with 1: no data" in line for line in lines)
    assert lines[-1].startswith("failed runs: fix the cause, type `caduceus retry`")


def test_a_run_that_was_interrupted_says_where_it_goes_on(finished: Project) -> None:
    results = finished.path / "results"
    run = finished.runs[0]
    (run / "train.json").unlink()
    change(run / "work/attempts/1.json", state="interrupted")
    known = planned_runs(read_records(results))
    [this] = [each for each in known if each.run == run.name]
    why = TrainedRuns(known).why_trained(this, finished.path)
    assert why == "it was interrupted at step 4, and starts again, as it has no checkpoint"
    (run / "work/checkpoints").mkdir(exist_ok=True)
    (run / "work/checkpoints/state.json").write_text("{}")
    again = TrainedRuns(known).why_trained(this, finished.path)
    assert again.endswith("resumes from its checkpoint")


def test_damaged_files_are_named_and_mended_as_they_say(finished: Project) -> None:
    """A damaged file costs its own run, and deleting it brings back the same bytes."""
    names = ("params.json", "run.json", "train.json", "run_summary.json")
    damaged = [run / name for run, name in zip(finished.runs, names, strict=True)]
    damaged.append(finished.path / "results/experiments/toy.json")
    before = [path.read_bytes() for path in damaged]
    damaged[0].write_text("")
    damaged[-1].write_text("[]")
    said = finished.caduceus("status").output.splitlines()
    assert said[0].startswith("damaged: results/experiments/toy.json: the file is [], not an obj")
    assert said[1] == "toy: 4 runs, 3 finished, 1 damaged"
    where = damaged[0].relative_to(finished.path)
    assert f"{where}: not JSON (empty file); delete it, and the next `snakemake`" in said[2]

    for path, content in zip(damaged, before, strict=True):
        path.write_bytes(content[: len(content) // 2])
    for line in finished.caduceus("status").output.splitlines()[2:6]:
        assert "not JSON" in line and "; delete it, and the next `snakemake`" in line
    for path in damaged:
        path.unlink()
    again = finished.snakemake().check()
    assert again.output.count("has finished already: kept") == 3
    assert [path.read_bytes() for path in damaged] == before
