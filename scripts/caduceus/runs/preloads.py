"""The modules that runs find imported when they start, and how jobs learn of them.

They change no result, so they are in no plan and in no parameter of a job: no run is trained or
exported again when they change. Jobs find them in the environment, which Snakemake doesn't compare.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

from caduceus.io.json_records import Record

VARIABLE = "CADUCEUS_PRELOAD"


@dataclass(frozen=True)
class Preloads(Record):
    """The content of the variable.

    Attributes:
        owner: the process id of the Snakemake that starts the jobs.
        modules: the modules of each experiment that preloads some.
    """

    owner: int
    modules: Mapping[str, tuple[str, ...]]

    @property
    def variable(self) -> str:
        """The variable's value; empty if no experiment preloads anything."""
        return json.dumps(self.to_json()) if self.modules else ""

    @classmethod
    def from_environment(cls) -> "Preloads":
        """Read the variable of this process."""
        value = os.environ.get(VARIABLE)
        return cls.from_json(json.loads(value)) if value else cls(0, {})
