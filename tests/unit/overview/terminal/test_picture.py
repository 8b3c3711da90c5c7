import io
from dataclasses import replace

import pytest
from caduceus.overview.terminal.picture import RunningLine, Snapshot, clock, picture
from rich.cells import cell_len
from rich.console import Console

RUNS = {"finished": 12, "running": 2, "to do": 1000, "failed": 1}
RUNNING = (
    RunningLine("mnist1d width=64 seed 3", "step 420, val/accuracy 0.8731", 34),
    RunningLine("make_table accuracy", "", 3700),
)
BUILD = Snapshot(RUNS, 58, 3092, 83, 125, RUNNING)


def drawn(build, width, height=24, **options):
    stream = io.StringIO()
    console = Console(file=stream, width=width, height=height, emoji=False, markup=False, **options)
    console.print(picture(build, width, height))
    return stream.getvalue().splitlines()


def test_the_picture_says_how_far_the_build_is():
    runs, bar, first, second = drawn(BUILD, 80)
    assert runs == "caduceus  1,015 runs: 12 finished, 2 running, 1,000 to do, 1 failed"
    assert bar.rstrip().endswith("58 of 3,092 steps, 1:23, about 2 min left")
    assert first.split("  ")[1:3] == ["mnist1d width=64 seed 3", "step 420, val/accuracy 0.8731"]
    assert first.rstrip().endswith("   0:34")
    assert second.rstrip().endswith("1:01:40")


def test_a_late_run_is_said_in_place_of_the_time_left():
    late = drawn(replace(BUILD, is_late=True), 80)[1]
    assert late.rstrip().endswith("58 of 3,092 steps, 1:23, longer than earlier runs")


@pytest.mark.parametrize("width", [20, 40, 80, 120, 300])
def test_no_line_is_wider_than_the_terminal(width):
    long = RunningLine("漢字" * 60, "x" * 300, 1)
    lines = drawn(replace(BUILD, running=(*RUNNING, long)), width)
    assert len(lines) == 5 if width >= 80 else len(lines) > 5
    assert max(map(cell_len, lines)) < width


@pytest.mark.parametrize("width", [20, 40, 60])
def test_a_narrow_terminal_shows_every_state_and_the_time_left(width):
    text = " ".join(" ".join(line.split()) for line in drawn(BUILD, width))
    assert "12 finished, 2 running, 1,000 to do, 1 failed" in text
    assert "58 of 3,092 steps, 1:23, about 2 min left" in text


def test_many_running_jobs_leave_room_on_the_terminal():
    lines = drawn(replace(BUILD, running=RUNNING * 250), 80, height=12)
    assert len(lines) == 2 + 6 + 1
    assert lines[-1].strip() == "and 494 more"


@pytest.mark.parametrize(
    "name", ["a\x1b[2Jb", "a\rb", "a\x07b", "a\u202eb", "[red]x[/red]", "a\nb"]
)
def test_a_hostile_name_is_shown_and_not_obeyed(name):
    line = drawn(replace(BUILD, running=(RunningLine(name, name, 1),)), 80)[2]
    assert line.isprintable()
    assert ("[red]x[/red]" in line) == (name == "[red]x[/red]")


def test_without_colours_there_are_no_control_codes(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    text = "".join(drawn(BUILD, 80, force_terminal=True))
    assert "\x1b[31m" not in text and "\x1b[3" not in text


def test_a_build_without_training_says_so():
    assert drawn(Snapshot({}, 0, 3, 0, None), 80)[0] == "caduceus  no run to train"


def test_clock():
    assert [clock(s) for s in (-1, 7, 83, 3723)] == ["0:00", "0:07", "1:23", "1:02:03"]
