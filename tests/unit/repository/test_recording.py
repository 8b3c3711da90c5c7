"""docs/screen.py draws what a terminal shows; docs/recording.py writes only what has happened."""

import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
sys.path.insert(0, str(REPOSITORY / "docs"))

from recording import (  # noqa: E402
    _LARGEST_B,
    _LONGEST_S,
    STEPS,
    Step,
    check,
    check_private,
    joined,
)
from screen import READY, Frame, Screen, Style, Terminal, animated, still  # noqa: E402

ASSETS = REPOSITORY / "docs/assets"
SVG = "{http://www.w3.org/2000/svg}"


def played(*outputs: str) -> list[Screen]:
    terminal = Terminal(20, 3)
    screens = []
    for output in outputs:
        terminal.feed(output)
        screens.append(terminal.screen())
    return screens


def rows(screen: Screen) -> list[str]:
    return ["".join(character for character, _ in row).rstrip("█ ") for row in screen]


def test_a_picture_that_is_drawn_anew_replaces_the_one_before() -> None:
    first, second = played(
        "1 running\r\nstep 3\r\n", "\x1b[2A\x1b[2K1 \x1b[32mfini", "shed\x1b[0m"
    )[::2]
    assert rows(first) == ["1 running", "step 3", ""]
    assert rows(second) == ["1 finished", "step 3", ""]
    assert second[0][2] == ("f", Style("#7ee787"))


def test_an_escape_sequence_that_is_cut_in_two_is_not_shown() -> None:
    assert rows(played("a\x1b[3", "1mb")[1]) == ["ab", "", ""]
    assert rows(played(READY[:6], f"{READY[6:]}$")[1]) == ["$", "", ""]


def test_lines_that_scroll_away_stay_in_the_text() -> None:
    terminal = Terminal(20, 3)
    terminal.feed("1\r\n2\r\n3\r\n4")
    assert terminal.text() == "1\n2\n3\n4\n"


def test_a_small_cast_is_drawn_once_for_each_row_and_can_be_stopped() -> None:
    screens = played("$ ls <a>", "\r\nb")
    frames = [Frame(screens[0], 1), Frame(screens[1], 3)]
    root = ET.fromstring(animated(frames, 20, "T", "About <it>"))
    style = root.findtext(f"{SVG}style")
    assert style
    assert "animation:film 4.0s" in style
    assert re.search(r"25\.0000%\{transform:translateY\(-\d+px\)\}", style)
    assert "@media (prefers-reduced-motion:reduce){.film{animation-play-state:paused}}" in style
    assert root.findtext(f"{SVG}desc") == "About <it>"
    drawn = ["".join(group.itertext()) for group in root.iterfind(f"{SVG}defs/{SVG}g")]
    assert [text.rstrip("█") for text in drawn] == ["$ ls <a>", "$ ls <a>", "b"]
    script = root.findtext(f"{SVG}script")
    assert script
    assert "film.pause()" in script


def test_a_still_has_no_animation_and_no_script() -> None:
    picture = still(Frame(played("a")[0], 1), 20, "T", "t")
    ET.fromstring(picture)
    assert not re.search("animation|<script|keyframes", picture)


def test_equal_frames_become_one() -> None:
    (screen,) = played("a")
    assert [frame.screen for frame in joined([Frame(screen, 1), Frame(screen, 2)])] == [screen]


def test_nothing_is_written_about_what_has_not_happened() -> None:
    step = Step("caduceus build", ("\\^C", "interrupted"))
    check(step, "^C\x1b[2K\x1b[31minter\x1b[0mrupted")
    for output in ("runs: 12 finished", "interrupted ^C"):
        with pytest.raises(SystemExit, match="nothing is written"):
            check(step, output)


@pytest.mark.parametrize("text", ["in /tmp/x", "see https://a", "on node7"])
def test_nothing_of_the_machine_is_written(text: str) -> None:
    check_private("caduceus build", ("node7",))
    with pytest.raises(SystemExit, match="nothing is written"):
        check_private(text, ("node7",))


def test_the_recording_is_of_these_steps_and_short() -> None:
    text, picture = (ASSETS / "session.txt").read_text(), (ASSETS / "session.svg").read_text()
    assert re.findall(r"^\$ (.+)", text, re.MULTILINE) == [step.typed for step in STEPS]
    check_private(text + picture.replace("http://www.w3.org/2000/svg", ""), ())
    played_s = re.search(r"animation:film ([\d.]+)s", picture)
    assert played_s
    assert float(played_s[1]) <= _LONGEST_S
    assert len(picture.encode()) <= _LARGEST_B
    for word in ("interrupted; next", "1 claim: 1 supported", "24 runs, 24 finished"):
        assert word in text
