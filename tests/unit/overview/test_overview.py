"""The lines of `plan` and `status`: jobs with their reasons, and the states of runs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from caduceus.overview.forecasts import Duration, TypicalDurations, duration_text, makespan_s
from caduceus.overview.plan_report import plan_lines
from caduceus.overview.plans import Plan, Training
from caduceus.overview.progress import progress_of
from caduceus.overview.reasons import export_reason, job_reason, merged_reason
from caduceus.overview.training_reasons import PlannedRun, TrainedRuns
from caduceus.runs.folder import RunFolder
from run_files import attempt, identity, params
from wandb_logs import framed, history


def test_times_are_those_of_the_runs_that_are_most_alike() -> None:
    durations = TypicalDurations(
        [
            Duration("a.py", "x", "wide", 10),
            Duration("a.py", "x", "wide", 30),
            Duration("a.py", "x", "narrow", 4),
            Duration("a.py", "y", "wide", 100),
        ]
    )
    assert durations.seconds_of("a.py", "x", "wide") == 20
    assert durations.seconds_of("a.py", "x", "new") == 10
    assert durations.seconds_of("a.py", "z", "wide") == 20
    assert durations.seconds_of("b.py", "x", "wide") is None


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
    assert duration_text(seconds) == words


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
    assert job_reason(changed, ()) == ("Caduceus's own code changed; metrics of its entry changed")
    assert job_reason(code, ()) == "Caduceus's own code changed"
    runs = f"{start} all output: before: '{'0' * 64}' now: '{'1' * 64}'"
    assert job_reason(runs, ()) == "it has other runs"
    assert job_reason(others, {"a"}) == (
        "1 run of it would be new; 1 run of it would be exported again; claims would change"
    )
    assert job_reason("Missing output files: results/a.json", ()) == "it isn't there yet"
    assert job_reason("Updated input files: data/x.csv, experiments/x.yaml", ()) == (
        "data/x.csv, experiments/x.yaml changed"
    )
    assert export_reason("Updated input files: results/runs/a/run.json") == (
        "W&B name, tags or group changed"
    )
    assert export_reason(code) == "Caduceus's own code changed"


def test_the_jobs_of_one_result_have_one_reason() -> None:
    reasons = ["it isn't there yet", "1 run of it would be new", "8 runs of it would be new"]
    assert merged_reason(reasons) == "8 runs of it would be new"
    assert merged_reason(["", "it isn't there yet"]) == "it isn't there yet"
    assert merged_reason(["2 runs of it changed; claims changed", "claims changed"]) == (
        "2 runs of it changed; claims changed"
    )


def test_a_run_is_as_far_as_its_log_says(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "results/runs/toy-1")
    log = folder.wandb(1) / "wandb/offline-run-1-toy-1/run-toy-1.wandb"
    log.parent.mkdir(parents=True)
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    started = attempt(started_at=begun.isoformat())
    early = progress_of(folder, started, 10, 100, begun + timedelta(seconds=30))
    assert (early.step, early.left_s) == (None, 70)
    rows = [{("loss",): "1", ("_step",): str(step)} for step in range(4)]
    log.write_bytes(framed(history(number, row) for number, row in enumerate(rows, 1)))
    midway = progress_of(folder, started, 10, 100, begun + timedelta(seconds=40))
    assert (midway.step, midway.steps, midway.left_s) == (3, 10, 60)
    unknown = progress_of(folder, started, None, None, begun + timedelta(seconds=40))
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


def test_a_list_of_failures_to_make_is_no_failure() -> None:
    assert list(plan_lines(Plan([], [], True), 1)) == [
        "Nothing to run but the check for failures; `caduceus status` lists those that remain, if "
        "any."
    ]


def planned(folder: Path, experiment: str, rate: float, seed: int, is_trained: bool) -> PlannedRun:
    place = RunFolder(folder / f"{experiment}-{rate}-{seed}")
    place.path.mkdir()
    if is_trained:
        place.train_json.touch()
    definition = params(parameters={"rate": rate}, seed=seed)
    about = identity(place.path.name, experiment=experiment, variant=f"rate={rate}", seed=seed)
    return PlannedRun(definition, about, place)


def test_a_run_is_compared_with_the_trained_ones_that_are_most_alike(tmp_path: Path) -> None:
    known = [
        planned(tmp_path, "a", 0.1, 0, is_trained=True),
        planned(tmp_path, "a", 0.2, 0, is_trained=False),
        planned(tmp_path, "b", 0.1, 0, is_trained=False),
    ]
    before = TrainedRuns(known)
    assert before.why_trained(known[0]) == "nothing of its experiment is trained yet"
    assert before.why_trained(known[1]) == "its variant is new"
    assert before.why_trained(known[2]) == "nothing of its experiment is trained yet"
    another_seed = planned(tmp_path, "a", 0.1, 1, is_trained=False)
    assert before.why_trained(another_seed) == "its seed is new"


def test_a_trial_of_a_changed_sweep_says_what_changed(tmp_path: Path) -> None:
    def trial(sweep: str, code: str, rates: dict[str, float]) -> PlannedRun:
        place = RunFolder(tmp_path / f"{sweep}-t0000")
        place.path.mkdir()
        definition = params(parameters=rates, code=code)
        about = identity(place.path.name, experiment="tune", variant="t0000", sweep=sweep)
        return PlannedRun(definition, about, place)

    ran = trial("tune-1", "version 1", {"rate": 0.1})
    ran.folder.train_json.touch()
    assert TrainedRuns([]).why_trained(trial("tune-4", "version 1", {})) == (
        "its sweep hasn't run it yet"
    )
    before = TrainedRuns([ran])
    edited = before.why_trained(trial("tune-2", "version 2", {}))
    assert edited == "its code changed from version 1 to version 2"
    assert before.why_trained(trial("tune-3", "version 1", {})) == "its sweep changed"
