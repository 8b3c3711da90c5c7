"""Which runs the board averages, how, and where it marks attempts, beside its HTTP server."""

import base64
import json
from typing import Any

import numpy as np
from caduceus.overview.board import columns
from caduceus.overview.board.board import Board
from caduceus.overview.board.curves import Query, Wanted
from caduceus.system import slurm
from growing_runs import Results, log_rows
from run_files import attempt, train


def board_of(results: Results) -> Board:
    board = Board(results.path)
    while board.watch.is_reading:
        board.look()
    return board


def average(board: Board) -> Any:
    found = json.loads(board.averages(Query("loss"), [("toy", "a")], None))
    return found["averages"][0] | {"method": found["method"]}


def curve(board: Board, run: str, **values: Any) -> Any:
    asked = Wanted(run, values.get("epoch"), values.get("start", 0))
    return json.loads(board.curves(Query("loss"), [asked]))["curves"][0]


def numbers(text: str, kind: str = "<f4") -> list[float]:
    return [float(value) for value in np.frombuffer(base64.b64decode(text), kind)]


def test_runs_of_earlier_code_arent_averaged(results: Results) -> None:
    results.finish("r1", [{"loss": 1.0}], seed=0)
    results.finish("r2", [{"loss": 3.0}], seed=1)
    results.finish("before", [{"loss": 101.0}], seed=0)
    found = average(board_of(results))
    assert numbers(found["mean"]) == [2.0] and found["runs"] == ["r1", "r2"]


def test_runs_without_a_plan_are_averaged_if_they_are_of_one_code(results: Results) -> None:
    (results.path / "experiments/toy.json").unlink()
    results.finish("x1", [{"loss": 1.0}], seed=0)
    results.finish("x2", [{"loss": 3.0}], seed=1)
    assert numbers(average(board_of(results))["mean"]) == [2.0]
    results.finish("x3", [{"loss": 5.0}], seed=1)
    found = average(board_of(results))
    assert found["count"] == 0 and "different code" in found["error"]


def test_seeds_of_an_ignored_seed_count_as_one_as_in_the_report(results: Results) -> None:
    rows = [{"loss": at**0.5} for at in (2, 3, 5, 6, 7)]
    results.finish("r1", rows, seed=0, rows_sha256="same")
    results.finish("r2", rows, seed=1, rows_sha256="same")
    found = average(board_of(results))
    assert numbers(found["n"]) == [1.0] * 5
    assert (found["runs"], found["repeated"]) == (["r1"], ["r2"])


def test_bands_are_those_of_the_papers_statistics(results: Results) -> None:
    config, listed = results.project / "config.yaml", "experiments: [experiments/toy.yaml]\n"
    config.write_text(f"{listed}paper:\n  statistics: {{ confidence: 0.8 }}\n")
    results.finish("r1", [{"loss": 1.0}], seed=0)
    results.finish("r2", [{"loss": 3.0}], seed=1)
    board = board_of(results)
    first = average(board)
    assert first["method"].startswith("mean, 80 % interval")
    config.write_text(listed)
    board.look()
    second = average(board)
    assert second["method"].startswith("mean, 95 % interval")
    assert numbers(first["high"]) < numbers(second["high"])


def test_the_starts_of_attempts_are_marked_live_and_in_the_export(results: Results) -> None:
    folder = results.folder("r1")
    log_rows(results.start("r1"), [{"loss": 1.0}] * 4)
    attempt(1, state="interrupted").write(folder.attempts / "1.json")
    log_rows(results.start("r1", number=2), [{"loss": 2.0}] * 4, first=3)
    attempts = attempt(1, state="interrupted"), attempt(2, resumed_from=3)
    attempts[1].write(folder.attempts / "2.json")
    assert curve(board_of(results), "r1")["segments"] == [0, 3]
    results.finish("r1", [{"loss": 1.0}] * 7)
    train("r1", *attempts).write(folder.train_json)
    assert curve(board_of(results), "r1")["segments"] == [0, 3]


def test_a_metric_that_ended_as_nan_keeps_its_curve(results: Results) -> None:
    results.finish("r1", [{"loss": 1.0}, {"loss": float("nan")}], summary={"loss": "NaN"})
    board = board_of(results)
    assert [each["name"] for each in json.loads(board.metrics([]))["metrics"]] == ["loss"]
    assert json.loads(board.overview())["runs"][0]["live"]["diverged"] == ["loss"]


def test_a_thinned_curve_isnt_continued(results: Results, monkeypatch: Any) -> None:
    monkeypatch.setattr(columns, "MOST_POINTS", 100)
    log = results.start("r1")
    log_rows(log, [{"loss": float(step)} for step in range(90)])
    board = board_of(results)
    first = curve(board, "r1")
    log_rows(log, [{"loss": float(step)} for step in range(90, 130)], first=90)
    board.look()
    assert board.watch.runs["r1"].history
    found = curve(board, "r1", epoch=first["epoch"], start=20)
    assert found["is_whole"] and numbers(found["x"], "<f8")[0] == 0.0


def test_a_project_before_its_first_build_has_no_runs(results: Results) -> None:
    found = json.loads(board_of(Results(results.project / "new")).overview())
    assert (found["runs"], found["experiments"], found["warnings"]) == ([], [], [])


def test_the_first_answer_has_every_planned_run(results: Results) -> None:
    results.finish("r1", [{"loss": 1.0}])
    board = Board(results.path)
    board.watch.look(budget_s=0)  # time for one run only
    found = json.loads(board.overview())
    assert found["is_reading"]
    states = {run["run"]: run["state"] for run in found["runs"]}
    assert states == {"r1": "finished", "r2": "being read", "r3": "being read"}
    assert found["runs"][1]["variant"] == "a" and found["runs"][1]["live"]["rows"] is None
    assert not {"finished", "being read"} - set(found["states"])


def test_runs_that_grow_fast_leave_time_for_others(results: Results) -> None:
    logs = {run: results.start(run) for run in ("r1", "r2", "r3")}
    board = board_of(results)
    for step in range(3):
        for log in logs.values():
            log_rows(log, [{"loss": 1.0}], first=step)
        board.watch.look(budget_s=0)  # time for one run only
    assert all(run.history and run.history.grown.rows for run in board.watch.runs.values())


def test_slurm_is_spoken_of_only_where_it_was_used(results: Results) -> None:
    board = board_of(results)
    board.take_queue(None, "squeue doesn't answer")
    board.look()
    found = json.loads(board.overview())
    assert found["slurm"] is None and found["warnings"] == []
    log = results.path / "logs/train/r1.slurm.log"
    log.parent.mkdir(parents=True)
    log.touch()
    board.take_queue(None, "squeue doesn't answer")
    assert json.loads(board.look() or "{}")["slurm"]["error"] == "squeue doesn't answer"
    job = slurm.QueuedJob("7", "PENDING", "caduceus:train:r1", "/project", "Priority")
    board.take_queue({"r1": job}, None)
    board.look()
    found = json.loads(board.overview())
    assert found["slurm"]["error"] is None
    first = found["runs"][0]
    assert first["slurm"] == {"job": "7", "state": "PENDING", "reason": "Priority"}
