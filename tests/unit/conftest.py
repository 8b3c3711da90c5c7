"""Units share two cores with each other: one thread for each."""

import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest
from snakemake_forks import snakemake_forks

if TYPE_CHECKING:
    from caduceus.system.processes import CommandOutput

os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True, scope="session")
def _without_waiting_for_the_disk() -> Iterator[None]:
    """Units write many thousand small files, and test no power cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda descriptor: None)
        yield


@pytest.fixture
def forked_dry_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dry runs of Snakemake that this process starts are forks of one that has imported it."""
    # Not above: the plugin no_linux is configured after this module is imported.
    from caduceus.system import processes, snakemake_dry_run

    start_afresh = processes.capture

    def capture(words: Sequence[str], *given: Any, **named: Any) -> "CommandOutput | None":
        code = snakemake_dry_run._PROCESS
        if [*words[:3]] != [sys.executable, "-c", code]:
            return start_afresh(words, *given, **named)
        return processes.CommandOutput(*snakemake_forks().capture(code, words[3:]))

    monkeypatch.setattr(processes, "capture", capture)
