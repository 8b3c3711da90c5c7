"""Why a program didn't finish, in one line."""

from pathlib import Path

import pytest
from caduceus.system.processes import Outcome
from caduceus.training.failure_reason import last_lines, reason

TRACEBACK = """\
Traceback (most recent call last):
  File "train.py", line 3, in <module>
    fail()
    ^^^^^^
ValueError: the first line says what it is
"""


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("", []),
        ("one\n\n  \ntwo\nthree\nfour\n", ["two", "three", "four"]),
        ("epoch 3\n" + TRACEBACK, ["ValueError: the first line says what it is"]),
        (
            TRACEBACK + "a\nb\nc\n",
            ["ValueError: the first line says what it is", "b", "c"],
        ),
        (
            "".join(f"[rank0]: {line}\n" for line in TRACEBACK.splitlines()),
            ["[rank0]: ValueError: the first line says what it is"],
        ),
        (TRACEBACK.partition("ValueError")[0], ["fail()", "^^^^^^"]),  # it was cut off
        ("\x1b[31mred\x1b[0m\nwandb: Run history:\n", ["red"]),
        (" 10%\r 20%\r 30%\nout of luck", ["30%", "out of luck"]),
        ("x" * 500, ["x" * 199 + "…"]),
    ],
)
def test_the_last_lines(tmp_path: Path, printed: str, expected: list[str]) -> None:
    console = tmp_path / "console"
    console.write_bytes(printed.encode())
    assert last_lines(console)[-len(expected) or None :] == expected


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        ({"exit_code": 3}, "exited with 3"),
        ({"signal": 11}, "killed by SIGSEGV"),
        ({"signal": 9}, "killed by SIGKILL, often because memory ran out"),
        ({"signal": 15, "timed_out": True}, "ended at its time limit of 1.5 minutes"),
        ({"exit_code": 0, "interrupted_by": 10}, "stopped by SIGUSR1"),
    ],
)
def test_the_reason_names_the_status_and_the_last_lines(
    tmp_path: Path, ended: dict[str, int], expected: str
) -> None:
    console = tmp_path / "console"
    console.write_text("one\ntwo\n")
    nothing = dict.fromkeys(("exit_code", "signal", "interrupted_by"))
    flags = {"timed_out": False, "was_cancelled": False}
    used = {"wall_s": 1.0, "cpu_s": 1.0, "peak_memory_bytes": 1}
    outcome = Outcome(**nothing | flags | used | ended)
    said = reason("train.py", outcome, 90, console)
    assert said.startswith(f"train.py {expected}")
    assert said.endswith(f"; see {console}")
    assert (": one | two;" in said) == ("interrupted_by" not in ended)
