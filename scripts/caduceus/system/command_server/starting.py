"""Start the command server of a Snakemake, and lead its rules to it.

Rules start commands by `"$CADUCEUS_PYTHON" -m caduceus COMMAND`. With a server, this variable names
a script that sends the commands of each run and of the paper to the server, and any other to the
interpreter.
"""

import atexit
import contextlib
import os
import select
import shlex
import shutil
import socket
import sys
import tempfile
from pathlib import Path

from caduceus.system import kernel, processes
from caduceus.system.command_server.direct import start_directly
from caduceus.system.command_server.imports import PAPER_COMMANDS, RUN_COMMANDS

COMMANDS = (*RUN_COMMANDS, *PAPER_COMMANDS)
_SERVER = "caduceus.system.command_server.server"
_END_S = 2.0
_SCRIPT = """\
#!/bin/sh
# Starts Caduceus: commands of runs and the paper by the command server, others by Python.
CADUCEUS_PYTHON={python}
case "$1 $2 $3" in
    {commands}) exec {python} -I -S {client} {socket} {python} "$@" ;;
esac
exec {python} "$@"
"""


def start() -> None:
    """Start a command server that ends with this process; without one all else is the same."""
    if kernel.IS_LINUX:
        with contextlib.suppress(OSError):  # such as a full disk, or a path that is too long
            _start()


def _start() -> None:
    folder = Path(tempfile.mkdtemp(prefix="caduceus-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    script = folder / "python"
    places = {
        "python": sys.executable,
        "client": str(Path(__file__).with_name("client.py")),
        "socket": str(folder / "socket"),
    }
    commands = "|".join(f'"-m caduceus {name}"' for name in COMMANDS)
    quoted = {name: shlex.quote(word) for name, word in places.items()}
    script.write_text(_SCRIPT.format(commands=commands, **quoted))
    script.chmod(0o700)
    if not os.access(script, os.X_OK):  # programs in this folder can't be started
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(places["socket"])
        listener.listen(128)
        words = [sys.executable, "-m", _SERVER, str(listener.fileno()), str(folder)]
        server = processes.start_server(words, [listener.fileno()])

    @atexit.register
    def end() -> None:
        assert server.stdin
        server.stdin.close()
        # It ends later if a command outlives Snakemake.
        with contextlib.suppress(KeyboardInterrupt):  # a second Ctrl-C
            select.select([os.pidfd_open(server.pid)], [], [], _END_S)
        server.poll()

    os.environ["CADUCEUS_PYTHON"] = str(script)
    if "snakemake.shell" in sys.modules:
        start_directly(places["socket"], str(script), COMMANDS)
