"""The files of a run that later jobs take: those of a local run, and those of a remote one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RunFiles:
    """The files of a run that later jobs take.

    Attributes:
        logged: what the export is made from.
        ended: exists once the run has ended.
        observation: holds the result that a sweep goes by.
    """

    logged: tuple[str, ...]
    ended: str
    observation: str


LOCAL = RunFiles(("train.json", "upload.json"), ended="train.json", observation="train.json")
REMOTE = RunFiles(("server.json",), ended="manifest.json", observation="outcome.json")
