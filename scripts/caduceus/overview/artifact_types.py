"""Artifacts of types that config.yaml doesn't declare."""

from collections.abc import Iterable
from pathlib import Path

from caduceus.io.phrases import count_of
from caduceus.runs.files.export import Summary
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.plan import Plan
from caduceus.runs.folder import RunFolder
from caduceus.wandb_log.segments import WANDBS_OWN_TYPES


def undeclared_types(plans: Iterable[Path]) -> list[str]:
    """Return one line for each type of artifact that isn't declared.

    Args:
        plans: results/experiments/ID.json of each experiment, whose runs have been exported.
    """
    found: dict[str, dict[str, str]] = {}  # by type, then by run the artifact's name
    for path in plans:
        for run in Plan.read(path).runs:
            folder = RunFolder.of_plan(path, run.id)
            artifacts = Summary.read(folder.summary_json).artifacts
            identity = Identity.read_if_there(folder.run_json) if artifacts else None
            if identity is None:
                continue
            declared = {*identity.artifact_types, *WANDBS_OWN_TYPES, "code"}
            for artifact in artifacts:
                if artifact.type not in declared:
                    found.setdefault(artifact.type, {}).setdefault(run.id, artifact.name)
    return [
        f"undeclared: {count_of(len(names), 'run')} logged artifacts of type {kind!r}, such as "
        f"{next(iter(names.values()))}; describe the type under wandb.artifact_types in config.yaml"
        for kind, names in sorted(found.items())
    ]
