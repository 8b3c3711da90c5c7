"""Which rows of each attempt make a run."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from caduceus.exports.resumptions import resumptions
from caduceus.runs.attempts import lost_s
from caduceus.runs.export_notes import attempts_note, gaps_note
from caduceus.runs.files.attempt import Attempt, Restored
from caduceus.runs.folder import RunFolder
from caduceus.runs.logs import (
    further_ids,
    is_whole,
    last_training,
    notable_starts,
    stand_in,
    stitch_attempts,
    with_resumption,
)
from caduceus.wandb_log import gaps, iter_run, stitch
from run_files import attempt
from wandb_logs import field, framed, history, record

Values = dict[str, float | str]


def log(
    folder: RunFolder,
    attempt: int,
    rows: list[Values],
    axis: str = "",
    further: str = "",
    place: str = "",
    exit_code: int | None = None,
) -> Path:
    """The log of an attempt; W&B's steps count from 0 where a row says none."""
    run = folder.path.name + further
    records = [record(1, 17, field(1, run) + field(17, field(1, attempt)))]
    if axis:
        records.append(record(2, 12, field(2, "*") + field(4, axis)))
    for number, values in enumerate(rows):
        row = {"_step": number} | values
        items = {(name,): json.dumps(value) for name, value in row.items()}
        records.append(history(len(records) + 1, items))
    if exit_code is not None:
        records.append(record(len(records) + 1, 18, field(1, exit_code)))
    name = f"offline-run-{attempt}{further}{place}"
    path = folder.wandb(attempt) / f"wandb/{name}/run-{run}.wandb"
    path.parent.mkdir(parents=True)
    path.write_bytes(framed(records))
    return path


def counted(name: str, first: int, last: int, attempt: int) -> list[Values]:
    return [{name: n, "by": attempt} for n in range(first, last)]


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "results/runs/RUN")
    made.attempts.mkdir(parents=True)
    return made


def attempts(folder: RunFolder, count: int) -> list[Attempt]:
    """Attempts that ended, each with what it went on from as it is found out at its end."""
    made: list[Attempt] = []
    for number in range(1, count + 1):
        ended = attempt(number, state="interrupted")
        made.append(with_resumption(folder, ended, made))
    return made


def rows(folder: RunFolder, count: int) -> list[tuple[int, int]]:
    """Step and attempt of each row."""
    parts = stitch_attempts(folder, attempts(folder, count))
    return [(int(row["_step"]), int(row["by"])) for row in iter_run(parts)]


def shared(first: int, second: int, last: int) -> list[tuple[int, int]]:
    return [(n, 1) for n in range(first, second)] + [(n, 2) for n in range(second, last)]


def test_an_attempt_that_says_nothing_begins_afresh(folder: RunFolder) -> None:
    log(folder, 1, [{"by": 1}] * 5)
    log(folder, 2, [{"by": 2}] * 3)
    assert rows(folder, 2) == [(0, 2), (1, 2), (2, 2)]


def test_the_step_of_the_first_row_tells(folder: RunFolder) -> None:
    log(folder, 1, [{"_step": n, "by": 1} for n in range(6)])
    log(folder, 2, [{"_step": n, "by": 2} for n in range(4, 8)])
    assert rows(folder, 2) == shared(0, 4, 8)


@pytest.mark.parametrize("name", ["epoch", "train/global_step", "iteration", "charts/step"])
def test_a_counter_tells_where_steps_do_not(folder: RunFolder, name: str) -> None:
    log(folder, 1, counted(name, 0, 6, 1))
    log(folder, 2, counted(name, 4, 8, 2))
    assert rows(folder, 2) == shared(0, 4, 8)


def test_a_declared_axis_goes_before_a_coarser_counter(folder: RunFolder) -> None:
    first = [{"epoch": n // 4, "seen": n * 100, "by": 1} for n in range(10)]
    second = [{"epoch": n // 4, "seen": n * 100, "by": 2} for n in range(6, 12)]
    log(folder, 1, first, axis="seen")
    log(folder, 2, second, axis="seen")
    assert rows(folder, 2) == shared(0, 6, 12)


def test_a_counter_that_begins_anew_is_a_fresh_start(folder: RunFolder) -> None:
    log(folder, 1, [{"setting": 1, "by": 1}, *counted("epoch", 0, 4, 1)])
    log(folder, 2, counted("epoch", 0, 2, 2))
    assert rows(folder, 2) == [(0, 2), (1, 2)]


def test_one_that_goes_on_right_after_the_last_row_is_added(folder: RunFolder) -> None:
    log(folder, 1, counted("epoch", 0, 4, 1))
    log(folder, 2, counted("epoch", 4, 6, 2))
    assert rows(folder, 2) == shared(0, 4, 6)


def test_a_counter_that_is_no_number_tells_nothing(folder: RunFolder) -> None:
    log(folder, 1, [{"epoch": "first", "by": 1}, {"epoch": "second", "by": 1}])
    log(folder, 2, [{"epoch": "second", "by": 2}])
    assert rows(folder, 2) == [(0, 2)]


def test_what_was_noted_goes_before_what_was_logged(folder: RunFolder) -> None:
    log(folder, 1, [{"_step": n, "by": 1} for n in range(6)])
    log(folder, 2, [{"_step": n, "by": 2} for n in range(4, 8)])
    folder.restored(2).write_text('{"resumed_from": 3}')
    assert rows(folder, 2) == [*[(n, 1) for n in range(3)], *[(n, 2) for n in range(4, 8)]]
    folder.restored(2).write_text('{"resumed_from": null}')
    assert rows(folder, 2) == [(n, 2) for n in range(4, 8)]


def test_an_attempt_that_logged_no_row_replaces_nothing(folder: RunFolder) -> None:
    log(folder, 1, [{"_step": n, "by": 1} for n in range(6)])
    log(folder, 2, [])
    (folder.restored(2)).write_text('{"resumed_from": null}')
    log(folder, 3, [{"_step": n, "by": 3} for n in range(4, 6)])
    assert rows(folder, 2) == [(n, 1) for n in range(6)]
    assert rows(folder, 3) == [*[(n, 1) for n in range(4)], (4, 3), (5, 3)]


def test_a_log_to_which_nothing_came_counts_as_none(folder: RunFolder) -> None:
    """As on a full disk; after a power cut there may be zeros."""
    log(folder, 1, counted("epoch", 0, 3, 1))
    for number, content in ((2, b""), (3, bytes(64))):
        path = folder.wandb(number) / f"wandb/offline-run-{number}/run-{folder.path.name}.wandb"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        assert not is_whole(folder, number)
    assert is_whole(folder, 4)  # it has logged nothing at all
    assert rows(folder, 3) == [(0, 1), (1, 1), (2, 1)]


def test_three_attempts_each_from_the_one_before(folder: RunFolder) -> None:
    log(folder, 1, counted("epoch", 0, 5, 1))
    log(folder, 2, counted("epoch", 3, 7, 2))
    log(folder, 3, counted("epoch", 6, 9, 3))
    assert rows(folder, 3) == [
        *[(n, 1) for n in range(3)],
        *[(n, 2) for n in range(3, 6)],
        *[(n, 3) for n in range(6, 9)],
    ]


def test_one_that_runs_is_told_by_its_log_so_far(folder: RunFolder) -> None:
    log(folder, 1, counted("epoch", 0, 5, 1))
    log(folder, 2, counted("epoch", 3, 4, 2))
    made = attempts(folder, 1)
    made.append(attempt(2, state="running"))
    parts = stitch_attempts(folder, made)
    assert [int(row["by"]) for row in iter_run(parts)] == [1, 1, 1, 2]


def test_the_time_after_the_checkpoint_is_lost() -> None:
    ended = attempt(started_at="1970-01-01T00:01:40.000+00:00", wall_s=50.0)
    assert lost_s(ended, None, None) == 50.0
    assert lost_s(ended, 7, 130.0) == 20.0
    assert lost_s(ended, 7, 90.0) == 50.0
    assert lost_s(ended, 7, 160.0) == 0.0
    assert lost_s(ended, 7, None) is None


def test_logs_of_further_runs_are_none_of_the_run(folder: RunFolder) -> None:
    log(folder, 1, [{"by": 1}])
    other = RunFolder(folder.path.with_name("RUN-2"))
    path = log(other, 1, [{"by": 9}])
    target = folder.wandb(1) / "wandb/offline-run-9/run-RUN-2.wandb"
    target.parent.mkdir(parents=True)
    path.rename(target)
    assert rows(folder, 1) == [(0, 1)]
    assert [row["by"] for row in iter_run(stitch([target]))] == ["9"]


def test_a_further_run_stands_in_where_the_program_has_logged_nothing(folder: RunFolder) -> None:
    for number in (3, 2):
        log(folder, 1, counted("x", 0, number, number), further=f"-{number}")
    assert stand_in(folder, 1) == "RUN-2"
    assert rows(folder, 1) == [(0, 2), (1, 2)]
    log(folder, 1, counted("x", 0, 4, 1))
    assert stand_in(folder, 1) is None
    assert rows(folder, 1) == [(n, 1) for n in range(4)]


def test_of_several_the_first_by_name_stands_in(folder: RunFolder) -> None:
    for number, name in ((2, "fold 10"), (3, "fold 2")):
        run = field(1, f"RUN-{number}") + field(8, name)
        path = folder.wandb(1) / f"wandb/offline-run-{number}/run-RUN-{number}.wandb"
        path.parent.mkdir(parents=True)
        row = history(2, {("_step",): "0"})
        path.write_bytes(framed([record(1, 17, run), row]))
    assert stand_in(folder, 1) == "RUN-3"
    assert further_ids(folder, 1) == ["RUN-2", "RUN-3"]
    for run_id in ("..", ".", "a\nb"):
        path.with_name(f"run-{run_id}.wandb").write_bytes(path.read_bytes())
    assert further_ids(folder, 1) == ["RUN-2", "RUN-3"]


def test_of_several_without_a_name_the_first_process_stands_in(folder: RunFolder) -> None:
    """As when each rank of `torch.multiprocessing.spawn` calls `wandb.init`."""
    starts = []
    for number, process in ((2, "SpawnProcess-10"), (3, "SpawnProcess-2"), (4, "SpawnProcess-3")):
        log(folder, 1, [{"x": number}], further=f"-{number}")
        start = {"number": number, "name": None, "pid": number, "is_first_process": False}
        starts.append(json.dumps(start | {"process": process, "command": "-c"}))
    notes = folder.wandb(1) / "started-runs.jsonl"
    notes.write_text("\n".join(starts))
    assert stand_in(folder, 1) == "RUN-3"
    own = {each.number: each.is_own for each in notable_starts(folder, 1)}
    assert own == {2: False, 3: True, 4: False}


def test_the_only_run_of_a_launcher_is_not_notable(folder: RunFolder) -> None:
    log(folder, 1, [{"x": 1}], further="-2")
    start = {"number": 2, "name": None, "pid": 2, "is_first_process": False, "process": "Main"}
    (folder.wandb(1) / "started-runs.jsonl").write_text(json.dumps(start | {"command": "a.py"}))
    assert stand_in(folder, 1) == "RUN-2"
    assert notable_starts(folder, 1) == []


def test_a_run_that_is_trained_again_keeps_no_earlier_row(folder: RunFolder) -> None:
    """Though a counter in its first row goes on where the finished attempt stood."""
    log(folder, 1, counted("epoch", 0, 5, 1))
    log(folder, 2, counted("epoch", 2, 4, 2))
    finished, again = (attempt(number, state="finished") for number in (1, 2))
    interrupted = replace(again, state="interrupted", resumed_from=2)
    for last in (again, interrupted):
        assert list(last_training([finished, last])) == [last]
        rows = list(iter_run(stitch_attempts(folder, [finished, last])))
        assert {row["by"] for row in rows} == {"2"}


def test_a_metric_that_counts_is_found_by_its_values(folder: RunFolder) -> None:
    """nanoGPT logs `iter` every so often, and the loss beside it."""
    first = [{"iter": n * 10, "loss": 9 - n, "best": n // 3, "by": 1} for n in range(6)]
    second = [{"iter": n * 10, "loss": 9 - n, "best": 0, "by": 2} for n in range(4, 8)]
    log(folder, 1, first)
    log(folder, 2, second)
    assert rows(folder, 2) == shared(0, 4, 8)
    assert attempts(folder, 2)[1].resumed_metric == "iter"


def test_a_counter_that_begins_anew_replaces_all_whatever_its_name(folder: RunFolder) -> None:
    log(folder, 1, counted("iter", 0, 6, 1))
    log(folder, 2, counted("iter", 0, 2, 2))
    assert rows(folder, 2) == [(0, 2), (1, 2)]


def test_the_counter_with_the_most_values_decides(folder: RunFolder) -> None:
    """An epoch that each process counts from 0 is no fresh start; nor are its seconds."""
    first = [{"epoch": n // 4, "iter": n, "seconds": n // 2, "by": 1} for n in range(10)]
    second = [{"epoch": n // 4, "iter": n + 6, "seconds": n // 2, "by": 2} for n in range(5)]
    log(folder, 1, first)
    log(folder, 2, second)
    assert rows(folder, 2) == shared(0, 6, 11)


def test_a_known_counter_that_goes_on_comes_before_an_index_of_each_process(
    folder: RunFolder,
) -> None:
    def logged(first: int, last: int, by: int) -> list[Values]:
        return [
            {"batch": n - first, "by": by}
            | ({"global_step": n, "epoch": n // 20} if n % 5 == 0 else {})
            for n in range(first, last)
        ]

    log(folder, 1, logged(0, 23, 1))
    log(folder, 2, logged(10, 40, 2))
    assert rows(folder, 2) == shared(0, 10, 40)
    assert attempts(folder, 2)[1].resumed_metric == "global_step"


def test_a_known_counter_of_epochs_leaves_the_place_to_a_finer_one(folder: RunFolder) -> None:
    first, second = (
        [{"epoch": n // 4, "seen": n * 64, "by": by} for n in range(*span)]
        for by, span in ((1, (0, 12)), (2, (6, 16)))
    )
    log(folder, 1, first)
    log(folder, 2, second)
    assert rows(folder, 2) == shared(0, 6, 16)


@pytest.mark.parametrize(("first", "is_next"), [(2, True), (3, False)])
def test_two_rows_are_followed_by_the_one_that_comes_next(
    folder: RunFolder, first: int, is_next: bool
) -> None:
    log(folder, 1, counted("round", 0, 2, 1))
    log(folder, 2, counted("round", first, first + 2, 2))
    assert rows(folder, 2) == (shared(0, 2, 4) if is_next else [(0, 2), (1, 2)])


def test_a_counter_that_only_some_rows_have_aligns_the_others(folder: RunFolder) -> None:
    """Five rows of training, then one of evaluation."""

    def logged(first: int, last: int, attempt: int) -> list[Values]:
        return [
            ({"done": n // 6 * 100} if n % 6 == 5 else {"loss": n}) | {"by": attempt}
            for n in range(first, last)
        ]

    log(folder, 1, logged(0, 20, 1))
    log(folder, 2, logged(12, 30, 2))  # from the checkpoint of the second evaluation
    assert rows(folder, 2) == shared(0, 12, 30)
    log(folder, 3, logged(12 + 18, 40, 3))  # from the next, which no row of the second has
    assert rows(folder, 3)[-11:] == [(29, 2), *[(n, 3) for n in range(30, 40)]]


def test_rows_that_were_lost_before_a_resumption_are_a_gap(folder: RunFolder) -> None:
    log(folder, 1, counted("iter", 0, 6, 1))
    log(folder, 2, counted("iter", 9, 12, 2))
    parts = stitch_attempts(folder, attempts(folder, 2))
    assert [int(row["_step"]) for row in iter_run(parts)] == [*range(6), *range(9, 12)]
    assert gaps(parts) == [(5, 9)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([0.5, 1.5, 2.5, 3.5], [1.5, 2.5]),  # not whole
        ([3, 1, 2, 5], [2, 3]),  # falls
        ([0, 1, 2, 3], [2, 1]),  # falls in the later part
        ([7, 7, 7], [7, 7]),  # counts nothing
        ([1_770_000_000, 1_770_000_009], [1_770_000_009]),  # the time
        ([12, 26, 41, 53], [14, 30]),  # random steps of episodes, which begin anew
        ([0, 3, 10], [40]),
        (["a", "b"], ["b"]),
        ([True, True], [True]),
    ],
)
def test_what_does_not_count_is_a_fresh_start(
    folder: RunFolder, first: list[float], second: list[float]
) -> None:
    log(folder, 1, [{"x": value, "by": 1} for value in first])
    log(folder, 2, [{"x": value, "by": 2} for value in second])
    assert rows(folder, 2) == [(n, 2) for n in range(len(second))]
    assert attempts(folder, 2)[1].resumed_by == "nothing"


def test_a_lost_head_is_a_gap(folder: RunFolder) -> None:
    path = log(folder, 1, [])
    path.write_bytes(b"")
    log(folder, 2, [{"_step": n, "by": 2} for n in range(31, 34)])
    ended = attempts(folder, 2)
    assert (ended[1].resumed_from, ended[1].resumed_by) == (31, "steps")
    parts = stitch_attempts(folder, ended)
    assert [int(row["_step"]) for row in iter_run(parts)] == [31, 32, 33]
    assert gaps(parts) == [(-1, 31)]


def test_steps_that_begin_late_are_no_gap_if_nothing_was_lost(folder: RunFolder) -> None:
    log(folder, 2, [{"_step": n, "by": 2} for n in range(10, 40, 10)])  # 1 failed before its init
    parts = stitch_attempts(folder, attempts(folder, 2))
    assert gaps(parts) == []
    log(folder, 3, [{"_step": n, "by": 3} for n in range(10, 40, 10)])
    ended = attempts(folder, 3)
    assert ended[2].resumed_from is None
    assert gaps(stitch_attempts(folder, ended)) == []


def test_each_attempt_is_counted_and_said(folder: RunFolder) -> None:
    log(folder, 1, counted("iter", 0, 6, 1))
    log(folder, 2, [])
    log(folder, 3, counted("iter", 4, 8, 3))
    log(folder, 4, counted("iter", 8, 9, 4))
    log(folder, 5, [{"_step": n, "by": 5} for n in range(6, 8)])
    log(folder, 6, counted("iter", 0, 2, 6))
    found = list(resumptions(folder, attempts(folder, 6)))
    assert [(r.attempt, r.resumed_from, r.by, r.kept, r.replaced) for r in found] == [
        (3, 4, "metric", 4, 2),
        (4, 8, "metric", 8, 0),
        (5, 6, "steps", 6, 3),
        (6, None, "metric", 0, 8),
    ]
    assert [attempts_note([each]) for each in found] == [
        "attempt 3 replaces 2 rows of earlier attempts, from step 4 on (by its metric iter)",
        "attempt 4 continues at step 8 after 8 rows (by its metric iter)",
        "attempt 5 replaces 3 rows of earlier attempts, from step 6 on (by the steps that it logs)",
        "attempt 6 replaces all 8 rows of earlier attempts (by its metric iter)",
    ]
    assert list(resumptions(folder, attempts(folder, 1))) == []


def test_an_attempt_after_a_lost_one_is_said(folder: RunFolder) -> None:
    log(folder, 1, []).write_bytes(b"")
    log(folder, 2, [{"_step": n, "by": 2} for n in range(31, 34)])
    (found,) = resumptions(folder, attempts(folder, 2))
    assert attempts_note([found]) == (
        "attempt 2 continues at step 31; the rows before are lost (by the steps that it logs)"
    )
    assert gaps_note([(-1, 31), (40, 42)]).endswith(": steps 0 to 30, 41")


def test_rows_after_a_process_that_ended_well_replace_none(folder: RunFolder) -> None:
    """Such as those of an evaluation at the step of the best checkpoint, or without a step."""
    log(folder, 1, counted("epoch", 0, 4, 1), exit_code=0)
    log(folder, 1, [{"_step": 2, "by": 2}], place="-1", exit_code=0)
    log(folder, 1, [{"by": 3}], place="-2", exit_code=0)
    log(folder, 1, [{"_step": 9, "by": 4}], place="-3")
    assert rows(folder, 1) == [*shared(0, 4, 4), (4, 2), (5, 3), (9, 4)]


@pytest.mark.parametrize("exit_code", [None, 1, 143])
def test_a_program_that_a_launcher_restarts_replaces_what_it_logs_again(
    folder: RunFolder, exit_code: int | None
) -> None:
    log(folder, 1, counted("epoch", 0, 4, 1), exit_code=exit_code)
    log(folder, 1, counted("epoch", 2, 6, 2), place="-1")
    assert rows(folder, 1) == shared(0, 2, 6)
    log(folder, 1, [{"loss": 1.5, "by": 9}, {"loss": 1.0, "by": 9}], place="-2")
    assert rows(folder, 1) == [(0, 9), (1, 9)]


def test_a_checkpoint_that_a_restarted_program_restored_is_not_that_of_its_first_log(
    folder: RunFolder,
) -> None:
    log(folder, 1, counted("loss", 0, 4, 1), exit_code=1)
    second = log(folder, 1, counted("loss", 0, 3, 2), place="-1")
    Restored(resumed_from=2, log=second.parent.name).write(folder.restored(1))
    assert rows(folder, 1) == shared(0, 2, 5)


def test_an_attempt_replaces_rows_of_a_program_that_went_on(folder: RunFolder) -> None:
    log(folder, 1, counted("epoch", 0, 4, 1), exit_code=0)
    log(folder, 1, [{"_step": 2, "test": 0.5, "by": 1}], place="-1")
    log(folder, 2, counted("epoch", 3, 6, 2))
    assert rows(folder, 2) == shared(0, 3, 6)
    (second,) = resumptions(folder, attempts(folder, 2))
    assert (second.kept, second.replaced) == (3, 2)
