"""run.json: the identity of a run in W&B."""

from collections.abc import Mapping
from dataclasses import dataclass

from caduceus.io.files import Json
from caduceus.io.json_records import Record


@dataclass(frozen=True, kw_only=True)
class Identity(Record):
    """The content of run.json.

    Attributes:
        artifact_types: the types of artifacts that config.yaml declares, and those that runs always
            log.
        config: what W&B shows as the run's configuration.
        entity: the W&B user or team; None for the account's own.
        experiment: the id of its experiment.
        group: its W&B group.
        id: the run's id, which is also its id in W&B and the name of its folder.
        job_type: its W&B job type.
        keep_checkpoints: whether checkpoints stay once the run has finished.
        mode: `online` or `offline`.
        name: what W&B shows.
        notes: the experiment's description.
        patience_s: seconds for which a server that doesn't answer is tried.
        project: the W&B project.
        scratch: the folder for W&B's files while the program runs; None for the run's own.
        seed: its seed.
        sweep: the id of the sweep that chose its parameters; None without a sweep.
        tags: its W&B tags.
        url: its page on the server; None if it isn't tracked online.
        variant: its variant.
        handed_out: its id on the W&B server that chose its parameters.
    """

    artifact_types: tuple[str, ...] = ()
    config: Mapping[str, Json]
    entity: str | None = None
    experiment: str
    group: str
    id: str
    job_type: str
    keep_checkpoints: bool = False
    mode: str
    name: str
    notes: str
    patience_s: float = 60.0
    project: str
    scratch: str | None = None
    seed: int
    sweep: str | None = None
    tags: tuple[str, ...]
    url: str | None = None
    variant: str
    handed_out: str | None = None

    optional = ("handed_out",)
    mend = "delete it, and the next `snakemake` writes it again; the run isn't trained again"

    @property
    def server_id(self) -> str:
        """The run's id on a W&B server."""
        return self.handed_out or self.id
