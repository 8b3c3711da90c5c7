"""What would run and why, and what has become of runs, in words."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from caduceus.io.yaml_files import load
from caduceus.overview.forecasts import Duration, in_words, makespan_s, read_durations, typical_s
from caduceus.overview.plans import Plan, Training, plan_lines, read_plan
from caduceus.overview.progress import progress_of
from caduceus.overview.reasons import export_in_words
from caduceus.overview.reasons import in_words as reason_in_words
from caduceus.overview.status import read_states
from caduceus.overview.status_lines import stale_lines, state_lines
from caduceus.overview.training_reasons import known_runs, why_trained
from caduceus.project.project import load_project
from caduceus.runs.folder import RunFolder
from caduceus.system.leases import held
from projects import REPOSITORY, Project
from wandb_logs import framed, history

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


def test_times_are_those_of_the_runs_that_are_most_alike() -> None:
    durations = [
        Duration("a.py", "x", "wide", 10),
        Duration("a.py", "x", "wide", 30),
        Duration("a.py", "x", "narrow", 4),
        Duration("a.py", "y", "wide", 100),
    ]
    assert typical_s(durations, "a.py", "x", "wide") == 20
    assert typical_s(durations, "a.py", "x", "new") == 10
    assert typical_s(durations, "a.py", "z", "wide") == 20
    assert typical_s(durations, "b.py", "x", "wide") is None


def test_the_last_run_ends_when_cores_and_the_longest_run_allow() -> None:
    assert makespan_s([(10, 1)] * 4, 2) == 20
    assert makespan_s([(30, 1), (10, 1), (10, 1)], 2) == 30
    assert makespan_s([(10, 2), (10, 2)], 2) == 20
    assert makespan_s([(10, 8)], 2) == 10
    assert makespan_s([], 2) == 0


@pytest.mark.parametrize(
    ("seconds", "words"), [(4.4, "4 s"), (89, "89 s"), (720, "12 min"), (9000, "2.5 h")]
)
def test_durations_are_short(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_reasons_are_those_of_the_user() -> None:
    before = '\'0123456789abcdef\', \'{"metrics": 1, "title": "it\\\'s"}\''
    now = '\'0123456789abcdef\', \'{"metrics": 2, "title": "it\\\'s"}\''
    start = (
        "Params have changed since last execution: Union of exclusive params before and now across"
    )
    changed = f"{start} all output: before: {before} now: {now}"
    code = f"{start} all output: before: '0123456789abcdef' now: 'fedcba9876543210'"
    others = (
        "Missing output files: results/paper/tables/t.md; Input files updated by another job: "
        "results/runs/a/manifest.json, results/runs/b/manifest.json, results/experiments/x.json, "
        "results/paper/claims.json"
    )
    assert reason_in_words(changed, ()) == (
        "Caduceus's own code changed; metrics of its entry changed"
    )
    assert reason_in_words(code, ()) == "Caduceus's own code changed"
    assert reason_in_words(others, {"a"}) == (
        "1 run of it would be new; 1 run of it would be exported again; claims would change"
    )
    assert reason_in_words("Missing output files: results/a.json", ()) == "it isn't there yet"
    assert reason_in_words("Updated input files: data/x.csv, experiments/x.yaml", ()) == (
        "data/x.csv, experiments/x.yaml changed"
    )
    assert export_in_words("Updated input files: results/runs/a/run.json") == (
        "W&B name, tags or group changed"
    )
    assert export_in_words(code) == "Caduceus's own code changed"


def test_the_plan_says_what_makes_each_run_new(finished: Project) -> None:
    finished.change("experiments/toy.yaml", matrix={"rate": [0.1, 0.3]}, seeds=[0, 5])
    finished.replace("experiments/curve.py", "- rate", "- 2 * rate")
    finished.change("config.yaml", claims="strict")
    said = finished.caduceus("plan", "--cores", "2", "--", *SNAKEFILE).check().output.splitlines()
    took = read_durations(finished.path / "results")
    each = [in_words(typical_s(took, "experiments/train.py", "toy", v)) for v in ("rate=0.1", "")]
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
    stale = list(stale_lines(plan))
    assert stale[0] == f"stale: {len(plan.remakings)} results would be made again"
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
        states = {each.run: each for each in read_states(project, results, [])["toy"]}
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


def test_a_run_is_as_far_as_its_log_says(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "results/runs/toy-1")
    log = folder.wandb(1) / "wandb/offline-run-1-toy-1/run-toy-1.wandb"
    log.parent.mkdir(parents=True)
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    attempt = {"attempt": 1, "started_at": begun.isoformat()}
    early = progress_of(folder, attempt, 10, 100, begun + timedelta(seconds=30))
    assert (early.step, early.left_s) == (None, 70)
    rows = [{("loss",): "1", ("_step",): str(step)} for step in range(4)]
    log.write_bytes(framed(history(number, row) for number, row in enumerate(rows, 1)))
    midway = progress_of(folder, attempt, 10, 100, begun + timedelta(seconds=40))
    assert (midway.step, midway.steps, midway.left_s) == (3, 10, 60)
    unknown = progress_of(folder, attempt, None, None, begun + timedelta(seconds=40))
    assert (unknown.step, unknown.left_s) == (3, None)


def test_the_time_of_unknown_runs_is_left_out_and_said() -> None:
    known = Training("a", "x", "wide", 0, "its seed is new", 60.0, 1)
    unknown = Training("b", "x", "new", 0, "its variant is new", None, 1)
    [first, *_] = plan_lines(Plan([known, unknown], [], False), 1)
    assert first == (
        "2 runs to train, about 60 s of training: 60 s on 1 core, without 1 run of unknown length"
    )
    [first, *_] = plan_lines(Plan([unknown], [], False), 1)
    assert first == "1 run to train; duration unknown, as no such run has finished yet"


def test_a_run_that_was_interrupted_says_where_it_goes_on(finished: Project) -> None:
    results = finished.path / "results"
    run = finished.runs[0]
    (run / "train.json").unlink()
    change(run / "work/attempts/1.json", state="interrupted")
    known = known_runs(results)
    [this] = [each for each in known if each.run == run.name]
    why = why_trained(this, known, finished.path)
    assert why == "it was interrupted at step 4, and starts again, as it has no checkpoint"
    (run / "work/checkpoints").mkdir(exist_ok=True)
    (run / "work/checkpoints/state.json").write_text("{}")
    assert why_trained(this, known, finished.path).endswith("resumes from its checkpoint")
