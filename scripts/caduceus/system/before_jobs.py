"""Steps that a Snakefile wants done once before the first job: `caduceus.note_holder` does them.

The workflow adds them while it is parsed, also as a module, whose own `onstart` Snakemake ignores.
"""

from collections.abc import Callable

_steps: list[Callable[[], None]] = []


def add_step(step: Callable[[], None]) -> None:
    """Add a step."""
    _steps.append(step)


def do_steps() -> None:
    """Do all steps, in the order in which they were added."""
    for step in _steps:
        step()
