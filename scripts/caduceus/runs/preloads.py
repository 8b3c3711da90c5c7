"""The modules that runs find imported when they start, and how jobs learn of them.

They change no result, so they are in no plan and in no parameter of a job: no run is trained or
exported again when they change. Jobs find them in the environment, which Snakemake doesn't compare.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from caduceus.io.json_records import Record

VARIABLE = "CADUCEUS_PRELOAD"
AUTO: Final = "auto"  # those that earlier runs of the program imported
Modules = tuple[str, ...] | Literal["auto"]


@dataclass(frozen=True)
class Preloads(Record):
    """The content of the variable.

    Attributes:
        owner: the process id of the Snakemake that starts the jobs.
        modules: the modules of each experiment that preloads some, or `auto`.
    """

    owner: int
    modules: Mapping[str, Modules]

    @property
    def variable(self) -> str:
        """The variable's value; empty if no experiment preloads anything."""
        return json.dumps(self.to_json()) if self.modules else ""

    @classmethod
    def from_environment(cls) -> "Preloads":
        """Read the variable of this process."""
        value = os.environ.get(VARIABLE)
        return cls.from_json(json.loads(value)) if value else cls(0, {})


@dataclass(frozen=True)
class ImportedModules(Record):
    """The content of results/preload/PROGRAM.json: what the last run of a program imported.

    Attributes:
        modules: the names of installed modules, in the order in which they were imported.
    """

    modules: tuple[str, ...]

    mend = "delete it, and the next run of the program is started afresh"

    @staticmethod
    def path(results: Path, program: str) -> Path:
        """Return the file of a program, given by its path in the project."""
        return results / "preload" / f"{program}.json"
