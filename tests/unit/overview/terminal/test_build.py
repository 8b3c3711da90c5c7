import pytest
from caduceus.overview.terminal.build import Build, Job


def jobs(*runs):
    """Two jobs of each run, and a table: 0 trains the first run, 1 exports it, and so on."""
    for at, run in enumerate(runs):
        yield Job(2 * at, "train", run, "train x", run, trains=True)
        yield Job(2 * at + 1, "export_run", run, "export_run", run)
    yield Job(100, "make_table", "make_table t", "make_table")


def test_runs_are_counted_by_state():
    build = Build(jobs("a", "b", "c", "d", "e"), now=0)
    assert build.run_states() == {"to do": 5}
    build.start(0, 1)
    build.start(2, 1, is_queued=True)
    build.start(4, 1)
    assert build.run_states() == {"running": 2, "queued": 1, "to do": 2}
    build.finish(0, 3)
    build.finish(4, 3, "failed")
    build.start(2, 3)
    build.start(6, 3)
    build.fail(6)
    assert build.run_states() == {"finished": 1, "running": 1, "to do": 1, "failed": 2}
    build.start(6, 4)  # its next attempt
    assert build.run_states() == {"finished": 1, "running": 2, "to do": 1, "failed": 1}
    assert [run for run in "abcde" if build.has_lost(run)] == ["c"]


def test_a_run_has_ended_with_its_last_job():
    build = Build(jobs("a"), now=0)
    build.start(0, 0)
    assert build.finish(0, 2) == 2
    assert not build.has_ended("a")
    build.start(1, 2)
    build.finish(1, 3)
    assert build.has_ended("a")
    assert (build.done, build.total) == (2, 3)


def test_the_time_left_needs_a_duration_of_each_kind():
    build = Build(jobs("a", "b"), now=0)
    assert build.left_s(0) is None
    known = Build(jobs("a", "b"), 0, {"train x": 10, "export_run": 1, "make_table": 2})
    assert known.left_s(0) == 2 * 10 + 2 * 1 + 2
    known.start(0, 0)
    known.start(2, 0)  # two at a time from here on
    assert known.left_s(4) == (2 * 6 + 4) / 2
    assert known.left_s(1000) == 4 / 2, "longer than usual"


def test_a_run_is_late_once_it_is_over_its_time_for_longer_than_is_left():
    usual = {"train x": 10, "export_run": 1, "make_table": 2}
    build = Build(jobs("a"), 0, usual)
    build.start(0, 0)
    assert not build.is_late(12.9), "the export and the table take 3 s"
    assert build.is_late(13.1)
    many = Build(jobs(*"abcdefgh"), 0, usual)
    many.start(0, 0)
    assert not many.is_late(60), "seven other runs take longer than this one is late"
    unknown = Build(jobs("a"), 0)
    unknown.start(0, 0)
    assert not unknown.is_late(1000)


def test_durations_of_this_build_replace_earlier_ones():
    build = Build(jobs("a", "b"), 0, {"train x": 10})
    build.start(0, 0)
    build.finish(0, 4)
    build.start(1, 4)
    build.finish(1, 6)
    assert build.left_s(6) == 4 + 2 + 2, "a rule that hasn't run takes as long as the others"


def test_an_unplanned_job_is_added_once():
    build = Build([], 0)
    job = Job(7, "own", "own x", "own")
    build.add(job)
    build.add(job)
    build.start(7, 0)
    build.finish(7, 1)
    assert (build.done, build.total, build.left_s(1)) == (1, 1, pytest.approx(0))
