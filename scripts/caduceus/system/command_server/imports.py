"""The modules that the command server imports, and when a fork of it does for a new interpreter.

The commands of each run import nothing that reads the environment. Those of the paper share numpy,
scipy, pyarrow and matplotlib, which take a second to import, most of what such a command takes.
"""

import gc
import importlib
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence

from caduceus.io.light_pyarrow import import_light_pyarrow

RUN_COMMANDS = ("plan-run", "init-run", "train", "upload-artifacts", "export-run")
PAPER_COMMANDS = (
    *("validate-spec", "export-group", "make-table", "measure-figure", "draw-figure"),
    *("check-claims", "sum-compute", "record-provenance", "fill-checklist", "make-report"),
    "report-failures",
)
# Variables that the interpreter and its libraries have read when they started.
_READ_AT_START = ("PYTHON", "LD_", "LC_", "LANG", "TZ", "MALLOC_", "GLIBC_TUNABLES")
# By these, libraries start no threads when they are imported, which a fork would lack. Rules of one
# thread have the same number, and Arrow's allocator frees memory in its callers' threads.
_WITHOUT_THREADS = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
NUMBERS_OF_THREADS = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "MKL_NUM_THREADS"),
    *("VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS"),
)
# Variables that Snakemake and shells set for each command, and that no import reads.
_PASSING = {
    *("_", "SHLVL", "PWD", "OLDPWD", "TMPDIR", "TMP", "TEMP", "TEMPDIR"),
    *("CADUCEUS_PYTHON", *NUMBERS_OF_THREADS, *_WITHOUT_THREADS),
}
# Modules that a command imports only when it runs; the server imports them before it forks.
_FURTHER = {
    "export-group": ("scipy.special",),
    "measure-figure": ("caduceus.paper.figures.learning_curves", "scipy.special"),
    "draw-figure": ("matplotlib.backends.backend_pdf", "matplotlib.backends.backend_svg"),
}


class Imports:
    """Imports the modules of commands, for the processes that are forked later."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()
        self._environment = dict(os.environb)
        # Each command has the environment of its client.
        os.environ.update(_WITHOUT_THREADS)

    def prepare(self, command: str, environment: Mapping[bytes, bytes]) -> None:
        """Import the modules of a command that is asked for.

        Args:
            command: its name.
            environment: that of its client.

        Raises:
            ValueError: a new interpreter might do something else.
        """
        is_papers = command in PAPER_COMMANDS
        if _fixed(environment) != _fixed(self._environment) or (
            is_papers and not self._is_alike(environment)
        ):
            raise ValueError
        self._asked[command] += 1
        if wanted := self._wanted(command, is_papers):
            try:
                for name in wanted:
                    importlib.import_module(name)
                if "pyarrow" in sys.modules:
                    import_light_pyarrow()
            except Exception:
                raise ValueError from None
            gc.freeze()  # a collection would copy the pages of all objects into each process

    def _wanted(self, command: str, is_papers: bool) -> Sequence[str]:
        module = f"caduceus.commands.{command.replace('-', '_')}"
        if is_papers:  # others will share most of what the first needs
            return (module, *_FURTHER.get(command, ())) if self._asked[command] == 1 else ()
        # A command that is needed only once is imported by its own process.
        return (module,) if self._asked[command] == 2 else ()

    def _is_alike(self, environment: Mapping[bytes, bytes]) -> bool:
        """Whether libraries that were imported here read the same, and use one thread."""
        threads = {environment.get(name.encode()) for name in NUMBERS_OF_THREADS}
        return threads == {b"1"} and _deciding(environment) == _deciding(self._environment)


def _fixed(environment: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    names = tuple(map(str.encode, _READ_AT_START))
    return {name: value for name, value in environment.items() if name.startswith(names)}


def _deciding(environment: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    passing = set(map(str.encode, _PASSING))
    return {name: value for name, value in environment.items() if name not in passing}
