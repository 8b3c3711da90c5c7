"""params.json: the definition of a run, which is all that decides its result."""

from collections.abc import Mapping
from dataclasses import dataclass

from caduceus.io.files import Json
from caduceus.io.json_records import Record


@dataclass(frozen=True, kw_only=True)
class Params(Record):
    """The content of params.json. A hash of it is part of the run's id.

    Attributes:
        code: the digest of the program's code, or `version X` where the experiment names one.
        command: the words of the command line, with W&B's macros.
        dataset: `name` and, where declared, `version` and `sha256`; None without a dataset.
        parameters: by name, without the seed; of a sweep's run with those that the sweep chose.
        program: the training program, relative to the project's folder.
        seed: the seed.
    """

    code: str
    command: tuple[Json, ...]
    dataset: Mapping[str, Json] | None
    parameters: Mapping[str, Json]
    program: str
    seed: int

    mend = (
        "delete it, and the next `snakemake` writes it again; a run that has finished isn't "
        "trained again"
    )
