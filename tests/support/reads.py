"""What jobs read that they don't wait for: nothing, or two jobs at once get into each other's way.

Snakemake runs a job after those that make its inputs. It isn't enough that these come later in some
other way: what is `ancient` to a job is waited for if the job itself runs, and not by those after
it if it doesn't.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from projects import REPOSITORY, Project

_HOOK = Path(__file__).parent / "watching"
# Made once and not again unless they are deleted by hand, so that nobody comes upon them half-made.
_MADE_ONCE = ("suggest_trial", "find_trial")


def watched(folder: Path) -> dict[str, str]:
    """Variables with which `Project.snakemake` has its commands note in `folder` what they read."""
    folder.mkdir()
    return {"WATCHED_READS": str(folder)}


def watched_afresh(folder: Path) -> dict[str, str]:
    """The same for a Snakemake, a command server and commands that are new interpreters."""
    path = os.pathsep.join(filter(None, [str(_HOOK), os.environ.get("PYTHONPATH")]))
    return watched(folder) | {"PYTHONPATH": path}


@dataclass(frozen=True)
class _Job:
    rule: str
    outputs: Sequence[str]
    inputs: Mapping[str, bool]  # and whether each is ancient
    logs: Sequence[str]


def unordered_reads(project: Project, folder: Path) -> tuple[set[str], set[str]]:
    """The rules that were watched, and what one of their jobs has read that it doesn't wait for."""
    listed = project.run(sys.executable, __file__, str(REPOSITORY / "Snakefile")).check().output
    jobs = [_Job(**job) for job in json.loads(listed.splitlines()[-1])]
    makers = {path: job for job in jobs for path in job.outputs}
    by_log = {log: job for job in jobs for log in job.logs}
    rules, found = set(), set()
    for notes in folder.iterdir():
        command, *opened = [*map(json.loads, notes.read_text().splitlines())] or [[]]
        if "--log" not in command:
            continue  # a helper that a job has started
        job = by_log[command[command.index("--log") + 1]]
        rules.add(job.rule)
        waits_for = {id(maker) for maker in _waits_for(job, makers)}
        read = (path for path, flags in opened if not flags & (os.O_WRONLY | os.O_RDWR))
        for path in read:
            maker = _maker(os.path.relpath(path, project.path), makers)
            if maker is None or maker is job or maker.rule in _MADE_ONCE:
                continue
            if id(maker) not in waits_for:
                found.add(f"{job.rule} reads {Path(path).name} of {maker.rule}")
    return rules, found


def _waits_for(job: _Job, makers: Mapping[str, _Job]) -> list[_Job]:
    """Every job that ends before this one starts, whenever both run."""
    waiting = [makers[path] for path in job.inputs if path in makers]
    found: dict[int, _Job] = {}
    while waiting:
        one = waiting.pop()
        if id(one) not in found:
            found[id(one)] = one
            waiting += [
                makers[path]
                for path, is_ancient in one.inputs.items()
                if path in makers and not is_ancient
            ]
    return list(found.values())


def _maker(path: str, makers: Mapping[str, _Job]) -> _Job | None:
    """The job that makes a file, or the folder that it lies in."""
    places = (path, *map(str, Path(path).parents))
    return next((makers[place] for place in places if place in makers), None)


def list_jobs(snakefile: Path) -> list[dict[str, Any]]:
    """The jobs of the project in the current folder, all of them, whether they are to be run."""
    from snakemake.api import SnakemakeApi
    from snakemake.settings.types import DAGSettings, OutputSettings, ResourceSettings

    with SnakemakeApi(OutputSettings()) as snakemake:
        workflow = snakemake.workflow(ResourceSettings(cores=2), snakefile=snakefile)
        workflow.dag(DAGSettings()).summary()
        return [
            {
                "rule": job.rule.name,
                "outputs": [str(path) for path in job.output],
                "inputs": {str(path): bool(path.flags.get("ancient")) for path in job.input},
                "logs": [str(path) for path in job.log],
            }
            for job in workflow._workflow.dag.jobs
        ]


if __name__ == "__main__":
    print(json.dumps(list_jobs(Path(sys.argv[1]))))
