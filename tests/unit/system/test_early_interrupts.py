"""Ctrl-C while the command line is still importing modules."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from daemons import wait_until

SLOW = """\
import time
open(f"{__file__}.begun", "w").close()
time.sleep(600)
"""


@pytest.mark.parametrize("module", ["pathlib", "argparse"])  # two of the first imports
def test_an_interrupt_during_imports_is_one_line(tmp_path: Path, module: str) -> None:
    (tmp_path / f"{module}.py").write_text(SLOW)
    process = subprocess.Popen(
        [sys.executable, "-m", "caduceus", "status"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # As in a shell: a process in the background of a script ignores it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        wait_until((tmp_path / f"{module}.py.begun").exists, "the import has begun")
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=600)
    finally:
        process.kill()
        process.wait()
    assert output == "caduceus: interrupted; start the same command again\n"
    assert process.returncode == 130
