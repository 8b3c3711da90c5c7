"""Programs in the foreground."""

import signal
import sys

from caduceus.system.foreground import run_here


def test_a_program_run_here_gets_signals_and_gives_its_status() -> None:
    assert run_here([sys.executable, "-c", "raise SystemExit(3)"]) == 3
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert run_here([sys.executable, "-c", code]) == 128 + signal.SIGKILL
    # The program asks for the signal once it has a handler, and ends by what that handler says.
    code = (
        "import os, signal\n"
        "signal.signal(signal.SIGTERM, lambda number, frame: os._exit(7))\n"
        "os.kill(os.getppid(), signal.SIGTERM)\n"
        "signal.pause()\n"
    )
    before = signal.getsignal(signal.SIGTERM)
    assert run_here([sys.executable, "-c", code]) == 7
    assert signal.getsignal(signal.SIGTERM) is before
