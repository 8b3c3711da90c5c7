"""The workflow's steps in a crate, as the profile Provenance Run Crate has them.

The steps are the programs that experiments name: each run is one execution of its step. What
Caduceus itself makes of the runs is the workflow's own action, and no step.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

_ENGINE = "#snakemake"
Entity = Mapping[str, Any]


def with_steps(workflow: Entity, programs: Sequence[str]) -> Entity:
    """Return the workflow with its programs as steps; itself if no program ran.

    Args:
        workflow: its entity.
        programs: addresses of the programs that ran.
    """
    if not programs:
        return workflow
    steps = [{"@id": _step(program)} for program in programs]
    tools = [{"@id": program} for program in programs]
    return {**workflow, "@type": [*workflow["@type"], "HowTo"], "hasPart": tools, "step": steps}


def step_entities(actions: Mapping[str, str], whole: str) -> Iterator[Entity]:
    """Yield the steps, their executions, the engine, and how it ran them.

    Args:
        actions: the address of the program of each run, by the id of the run's action.
        whole: the id of the workflow's action.
    """
    if not actions:
        return
    for position, program in enumerate(dict.fromkeys(actions.values()), 1):
        yield {
            "@id": _step(program),
            "@type": "HowToStep",
            "position": str(position),
            "workExample": {"@id": program},
        }
    for action, program in actions.items():
        yield {
            "@id": f"{action}/step",
            "@type": "ControlAction",
            "name": f"Running {program}",
            "instrument": {"@id": _step(program)},
            "object": {"@id": action},
        }
    yield {
        "@id": _ENGINE,
        "@type": "SoftwareApplication",
        "name": "Snakemake",
        "url": "https://snakemake.readthedocs.io",
        "softwareVersion": version("snakemake"),
    }
    yield {
        "@id": f"{whole}/steps",
        "@type": "OrganizeAction",
        "name": "Running the steps",
        "instrument": {"@id": _ENGINE},
        "object": [{"@id": f"{action}/step"} for action in actions],
        "result": {"@id": whole},
    }


def _step(program: str) -> str:
    return f"Snakefile#{program}"
